#include "wire/html_title.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "wire/limits.h"

namespace kua::wire {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// `word` is in lower case.
std::size_t find_ignoring_case(std::string_view text, std::string_view word,
                               std::size_t from) noexcept {
  if (from > text.size()) return kNotFound;
  const auto found =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(),
                  word.end(), [](char a, char b) { return lower(a) == b; });
  return found == text.end() ? kNotFound : static_cast<std::size_t>(found - text.begin());
}

// Whether the tag that begins at text[at] == '<' has this name.
bool is_tag(std::string_view text, std::size_t at, std::string_view name) noexcept {
  if (text.size() - at < name.size() + 2) return false;
  const std::string_view found = text.substr(at + 1, name.size());
  const char next = text[at + 1 + name.size()];
  return std::ranges::equal(found, name, [](char a, char b) { return lower(a) == b; }) &&
         (is_space(next) || next == '>' || next == '/');
}

// Behind the element or comment that begins at `at`, of which nothing is to be read.
std::size_t skip_unread(std::string_view text, std::size_t at) noexcept {
  if (text.substr(at).starts_with("<!--")) {
    const auto end = text.find("-->", at + 4);
    return end == kNotFound ? text.size() : end + 3;
  }
  for (const std::string_view closing :
       {std::string_view("</script"), std::string_view("</style")}) {
    if (!is_tag(text, at, closing.substr(2))) continue;
    const auto end = find_ignoring_case(text, closing, at);
    return end == kNotFound ? text.size() : end + closing.size();
  }
  return at + 1;
}

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// "#1076" or "#x434" without '&' and ';'. 0 for what is no character.
std::uint32_t numeric_reference(std::string_view body) noexcept {
  const bool hexadecimal = body.size() > 1 && lower(body[1]) == 'x';
  const std::string_view digits = body.substr(hexadecimal ? 2 : 1);
  if (digits.empty()) return 0;
  std::uint32_t code = 0;
  for (const char c : digits) {
    const char small = lower(c);
    std::uint32_t digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
    if (small >= 'a' && small <= 'f') digit = static_cast<std::uint32_t>(small - 'a' + 10);
    if (digit >= (hexadecimal ? 16u : 10u)) return 0;
    code = code * (hexadecimal ? 16 : 10) + digit;
    if (code > 0x10ffff) return 0;
  }
  return code >= 0xd800 && code < 0xe000 ? 0 : code;
}

// Appends what the reference at text[at] == '&' stands for and returns the offset behind it; a text
// that is no reference is an ampersand.
std::size_t append_reference(std::string_view text, std::size_t at, std::string& out) {
  struct Named {
    std::string_view name;
    std::string_view text;
  };
  constexpr std::array kNamed = {Named{"amp", "&"},   Named{"lt", "<"},     Named{"gt", ">"},
                                 Named{"quot", "\""}, Named{"apos", "'"},   Named{"nbsp", " "},
                                 Named{"ndash", "–"}, Named{"mdash", "—"},  Named{"laquo", "«"},
                                 Named{"raquo", "»"}, Named{"hellip", "…"}, Named{"copy", "©"}};
  constexpr std::size_t kReferenceBytesMax = 10;  // "&#x10ffff;"
  const auto end = text.substr(at, kReferenceBytesMax).find(';');
  if (end != kNotFound && end > 1) {
    const std::string_view body = text.substr(at + 1, end - 1);
    const auto named = std::ranges::find(kNamed, body, &Named::name);
    const std::uint32_t code = body[0] == '#' ? numeric_reference(body) : 0;
    if (named != kNamed.end()) {
      out += named->text;
      return at + end + 1;
    }
    if (code != 0) {
      append_utf8(code == 0xa0 ? ' ' : code, out);
      return at + end + 1;
    }
  }
  out += '&';
  return at + 1;
}

// The longest prefix of at most `bytes_max` bytes that does not end inside a UTF-8 sequence.
void cut_text(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
  };
  std::size_t end = bytes_max;
  while (end > 0 && bytes_max - end < 3 && is_continuation(text[end])) --end;
  const auto lead = static_cast<unsigned char>(text[end]);
  text.resize(lead >= 0xc0 ? end : bytes_max);  // no lead byte before it: not UTF-8
}

// Decodes and folds `raw` until it is sure that the rest would be cut off.
std::string folded(std::string_view raw, std::size_t bytes_max) {
  std::string out;
  std::string piece;
  for (std::size_t at = 0; at < raw.size() && out.size() <= bytes_max;) {
    piece.clear();
    if (raw[at] == '&') {
      at = append_reference(raw, at, piece);
    } else {
      piece = raw[at++];
    }
    if (piece.size() == 1 && is_space(piece[0])) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += piece;
    }
  }
  cut_text(out, bytes_max);
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::optional<std::string> html_title(BytesView page, std::size_t title_bytes_max) {
  const std::string_view text =
      as_text(page.first(std::min(page.size(), kHtmlTitleSearchBytesMax)));
  std::size_t at = text.find('<');
  while (at != kNotFound && !is_tag(text, at, "title")) at = text.find('<', skip_unread(text, at));
  if (at == kNotFound) return std::nullopt;
  const auto begin = text.find('>', at);
  if (begin == kNotFound) return std::nullopt;
  const auto end = find_ignoring_case(text, "</title", begin);
  return folded(text.substr(begin + 1, end == kNotFound ? kNotFound : end - begin - 1),
                title_bytes_max);
}

}  // namespace kua::wire
