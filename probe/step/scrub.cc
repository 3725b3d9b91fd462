#include "probe/step/scrub.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <variant>

#include "probe/step/verify_chain.h"

namespace kua::probe {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr int kScrubRoundsMax = 8;  // honest pages need two

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string hex(std::span<const std::uint8_t> bytes, std::string_view separator, std::size_t group) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && i % group == 0) out += separator;
    out += kHexDigits[bytes[i] >> 4];
    out += kHexDigits[bytes[i] & 15];
  }
  return out;
}

std::string joined(std::span<const std::uint8_t> bytes, char separator) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    if (!out.empty()) out += separator;
    out += std::to_string(byte);
  }
  return out;
}

std::vector<std::string> spellings4(std::span<const std::uint8_t> bytes) {
  const std::array<std::uint8_t, 4> reversed = {bytes[3], bytes[2], bytes[1], bytes[0]};
  const std::uint32_t number = static_cast<std::uint32_t>(bytes[0]) << 24 |
                               static_cast<std::uint32_t>(bytes[1]) << 16 |
                               static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
  return {joined(bytes, '.'), joined(reversed, '.'), joined(bytes, '-'),
          joined(reversed, '-'), joined(bytes, '_'), hex(bytes, "", 4),
          hex(bytes, ":", 2),   std::to_string(number)};
}

std::vector<std::string> spellings6(const IpAddress& address) {
  const auto bytes = address.bytes();
  std::string nibbles;
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
    for (const int nibble : {*at & 15, *at >> 4}) {
      if (!nibbles.empty()) nibbles += '.';
      nibbles += kHexDigits[static_cast<std::size_t>(nibble)];
    }
  }
  return {address.text(), hex(bytes, ":", 2), hex(bytes, "-", 2), hex(bytes, "", 16), nibbles};
}

// Whether an escape that stands for one character ends at `at`: of JSON (RFC 8259 §7) or JavaScript, or a
// percent-escape, encoded again as often as may be ("%3D", "%253D").
bool ends_escape(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  constexpr std::string_view kOneLetter = "nrtbfv";
  if (at >= 2 && before[at - 2] == '\\' && kOneLetter.contains(before[at - 1])) return true;
  const auto hex_digits_from = [&](std::size_t from) { return std::ranges::all_of(before.substr(from), is_hex); };
  if (at >= 6 && before.substr(at - 6, 2) == "\\u" && hex_digits_from(at - 4)) return true;
  if (at >= 4 && before.substr(at - 4, 2) == "\\x" && hex_digits_from(at - 2)) return true;
  if (at < 3 || !hex_digits_from(at - 2)) return false;
  std::size_t begin = at - 2;
  while (begin >= 2 && before.substr(begin - 2, 2) == "25") begin -= 2;
  return begin >= 1 && before[begin - 1] == '%';
}

// Whether what begins at `at` is the tail of a longer number ("1.2.3.4.5"), not of a name ("dsl1.2.3.4.5").
bool is_behind_number(std::string_view text, std::size_t at) {
  if (at < 2 || text[at - 1] != '.' || !is_digit(text[at - 2])) return false;
  std::size_t begin = at - 2;
  while (begin > 0 && is_digit(text[begin - 1])) --begin;
  return begin == 0 || !is_word(text[begin - 1]);
}

// Whether a literal may begin at `at`: not inside a word, unless an escape ends there.
bool begins_word(std::string_view text, std::size_t at) {
  if (is_behind_number(text, at)) return false;
  if (at == 0 || !is_word(text[at - 1])) return true;
  return ends_escape(text, at);
}

// The longest run of `accepts` from `at` that stands alone as a word.
template <typename Accepts>
std::string_view run_at(std::string_view text, std::size_t at, Accepts accepts) {
  std::size_t end = at;
  while (end < text.size() && accepts(text[end])) ++end;
  std::string_view run = text.substr(at, end - at);
  if (end < text.size() && is_word(text[end]) && (run.empty() || run.back() != '.')) return {};
  while (!run.empty() && (run.back() == '.' || run.back() == '-')) run.remove_suffix(1);
  if (run.size() > 2 && run.back() == ':' && run[run.size() - 2] != ':') run.remove_suffix(1);
  return run;
}

struct Literal {
  IpAddress address;
  std::size_t length;
};

// Four numbers from `at`, ended by anything but a word or a fifth: a host's name may go on behind them.
// inet_pton takes no leading zeros, pages have them.
std::optional<Literal> quad_at(std::string_view text, std::size_t at, char separator) {
  std::array<std::uint8_t, 4> bytes{};
  std::size_t end = at;
  for (std::size_t part = 0; part < bytes.size(); ++part) {
    if (part > 0 && (end == text.size() || text[end++] != separator)) return std::nullopt;
    unsigned value = 0;
    std::size_t digits = 0;
    for (; end < text.size() && is_digit(text[end]); ++end) {
      value = value * 10 + static_cast<unsigned>(text[end] - '0');
      if (++digits > 3) return std::nullopt;
    }
    if (digits == 0 || value > 255) return std::nullopt;
    bytes[part] = static_cast<std::uint8_t>(value);
  }
  if (end < text.size() && is_word(text[end])) return std::nullopt;
  const bool fifth = end + 1 < text.size() && text[end] == separator && is_digit(text[end + 1]);
  if (fifth) return std::nullopt;
  return Literal{*IpAddress::from_bytes(bytes), end - at};
}

// An IPv6 address as ip6.arpa spells it (RFC 3596 §2.5): 32 nibbles, the last one first.
std::optional<Literal> nibbles_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kNibbles = 32;
  constexpr std::size_t kLength = 2 * kNibbles - 1;
  if (text.size() - at < kLength) return std::nullopt;
  const std::string run = lower(text.substr(at, kLength));
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < kNibbles; ++i) {
    if (!is_hex(run[2 * i]) || (i > 0 && run[2 * i - 1] != '.')) return std::nullopt;
    const std::size_t value = kHexDigits.find(run[2 * i]);
    bytes[15 - i / 2] = static_cast<std::uint8_t>(bytes[15 - i / 2] | value << (i % 2 == 0 ? 0 : 4));
  }
  if (at + kLength < text.size() && is_word(text[at + kLength])) return std::nullopt;
  return Literal{*IpAddress::from_bytes(bytes), kLength};
}

std::optional<Literal> literal_at(std::string_view text, std::size_t at) {
  const char first = text[at];
  if (is_hex(first)) {
    if (const auto nibbles = nibbles_at(text, at)) return nibbles;  // they begin like four numbers
  }
  if (is_digit(first)) {
    if (const auto dots = quad_at(text, at, '.')) return dots;
    if (const auto dashes = quad_at(text, at, '-')) return dashes;
  }
  if (is_hex(first) || first == ':') {
    const auto run = run_at(text, at, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
    if (std::ranges::count(run, ':') < 2) return std::nullopt;
    if (const auto address = IpAddress::parse(run)) return Literal{*address, run.size()};
  }
  return std::nullopt;
}

// A literal from `at`. Four numbers may stand behind a letter, as access providers name hosts ("ip203-0-113-7").
std::optional<Literal> literal_from(std::string_view text, std::size_t at) {
  if (!is_hex(text[at]) && text[at] != ':') return std::nullopt;
  if (begins_word(text, at)) return literal_at(text, at);
  if (!is_digit(text[at]) || is_digit(text[at - 1]) || is_behind_number(text, at)) return std::nullopt;
  if (const auto dots = quad_at(text, at, '.')) return dots;
  return quad_at(text, at, '-');
}

// Loopback and the unspecified address are everybody's.
bool is_nobodys(const IpAddress& address) {
  static const std::array kBlocks = {*Prefix::parse("127.0.0.0/8"), *Prefix::parse("0.0.0.0/32"),
                                     *Prefix::parse("::/127"), *Prefix::parse("255.255.255.255/32")};
  return std::ranges::any_of(kBlocks, [&](const Prefix& block) { return block.contains(address); });
}

// The name in an absolute URL, or in one without a scheme ("//host/"); empty where there is none.
std::string_view name_in(std::string_view url) {
  const auto slashes = url.find("//");
  const bool opens = slashes != std::string_view::npos && (slashes == 0 || url[slashes - 1] == ':');
  if (!opens) return {};
  url.remove_prefix(slashes + 2);
  url = url.substr(0, url.find_first_of("/?#\\"));
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  url = url.substr(0, url.find(':'));
  return DomainNameTraits::valid(lower(url)) ? url : std::string_view();
}

// Every `what` in `text`, in any case, becomes `by`.
std::string replaced_all(std::string text, std::string_view what, std::string_view by) {
  std::string haystack = lower(text);
  for (std::size_t at = 0; (at = haystack.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
    haystack.replace(at, what.size(), by);
  }
  return text;
}

// Headers whose whole purpose is to say who asked.
bool tells_client(std::string_view lower_name) {
  constexpr std::array<std::string_view, 12> kNames = {
      "x-forwarded-for", "forwarded",    "x-real-ip",        "x-client-ip", "client-ip",   "true-client-ip",
      "x-remote-addr",   "remote-addr",  "cf-connecting-ip", "x-ip",        "x-remote-ip", "x-user-ip"};
  return std::ranges::find(kNames, lower_name) != kNames.end();
}

}  // namespace

bool holds_address(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto literal = literal_from(text, at);
    if (literal && !is_nobodys(literal->address)) return true;
  }
  return false;
}

Scrubber::Scrubber(std::span<const IpAddress> own, std::span<const IpAddress> asked)
    : asked_(asked.begin(), asked.end()) {
  for (const IpAddress& address : own) {
    if (is_nobodys(address) || !own_.insert(address).second) continue;
    const auto more = address.family() == Family::ip4 ? spellings4(address.bytes()) : spellings6(address);
    for (const std::string& spelling : more) own_spellings_.push_back(lower(spelling));
  }
}

void Scrubber::keep(std::string_view text) {
  if (text.empty()) return;
  kept_.push_back(lower(text));
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (const auto literal = literal_from(text, at)) asked_.insert(literal->address);
  }
}

void Scrubber::keep_patterns(std::span<const Fingerprint> fingerprints) {
  for (const Fingerprint& fingerprint : fingerprints) keep(fingerprint.pattern);
}

bool Scrubber::is_kept(std::string_view name) const {
  return std::ranges::any_of(kept_, [&](const std::string& text) { return text.contains(name); });
}

bool Scrubber::may_stay(const IpAddress& address) const {
  if (own_.contains(address)) return false;
  return is_nobodys(address) || asked_.contains(address);
}

std::string Scrubber::without_own(std::string text) const {
  for (const std::string& spelling : own_spellings_) {
    std::string haystack = lower(text);
    std::size_t at = 0;
    while ((at = haystack.find(spelling, at)) != std::string::npos) {
      const std::size_t end = at + spelling.size();
      const bool inside_number = (at > 0 && is_hex(haystack[at - 1]) && is_hex(spelling.front())) ||
                                 (end < haystack.size() && is_hex(haystack[end]) && is_hex(spelling.back()));
      if (inside_number) {  // another, longer number
        ++at;
        continue;
      }
      text.replace(at, spelling.size(), kScrubbed);
      haystack.replace(at, spelling.size(), kScrubbed);
      at += kScrubbed.size();
    }
  }
  return text;
}

std::string Scrubber::scrub(std::string_view text) const {
  // What is left beside a literal that went may read as one now ("2001:db8::9db8::9"): again, until
  // nothing changes. Text that never comes to rest was made to do so and goes whole.
  std::string before(text);
  for (const auto& [name, stand_in] : replaced_) before = replaced_all(std::move(before), name, stand_in);
  for (int round = 0; round < kScrubRoundsMax; ++round) {
    std::string after = scrubbed_once(before);
    if (after == before) return after;
    before = std::move(after);
  }
  return std::string(kScrubbed);
}

std::string Scrubber::scrubbed_once(std::string_view whole) const {
  // Own spellings first, while they are whole: the nibbles of an IPv6 address hold four numbers.
  const std::string text = own_spellings_.empty() ? std::string(whole) : without_own(std::string(whole));
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const auto literal = literal_from(text, at);
    if (!literal) {
      out += text[at++];
      continue;
    }
    if (may_stay(literal->address)) {
      out.append(text, at, literal->length);
    } else {
      out += kScrubbed;
    }
    at += literal->length;
  }
  return out;
}

std::string Scrubber::scrub_name(std::string_view name, NameFrom from) const {
  if (name.empty() || is_kept(name)) return std::string(name);
  if (const auto known = replaced_.find(std::string(name)); known != replaced_.end()) return known->second;
  if (const auto literal = IpAddress::parse(name)) {
    return std::string(may_stay(*literal) ? name : kScrubbedName);
  }
  const std::string rest = replaced_all(without_own(std::string(name)), kScrubbed, "scrubbed");
  return without_addresses(rest, [this](const IpAddress& address) { return may_stay(address); }, from);
}

std::string Scrubber::scrub_url(std::string_view url) const {
  const std::string_view name = name_in(url);
  if (name.empty()) return scrub(url);
  const auto begin = static_cast<std::size_t>(name.data() - url.data());
  const std::string_view behind = url.substr(begin + name.size());
  return scrub(url.substr(0, begin)) + scrub_name(lower(name), NameFrom::visitor) + scrub(behind);
}

std::string Scrubber::header_value(std::string_view name, std::string_view value) const {
  const std::string lower_name = lower(name);
  if (tells_client(lower_name)) return std::string(kScrubbed);
  if (lower_name == "location") return scrub_url(value);
  if (lower_name == "set-cookie") {  // its value is a number the site knows this visit by
    return scrub(value.substr(0, value.find('='))) + "=" + std::string(kScrubbed);
  }
  return scrub(value);
}

void Scrubber::learn_name(std::string_view name, NameFrom from) {
  std::string stand_in = scrub_name(name, from);
  if (stand_in != name) replaced_.emplace(name, std::move(stand_in));
}

void Scrubber::learn_lookup(const Lookup& lookup) {
  learn_name(lookup.name.text(), NameFrom::visitor);
  if (!lookup.reply) return;
  for (const std::string& name : lookup.reply->cnames) learn_name(name, NameFrom::answer);
}

void Scrubber::learn_round_trip(const HttpRoundTrip& round_trip) {
  learn_name(lower(name_in(round_trip.url)), NameFrom::visitor);
  for (const auto& [name, value] : round_trip.headers) {
    if (lower(name) == "location") learn_name(lower(name_in(value)), NameFrom::visitor);
  }
}

void Scrubber::learn_names(const Observation& observation) {
  if (std::holds_alternative<LinkCheck>(observation)) return;  // of a control on the list
  if (const StepContext* step = context_of(observation)) learn_name(step->host, NameFrom::visitor);
  if (const auto* lookup = std::get_if<Lookup>(&observation)) learn_lookup(*lookup);
  if (const auto* round_trip = std::get_if<HttpRoundTrip>(&observation)) learn_round_trip(*round_trip);
  if (const auto* handshake = std::get_if<TlsHandshake>(&observation)) {
    learn_name(handshake->server_name.value_or(""), NameFrom::visitor);
  }
  if (const auto* handshake = std::get_if<QuicHandshake>(&observation)) {
    learn_name(handshake->server_name.value_or(""), NameFrom::visitor);
  }
}

bool Scrubber::holds_own(std::string_view bytes) const {
  const auto stands_in_it = [&](const IpAddress& address) {
    const auto raw = address.bytes();
    return bytes.contains(std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size()));
  };
  return without_own(std::string(bytes)) != bytes || std::ranges::any_of(own_, stands_in_it);
}

void Scrubber::scrub_lookup(Lookup& lookup) const {
  const std::string name = scrub_name(lookup.name.text(), NameFrom::visitor);
  const bool is_other = name != lookup.name.text();
  if (is_other) lookup.name = DomainName::parse(name).value_or(lookup.name);
  const auto scrub_reply = [&](DnsReply& reply) {
    bool tells = is_other;
    for (std::string& cname : reply.cnames) {
      std::string stand_in = scrub_name(cname, NameFrom::answer);
      tells = tells || stand_in != cname;
      cname = std::move(stand_in);
    }
    if (tells) reply.raw.clear();  // says it too
  };
  if (lookup.reply) scrub_reply(*lookup.reply);
  std::ranges::for_each(lookup.late, scrub_reply);
}

// Attribute by attribute: their types may be four numbers, too ("2.5.4.97=").
std::string Scrubber::certificate_name(std::string_view name) const {
  std::string out;
  while (!name.empty()) {
    const std::string_view attribute = name.substr(0, name.find_first_of(",+", 1));
    const auto equals = attribute.find('=');
    const std::size_t type = equals == std::string_view::npos ? 0 : equals + 1;
    out += std::string(attribute.substr(0, type)) + scrub(attribute.substr(type));
    name.remove_prefix(attribute.size());
  }
  return out;
}

bool Scrubber::names_visitor(std::string_view der) const {
  return std::ranges::any_of(alternative_names(der), [this](const std::string& name) {
    return scrub(name) != name || scrub_name(lower(name), NameFrom::visitor) != lower(name);
  });
}

template <typename Handshake>
void Scrubber::scrub_handshake(Handshake& handshake) const {
  bool is_other = false;
  if (handshake.server_name) {
    std::string name = scrub_name(*handshake.server_name, NameFrom::visitor);
    is_other = name != *handshake.server_name;
    handshake.server_name = std::move(name);
  }
  for (Certificate& certificate : handshake.chain) {
    std::string subject = certificate_name(certificate.subject);
    std::string issuer = certificate_name(certificate.issuer);
    // A certificate made for that name says it again.
    const bool tells = is_other || subject != certificate.subject || issuer != certificate.issuer;
    if (tells || holds_own(certificate.der) || names_visitor(certificate.der)) certificate.der.clear();
    certificate.subject = std::move(subject);
    certificate.issuer = std::move(issuer);
  }
}

void Scrubber::scrub_round_trip(HttpRoundTrip& round_trip) const {
  for (auto& [name, value] : round_trip.headers) value = header_value(name, value);
  round_trip.title = scrub(round_trip.title);
  std::string sample = scrub(round_trip.body_sample);
  // Beside the rest of a short page its hash would tell the address to whoever tries all there are.
  if (sample != round_trip.body_sample) round_trip.body_sha256.clear();
  round_trip.body_sample = std::move(sample);
  round_trip.url = scrub_url(round_trip.url);
}

void Scrubber::scrub(Observation& observation) const {
  if (auto* lookup = std::get_if<Lookup>(&observation)) scrub_lookup(*lookup);
  if (auto* round_trip = std::get_if<HttpRoundTrip>(&observation)) scrub_round_trip(*round_trip);
  if (auto* handshake = std::get_if<TlsHandshake>(&observation)) scrub_handshake(*handshake);
  if (auto* handshake = std::get_if<QuicHandshake>(&observation)) scrub_handshake(*handshake);
  if (std::holds_alternative<LinkCheck>(observation)) return;  // of a control on the list
  std::visit(
      [this](auto& step) {
        if constexpr (requires { step.host; }) step.host = scrub_name(step.host, NameFrom::visitor);
      },
      observation);
}

}  // namespace kua::probe
