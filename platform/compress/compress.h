// zstd frames, bounded on the way out: what a peer sent may claim any size.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/error.h"

namespace kua::platform {

// One frame with its content size and checksum. Level 1 costs about a tenth of level 9 on records.
[[nodiscard]] std::string zstd_compress(std::string_view bytes, int level = 1);

// All frames of `bytes`, one after another. Errors: limit when the result would pass `bytes_max`
// (nothing beyond it is allocated), invalid_input for anything that is not whole frames.
[[nodiscard]] Expected<std::string> zstd_decompress(std::string_view bytes, std::size_t bytes_max);

// Length of the frame that `bytes` begin with; nullopt when they do not begin with a frame or the
// frame is not whole. Walks its block headers, reads none of its contents.
[[nodiscard]] std::optional<std::size_t> zstd_frame_bytes(std::string_view bytes);

// Whether `bytes` are one whole frame, no more, with a checksum of its contents.
[[nodiscard]] bool is_one_checked_frame(std::string_view bytes);

}  // namespace kua::platform
