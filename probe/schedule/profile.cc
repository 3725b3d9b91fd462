#include "probe/schedule/profile.h"

#include <array>

namespace kua::probe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// `low` and `mobile` bear the same; they differ in who chose: the owner, or the network type.
constexpr Profile kLow{.key_mean = minutes(30),
                       .key_one_in = 2,
                       .core_mean = hours(7 * 24),
                       .full_mean = hours(60 * 24),
                       .link_period = minutes(2),
                       .upload_mean = minutes(5),
                       .bytes_per_day = 5'000'000};
constexpr Profile kHome{.key_mean = minutes(5),
                        .key_one_in = 1,
                        .core_mean = hours(24),
                        .full_mean = hours(14 * 24),
                        .link_period = minutes(1),
                        .upload_mean = minutes(1),
                        .bytes_per_day = 25'000'000};
constexpr Profile kWide{.key_mean = minutes(5),
                        .key_one_in = 1,
                        .core_mean = minutes(24 * 60 / 5),
                        .full_mean = hours(3 * 24),
                        .link_period = minutes(1),
                        .upload_mean = minutes(1),
                        .bytes_per_day = 60'000'000};

}  // namespace

const char* to_string(ProfileName name) noexcept {
  switch (name) {
    case ProfileName::low: return "low";
    case ProfileName::mobile: return "mobile";
    case ProfileName::home: return "home";
    case ProfileName::wide: return "wide";
  }
  return "home";
}

std::optional<ProfileName> parse_profile(std::string_view text) noexcept {
  for (const auto name :
       {ProfileName::low, ProfileName::mobile, ProfileName::home, ProfileName::wide}) {
    if (text == to_string(name)) return name;
  }
  return std::nullopt;
}

const Profile& profile_of(ProfileName name) noexcept {
  switch (name) {
    case ProfileName::low:
    case ProfileName::mobile: return kLow;
    case ProfileName::home: return kHome;
    case ProfileName::wide: return kWide;
  }
  return kHome;
}

}  // namespace kua::probe
