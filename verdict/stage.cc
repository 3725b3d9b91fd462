#include "verdict/stage.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "verdict/rule.h"

namespace kua::verdict {
namespace {

struct Row {
  std::string_view rule;
  Stage stage;
};

// Rows of the tables that state `insufficient` for a failure of the network's side.
constexpr std::array kBareFailures = {
    Row{"dns.unroutable", Stage::lookup},         Row{"dns.nothing_to_compare", Stage::lookup},
    Row{"tcp.unconfirmed_address", Stage::connect}, Row{"tcp.nothing_to_compare", Stage::connect},
    Row{"tls.certificate_unjudged", Stage::chain}, Row{"tls.nothing_to_compare", Stage::handshake},
    Row{"http.nothing_to_compare", Stage::request},
};

Stage bare_failure(std::string_view rule) noexcept {
  const auto found = std::ranges::find(kBareFailures, rule, &Row::rule);
  return found == kBareFailures.end() ? Stage::none : found->stage;
}

bool is_about_chain(const Verdict& verdict) noexcept {
  return verdict.mechanism.starts_with("tls.mitm") ||
         verdict.rule == "tls.bad_certificate_for_everybody";
}

}  // namespace

Stage stage_of(const Verdict& verdict) noexcept {
  if (verdict.state == State::insufficient) return bare_failure(verdict.rule);
  if (!accuses(verdict.state) && verdict.state != State::down) return Stage::none;
  switch (verdict.layer) {
    case Layer::dns: return Stage::lookup;
    case Layer::tcp: return Stage::connect;
    case Layer::tls: return is_about_chain(verdict) ? Stage::chain : Stage::handshake;
    case Layer::http: return Stage::request;
    case Layer::quic:
    case Layer::link: return Stage::none;
  }
  return Stage::none;
}

}  // namespace kua::verdict
