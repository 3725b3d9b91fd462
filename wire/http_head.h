// Heads of HTTP/1.x requests and responses, read from a buffer that grows. As forgiving as a
// browser where that is safe (bare LF, folded lines, spaces before the colon, lines that are no
// field), because block pages come from boxes that write HTTP badly; what a browser would refuse is
// refused.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"

namespace kua::wire {

enum class HttpPause : std::uint8_t {
  need_more,  // a beginning of a head
  not_http,
  too_large,  // beyond kHttpHeadBytesMax or kHttpHeadersMax
};
[[nodiscard]] const char* to_string(HttpPause pause) noexcept;

struct HttpField {
  std::string name;   // as sent
  std::string value;  // without white space around it; folded lines joined by one space
  friend bool operator==(const HttpField&, const HttpField&) = default;
};

struct HttpFields {
  std::vector<HttpField> list;      // in order, repetitions kept
  std::uint32_t skipped_lines = 0;  // lines that were no field
  // The first field of that name, compared without case. Borrows.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  friend bool operator==(const HttpFields&, const HttpFields&) = default;
};

struct HttpRequestHead {
  std::string method;
  std::string target;  // as sent: origin form, absolute form, authority or "*"
  std::uint8_t minor_version = 1;
  HttpFields fields;
  std::size_t bytes = 0;  // of the head, empty line included: the body begins here
  // The host asked for, lower case, without port, trailing dot or brackets: of an absolute target,
  // else of the Host field (RFC 9112 §3.2.2). nullopt when neither is there.
  [[nodiscard]] std::optional<std::string> host() const;
  friend bool operator==(const HttpRequestHead&, const HttpRequestHead&) = default;
};

struct HttpResponseHead {
  std::uint8_t minor_version = 1;
  std::uint16_t status = 0;  // 100–999
  std::string reason;        // may be empty
  HttpFields fields;
  std::size_t bytes = 0;
  friend bool operator==(const HttpResponseHead&, const HttpResponseHead&) = default;
};

// `stream` holds everything received since the message began. not_http comes as early as the bytes
// exclude HTTP/1.x, so that a proxy or a censor need not wait for an end that never comes.
[[nodiscard]] std::expected<HttpRequestHead, HttpPause> decode_http_request(BytesView stream);
[[nodiscard]] std::expected<HttpResponseHead, HttpPause> decode_http_response(BytesView stream);

// CRLF everywhere; `bytes` and `skipped_lines` are ignored. Names, values, method, target and
// reason hold no CR, LF or NUL; to write such a thing is a mistake of the caller.
[[nodiscard]] std::string encode_http_request(const HttpRequestHead& head);
[[nodiscard]] std::string encode_http_response(const HttpResponseHead& head);

}  // namespace kua::wire
