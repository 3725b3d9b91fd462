#include "measurement/target.h"

#include <algorithm>
#include <array>

namespace kua {
namespace {

template <typename Enum>
std::optional<Enum> match(std::string_view text, int last) noexcept {
  for (int value = 0; value <= last; ++value) {
    if (text == to_string(static_cast<Enum>(value))) return static_cast<Enum>(value);
  }
  return std::nullopt;
}

constexpr std::array<std::string_view, 31> kCategories = {
    "ALDR", "ANON", "COMM", "COMT", "CTRL", "CULTR", "DATE", "ECON", "ENV", "FILE",
    "GAME", "GMB", "GOVT", "GRP", "HACK", "HATE", "HOST", "HUMR", "IGO", "LGBT",
    "MILX", "MISC", "MMED", "NEWS", "POLR", "PORN", "PROV", "PUBH", "REL", "SRCH",
    "XED"};

}  // namespace

const char* to_string(Tier value) noexcept {
  switch (value) {
    case Tier::key: return "key";
    case Tier::core: return "core";
    case Tier::full: return "full";
    case Tier::control: return "control";
  }
  return "full";
}

const char* to_string(ServiceRule value) noexcept {
  return value == ServiceRule::any ? "any" : "all";
}

const char* to_string(ControlScope value) noexcept {
  switch (value) {
    case ControlScope::none: return "none";
    case ControlScope::national: return "national";
    case ControlScope::international: return "international";
  }
  return "none";
}

std::optional<Tier> parse_tier(std::string_view text) noexcept { return match<Tier>(text, 3); }
std::optional<ServiceRule> parse_service_rule(std::string_view text) noexcept {
  return match<ServiceRule>(text, 1);
}
std::optional<ControlScope> parse_control_scope(std::string_view text) noexcept {
  return match<ControlScope>(text, 2);
}

bool is_known_category(std::string_view code) noexcept {
  return std::ranges::find(kCategories, code) != kCategories.end();
}

}  // namespace kua
