#include "verdict/explain.h"

#include <algorithm>
#include <vector>

#include "verdict/explain_texts.h"

namespace kua::verdict {
namespace {

constexpr RuleMessage kRuleMessages[] = {
    {"gate.instrument", Message::gate_instrument},
    {"gate.vantage", Message::gate_vantage},
    {"gate.offline", Message::gate_offline},
    {"gate.captive", Message::gate_captive},
    {"gate.dns_broken", Message::gate_dns_broken},
    {"gate.international_cut", Message::gate_international_cut},
    {"gate.vpn", Message::gate_vpn},
    {"gate.clock", Message::gate_clock},
    {"gate.tls_inspected", Message::gate_inspected},
    {"gate.control", Message::gate_control},
    {"gate.line_unproven", Message::gate_line_unproven},
    {"gate.nothing_seen", Message::gate_nothing_seen},
    {"gate.open", Message::opens},
    {"link.online", Message::link_online},
    {"link.captive", Message::gate_captive},
    {"link.dns_broken", Message::gate_dns_broken},
    {"link.international_cut", Message::gate_international_cut},
    {"link.offline", Message::gate_offline},
    {"link.offline_but_clear_text", Message::link_clear_text_only},
    {"link.unknown", Message::link_unknown},
    {"dns.resolver_local_filter", Message::unsure_resolver},
    {"dns.resolver_third_party", Message::unsure_resolver},
    {"dns.resolver_unknown", Message::unsure_resolver},
    {"dns.passed_through", Message::opens_through_relay},
    {"dns.certificate_fits", Message::opens},
    {"dns.unroutable_for_everybody", Message::name_leads_nowhere},
    {"dns.answers_agree", Message::opens},
    {"dns.page_fits", Message::opens},
    {"dns.answered_on_retry", Message::opens_at_second_try},
    {"dns.exists_for_nobody", Message::name_leads_nowhere},
    {"dns.fails_for_everybody", Message::name_leads_nowhere},
    {"dns.injected_bogon", Message::blocked_false_address},
    {"dns.injected_nxdomain", Message::blocked_name_denied},
    {"dns.injected_blockpage", Message::blocked_false_address},
    {"dns.injected_other", Message::blocked_false_address},
    {"dns.injected_twice", Message::blocked_false_address},
    {"dns.bogon", Message::blocked_false_address},
    {"dns.blockpage", Message::blocked_false_address},
    {"dns.nxdomain", Message::blocked_name_denied},
    {"dns.nxdomain_disputed", Message::likely_name_server},
    {"dns.forged_certificate", Message::blocked_false_address},
    {"dns.forged_certificate_alone", Message::likely_name_server},
    {"dns.other_page", Message::likely_name_server},
    {"dns.dead_answer", Message::likely_name_server},
    {"dns.no_answer_for_name", Message::likely_name_server},
    {"dns.agrees_with_udp", Message::opens},
    {"dns.type_withheld", Message::opens},
    {"dns.unroutable", Message::unsure_address},
    {"dns.unverified", Message::unsure_address},
    {"dns.nothing_to_compare", Message::unsure_no_comparison},
    {"tcp.connected", Message::opens},
    {"tcp.connected_on_retry", Message::opens_at_second_try},
    {"tcp.failed_here", Message::unsure_here},
    {"tcp.fails_for_everybody", Message::site_down},
    {"tcp.unconfirmed_address", Message::unsure_address},
    {"tcp.prohibited", Message::blocked_prohibited},
    {"tcp.dead_for_controls", Message::unsure_address},
    {"tcp.family_unproven", Message::unsure_here},
    {"tcp.prohibited_by_server", Message::likely_no_connection},
    {"tcp.fails_here_only", Message::likely_no_connection},
    {"tcp.nothing_to_compare", Message::unsure_no_comparison},
    {"tls.interception_root", Message::blocked_false_certificate},
    {"tls.frozen_for_name_only", Message::blocked_transfer_stopped},
    {"tls.frozen_for_name_once", Message::likely_name_cut},
    {"tls.cut_behind_handshake", Message::likely_name_cut},
    {"tls.frozen_for_any_name", Message::likely_no_connection},
    {"tls.throttled", Message::blocked_throttled},
    {"tls.slowed", Message::slowed},
    {"tls.some_addresses_cut", Message::some_addresses_cut},
    {"tls.some_certificates_forged", Message::some_certificates_bad},
    {"tls.completed", Message::opens},
    {"tls.certificate_of_controls", Message::opens},
    {"tls.bad_certificate_for_everybody", Message::certificate_bad_for_all},
    {"tls.inspected_here", Message::gate_inspected},
    {"tls.issuer_of_controls", Message::unsure_certificate},
    {"tls.untrusted_root", Message::blocked_false_certificate},
    {"tls.untrusted_root_at_witness", Message::blocked_false_certificate},
    {"tls.other_certificate_here_only", Message::likely_other_certificate},
    {"tls.certificate_unjudged", Message::unsure_certificate},
    {"tls.completed_on_retry", Message::opens_at_second_try},
    {"tls.failed_here", Message::unsure_here},
    {"tls.fails_for_everybody", Message::site_down},
    {"tls.cut_for_name_only", Message::blocked_name_cut},
    {"tls.cut_with_residue", Message::blocked_name_cut},
    {"tls.cut_at_witness", Message::blocked_name_cut},
    {"tls.cut_for_name_once", Message::likely_name_cut},
    {"tls.both_names_fail", Message::likely_no_connection},
    {"tls.fails_here_only", Message::likely_no_connection},
    {"tls.nothing_to_compare", Message::unsure_no_comparison},
    {"http.block_page_host", Message::unsure_blockers_host},
    {"http.endless_for_everybody", Message::site_down},
    {"http.endless", Message::unsure_endless},
    {"http.redirect_known", Message::blocked_notice},
    {"http.redirect_leads_to_block_page", Message::blocked_notice},
    {"http.block_page", Message::blocked_notice},
    {"http.fails_for_everybody", Message::site_down},
    {"http.refused_by_server", Message::turned_away_by_site},
    {"http.other_page_by_server", Message::other_page_by_site},
    {"http.turned_away", Message::turned_away_by_site},
    {"http.answered_on_retry", Message::opens_at_second_try},
    {"http.answered", Message::opens},
    {"http.same_page", Message::opens},
    {"http.bad_chain", Message::unsure_certificate},
    {"http.diff", Message::likely_other_page},
    {"http.like_control", Message::opens},
    {"http.redirects_home", Message::opens},
    {"http.unverified", Message::unsure_page},
    {"http.cut_for_host_only", Message::blocked_request_cut},
    {"http.cut_with_residue", Message::blocked_request_cut},
    {"http.cut_at_witness", Message::blocked_request_cut},
    {"http.cut_for_host_once", Message::likely_name_cut},
    {"http.fails_here_only", Message::likely_no_connection},
    {"http.cut_behind_handshake", Message::unsure_no_comparison},
    {"http.nothing_to_compare", Message::unsure_no_comparison},
};

const Texts& texts_of(Language language) noexcept {
  switch (language) {
    case Language::en: return texts_en();
    case Language::ru: return texts_ru();
    case Language::kk: return texts_kk();
    case Language::uk: return texts_uk();
  }
  return texts_en();
}

void replace(std::string& text, std::string_view mark, std::string_view by) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
    text.replace(at, mark.size(), by);
  }
}

// The verdict that the summary rests on: of an accusation or an outage the first one on the way, of
// what could not be judged the last, where the way ended.
const Verdict& principal(std::span<const Verdict> verdicts, State summary) {
  const auto rests_on = [summary](const Verdict& v) { return v.state == summary && v.layer != Layer::quic; };
  const auto earlier = [](const Verdict* a, const Verdict* b) {
    return std::pair(a->hop, a->layer) < std::pair(b->hop, b->layer);
  };
  std::vector<const Verdict*> found;
  for (const Verdict& verdict : verdicts) {
    if (rests_on(verdict)) found.push_back(&verdict);
  }
  if (found.empty()) return verdicts.front();
  const bool wants_end = summary == State::insufficient;
  return wants_end ? **std::ranges::max_element(found, earlier) : **std::ranges::min_element(found, earlier);
}

std::string sentence(const Texts& texts, Message message, std::string_view host, std::string_view first) {
  std::string out = texts[static_cast<std::size_t>(message)];
  replace(out, "{host}", host);
  replace(out, "{first}", first);
  return out;
}

// Whether the other family of the same host and layer is ok.
bool other_family_opens(std::span<const Verdict> verdicts, const Verdict& about) {
  return about.family && std::ranges::any_of(verdicts, [&](const Verdict& other) {
           return other.host == about.host && other.layer == about.layer && other.family &&
                  *other.family != *about.family && other.state == State::ok;
         });
}

}  // namespace

std::optional<Language> parse_language(std::string_view text) noexcept {
  const std::string_view code = text.substr(0, text.find_first_of("_-."));
  if (code == "en") return Language::en;
  if (code == "ru") return Language::ru;
  if (code == "kk") return Language::kk;
  if (code == "uk") return Language::uk;
  return std::nullopt;
}

const RuleMessage* find_message(std::string_view rule) noexcept {
  const auto found = std::ranges::find(kRuleMessages, rule, &RuleMessage::rule);
  return found == std::end(kRuleMessages) ? nullptr : found;
}

std::string explain(std::span<const Verdict> verdicts, Language language) {
  const Texts& texts = texts_of(language);
  if (verdicts.empty()) return texts[static_cast<std::size_t>(Message::gate_nothing_seen)];
  const State summary = summarize({verdicts.begin(), verdicts.end()});
  const Verdict& about = principal(verdicts, summary);
  const RuleMessage* known = find_message(about.rule);
  Message message = known == nullptr ? Message::unsure_no_comparison : known->message;
  if (summary == State::ok && std::ranges::any_of(verdicts, [](const Verdict& verdict) {
        return verdict.rule == "dns.passed_through";
      })) {
    message = Message::opens_through_relay;
  }
  const std::string& first = std::ranges::min_element(verdicts, {}, &Verdict::hop)->host;
  std::string out = sentence(texts, message, about.host, first);
  if (other_family_opens(verdicts, about)) {
    const Message opens = *about.family == Family::ip4 ? Message::other_family_opens_ip6
                                                       : Message::other_family_opens_ip4;
    out += " " + sentence(texts, opens, about.host, first);
  } else if (about.host != first && about.layer != Layer::link) {
    out += " " + sentence(texts, Message::after_redirect, about.host, first);
  }
  return out;
}

}  // namespace kua::verdict
