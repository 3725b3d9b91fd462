// `kua-collector lists`: making list keys, signing target lists, showing what a signed one holds. Offline:
// nothing here knows of a collector, and the keys have no place on one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/names.h"
#include "measurement/time.h"
#include "protocol/target_list.h"

namespace kua::collector {

// Writes FILE (PEM, 0600) and FILE.pub (base64url, one line); returns the public key's text.
[[nodiscard]] Expected<std::string> make_list_key(const std::string& path);

struct SignOptions {
  std::string key_file;
  std::vector<std::string> target_files;  // CSV
  std::string extra_file;                 // YAML, see config/list.yaml; empty: none
  std::optional<std::uint64_t> serial;    // default: seconds since 1970, so that a later list is a newer one
  std::optional<CountryCode> country;
  std::chrono::days valid{14};
  std::string out_file;                   // replaced if it exists
};
struct SignedList {
  protocol::TargetList list;
  protocol::SkippedSigns skipped;  // rows of its tables that are not in it
};
// Reads, checks, signs, writes; returns the list for a summary.
[[nodiscard]] Expected<SignedList> sign_list(const SignOptions& options, WallTime now);

// What extra_file adds. Paths in it are relative to it.
[[nodiscard]] Expected<void> read_list_extra(const std::string& path, SignedList& out);

struct ShowOptions {
  std::string list_file;
  std::vector<std::string> key_files;  // public keys to check against; empty: says who signed, trusts nobody
};
// A summary for people, several lines.
[[nodiscard]] Expected<std::string> show_list(const ShowOptions& options, WallTime now);
[[nodiscard]] std::string summary_of(const protocol::TargetList& list);
// One line, or empty when nothing was left out.
[[nodiscard]] std::string summary_of(const protocol::SkippedSigns& skipped);

}  // namespace kua::collector
