#include "probe/cli/setup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/privilege/privilege.h"
#include "probe/consent/consent.h"
#include "probe/vantage/resolvers.h"
#include "probe/vantage/tunnel.h"

namespace kua::probe {
namespace {

std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

// Whether the id exists in this user namespace: where only the starter's own is mapped, there is nobody
// to become.
bool is_mapped(const char* map, std::uint32_t id) {
  std::ifstream file(map);
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  while (file >> inside >> outside >> count) {
    if (id >= inside && id - inside < count) return true;
  }
  return false;
}

// Files from an earlier start as another user change hands too; links are not followed.
Expected<void> give_to(const std::string& folder, const platform::Account& account) {
  std::error_code problem;
  std::vector<std::string> paths = {folder};
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
    paths.push_back(entry.path().string());
  }
  for (const std::string& path : paths) {
    if (::lchown(path.c_str(), account.uid, account.gid) != 0) {
      return fail(ErrorKind::io, std::strerror(errno), "giving " + path + " to user " + account.name);
    }
  }
  return {};
}

Pacing scaled_pacing(double scale) {
  // Rests shrink with the lab's clock. Deadlines do so less: its packets take their real time, and a
  // lost SYN comes again only after a second.
  const double deadline_scale = std::min(scale, 3.0);
  Pacing pacing;
  for (Microseconds* rest : {&pacing.retry_rest_min, &pacing.retry_rest_max, &pacing.residual_rest}) {
    *rest = scaled(*rest, scale);
  }
  for (Microseconds* deadline :
       {&pacing.lookup_deadline, &pacing.connect_deadline, &pacing.handshake_deadline,
        &pacing.round_trip_deadline, &pacing.late_reply_wait, &pacing.follow_up_within,
        &pacing.immediate_set_deadline}) {
    *deadline = scaled(*deadline, deadline_scale);
  }
  return pacing;
}

bool keeps_expert_consent(const StateDirectory& state) {
  return require_consent(state, ConsentLevel::expert).has_value();
}

}  // namespace

Expected<ProbeConfig> load_config(const std::string& path) {
  std::string chosen = path;
  if (chosen.empty() && ::access(kSystemConfig, R_OK) == 0) chosen = kSystemConfig;
  auto config = chosen.empty() ? Expected<ProbeConfig>(ProbeConfig()) : load_probe_config(chosen);
  if (!config) {
    config.error().kind = ErrorKind::configuration;
    return config;
  }
  if (config->state_dir.empty()) {
    const auto who = platform::is_root() ? StartedBy::root : StartedBy::user;
    config->state_dir = default_state_dir(who, environment("XDG_STATE_HOME"), environment("HOME"));
  }
  return config;
}

Expected<std::string> become_unprivileged(const ProbeConfig& config) {
  if (!platform::is_root()) return std::string();
  auto account = platform::find_account(config.user);
  if (!account) account = platform::find_account("nobody");
  if (!account) return std::unexpected(account.error());
  if (!is_mapped("/proc/self/uid_map", account->uid) || !is_mapped("/proc/self/gid_map", account->gid)) {
    return "this user namespace has no user " + account->name +
           " to change to; going on as its root, which outside of it is an ordinary user";
  }
  auto state = StateDirectory::open(config.state_dir);
  if (!state) return std::unexpected(state.error());
  const bool expert = keeps_expert_consent(*state);
  if (auto given = give_to(state->path(), *account); !given) return std::unexpected(given.error());
  constexpr std::array kRaw = {platform::Capability::net_raw};
  const std::span<const platform::Capability> keep =
      expert ? std::span<const platform::Capability>(kRaw) : std::span<const platform::Capability>();
  if (auto left = platform::leave_root(*account, keep); !left) return std::unexpected(left.error());
  if (::access(config.state_dir.c_str(), R_OK | W_OK | X_OK) != 0) {
    return fail(ErrorKind::permission,
                "user " + account->name + " cannot reach it; choose a state_dir whose parent folders are "
                "open to that user, or start kua-probe as an ordinary user",
                "opening state directory " + config.state_dir);
  }
  return "started as root; now user " + account->name;
}

verdict::Language language_of(const ProbeConfig& config) {
  switch (config.language) {
    case Language::english: return verdict::Language::en;
    case Language::russian: return verdict::Language::ru;
    case Language::kazakh: return verdict::Language::kk;
    case Language::ukrainian: return verdict::Language::uk;
    case Language::automatic: break;
  }
  for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const std::string locale = environment(variable);
    if (!locale.empty()) return verdict::parse_language(locale).value_or(verdict::Language::en);
  }
  return verdict::Language::en;
}

Expected<Setup> Setup::make(ProbeConfig config) {
  auto state = StateDirectory::open(config.state_dir);
  if (!state) return std::unexpected(state.error());
  auto identity = load_or_create_identity(*state);
  if (!identity) return std::unexpected(identity.error());
  auto boot = boot_name(identity->id, kKernelBootIdPath);
  if (!boot) return std::unexpected(boot.error());
  auto membership = read_membership(*state);
  if (!membership) return std::unexpected(membership.error());
  const protocol::JoinLink link = *membership ? (*membership)->link : protocol::JoinLink{};
  ListStore lists = ListStore::open(*state, link);
  Setup setup{.config = std::move(config),
              .state = std::move(*state),
              .identity = std::move(*identity),
              .boot = std::move(*boot),
              .membership = std::move(*membership),
              .lists = std::move(lists),
              .resolvers = {},
              .vantage = {},
              .notices = {}};
  if (setup.lists.notice()) setup.notices.push_back(*setup.lists.notice());
  auto resolvers = load_system_resolvers(setup.config.resolver.resolv_conf);
  if (!resolvers) setup.notices.push_back(resolvers.error().text());
  refresh_vantage(setup);
  return setup;
}

Expected<TrustStore> load_trust(const ProbeConfig& config) {
  auto trust = config.trust.ca_file.empty() ? TrustStore::system_default()
                                            : TrustStore::from_file(config.trust.ca_file);
  if (!trust) trust.error().kind = ErrorKind::configuration;
  return trust;
}

void refresh_vantage(Setup& setup) {
  const ProbeConfig& config = setup.config;
  setup.resolvers = load_system_resolvers(config.resolver.resolv_conf).value_or(std::vector<Endpoint>());
  Vantage& vantage = setup.vantage;
  if (setup.membership && setup.membership->network) {
    vantage.country = setup.membership->network->country;
    vantage.asn = setup.membership->network->asn;
    vantage.network_type = setup.membership->network->network_type;
  }
  vantage.country = config.vantage.country.value_or(vantage.country);
  vantage.asn = config.vantage.asn.value_or(vantage.asn);
  vantage.network_type = config.vantage.network_type.value_or(vantage.network_type);
  vantage.region = config.vantage.region;
  std::vector<IpAddress> trusted;
  for (const auto& resolver : setup.lists.newest().trusted_resolvers) {
    trusted.insert(trusted.end(), resolver.addresses.begin(), resolver.addresses.end());
  }
  vantage.resolver_class =
      config.resolver.resolver_class.value_or(classify_resolvers(setup.resolvers, trusted));
  vantage.faults.vpn = config.vantage.detect_vpn && behind_tunnel();
}

Instrument make_instrument(const Setup& setup, const protocol::TargetList& list, const platform::Clock& clock,
                           const TrustStore& trust) {
  const Pacing pacing = scaled_pacing(setup.config.lab.time_scale);
  return Instrument{.clock = clock,
                    .trust = trust,
                    .list = list,
                    .system_resolvers = setup.resolvers,
                    .own_addresses = interface_addresses(),
                    .own_networks = interface_networks(),
                    .allow_ipv6 = setup.config.schedule.ipv6,
                    .pacing = pacing,
                    .stamp = {.probe = setup.identity.id,
                              .role = setup.config.role,
                              .software = kSoftware,
                              .boot = setup.boot,
                              .vantage = setup.vantage,
                              .rounding = setup.config.lab.record_rounding}};
}

}  // namespace kua::probe
