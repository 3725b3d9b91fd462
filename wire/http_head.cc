#include "wire/http_head.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

// A method longer than this is none; the registry's longest has 17 letters.
constexpr std::size_t kMethodBytesMax = 32;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// RFC 9110 §5.6.2.
bool is_token(char c) noexcept {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool same_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes lines off the front of a buffer, ended by LF or CRLF.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  // nullopt when no line end is there yet.
  std::optional<std::string_view> next() noexcept {
    const auto end = text_.find('\n', at_);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = text_.substr(at_, end - at_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at_ = end + 1;
    return line;
  }
  [[nodiscard]] std::string_view unfinished() const noexcept { return text_.substr(at_); }
  [[nodiscard]] std::size_t position() const noexcept { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// The start line, empty lines before it passed over (RFC 9112 §2.2).
std::optional<std::string_view> start_line(LineReader& lines) noexcept {
  auto line = lines.next();
  while (line && line->empty()) line = lines.next();
  return line;
}

void add_line(std::string_view line, HttpFields& fields, bool& last_was_field) {
  if (is_blank(line.front())) {  // RFC 9112 §5.2, obsolete folding
    if (!last_was_field) {
      ++fields.skipped_lines;
      return;
    }
    auto& value = fields.list.back().value;
    const std::string_view more = trim(line);
    if (!value.empty() && !more.empty()) value += ' ';
    value += more;
    return;
  }
  const auto colon = line.find(':');
  const std::string_view name = trim(line.substr(0, colon));
  last_was_field =
      colon != std::string_view::npos && !name.empty() && std::ranges::all_of(name, is_token);
  if (!last_was_field) {
    ++fields.skipped_lines;
    return;
  }
  fields.list.push_back(HttpField{std::string(name), std::string(trim(line.substr(colon + 1)))});
}

std::expected<HttpFields, HttpPause> read_fields(LineReader& lines) {
  HttpFields fields;
  bool last_was_field = false;
  std::size_t line_count = 0;
  while (true) {
    const auto line = lines.next();
    if (!line) return std::unexpected(HttpPause::need_more);
    if (line->empty()) return fields;
    // A NUL or a CR inside a line ends a response in every browser; behind it smuggling begins.
    if (line->find('\0') != std::string_view::npos || line->find('\r') != std::string_view::npos) {
      return std::unexpected(HttpPause::not_http);
    }
    if (++line_count > kHttpHeadersMax) return std::unexpected(HttpPause::too_large);
    add_line(*line, fields, last_was_field);
  }
}

// "HTTP/1.x" at the front, letters in any case; nullopt for anything else.
std::optional<std::uint8_t> minor_version_of(std::string_view text) noexcept {
  if (text.size() < 8 || !same_ignoring_case(text.substr(0, 7), "HTTP/1.") || !is_digit(text[7])) {
    return std::nullopt;
  }
  return static_cast<std::uint8_t>(text[7] - '0');
}

// Whether `text` may become the beginning of a status line when more arrives.
bool may_be_response(std::string_view text) noexcept {
  constexpr std::string_view kStart = "HTTP/1.";
  const auto common = std::min(text.size(), kStart.size());
  return same_ignoring_case(text.substr(0, common), kStart.substr(0, common)) &&
         text.find('\0') == std::string_view::npos;
}

bool may_be_request(std::string_view text) noexcept {
  const auto space = text.find(' ');
  const std::string_view method = text.substr(0, space);
  if (method.size() > kMethodBytesMax) return false;
  return std::ranges::all_of(method, is_token) && text.find('\0') == std::string_view::npos &&
         !(space == 0 && !text.empty());
}

bool read_request_line(std::string_view line, HttpRequestHead& out) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first || !may_be_request(line)) return false;
  const std::string_view target = trim(line.substr(first + 1, last - first - 1));
  const std::string_view version = line.substr(last + 1);
  const auto minor = minor_version_of(version);
  if (!minor || version.size() != 8 || target.empty() ||
      line.find('\r') != std::string_view::npos) {
    return false;
  }
  out.method = line.substr(0, first);
  out.target = target;
  out.minor_version = *minor;
  return !out.method.empty();
}

bool read_status_line(std::string_view line, HttpResponseHead& out) {
  const auto minor = minor_version_of(line);
  if (!minor || line.find('\0') != std::string_view::npos ||
      line.find('\r') != std::string_view::npos) {
    return false;
  }
  const std::string_view rest = line.substr(8);
  const std::string_view text = trim(rest);
  if (rest.empty() || !is_blank(rest.front()) || text.size() < 3) return false;
  if (!std::ranges::all_of(text.substr(0, 3), is_digit) || text[0] == '0') return false;
  if (text.size() > 3 && !is_blank(text[3])) return false;
  out.minor_version = *minor;
  out.status =
      static_cast<std::uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
  out.reason = trim(text.substr(3));
  return true;
}

// Both kinds of head: a start line that `read_start` understands, then fields.
template <typename Head, typename MayBe, typename ReadStart>
std::expected<Head, HttpPause> decode_head(BytesView stream, MayBe may_be, ReadStart read_start) {
  const bool cut = stream.size() > kHttpHeadBytesMax;
  LineReader lines(as_text(cut ? stream.first(kHttpHeadBytesMax) : stream));
  const HttpPause wait = cut ? HttpPause::too_large : HttpPause::need_more;
  const auto line = start_line(lines);
  if (!line) {
    // A CR is the first half of an empty line that is still on its way.
    const std::string_view rest = lines.unfinished();
    return std::unexpected(rest == "\r" || may_be(rest) ? wait : HttpPause::not_http);
  }
  Head out;
  if (!read_start(*line, out)) return std::unexpected(HttpPause::not_http);
  auto fields = read_fields(lines);
  if (!fields) {
    return std::unexpected(fields.error() == HttpPause::need_more ? wait : fields.error());
  }
  out.fields = std::move(*fields);
  out.bytes = lines.position();
  return out;
}

// Lower case, without user, port, brackets or a trailing dot.
std::string host_of_authority(std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) {
    authority = authority.substr(1, authority.find(']') - 1);
  } else {
    authority = authority.substr(0, authority.find(':'));
  }
  if (authority.ends_with('.')) authority.remove_suffix(1);
  std::string out(authority);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool is_one_line(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void append_fields(const HttpFields& fields, std::string& out) {
  for (const auto& field : fields.list) {
    KUA_CHECK(is_one_line(field.name) && is_one_line(field.value));
    out += field.name + ": " + field.value + "\r\n";
  }
  out += "\r\n";
}

}  // namespace

const char* to_string(HttpPause pause) noexcept {
  switch (pause) {
    case HttpPause::need_more:
      return "need_more";
    case HttpPause::not_http:
      return "not_http";
    case HttpPause::too_large:
      return "too_large";
  }
  return "not_http";
}

std::optional<std::string_view> HttpFields::find(std::string_view name) const noexcept {
  const auto field = std::ranges::find_if(
      list, [&](const HttpField& candidate) { return same_ignoring_case(candidate.name, name); });
  if (field == list.end()) return std::nullopt;
  return field->value;
}

std::optional<std::string> HttpRequestHead::host() const {
  const auto scheme_end = target.find("://");
  if (scheme_end != std::string::npos && !target.starts_with('/')) {
    const std::string_view rest = std::string_view(target).substr(scheme_end + 3);
    return host_of_authority(rest.substr(0, rest.find_first_of("/?#")));
  }
  if (method == "CONNECT") return host_of_authority(target);
  const auto field = fields.find("Host");
  if (!field) return std::nullopt;
  return host_of_authority(*field);
}

std::expected<HttpRequestHead, HttpPause> decode_http_request(BytesView stream) {
  return decode_head<HttpRequestHead>(stream, may_be_request, read_request_line);
}

std::expected<HttpResponseHead, HttpPause> decode_http_response(BytesView stream) {
  return decode_head<HttpResponseHead>(stream, may_be_response, read_status_line);
}

std::string encode_http_request(const HttpRequestHead& head) {
  KUA_CHECK(is_one_line(head.method) && is_one_line(head.target));
  std::string out =
      head.method + " " + head.target + " HTTP/1." + std::to_string(head.minor_version) + "\r\n";
  append_fields(head.fields, out);
  return out;
}

std::string encode_http_response(const HttpResponseHead& head) {
  KUA_CHECK(is_one_line(head.reason));
  std::string out = "HTTP/1." + std::to_string(head.minor_version) + " " +
                    std::to_string(head.status) + " " + head.reason + "\r\n";
  append_fields(head.fields, out);
  return out;
}

}  // namespace kua::wire
