// What a volunteer's line is asked to bear a day (DESIGN §4.2): how often each tier is measured and
// how many bytes that may cost on the wire, both directions, uploads and follow-ups included.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "measurement/time.h"

namespace kua::probe {

enum class ProfileName : std::uint8_t { low, mobile, home, wide };

[[nodiscard]] const char* to_string(ProfileName name) noexcept;
[[nodiscard]] std::optional<ProfileName> parse_profile(std::string_view text) noexcept;

// Means, not periods: an interval is half the mean and an exponential draw of the same half. Link
// state alone has a period, because its minutes become bits of a diary.
struct Profile {
  Microseconds key_mean;
  std::uint32_t key_one_in;  // this share of the key targets is measured on any one day
  Microseconds core_mean;
  Microseconds full_mean;
  Microseconds link_period;
  Microseconds upload_mean;
  std::uint64_t bytes_per_day;
};

[[nodiscard]] const Profile& profile_of(ProfileName name) noexcept;

}  // namespace kua::probe
