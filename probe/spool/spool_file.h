// The spool's file: its tables, and what happens to one that cannot be read any more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "measurement/error.h"
#include "platform/sqlite/sqlite.h"

namespace kua::probe {

// Opens or makes the file and its tables, and looks through it once. Errors: invalid_input when it is
// damaged or no spool, configuration when a newer version wrote it, and the system's.
[[nodiscard]] Expected<platform::Database> open_spool_file(const std::string& path,
                                                           platform::Durability durability);

// Renames the file and its journal to "<path>.damaged-<n>", the first n that is free; returns that name.
[[nodiscard]] Expected<std::string> move_spool_aside(const std::string& path);

// Copies the rows that can still be read from a damaged file. Returns how many there were; what is
// unreadable is silently not among them, which is why the caller counts the damage.
[[nodiscard]] std::uint64_t rescue_rows(const std::string& damaged_path, platform::Database& into);

}  // namespace kua::probe
