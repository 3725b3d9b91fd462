#include "verdict/tls_rules.h"

namespace kua::verdict {
namespace {

using E = TlsEvidence;

bool was_cut(const E& e) { return e.cut != How::none && e.cut != How::here; }
bool is_untrusted_chain(const E& e) {
  return e.untrusted != ChainTrust::not_presented && e.untrusted != ChainTrust::trusted;
}
// Not the kinds that ordinary servers get into: expired, or valid for another name.
bool is_forgery_by_shape(const E& e) {
  return e.untrusted == ChainTrust::unknown_authority || e.untrusted == ChainTrust::self_signed ||
         e.untrusted == ChainTrust::invalid;
}
// Silence may be bad luck once; a reset or an orderly close is somebody's deed.
bool is_silent(const E& e) { return e.cut == How::timeout || e.cut == How::freeze; }
// A server that does not know a name says so by an alert, or in clear text.
bool may_be_servers_word(const E& e) { return e.cut == How::alert || e.cut == How::garbage; }
bool beyond_luck(const E& e) {
  if (is_silent(e)) return e.repeated || e.witness == Compared::failed;
  if (may_be_servers_word(e)) return e.control == Says::up;
  return true;
}
// Bytes that only come where full segments pass: below, a path that drops large packets looks the same.
constexpr std::uint64_t kFullSegments = 4'000;

bool line_excused(const E& e) { return is_silent(e) && !e.line_carries_tls; }

constexpr std::array kTlsRules = {
    Rule<E>{"tls.interception_root", State::blocked, "tls.mitm.known_root", only(Part::seen),
            "the chain ends in a root that is listed for interception, and controls got another key",
            [](const E& e) { return e.interception_root && !e.leaf_of_controls; }},
    Rule<E>{"tls.frozen_for_name_only", State::blocked, "tls.freeze.sni", Part::seen | Part::pair,
            "transfers under the name stall again and again where the harmless name's goes on",
            [](const E& e) {
              return e.after == How::freeze && e.pair_carried_more && e.after_repeated;
            }},
    Rule<E>{"tls.frozen_for_name_once", State::likely_blocked, "tls.freeze.sni",
            Part::seen | Part::pair,
            "one transfer under the name stalled where the harmless name's went on",
            [](const E& e) { return e.after == How::freeze && e.pair_carried_more; }},
    Rule<E>{"tls.cut_behind_handshake", State::likely_blocked, "tls.*.sni", Part::seen | Part::pair,
            "the connection is cut after a valid handshake under the name, not under the harmless one, and "
            "controls get through",
            [](const E& e) {
              return e.after != How::none && e.after != How::freeze && e.after != How::slow &&
                     e.pair_carried_more && e.control == Says::up;
            }},
    Rule<E>{"tls.frozen_for_any_name", State::likely_blocked, "tls.freeze", Part::seen | Part::pair,
            "transfers from the address stop again and again under either name, new handshakes pass, and controls "
            "get the page",
            [](const E& e) {
              return e.after == How::freeze && e.after_repeated && e.pair_stopped && !e.pair_carried_more &&
                     e.stopped_at >= kFullSegments && e.control_page == Says::up && e.confirmed;
            }},
    Rule<E>{"tls.throttled", State::blocked, "tls.throttle.sni", Part::seen | Part::pair,
            "the name is carried at a tenth of the harmless name's speed or less, from the same address, again and "
            "again",
            [](const E& e) {
              return e.rates.are_enough() && e.rates.ratio() >= 10 && e.rates.least_ratio() >= 4;
            }},
    Rule<E>{"tls.slowed", State::impaired, "tls.throttle.sni", Part::seen | Part::pair,
            "the name is carried at a quarter of the harmless name's speed or less, from the same address, again "
            "and again",
            [](const E& e) {
              return e.rates.are_enough() && e.rates.ratio() >= 4 && e.rates.least_ratio() > 1.5;
            }},
    Rule<E>{"tls.some_addresses_cut", State::impaired, "tls.*.sni", Part::seen | Part::pair,
            "one address completes the handshake, another is cut for this name only",
            [](const E& e) { return e.completed && e.some_cut; }},
    Rule<E>{"tls.some_certificates_forged", State::impaired, "tls.mitm.untrusted_root", only(Part::seen),
            "one address presents a valid chain, another one under a root that no system trusts, where controls "
            "get a trusted one",
            [](const E& e) {
              return e.completed && is_forgery_by_shape(e) && e.control == Says::up && e.confirmed &&
                     !e.leaf_of_controls && !e.issuer_of_controls && !e.authority_everywhere;
            }},
    Rule<E>{"tls.completed", State::ok, "", only(Part::seen),
            "a handshake completed under a chain valid for the name",
            [](const E& e) { return e.completed; }},
    Rule<E>{"tls.certificate_of_controls", State::ok, "", only(Part::seen),
            "controls accept the very key that our trust store refuses: the connection is authentic",
            [](const E& e) {
              return is_untrusted_chain(e) && e.leaf_of_controls && e.control == Says::up;
            }},
    Rule<E>{"tls.bad_certificate_for_everybody", State::down, "", only(Part::seen),
            "controls get no valid certificate either",
            [](const E& e) { return is_untrusted_chain(e) && e.control == Says::down; }},
    Rule<E>{"tls.inspected_here", State::insufficient, "", Part::seen | Part::pair,
            "the same unknown authority signs for unrelated names: antivirus or a company's proxy",
            [](const E& e) { return is_untrusted_chain(e) && e.authority_everywhere; }},
    Rule<E>{"tls.issuer_of_controls", State::insufficient, "", only(Part::seen),
            "the site's own issuer signed the chain: an old root store, or a certificate out of its time or place",
            [](const E& e) { return is_untrusted_chain(e) && e.issuer_of_controls; }},
    Rule<E>{"tls.untrusted_root", State::blocked, "tls.mitm.untrusted_root", Part::seen | Part::pair | Part::witness,
            "the chain ends in a root that no system trusts where controls get a trusted one",
            [](const E& e) {
              return is_forgery_by_shape(e) && e.control == Says::up && e.confirmed;
            }},
    Rule<E>{"tls.untrusted_root_at_witness", State::blocked, "tls.mitm.untrusted_root",
            Part::seen | Part::witness,
            "the unknown authority also signs for the name at a witness address that does not host it",
            [](const E& e) { return is_forgery_by_shape(e) && e.authority_at_witness; }},
    Rule<E>{"tls.other_certificate_here_only", State::likely_blocked, "tls.mitm.wrong_host",
            only(Part::seen),
            "a valid chain for another name is presented where controls get the right one",
            [](const E& e) {
              return e.untrusted == ChainTrust::wrong_host && e.control == Says::up && e.confirmed;
            }},
    Rule<E>{"tls.completed_on_retry", State::impaired, "", only(Part::seen),
            "only a repetition completed", [](const E& e) { return e.completed_on_retry; }},
    Rule<E>{"tls.certificate_unjudged", State::insufficient, "", only(Part::seen),
            "the chain is not trusted, and nothing shows what others are given",
            [](const E& e) { return is_untrusted_chain(e); }},
    Rule<E>{"tls.failed_here", State::insufficient, "", only(Part::seen),
            "no handshake under the name left this machine, or none that tells anything",
            [](const E& e) { return !was_cut(e); }},
    Rule<E>{"tls.fails_for_everybody", State::down, "", only(Part::seen),
            "controls get no valid handshake either", [](const E& e) { return e.control == Says::down; }},
    Rule<E>{"tls.cut_for_name_only", State::blocked, "tls.*.sni",
            Part::seen | Part::pair | Part::witness,
            "handshakes under the name are cut while the harmless name passes at the same address",
            [](const E& e) { return e.pair == Compared::passed && beyond_luck(e); }},
    Rule<E>{"tls.cut_with_residue", State::blocked, "tls.*.sni",
            Part::seen | Part::pair | Part::witness | Part::residual,
            "after the name was cut the whole address failed for a while, then passed the harmless "
            "name and cut this one again",
            [](const E& e) {
              return e.residual_renewed && (e.witness == Compared::failed || e.cut == How::reset ||
                                           e.cut == How::eof || (e.repeated && e.control == Says::up));
            }},
    Rule<E>{"tls.cut_at_witness", State::blocked, "tls.*.sni", Part::seen | Part::witness,
            "the name is cut in the same way at a witness address that answers any name, and controls get through",
            [](const E& e) {
              return e.witness == Compared::failed && e.control == Says::up && !line_excused(e);
            }},
    Rule<E>{"tls.cut_for_name_once", State::likely_blocked, "tls.*.sni", Part::seen | Part::pair,
            "one handshake under the name met silence while the harmless name passed",
            [](const E& e) { return e.pair == Compared::passed && is_silent(e); }},
    Rule<E>{"tls.both_names_fail", State::likely_blocked, "tls.*", Part::seen | Part::pair,
            "no name passes at the address from here while controls complete the handshake",
            [](const E& e) {
              return e.pair == Compared::failed && e.control == Says::up && e.confirmed && !line_excused(e);
            }},
    Rule<E>{"tls.fails_here_only", State::likely_blocked, "tls.*", only(Part::seen),
            "the handshake is cut here and not for controls; no pair tells why",
            [](const E& e) {
              return e.pair == Compared::absent && e.control == Says::up && e.confirmed &&
                     (!is_silent(e) || e.repeated) && !line_excused(e);
            }},
    Rule<E>{"tls.nothing_to_compare", State::insufficient, "", Part::seen | Part::pair | Part::witness,
            "the handshake failed, and neither a control nor a passed pair shows why",
            [](const E&) { return true; }},
};

}  // namespace

bool is_void(const TlsEvidence& e) noexcept { return !e.tried; }
const Rule<TlsEvidence>& judge_tls(const TlsEvidence& evidence) { return first_match(kTlsRules, evidence); }
std::span<const Rule<TlsEvidence>> tls_rules() noexcept { return kTlsRules; }

}  // namespace kua::verdict
