// Whole files of text, as setup and lists need them: small, written once, never over an existing one.
#pragma once

#include <string>
#include <string_view>

#include "measurement/error.h"

namespace kua::collector {

[[nodiscard]] Expected<std::string> read_text_file(const std::string& path);

enum class FileMode : unsigned { secret = 0600, open = 0644 };
// Synced. Errors: io, also when the file exists.
[[nodiscard]] Expected<void> write_new_file(const std::string& path, std::string_view text, FileMode mode);

}  // namespace kua::collector
