// The signed target lists that this collector hands on. It holds no list key and changes nothing in
// them: DIR/targets-KZ.json for one country, DIR/targets.json for the rest. A file that changed is read
// again at the next request.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "measurement/error.h"
#include "measurement/names.h"

namespace kua::collector {

class ListFiles {
 public:
  explicit ListFiles(std::string directory) : directory_(std::move(directory)) {}

  struct Envelope {
    std::string bytes;
    std::string etag;  // with its quotes
  };
  // The country's own list, else the general one. nullptr: there is none. Valid until the next call.
  [[nodiscard]] const Envelope* find(const CountryCode& country);

 private:
  struct Cached {
    std::int64_t modified_ns = 0;
    std::uint64_t bytes = 0;
    std::uint64_t inode = 0;
    Envelope envelope;
  };
  [[nodiscard]] const Envelope* load(const std::string& name);

  std::string directory_;
  std::map<std::string, Cached> cache_;
};

// Whether an If-None-Match value names `etag` (RFC 9110 §13.1.2).
[[nodiscard]] bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace kua::collector
