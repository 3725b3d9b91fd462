#include "probe/daemon/parts.h"

#include "platform/crypto/crypto.h"
#include "probe/consent/consent.h"
#include "verdict/judge.h"

namespace kua::probe {

ProfileName profile_now(const Setup& setup) {
  if (setup.config.schedule.profile) return *setup.config.schedule.profile;
  return setup.vantage.network_type == NetworkType::mobile ? ProfileName::mobile : ProfileName::home;
}

Budget::Plan plan_now(const Setup& setup, const Schedule& schedule) {
  const Profile& profile = profile_of(profile_now(setup));
  const auto per_day = [](Microseconds mean) { return 86'400e6 / static_cast<double>(mean.count()); };
  const double scale = setup.config.lab.time_scale;  // Schedule's figures are of a day outside the lab
  return {.bytes_per_day = setup.config.schedule.bytes_per_day.value_or(profile.bytes_per_day),
          .link_per_day = per_day(profile.link_period),
          .uploads_per_day = per_day(setup.config.uplink.interval.value_or(profile.upload_mean)),
          .keys_per_day = schedule.per_day(Tier::key) / scale,
          .cores_per_day = schedule.per_day(Tier::core) / scale};
}

WallTime Parts::budget_now() const {
  const double scale = setup.config.lab.time_scale;
  if (scale == 1.0) return clock.wall_now();
  const auto since = static_cast<double>((clock.monotonic_now() - began).count()) * scale;
  return std::chrono::floor<std::chrono::days>(started) + Microseconds(static_cast<std::int64_t>(since));
}

RecordHeader make_header(const Setup& setup, const platform::Clock& clock) {
  const WallTime now = clock.wall_now();
  RecordId::Bytes random{};
  platform::random_bytes(random);
  RecordHeader header;
  header.id = RecordId::make(
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count(), random);
  header.probe = setup.identity.id;
  header.role = setup.config.role;
  header.software = kSoftware;
  header.time = floor_to(now, setup.config.lab.record_rounding);
  header.monotonic = floor_to(clock.monotonic_now(), setup.config.lab.record_rounding);
  header.boot = setup.boot;
  header.vantage = setup.vantage;
  return header;
}

std::vector<Verdict> judge_for_owner(const Measurement& measurement, const protocol::TargetList& list) {
  const verdict::Knowledge knowledge{list.fingerprints, list.interception_roots, list.routable};
  return verdict::judge(measurement, {}, knowledge);
}

bool has_consent(const Parts& parts) {
  return require_consent(parts.setup.state, ConsentLevel::basic).has_value();
}

void keep(Parts& parts, Measurement record) {
  if (!has_consent(parts)) return;
  if (auto kept = parts.spool.append(std::move(record)); !kept) {
    parts.log.error("a record is not on disk", {{"error", kept.error().text()}});
  }
}

}  // namespace kua::probe
