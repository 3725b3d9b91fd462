#include "verdict/dns_rules.h"

namespace kua::verdict {
namespace {

using E = DnsEvidence;

bool no_such_name(const E& e) { return e.system == Answer::nxdomain || e.system == Answer::empty; }
bool gave_no_answer(const E& e) {
  return e.system == Answer::servfail || e.system == Answer::refused || e.system == Answer::timeout;
}
bool gave_addresses(const E& e) { return e.system == Answer::addresses; }
bool forged_on_path(const E& e) { return e.raced || e.answered_by_nobody; }
// Somebody trusted has addresses for the name and nobody trusted denies it.
bool name_exists(const E& e) {
  return e.trusted_no_such_name == 0 && e.trusted_failed == 0 &&
         (e.trusted_addresses > 0 || e.control == Says::up);
}

constexpr std::array kDnsRules = {
    Rule<E>{"dns.passed_through", State::ok, "dns.forged.proxy", Part::seen | Part::pair | Part::truth,
            "the answer leads to a relay that passes this and other names through to their true sites",
            [](const E& e) { return gave_addresses(e) && e.proven && e.proxied; }},
    Rule<E>{"dns.certificate_fits", State::ok, "", only(Part::seen),
            "the answered address presented a chain valid for the name, so it is right whoever else disagrees",
            [](const E& e) { return gave_addresses(e) && !e.only_on_retry && e.proven; }},
    Rule<E>{"dns.unroutable_for_everybody", State::down, "", Part::seen | Part::truth,
            "everybody is given private or reserved addresses only",
            [](const E& e) { return gave_addresses(e) && e.bogon && e.agrees && !e.truth_is_public; }},
    Rule<E>{"dns.answers_agree", State::ok, "", Part::seen | Part::truth,
            "an answered address is one that a DoH resolver or a control was given too",
            [](const E& e) { return gave_addresses(e) && !e.only_on_retry && e.agrees; }},
    Rule<E>{"dns.page_fits", State::ok, "", only(Part::seen),
            "over plain HTTP the answered address served the control's page",
            [](const E& e) { return gave_addresses(e) && !e.only_on_retry && e.page_fits; }},
    Rule<E>{"dns.answered_on_retry", State::impaired, "", only(Part::seen),
            "the first lookup failed and a repetition was answered rightly",
            [](const E& e) { return e.only_on_retry && (e.proven || e.agrees || e.agrees_with_udp); }},
    Rule<E>{"dns.exists_for_nobody", State::down, "", Part::seen | Part::truth,
            "the name has no record for trusted resolvers or controls either",
            [](const E& e) {
              return no_such_name(e) && e.trusted_addresses == 0 &&
                     (e.control == Says::down || (e.doh_no_such_name && e.control == Says::nothing));
            }},
    Rule<E>{"dns.fails_for_everybody", State::down, "", Part::seen | Part::truth,
            "lookups of the name fail for controls too",
            [](const E& e) {
              return gave_no_answer(e) && e.trusted_addresses == 0 && e.control == Says::down;
            }},
    Rule<E>{"dns.injected_bogon", State::blocked, "dns.injection.bogon",
            Part::seen | Part::witness | Part::truth,
            "a forger on the path answered with an unroutable address: a true reply followed, or the address "
            "asked runs no resolver",
            [](const E& e) { return forged_on_path(e) && e.false_is_bogon && e.truth_is_public; }},
    Rule<E>{"dns.injected_nxdomain", State::blocked, "dns.injection.nxdomain",
            Part::seen | Part::witness | Part::truth,
            "a forger on the path denied the name: a true reply followed, or the address asked runs no resolver",
            [](const E& e) {
              return forged_on_path(e) && e.false_answer == Answer::nxdomain && e.truth_is_public &&
                     !e.doh_no_such_name;
            }},
    Rule<E>{"dns.injected_blockpage", State::blocked, "dns.injection.blockpage",
            Part::seen | Part::witness | Part::truth,
            "a forger on the path answered with the address of a known block page",
            [](const E& e) {
              return forged_on_path(e) && e.false_answer == Answer::addresses && e.blocker;
            }},
    Rule<E>{"dns.injected_other", State::blocked, "dns.injection.other",
            Part::seen | Part::witness | Part::truth,
            "a forger on the path answered with an address that does not serve the name",
            [](const E& e) {
              return forged_on_path(e) && e.false_answer == Answer::addresses &&
                     (e.misfit_here_only || (e.true_address_works && (e.misfit || e.dead)));
            }},
    Rule<E>{"dns.injected_twice", State::blocked, "dns.injection.other",
            Part::seen | Part::witness | Part::truth,
            "a forger on the path answered with one address before a true reply and for an address that runs no "
            "resolver, and nobody else gives it",
            [](const E& e) { return gave_addresses(e) && e.same_forgery; }},
    Rule<E>{"dns.bogon", State::blocked, "dns.bogon", Part::seen | Part::truth,
            "the resolver gave only private or reserved addresses where trusted answers are public",
            [](const E& e) { return gave_addresses(e) && e.bogon && e.truth_is_public; }},
    Rule<E>{"dns.blockpage", State::blocked, "dns.forged.blockpage", Part::seen | Part::truth,
            "the answered address is a known blocker's, or served a known block page",
            [](const E& e) { return gave_addresses(e) && e.blocker && !e.blocker_everywhere; }},
    Rule<E>{"dns.nxdomain", State::blocked, "dns.nxdomain", Part::seen | Part::truth,
            "the resolver denied a name for which trusted resolvers have addresses",
            [](const E& e) {
              return e.system == Answer::nxdomain && !e.other_type_answered && name_exists(e) &&
                     e.trusted_addresses > 0;
            }},
    Rule<E>{"dns.nxdomain_disputed", State::likely_blocked, "dns.nxdomain", Part::seen | Part::truth,
            "the resolver denied a name that controls resolve, or over which trusted resolvers disagree",
            [](const E& e) {
              return e.system == Answer::nxdomain && !e.other_type_answered && !e.doh_no_such_name &&
                     (e.trusted_addresses > 0 || e.control == Says::up);
            }},
    Rule<E>{"dns.forged_certificate", State::blocked, "dns.forged.other", Part::seen | Part::truth,
            "the certificate at the answered address does not fit the name, the true address serves it",
            [](const E& e) { return gave_addresses(e) && e.misfit && e.true_address_works; }},
    Rule<E>{"dns.forged_certificate_alone", State::likely_blocked, "dns.forged.other",
            Part::seen | Part::truth,
            "the certificate at the answered address does not fit the name, controls got one that does, and no "
            "true address could be tried",
            [](const E& e) { return gave_addresses(e) && e.misfit_here_only && e.trusted_addresses > 0; }},
    Rule<E>{"dns.other_page", State::likely_blocked, "dns.forged.other", Part::seen | Part::truth,
            "over plain HTTP the answered address serves another page than the true address does",
            [](const E& e) { return gave_addresses(e) && e.other_page && e.true_address_works; }},
    Rule<E>{"dns.dead_answer", State::likely_blocked, "dns.forged.other", Part::seen | Part::truth,
            "nothing answers at the addresses that only this resolver gives, the true address serves the name",
            [](const E& e) { return gave_addresses(e) && e.dead && e.true_address_works; }},
    Rule<E>{"dns.no_answer_for_name", State::likely_blocked, "dns.*",
            Part::seen | Part::pair | Part::truth,
            "the resolver refuses, fails, keeps silent or gives nothing for this name while it answers for "
            "others and trusted answers have addresses",
            [](const E& e) {
              const bool chance = e.system == Answer::timeout && e.silences < 2;
              return (gave_no_answer(e) || e.system == Answer::empty) && !e.other_type_answered &&
                     !chance && e.other_names_answered && name_exists(e);
            }},
    Rule<E>{"dns.agrees_with_udp", State::ok, "", Part::seen | Part::truth,
            "an answered address is one that a trusted resolver over UDP gave too",
            [](const E& e) { return gave_addresses(e) && e.agrees_with_udp; }},
    Rule<E>{"dns.type_withheld", State::ok, "", only(Part::seen),
            "the resolver answers for the name, only not for this record type",
            [](const E& e) { return !gave_addresses(e) && e.other_type_answered; }},
    Rule<E>{"dns.unroutable", State::insufficient, "", only(Part::seen),
            "only private or reserved addresses were given, and nothing shows what others are given",
            [](const E& e) { return gave_addresses(e) && e.bogon; }},
    Rule<E>{"dns.unverified", State::insufficient, "", only(Part::seen),
            "an answer came, and nothing shows whether it is right",
            [](const E& e) { return gave_addresses(e); }},
    Rule<E>{"dns.nothing_to_compare", State::insufficient, "", Part::seen | Part::witness | Part::truth,
            "the lookup failed, and nothing shows whether it does so for others",
            [](const E&) { return true; }},
};

}  // namespace

const Rule<DnsEvidence>& judge_dns(const DnsEvidence& evidence) { return first_match(kDnsRules, evidence); }
std::span<const Rule<DnsEvidence>> dns_rules() noexcept { return kDnsRules; }

}  // namespace kua::verdict
