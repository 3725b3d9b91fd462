// The text of a page's first <title>: how people and fingerprints know a block page. Reads bytes,
// not a document: pages that censors serve seldom are well formed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "wire/bytes.h"

namespace kua::wire {

// White space is folded to single spaces, numeric and the common named character references are
// decoded, comments, scripts and styles are passed over. At most `title_bytes_max` bytes, cut
// before a UTF-8 sequence that would not fit; bytes of other encodings are kept as they are. A page
// that ends inside its title has the title it has. nullopt: no title within
// kHtmlTitleSearchBytesMax.
[[nodiscard]] std::optional<std::string> html_title(BytesView page, std::size_t title_bytes_max);

}  // namespace kua::wire
