#include "verdict/rule.h"

#include <algorithm>

namespace kua::verdict {

std::vector<std::uint32_t> References::carried_by(Parts parts) const {
  std::vector<std::uint32_t> out;
  out.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if ((static_cast<Parts>(entry.part) & parts) != 0) out.push_back(entry.index);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string fill_mechanism(std::string_view pattern, std::string_view how) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return std::string(pattern);
  std::string out(pattern.substr(0, star));
  out.append(how);
  out.append(pattern.substr(star + 1));
  return out;
}

}  // namespace kua::verdict
