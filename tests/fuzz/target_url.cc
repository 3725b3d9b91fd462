// URLs as lists, people and servers write them. The first byte chooses: an absolute URL, or a
// Location header against a fixed base. What is read is in normal form, ready for a request line,
// and its id is one.
#include "protocol/target_url.h"

#include <algorithm>
#include <string_view>

#include "measurement/check.h"

using namespace kua;
using namespace kua::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TargetUrl base = parse_target_url("https://www.example.org:8443/a/b;c?d").value();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto url = data[0] == 'r' ? resolve_reference(base, text) : parse_target_url(text);
  if (!url) {
    KUA_CHECK(url.error().kind == ErrorKind::invalid_input || url.error().kind == ErrorKind::limit);
    return 0;
  }
  KUA_CHECK(url->port != 0 && url->path.starts_with('/'));
  KUA_CHECK(url->address() || DomainName::parse(url->host));
  KUA_CHECK(std::ranges::all_of(url->text(), [](char c) { return c > ' ' && c < 0x7f; }));
  // Encoding what the grammar excludes may pass the bound of a URL.
  const auto again = parse_target_url(url->text());
  if (!again) {
    KUA_CHECK(again.error().kind == ErrorKind::limit);
    return 0;
  }
  KUA_CHECK(*again == *url);
  KUA_CHECK(target_id_of(*again) == target_id_of(*url));
  return 0;
}
