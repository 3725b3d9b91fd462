// The files of a new collector: TLS identity, cluster keys, desk tokens, collector.yaml, a note for
// whoever runs it; and the join link that follows from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/time.h"
#include "protocol/join_link.h"

namespace kua::collector {

struct InitOptions {
  std::string directory;
  std::string name = "unnamed";
  std::vector<std::string> endpoints;  // host:port as probes reach it; the first one's port is listened on
  std::uint16_t public_port = 9778;
  std::uint16_t desk_port = 9780;
  int min_clusters = 5;
  std::vector<std::string> network_databases;
  std::vector<std::string> list_key_files;  // public keys, base64url
  std::string list_file;                    // envelope of the minimum list
};

// What the join link needs beside what lies in the directory.
struct LinkOptions {
  std::string directory;
  std::string name;
  std::vector<std::string> endpoints;
  std::vector<std::string> list_key_files;
  std::string list_file;
  std::string invitation;
};

// Makes everything; nothing that exists is overwritten. The link where list keys and a list are given.
// Errors: configuration, io.
[[nodiscard]] Expected<std::optional<std::string>> make_operator_files(const InitOptions& options, WallTime now);

// Errors: configuration where the list is not signed by one of the keys, not_found, io.
[[nodiscard]] Expected<std::string> make_join_link(const LinkOptions& options, WallTime now);

// Adds `count` new codes to the directory's invitations and returns them.
[[nodiscard]] Expected<std::vector<std::string>> make_invitations(const std::string& directory, int count);

}  // namespace kua::collector
