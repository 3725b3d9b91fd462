#include "tests/lab/forwarder/rule.h"

#include <algorithm>

namespace kua::lab {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

NamePattern::NamePattern(std::string text) : name_(lower(text)) {
  if (name_.starts_with("*.")) {
    wildcard_ = true;
    name_.erase(0, 1);
  }
}

bool NamePattern::matches(std::string_view name) const {
  std::string seen = lower(name);
  if (seen.size() > 1 && seen.ends_with('.')) seen.pop_back();
  return wildcard_ ? seen.size() > name_.size() && seen.ends_with(name_) : seen == name_;
}

bool lasts_for_the_flow(const Act& act) noexcept {
  return std::holds_alternative<Drop>(act) || std::holds_alternative<Mitm>(act) ||
         std::holds_alternative<Freeze>(act) || std::holds_alternative<Throttle>(act) ||
         std::holds_alternative<Impair>(act);
}

}  // namespace kua::lab
