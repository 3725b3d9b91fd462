#include "verdict/http_rules.h"

namespace kua::verdict {
namespace {

using E = HttpEvidence;

bool was_cut(const E& e) {
  return !e.answered && e.cut != How::none && e.cut != How::here && e.cut != How::garbage &&
         e.cut != How::slow;
}
bool is_silent(const E& e) { return e.cut == How::timeout || e.cut == How::freeze; }
// Another country's fingerprint counts only against another page that controls got.
bool sign_counts(const E& e) {
  return !e.same_as_control && (!e.sign_is_foreign || (e.control == Says::up && e.comparable));
}
// Who reads the request: behind TLS nobody but its end.
bool readable(const E& e) { return !e.over_tls && !e.authentic; }
bool beyond_luck(const E& e) {
  return !is_silent(e) || e.repeated || e.witness == Compared::failed;
}

constexpr std::array kHttpRules = {
    Rule<E>{"http.block_page_host", State::insufficient, "", only(Part::seen),
            "this host was reached only by a blocker's redirect: the page is the blocker's own",
            [](const E& e) { return e.is_blocker; }},
    Rule<E>{"http.endless_for_everybody", State::down, "", only(Part::seen),
            "redirects or body have no end, for controls neither",
            [](const E& e) { return e.endless && (e.endless_for_controls || e.control == Says::down); }},
    Rule<E>{"http.endless", State::insufficient, "", only(Part::seen),
            "redirects or body had no end within the limits",
            [](const E& e) { return e.endless; }},
    Rule<E>{"http.redirect_known", State::blocked, "http.redirect.blockpage", only(Part::seen),
            "the answer in clear text redirects to a known block page, and controls are not sent there",
            [](const E& e) { return readable(e) && e.location_of_blocker && sign_counts(e); }},
    Rule<E>{"http.redirect_leads_to_block_page", State::blocked, "http.redirect.blockpage",
            Part::seen | Part::truth,
            "the answer in clear text redirects elsewhere than the site does, to a page known as a block page",
            [](const E& e) { return readable(e) && e.leads_to_blocker && sign_counts(e); }},
    Rule<E>{"http.block_page", State::blocked, "http.blockpage", only(Part::seen),
            "the answer is a known block page, not vouched for by TLS, and controls get another",
            [](const E& e) {
              return !e.authentic && e.page_of_blocker && sign_counts(e) && e.confirmed;
            }},
    Rule<E>{"http.fails_for_everybody", State::down, "", only(Part::seen),
            "no answer or a server error, for controls too",
            [](const E& e) {
              return (!e.answered || e.server_error) && e.control == Says::down;
            }},
    Rule<E>{"http.refused_by_server", State::impaired, "http.server_side", only(Part::seen),
            "the server itself turns this client away and lets controls in",
            [](const E& e) { return e.refused_here_only && (e.authentic || !e.differs); }},
    Rule<E>{"http.other_page_by_server", State::impaired, "http.server_side", only(Part::seen),
            "over valid TLS the server gives this client another page altogether than controls",
            [](const E& e) { return e.authentic && e.answered && e.differs; }},
    Rule<E>{"http.turned_away", State::impaired, "http.server_side", only(Part::seen),
            "over valid TLS the server turns this client away, and no control says whether others too",
            [](const E& e) { return e.authentic && e.turned_away && e.control == Says::nothing; }},
    Rule<E>{"http.answered_on_retry", State::impaired, "", only(Part::seen),
            "only a repetition was answered",
            [](const E& e) {
              return e.only_on_retry && (e.authentic || e.same_as_control ||
                                         (e.control == Says::up && e.comparable && !e.differs));
            }},
    Rule<E>{"http.answered", State::ok, "", only(Part::seen),
            "over valid TLS an answer came, which nobody on the path can have made",
            [](const E& e) { return e.authentic && e.answered; }},
    Rule<E>{"http.same_page", State::ok, "", only(Part::seen),
            "the answer is the one that controls got",
            [](const E& e) { return e.answered && e.same_as_control; }},
    Rule<E>{"http.bad_chain", State::insufficient, "", only(Part::seen),
            "an answer came over a chain that is not the site's: the TLS verdict speaks",
            [](const E& e) { return e.behind_bad_chain; }},
    Rule<E>{"http.diff", State::likely_blocked, "http.diff", only(Part::seen),
            "the answer in clear text differs from the controls' in title, length and status or server",
            [](const E& e) {
              return e.answered && e.differs && e.control == Says::up && e.confirmed;
            }},
    Rule<E>{"http.like_control", State::ok, "", only(Part::seen),
            "the answer has enough in common with the controls'",
            [](const E& e) {
              return e.answered && e.control == Says::up && e.comparable && !e.differs;
            }},
    Rule<E>{"http.redirects_home", State::ok, "", only(Part::seen),
            "the answer redirects to a related host that proved itself by its certificate",
            [](const E& e) { return e.answered && e.redirects_home; }},
    Rule<E>{"http.unverified", State::insufficient, "", only(Part::seen),
            "an answer in clear text came, and nothing shows whether it is the site's",
            [](const E& e) { return e.answered; }},
    Rule<E>{"http.cut_for_host_only", State::blocked, "http.*.host",
            Part::seen | Part::pair | Part::witness,
            "requests for the host are cut while the harmless Host passes at the same address",
            [](const E& e) {
              return readable(e) && was_cut(e) && e.pair == Compared::passed && beyond_luck(e);
            }},
    Rule<E>{"http.cut_with_residue", State::blocked, "http.*.host",
            Part::seen | Part::pair | Part::witness | Part::residual,
            "after the Host was cut the whole address failed for a while, then passed the harmless "
            "Host and cut this one again",
            [](const E& e) {
              return readable(e) && was_cut(e) && e.residual_renewed &&
                     (e.witness == Compared::failed || !is_silent(e) || (e.repeated && e.control == Says::up));
            }},
    Rule<E>{"http.cut_at_witness", State::blocked, "http.*.host", Part::seen | Part::witness,
            "requests for the host are cut in the same way at a witness address, and controls get through",
            [](const E& e) {
              return readable(e) && was_cut(e) && e.witness == Compared::failed &&
                     e.control == Says::up;
            }},
    Rule<E>{"http.cut_for_host_once", State::likely_blocked, "http.*.host", Part::seen | Part::pair,
            "one request for the host met silence while the harmless Host passed",
            [](const E& e) { return readable(e) && was_cut(e) && e.pair == Compared::passed; }},
    Rule<E>{"http.fails_here_only", State::likely_blocked, "http.*", Part::seen | Part::pair,
            "requests are cut here and not for controls",
            [](const E& e) {
              return readable(e) && was_cut(e) && e.control == Says::up && e.confirmed &&
                     (!is_silent(e) || e.repeated || e.pair == Compared::failed);
            }},
    Rule<E>{"http.cut_behind_handshake", State::insufficient, "", only(Part::seen),
            "cut behind a handshake: the TLS verdict speaks, or nothing does",
            [](const E& e) { return e.over_tls && (was_cut(e) || e.cut == How::slow); }},
    Rule<E>{"http.nothing_to_compare", State::insufficient, "", Part::seen | Part::pair,
            "the request failed, and neither a control nor a passed pair shows why",
            [](const E&) { return true; }},
};

}  // namespace

bool is_void(const HttpEvidence& e) noexcept { return !e.tried; }
const Rule<HttpEvidence>& judge_http(const HttpEvidence& evidence) {
  return first_match(kHttpRules, evidence);
}
std::span<const Rule<HttpEvidence>> http_rules() noexcept { return kHttpRules; }

}  // namespace kua::verdict
