#include "platform/compress/compress.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

#include "measurement/check.h"

namespace kua::platform {
namespace {

constexpr std::string_view kDoing = "decompressing zstd";

// Frames that want a larger window are refused before it is allocated; our own writer stays far
// below.
constexpr int kWindowLogMax = 24;  // 16 MiB
// How much a frame that does not state its size may grow the result by at a time.
constexpr std::size_t kStepBytes = 64 * 1024;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, Freer<ZSTD_freeCCtx>>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, Freer<ZSTD_freeDCtx>>;

// A context is a megabyte of tables: one a thread, reused, instead of one a call.
ZSTD_CCtx* thread_compressor() {
  thread_local const Compressor context(ZSTD_createCCtx());
  KUA_CHECK(context != nullptr);
  return context.get();
}

ZSTD_DCtx* thread_decompressor() {
  thread_local const Decompressor context = [] {
    Decompressor made(ZSTD_createDCtx());
    KUA_CHECK(made != nullptr);
    KUA_CHECK(
        !ZSTD_isError(ZSTD_DCtx_setParameter(made.get(), ZSTD_d_windowLogMax, kWindowLogMax)));
    return made;
  }();
  return context.get();
}

std::unexpected<Error> damaged(std::size_t zstd_code) {
  return fail(ErrorKind::invalid_input, ZSTD_getErrorName(zstd_code), std::string(kDoing));
}

std::unexpected<Error> over_limit(std::size_t bytes_max) {
  return fail(ErrorKind::limit,
              "more than " + std::to_string(bytes_max) + " bytes when decompressed",
              std::string(kDoing));
}

// The header states the size: one call into the space it needs.
Expected<void> append_sized(std::string_view frame, std::size_t size, std::string& out) {
  const auto old_size = out.size();
  std::size_t written = 0;
  out.resize_and_overwrite(old_size + size, [&](char* data, std::size_t) {
    written = ZSTD_decompressDCtx(thread_decompressor(), data + old_size, size, frame.data(),
                                  frame.size());
    return ZSTD_isError(written) ? old_size : old_size + written;
  });
  if (ZSTD_isError(written)) return damaged(written);
  return {};
}

// The header does not state it: grow in steps, never past the limit.
Expected<void> append_unsized(std::string_view frame, std::size_t bytes_max, std::string& out) {
  ZSTD_DCtx* context = thread_decompressor();
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  while (true) {
    const auto old_size = out.size();
    // At the limit one spare byte tells a frame that ends there from one that goes on.
    const auto room = std::min(kStepBytes, bytes_max - old_size + 1);
    out.resize(old_size + room);
    ZSTD_outBuffer step{out.data() + old_size, room, 0};
    const auto left = ZSTD_decompressStream(context, &step, &in);
    out.resize(old_size + step.pos);
    if (ZSTD_isError(left)) return damaged(left);
    if (out.size() > bytes_max) return over_limit(bytes_max);
    if (left == 0) return {};
    if (step.pos == 0 && in.pos == in.size) {
      return fail(ErrorKind::invalid_input, "the last frame is cut off", std::string(kDoing));
    }
  }
}

}  // namespace

std::string zstd_compress(std::string_view bytes, int level) {
  ZSTD_CCtx* context = thread_compressor();
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  KUA_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)));
  KUA_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
  std::string out;
  out.resize_and_overwrite(ZSTD_compressBound(bytes.size()), [&](char* data, std::size_t size) {
    const auto written = ZSTD_compress2(context, data, size, bytes.data(), bytes.size());
    KUA_CHECK(!ZSTD_isError(written));  // the space suffices by definition of the bound
    return written;
  });
  return out;
}

Expected<std::string> zstd_decompress(std::string_view bytes, std::size_t bytes_max) {
  std::string out;
  while (!bytes.empty()) {
    const auto frame_size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    if (ZSTD_isError(frame_size)) return damaged(frame_size);
    const auto frame = bytes.substr(0, frame_size);
    bytes.remove_prefix(frame_size);

    const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_ERROR) {
      return fail(ErrorKind::invalid_input, "not a zstd frame", std::string(kDoing));
    }
    const bool sized = size != ZSTD_CONTENTSIZE_UNKNOWN;
    if (sized && size > bytes_max - out.size()) return over_limit(bytes_max);
    const auto appended = sized ? append_sized(frame, static_cast<std::size_t>(size), out)
                                : append_unsized(frame, bytes_max, out);
    if (!appended) return std::unexpected(appended.error());
  }
  return out;
}

std::optional<std::size_t> zstd_frame_bytes(std::string_view bytes) {
  const auto size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(size)) return std::nullopt;
  return size;
}

bool is_one_checked_frame(std::string_view bytes) {
  constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);
  constexpr unsigned kChecksumFlag = 1u << 2;  // of the frame header's descriptor, RFC 8878 §3.1.1.1.1
  if (zstd_frame_bytes(bytes) != bytes.size() || !bytes.starts_with(kMagic)) return false;
  return (static_cast<unsigned char>(bytes[kMagic.size()]) & kChecksumFlag) != 0;
}

}  // namespace kua::platform
