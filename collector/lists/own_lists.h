// The lists that a collector hands on, read for its own use: which targets have a place on its boards,
// which signs of blocking its judge knows. They are taken as the operator put them there; whether they
// are signed by the right key is for probes to decide, and an expired one still names what was measured.
#pragma once

#include <string>
#include <vector>

#include "protocol/target_list.h"

namespace kua::collector {

class OwnLists {
 public:
  explicit OwnLists(std::string directory) : directory_(std::move(directory)) {}

  // Whether files came, went or changed since the last load().
  [[nodiscard]] bool changed() const;
  // Every targets*.json that can be read; what is wrong with the others.
  struct Loaded {
    std::vector<protocol::TargetList> lists;
    std::vector<Error> errors;
  };
  [[nodiscard]] Loaded load();

 private:
  [[nodiscard]] std::string fingerprint() const;
  std::string directory_;
  std::string loaded_ = "nothing yet";
};

// A list in an envelope, checked against the key that the envelope itself names.
[[nodiscard]] Expected<protocol::TargetList> read_own_list(const std::string& path);

}  // namespace kua::collector
