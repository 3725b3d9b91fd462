#include "verdict/page.h"

#include <algorithm>
#include <array>
#include <span>

namespace kua::verdict {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

// Headers that any server may send, and therefore tell nothing of who answered.
bool is_common_header(std::string_view name) noexcept {
  constexpr std::array kCommon = {
      "accept-ranges", "age", "allow", "cache-control", "connection", "content-encoding",
      "content-language", "content-length", "content-type", "date", "etag", "expires", "keep-alive",
      "last-modified", "location", "pragma", "retry-after", "server", "set-cookie",
      "transfer-encoding", "vary", "via", "x-cache"};
  return std::ranges::any_of(kCommon,
                             [&](const char* common) { return equal_ignoring_case(name, common); });
}

// Length in bytes from which a word of a title counts; OONI's figure.
constexpr std::size_t kWordBytes = 5;

bool is_word_byte(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0x80U) != 0 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

template <typename Visit>  // until `visit` returns true
bool any_word(std::string_view lower_text, Visit visit) {
  std::size_t begin = 0;
  while (begin < lower_text.size()) {
    while (begin < lower_text.size() && !is_word_byte(lower_text[begin])) ++begin;
    std::size_t end = begin;
    while (end < lower_text.size() && is_word_byte(lower_text[end])) ++end;
    if (end - begin >= kWordBytes && visit(lower_text.substr(begin, end - begin))) return true;
    begin = end;
  }
  return false;
}

bool titles_differ(std::string_view a, std::string_view b) {
  if (equal_ignoring_case(a, b)) return false;  // two empty ones too: they tell nothing
  const std::string x = lowered(a);
  const std::string y = lowered(b);
  return !any_word(x, [&](std::string_view word) {
    return any_word(y, [&](std::string_view other) { return word == other; });
  });
}

// OONI's threshold: bodies whose lengths are within 30 % of each other match.
bool lengths_differ(const HttpRoundTrip& here, const Page& there) noexcept {
  if (here.body_truncated && there.truncated) return false;
  const auto a = static_cast<double>(here.body_bytes);
  const auto b = static_cast<double>(there.body_bytes);
  if (here.body_truncated) return b < 0.7 * a;  // a cut-off length is a lower bound
  if (there.truncated) return a < 0.7 * b;
  return std::min(a, b) < 0.7 * std::max(a, b);
}

bool shares_mark(const HttpRoundTrip& here, const Page& there) {
  return std::ranges::any_of(here.headers, [&](const auto& header) {
    return !is_common_header(header.first) &&
           std::ranges::any_of(there.marks, [&](const std::string& mark) {
             return equal_ignoring_case(mark, header.first);
           });
  });
}

bool matches(const Fingerprint& known, std::string_view text) noexcept {
  if (known.pattern.empty()) return false;
  switch (known.match) {
    case Fingerprint::Match::full: return text == known.pattern;
    case Fingerprint::Match::prefix: return text.starts_with(known.pattern);
    case Fingerprint::Match::contains: return text.find(known.pattern) != std::string_view::npos;
  }
  return false;
}

template <typename Matches>
const Fingerprint* first_of(const Signs& signs, Matches matches_one) {
  const Fingerprint* foreign = nullptr;
  for (const Fingerprint& one : signs.known) {
    const bool local = signs.are_local(one);
    if ((!local && foreign != nullptr) || !matches_one(one)) continue;
    if (local) return &one;
    foreign = &one;
  }
  return foreign;
}

bool matches_page(const Fingerprint& known, const HttpRoundTrip& step) {
  switch (known.where) {
    case Fingerprint::Where::body: return matches(known, step.body_sample);
    case Fingerprint::Where::title: return matches(known, step.title);
    case Fingerprint::Where::header:
      return std::ranges::any_of(step.headers, [&](const auto& header) {
        return equal_ignoring_case(header.first, known.header) && matches(known, header.second);
      });
    case Fingerprint::Where::location:
    case Fingerprint::Where::dns_answer: return false;
  }
  return false;
}

// The labels that tell an owner: two, or three under a short second level such as com.kz.
std::string_view registrable(std::string_view name) noexcept {
  std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return name;
  std::size_t second = dot == 0 ? std::string_view::npos : name.rfind('.', dot - 1);
  const std::size_t label = second == std::string_view::npos ? dot : dot - second - 1;
  if (label <= 3 && second != std::string_view::npos && second != 0) second = name.rfind('.', second - 1);
  return second == std::string_view::npos ? name : name.substr(second + 1);
}

}  // namespace

Page::Page(const HttpRoundTrip& step, const LimitCounts& limits)
    : status(step.status.value_or(0)),
      title(step.title),
      sha256(step.body_sha256),
      server(header_value(step, "server")),
      location_host(lowered(host_of_url(header_value(step, "location")))),
      body_bytes(step.body_bytes),
      truncated(step.body_truncated),
      unending(is_unending(step, limits)) {
  for (const auto& [name, value] : step.headers) {
    if (!is_common_header(name)) marks.push_back(lowered(name));
  }
  std::ranges::sort(marks);
}

std::string_view header_value(const HttpRoundTrip& step, std::string_view name) noexcept {
  for (const auto& [key, value] : step.headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

std::string_view host_of_url(std::string_view url) noexcept {
  const auto slashes = url.find("//");
  if (slashes == std::string_view::npos || (slashes != 0 && url[slashes - 1] != ':')) return {};
  url.remove_prefix(slashes + 2);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  if (url.starts_with('[')) return url.substr(1, url.find(']') == std::string_view::npos ? 0 : url.find(']') - 1);
  return url.substr(0, url.find(':'));
}

bool is_redirect(std::uint16_t status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool same_host(std::string_view a, std::string_view b) noexcept { return equal_ignoring_case(a, b); }

bool related_names(std::string_view a, std::string_view b) noexcept {
  const std::string_view x = registrable(a);
  const std::string_view y = registrable(b);
  if (equal_ignoring_case(x, y)) return true;
  const std::string_view owner = x.substr(0, x.find('.'));
  return owner.size() > 3 && equal_ignoring_case(owner, y.substr(0, y.find('.')));
}

bool same_page(const HttpRoundTrip& here, const Page& there) {
  if (!here.status || there.status == 0) return false;
  if (!here.body_sha256.empty() && here.body_bytes > 0 && here.body_sha256 == there.sha256) return true;
  if (*here.status != there.status) return false;
  if (is_redirect(there.status)) {
    return equal_ignoring_case(host_of_url(header_value(here, "location")), there.location_host);
  }
  return !here.title.empty() && equal_ignoring_case(here.title, there.title);
}

bool differs_wholly(const HttpRoundTrip& here, const Page& there) {
  if (!here.status || there.status == 0 || shares_mark(here, there)) return false;
  const std::string_view server = header_value(here, "server");
  const bool same_server = !server.empty() && server == there.server;
  if (is_redirect(*here.status)) {
    // Within its own house a site may send anybody anywhere: another language, the mobile page, TLS.
    const std::string_view leads_to = host_of_url(header_value(here, "location"));
    if (leads_to.empty() || related_names(leads_to, host_of_url(here.url))) return false;
    if (is_redirect(there.status)) {
      return !same_server && !related_names(leads_to, there.location_host);
    }
  }
  return !same_server && is_other_page(here, there);
}

bool is_other_page(const HttpRoundTrip& here, const Page& there) {
  if (!here.status || there.status == 0) return false;
  const bool same_class = *here.status / 100 == there.status / 100;
  return titles_differ(here.title, there.title) &&
         (lengths_differ(here, there) || (!same_class && here.body_bytes == 0));
}

bool is_unending(const HttpRoundTrip& step, const LimitCounts& limits) noexcept {
  constexpr std::uint64_t kReadOnRequest = 250'000;  // bytes; a scheduled round stops far below that
  if (!step.body_truncated) return false;
  if (!header_value(step, "content-encoding").empty()) return limits.contains("compression_ratio");
  return step.bytes_received >= kReadOnRequest && header_value(step, "content-length").empty();
}

bool Signs::are_local(const Fingerprint& fingerprint) const {
  return fingerprint.countries.empty() ||
         std::ranges::find(fingerprint.countries, country) != fingerprint.countries.end();
}

const Fingerprint* find_in_page(const Signs& signs, const HttpRoundTrip& step) {
  return first_of(signs, [&](const Fingerprint& one) { return matches_page(one, step); });
}

const Fingerprint* find_in_location(const Signs& signs, const HttpRoundTrip& step) {
  if (!step.status || !is_redirect(*step.status)) return nullptr;
  const std::string_view location = header_value(step, "location");
  return first_of(signs, [&](const Fingerprint& one) {
    return one.where == Fingerprint::Where::location && matches(one, location);
  });
}

const Fingerprint* find_address(const Signs& signs, const IpAddress& address) {
  std::string text;  // made once, and only where the list has addresses
  return first_of(signs, [&](const Fingerprint& one) {
    if (one.where != Fingerprint::Where::dns_answer) return false;
    if (text.empty()) text = address.text();
    return matches(one, text);
  });
}

const Fingerprint* find_cname(const Signs& signs, std::string_view cname) {
  if (cname.ends_with('.')) cname.remove_suffix(1);
  const std::string name = lowered(cname);
  return first_of(signs, [&](const Fingerprint& one) {
    return one.where == Fingerprint::Where::dns_answer && matches(one, name);
  });
}

}  // namespace kua::verdict
