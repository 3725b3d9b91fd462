// What commands have in common, built in one order: configuration, the unprivileged user, state
// directory, identity, membership and list, resolvers and vantage. Each part is a value; nothing runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "platform/clock/clock.h"
#include "probe/config/probe_config.h"
#include "probe/experiment/experiment.h"
#include "probe/identity/identity.h"
#include "probe/membership/list_store.h"
#include "probe/membership/membership.h"
#include "probe/state/state_directory.h"
#include "probe/step/trust_store.h"
#include "verdict/explain.h"

namespace kua::probe {

inline constexpr const char* kSoftware = "kua-probe/0.1.0";
inline constexpr const char* kSystemConfig = "/etc/kua/probe.yaml";

// `path` empty: kSystemConfig if it is there, else the defaults. state_dir is filled in.
[[nodiscard]] Expected<ProbeConfig> load_config(const std::string& path);

// Becomes the unprivileged user if this process is root; the state directory is made and given to it
// first. Returns what is worth telling, empty when there was nothing to do.
[[nodiscard]] Expected<std::string> become_unprivileged(const ProbeConfig& config);

[[nodiscard]] verdict::Language language_of(const ProbeConfig& config);

struct Setup {
  ProbeConfig config;
  StateDirectory state;
  Identity identity;
  std::string boot;
  std::optional<Membership> membership;
  ListStore lists;
  std::vector<Endpoint> resolvers;
  Vantage vantage;  // what configuration, enrolment and this machine say; the line itself is not asked
  std::vector<std::string> notices;  // to be told once

  [[nodiscard]] static Expected<Setup> make(ProbeConfig config);
};

[[nodiscard]] Expected<TrustStore> load_trust(const ProbeConfig& config);

// Looks again at what may have changed since: resolvers, tunnel, enrolment's answer.
void refresh_vantage(Setup& setup);

// An instrument over the parts; borrows setup, list, clock and trust.
[[nodiscard]] Instrument make_instrument(const Setup& setup, const protocol::TargetList& list,
                                         const platform::Clock& clock, const TrustStore& trust);

}  // namespace kua::probe
