// A page's title: never longer than asked for, folded, and UTF-8 where the page is.
#include "wire/html_title.h"

#include <string_view>

#include "measurement/check.h"

using namespace kua::wire;

namespace {

// Bytes of the UTF-8 sequence that `lead` begins, 0 for a byte that begins none.
std::size_t sequence_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

// Well formed by the shape of its sequences; overlong forms of three and four bytes pass.
bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = sequence_bytes(static_cast<unsigned char>(text[at]));
    if (bytes == 0 || bytes > text.size() - at) return false;
    for (std::size_t i = 1; i < bytes; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return false;
    }
    at += bytes;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView page(data, size);
  const std::size_t bytes_max = size % 40;
  const auto title = html_title(page, bytes_max);
  const auto whole = html_title(page, size * 3 + 16);
  KUA_CHECK(title.has_value() == whole.has_value());
  if (!title) return 0;
  KUA_CHECK(title->size() <= bytes_max);
  KUA_CHECK(whole->starts_with(*title));
  KUA_CHECK(whole->find_first_of("\t\n\v\f\r") == std::string::npos);
  KUA_CHECK(whole->find("  ") == std::string::npos);
  KUA_CHECK(!whole->starts_with(' ') && !whole->ends_with(' '));
  if (is_utf8(as_text(page))) KUA_CHECK(is_utf8(*title) && is_utf8(*whole));
  return 0;
}
