#include "measurement/observation.h"

namespace kua {
namespace {

template <typename Enum>
std::optional<Enum> match(std::string_view text, Enum last) noexcept {
  for (int value = 0; value <= static_cast<int>(last); ++value) {
    if (text == to_string(static_cast<Enum>(value))) return static_cast<Enum>(value);
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(StepRole value) noexcept {
  switch (value) {
    case StepRole::main: return "main";
    case StepRole::same_address: return "same_address";
    case StepRole::witness: return "witness";
    case StepRole::no_resolver: return "no_resolver";
    case StepRole::retry: return "retry";
    case StepRole::trusted: return "trusted";
    case StepRole::residual: return "residual";
  }
  return "";
}

std::optional<StepRole> parse_step_role(std::string_view text) noexcept {
  return match(text, StepRole::residual);
}

const char* to_string(ResolverEngine value) noexcept {
  switch (value) {
    case ResolverEngine::system: return "system";
    case ResolverEngine::udp: return "udp";
    case ResolverEngine::doh: return "doh";
  }
  return "";
}

std::optional<ResolverEngine> parse_resolver_engine(std::string_view text) noexcept {
  return match(text, ResolverEngine::doh);
}

const char* to_string(QueryType value) noexcept {
  switch (value) {
    case QueryType::a: return "A";
    case QueryType::aaaa: return "AAAA";
  }
  return "";
}

std::optional<QueryType> parse_query_type(std::string_view text) noexcept {
  return match(text, QueryType::aaaa);
}

const char* to_string(IcmpOrigin value) noexcept {
  switch (value) {
    case IcmpOrigin::endpoint: return "endpoint";
    case IcmpOrigin::path: return "path";
    case IcmpOrigin::local: return "local";
  }
  return "";
}

std::optional<IcmpOrigin> parse_icmp_origin(std::string_view text) noexcept {
  return match(text, IcmpOrigin::local);
}

const char* to_string(ChainTrust value) noexcept {
  switch (value) {
    case ChainTrust::not_presented: return "not_presented";
    case ChainTrust::trusted: return "trusted";
    case ChainTrust::expired: return "expired";
    case ChainTrust::wrong_host: return "wrong_host";
    case ChainTrust::self_signed: return "self_signed";
    case ChainTrust::unknown_authority: return "unknown_authority";
    case ChainTrust::invalid: return "invalid";
  }
  return "";
}

std::optional<ChainTrust> parse_chain_trust(std::string_view text) noexcept {
  return match(text, ChainTrust::invalid);
}

const char* to_string(LinkSubject value) noexcept {
  switch (value) {
    case LinkSubject::gateway: return "gateway";
    case LinkSubject::resolver: return "resolver";
    case LinkSubject::national: return "national";
    case LinkSubject::international: return "international";
    case LinkSubject::captive_portal: return "captive_portal";
  }
  return "";
}

std::optional<LinkSubject> parse_link_subject(std::string_view text) noexcept {
  return match(text, LinkSubject::captive_portal);
}

const StepContext* context_of(const Observation& observation) noexcept {
  return std::visit(
      [](const auto& step) -> const StepContext* {
        if constexpr (std::is_base_of_v<StepContext, std::decay_t<decltype(step)>>) {
          return &step;
        } else {
          return nullptr;
        }
      },
      observation);
}

}  // namespace kua
