#include "probe/spool/loss_counts.h"

#include <algorithm>
#include <charconv>

namespace kua::probe {

std::string write_counts(const LimitCounts& counts) {
  std::string out;
  for (const auto& [name, times] : counts) {
    out += (out.empty() ? "" : ",") + name + "=" + std::to_string(times);
  }
  return out;
}

LimitCounts read_counts(std::string_view text) {
  LimitCounts counts;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    std::uint32_t times = 0;
    std::from_chars(item.data() + equals + 1, item.data() + item.size(), times);
    counts[std::string(item.substr(0, equals))] += times;
  }
  return counts;
}

void add_counts(LimitCounts& to, const LimitCounts& counts) {
  for (const auto& [name, times] : counts) to[name] += times;
}

void take_counts(LimitCounts& from, const LimitCounts& counts) {
  for (const auto& [name, times] : counts) {
    const auto found = from.find(name);
    if (found == from.end()) continue;
    found->second -= std::min(found->second, times);
    if (found->second == 0) from.erase(found);
  }
}

}  // namespace kua::probe
