#include "verdict/rates.h"

#include <algorithm>
#include <optional>

namespace kua::verdict {
namespace {

constexpr std::uint64_t kBytesMin = 8'000;  // of a transfer: beyond a first flight of ten segments, about

// nullopt: too short, or stopped; a transfer that was slow until its time was up tells its rate.
std::optional<double> rate_of(const HttpRoundTrip& step) noexcept {
  const How how = how_failed(step);
  const bool ran = how == How::none || how == How::slow;
  if (!step.over_tls || !ran || step.bytes_received < kBytesMin) return std::nullopt;
  if (!step.last_byte || step.last_byte->count() <= 0) return std::nullopt;
  return static_cast<double>(step.bytes_received) * 1e6 / static_cast<double>(step.last_byte->count());
}

}  // namespace

Rates rates_at(const Scene& scene, const Stop& stop, Family family, References& references) {
  Rates out;
  std::optional<IpAddress> address;  // where the harmless name was carried
  scene.each<HttpRoundTrip>(stop, [&](std::uint32_t index, const HttpRoundTrip& step) {
    const auto rate = rate_of(step);
    if (step.role != StepRole::same_address || step.endpoint.address.family() != family || !rate) return;
    if (address && *address != step.endpoint.address) return;
    address = step.endpoint.address;
    out.other.push_back(*rate);
    references.add(index, Part::pair);
  });
  if (!address) return out;
  scene.each<HttpRoundTrip>(stop, [&](std::uint32_t index, const HttpRoundTrip& step) {
    const auto rate = rate_of(step);
    if (!is_own(step.role) || step.endpoint.address != *address || !rate) return;
    out.own.push_back(*rate);
    references.add(index, Part::seen);
  });
  std::ranges::sort(out.own);
  std::ranges::sort(out.other);
  return out;
}

}  // namespace kua::verdict
