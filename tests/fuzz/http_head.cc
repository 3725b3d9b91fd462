// HTTP heads: what decodes is written and read back the same, and a verdict other than "need more"
// is never taken back when more arrives.
#include "wire/http_head.h"

#include "measurement/check.h"
#include "wire/limits.h"

using namespace kua::wire;

namespace {

template <typename Head, typename Decode, typename Encode>
void head_holds(BytesView stream, Decode decode, Encode encode) {
  const std::expected<Head, HttpPause> head = decode(stream);
  const std::expected<Head, HttpPause> half = decode(stream.first(stream.size() / 2));
  if (half) KUA_CHECK(head == half);
  if (!half && half.error() != HttpPause::need_more) {
    KUA_CHECK(!head && head.error() != HttpPause::need_more);
  }
  if (!head) return;
  KUA_CHECK(head->bytes <= stream.size() && head->bytes <= kHttpHeadBytesMax);
  KUA_CHECK(head->fields.list.size() <= kHttpHeadersMax);
  KUA_CHECK(decode(stream.first(head->bytes)) == head);
  const std::string written = encode(*head);
  if (written.size() > kHttpHeadBytesMax) return;
  const std::expected<Head, HttpPause> again = decode(as_bytes(written));
  KUA_CHECK(again.has_value() && again->fields.list == head->fields.list);
  KUA_CHECK(again->bytes == written.size() && encode(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView stream(data, size);
  head_holds<HttpRequestHead>(stream, decode_http_request, encode_http_request);
  head_holds<HttpResponseHead>(stream, decode_http_response, encode_http_response);
  if (const auto head = decode_http_request(stream)) static_cast<void>(head->host());
  return 0;
}
