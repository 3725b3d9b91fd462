// Reads a YAML file that a person wrote. Every key must be asked for: a key nobody asked for, a
// wrong type or a wrong unit is an error that names file, line, key and what is allowed. Aliases,
// tags and repeated keys are refused. yaml-cpp's types stay inside this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"
#include "measurement/time.h"

namespace kua::platform {

// One mapping of the file; borrows the ConfigReader it came from. Getters return the value, or
// `fallback` where the key is absent; the first problem anywhere in the file is remembered and
// returned by ConfigReader::finish().
class ConfigSection {
 public:
  struct Impl;
  explicit ConfigSection(std::shared_ptr<Impl> impl);

  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback);
  [[nodiscard]] std::string one_of(std::string_view key, std::string_view fallback,
                                   std::span<const std::string_view> allowed);
  [[nodiscard]] bool flag(std::string_view key, bool fallback);  // true | false only
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                                     std::int64_t max);
  [[nodiscard]] double real(std::string_view key, double fallback, double min, double max);
  // "500ms", "1.5s", "5min", "2h", "14d": a number and a unit, both required.
  [[nodiscard]] Microseconds duration(std::string_view key, Microseconds fallback, Microseconds min,
                                      Microseconds max);
  // "512B", "64KiB", "20MB", "2GiB": a whole number and a unit, both required.
  [[nodiscard]] std::uint64_t bytes(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                    std::uint64_t max);
  // A list of scalars; empty where it is absent.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  // A nested mapping; an absent one reads as all defaults.
  [[nodiscard]] ConfigSection section(std::string_view key);
  [[nodiscard]] std::vector<ConfigSection> sections(std::string_view key);  // a list of mappings
  // The keys of this mapping that were not asked for yet: for mappings whose keys are data.
  [[nodiscard]] std::vector<std::string> remaining_keys();
  [[nodiscard]] bool has(std::string_view key) const;  // looks without asking
  // Marks the value of `key` as wrong, with what is allowed instead.
  void reject(std::string_view key, std::string_view allowed);

 private:
  std::shared_ptr<Impl> impl_;
};

class ConfigReader {
 public:
  // Errors: not_found, permission, io, invalid_input with line and column for text that is not YAML
  // or uses what is refused, limit for more than 1 MiB, 16 levels or 100,000 values.
  [[nodiscard]] static Expected<ConfigReader> open(const std::string& path);
  [[nodiscard]] static Expected<ConfigReader> parse(std::string_view text, std::string name);

  [[nodiscard]] ConfigSection& root();
  // The first problem found by any getter, else the first key that nobody asked for:
  // "probe.yaml:12: unknown key 'interfal' (allowed here: interval, profile)".
  [[nodiscard]] Expected<void> finish();

 private:
  struct Impl;
  explicit ConfigReader(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
  std::shared_ptr<ConfigSection> root_;
};

}  // namespace kua::platform
