// gzip (RFC 1952) of an answer's body. zlib stays inside gzip.cc.
#pragma once

#include <string>
#include <string_view>

namespace kua::collector {

[[nodiscard]] std::string gzip_compress(std::string_view bytes);

// Whether an Accept-Encoding value allows gzip (RFC 9110 §12.5.3): named or by "*", not with q=0.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace kua::collector
