#include "collector/ooni/words.h"

#include <array>
#include <utility>

namespace kua::collector::ooni {
namespace {

// Words that df-007 does not have: of the test helper and of ooni-probe in Python.
constexpr std::array<std::pair<std::string_view, FailureCode>, 20> kOldWords{{
    {"dns_name_error", FailureCode::dns_nxdomain_error},
    {"dns_name_failure", FailureCode::dns_nxdomain_error},
    {"dns_server_failure", FailureCode::dns_servfail_error},
    {"dns_lookup_error", FailureCode::unknown_failure},
    {"connection_refused_error", FailureCode::connection_refused},
    {"connection_lost_error", FailureCode::connection_reset},
    {"connection_done", FailureCode::eof_error},
    {"connect_error", FailureCode::unknown_failure},
    {"tcp_timed_out_error", FailureCode::generic_timeout_error},
    {"deferred_timeout_error", FailureCode::generic_timeout_error},
    {"task_timed_out", FailureCode::generic_timeout_error},
    {"response_never_received", FailureCode::eof_error},
    {"address_family_not_supported_error", FailureCode::address_family_not_supported},
    // Through a proxy nothing is known of the path itself.
    {"socks_error", FailureCode::unknown_failure},
    {"socks_host_unreachable", FailureCode::unknown_failure},
    {"socks_network_unreachable", FailureCode::unknown_failure},
    {"socks_connection_refused", FailureCode::unknown_failure},
    {"socks_connection_not_allowed", FailureCode::unknown_failure},
    {"socks_server_failure", FailureCode::unknown_failure},
    {"socks_ttl_expired", FailureCode::unknown_failure},
}};

}  // namespace

FailureCode failure_code(std::string_view text) noexcept {
  for (const auto& [word, code] : kOldWords) {
    if (text == word) return code;
  }
  return parse_failure_code(text);
}

std::optional<ResolverEngine> engine_of(std::string_view word) noexcept {
  constexpr std::array<std::pair<std::string_view, ResolverEngine>, 8> kEngines{{
      {"system", ResolverEngine::system},
      {"getaddrinfo", ResolverEngine::system},
      {"golang_net_resolver", ResolverEngine::system},
      {"go", ResolverEngine::system},
      {"unknown", ResolverEngine::system},  // what getaddrinfo was called for a while
      {"udp", ResolverEngine::udp},
      {"doh", ResolverEngine::doh},
      {"doh3", ResolverEngine::doh},
  }};
  for (const auto& [known, engine] : kEngines) {
    if (word == known) return engine;
  }
  return std::nullopt;
}

const char* engine_word(ResolverEngine engine) noexcept {
  switch (engine) {
    case ResolverEngine::system:
      return "system";
    case ResolverEngine::udp:
      return "udp";
    case ResolverEngine::doh:
      return "doh";
  }
  return "unknown";
}

NetworkType network_type_of(std::string_view word) noexcept {
  if (word == "mobile") return NetworkType::mobile;
  if (word == "wifi" || word == "wired_ethernet") return NetworkType::fixed;
  return NetworkType::unknown;
}

const char* network_type_word(NetworkType type) noexcept {
  switch (type) {
    case NetworkType::mobile:
      return "mobile";
    case NetworkType::fixed:
      return "wired_ethernet";
    case NetworkType::hosting:
    case NetworkType::unknown:
      return "unknown";
  }
  return "unknown";
}

const char* trust_failure(ChainTrust trust) noexcept {
  switch (trust) {
    case ChainTrust::not_presented:
    case ChainTrust::trusted:
      return nullptr;
    case ChainTrust::wrong_host:
      return "ssl_invalid_hostname";
    case ChainTrust::self_signed:
    case ChainTrust::unknown_authority:
      return "ssl_unknown_authority";
    case ChainTrust::expired:
    case ChainTrust::invalid:
      return "ssl_invalid_certificate";
  }
  return nullptr;
}

bool is_trust_failure(std::string_view failure) noexcept {
  return failure == "ssl_invalid_hostname" || failure == "ssl_unknown_authority" ||
         failure == "ssl_invalid_certificate";
}

}  // namespace kua::collector::ooni
