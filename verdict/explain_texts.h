// The sentences of explain(), one table a language in the order of Message. {host} is the host that the
// sentence is about, {first} the one that a redirect led away from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kua::verdict {

enum class Message : std::uint8_t {
  opens,
  opens_through_relay,
  opens_at_second_try,
  turned_away_by_site,
  other_page_by_site,
  some_addresses_cut,
  some_certificates_bad,
  slowed,
  site_down,
  name_leads_nowhere,
  certificate_bad_for_all,
  blocked_name_denied,
  blocked_false_address,
  blocked_prohibited,
  blocked_name_cut,
  blocked_transfer_stopped,
  blocked_throttled,
  blocked_false_certificate,
  blocked_notice,
  blocked_request_cut,
  likely_name_server,
  likely_no_connection,
  likely_name_cut,
  likely_other_certificate,
  likely_other_page,
  unsure_no_comparison,
  unsure_page,
  unsure_certificate,
  unsure_endless,
  unsure_resolver,
  unsure_here,
  unsure_address,
  unsure_blockers_host,
  gate_instrument,
  gate_vantage,
  gate_offline,
  gate_captive,
  gate_dns_broken,
  gate_international_cut,
  gate_vpn,
  gate_clock,
  gate_inspected,
  gate_control,
  gate_line_unproven,
  gate_nothing_seen,
  link_online,
  link_clear_text_only,
  link_unknown,
  // Second sentences.
  after_redirect,
  other_family_opens_ip4,
  other_family_opens_ip6,
};
inline constexpr std::size_t kMessages = static_cast<std::size_t>(Message::other_family_opens_ip6) + 1;

using Texts = std::array<const char*, kMessages>;
[[nodiscard]] const Texts& texts_en() noexcept;
[[nodiscard]] const Texts& texts_ru() noexcept;
[[nodiscard]] const Texts& texts_kk() noexcept;
[[nodiscard]] const Texts& texts_uk() noexcept;

// The message that says what a row of the rule tables found. Rules without one cannot exist: a test
// asks for every id.
struct RuleMessage {
  const char* rule;
  Message message;
};
[[nodiscard]] const RuleMessage* find_message(std::string_view rule) noexcept;

}  // namespace kua::verdict
