#include "wire/alt_svc.h"

#include <charconv>

namespace kua::wire {
namespace {

// Cuts the next element of a list off its front: to the next comma that stands in no quoted string.
std::string_view take_element(std::string_view& list) noexcept {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < list.size() && (quoted || list[at] != ','); ++at) {
    if (list[at] == '"') quoted = !quoted;
    if (quoted && list[at] == '\\') ++at;
  }
  at = at < list.size() ? at : list.size();
  const std::string_view element = list.substr(0, at);
  list.remove_prefix(at < list.size() ? at + 1 : at);
  return element;
}

std::optional<std::uint16_t> port_of(std::string_view digits) noexcept {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (problem != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<std::uint16_t> http3_port(std::string_view alt_svc) noexcept {
  constexpr std::string_view kBegin = "h3=\":";
  while (!alt_svc.empty()) {
    std::string_view element = take_element(alt_svc);
    const std::size_t first = element.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    element.remove_prefix(first);
    if (!element.starts_with(kBegin)) continue;
    element.remove_prefix(kBegin.size());
    const std::size_t quote = element.find('"');
    if (quote == std::string_view::npos) continue;
    if (const auto port = port_of(element.substr(0, quote))) return port;
  }
  return std::nullopt;
}

}  // namespace kua::wire
