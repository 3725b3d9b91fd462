// What the rules know beforehand, owned: the fingerprints, interception roots and routable blocks
// of the signed lists that the collector hands out.
#pragma once

#include <vector>

#include "protocol/target_list.h"
#include "verdict/judge.h"

namespace kua::collector {

struct KnowledgeSet {
  std::vector<Fingerprint> fingerprints;
  std::vector<InterceptionRoot> interception_roots;
  std::vector<Prefix> routable;

  // Lists of several countries add up; what is there already is not taken twice.
  void merge(const protocol::TargetList& list);
  [[nodiscard]] verdict::Knowledge view() const noexcept {
    return {fingerprints, interception_roots, routable};
  }
};

}  // namespace kua::collector
