#include "collector/judge/knowledge_set.h"

#include <algorithm>

namespace kua::collector {
namespace {

template <typename T>
void add_new(std::vector<T>& into, const std::vector<T>& from) {
  for (const T& item : from) {
    if (std::ranges::find(into, item) == into.end()) into.push_back(item);
  }
}

}  // namespace

void KnowledgeSet::merge(const protocol::TargetList& list) {
  add_new(fingerprints, list.fingerprints);
  add_new(interception_roots, list.interception_roots);
  add_new(routable, list.routable);
}

}  // namespace kua::collector
