#include "platform/compress/unpacker.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "measurement/check.h"

namespace kua::platform {
namespace {

// Our own writers stay far below; `zstd --long` goes up to it.
constexpr int kZstdWindowLogMax = 27;  // 128 MiB
// 15 bits of window, +16 takes nothing but the gzip wrapper.
constexpr int kGzipWindow = 15 + 16;

}  // namespace

Packing packing_of(std::string_view begin) noexcept {
  using namespace std::string_view_literals;
  if (begin.starts_with("\x1f\x8b"sv)) return Packing::gzip;
  const bool skippable = begin.size() >= 4 && (begin[0] & 0xf0) == 0x50 &&
                         begin.substr(1).starts_with("\x2a\x4d\x18"sv);
  if (begin.starts_with("\x28\xb5\x2f\xfd"sv) || skippable) return Packing::zstd;
  return Packing::plain;
}

struct Unpacker::Impl {
  explicit Impl(Packing p) : packing(p) {
    if (packing == Packing::gzip) {
      KUA_CHECK(inflateInit2(&gzip, kGzipWindow) == Z_OK);
    } else if (packing == Packing::zstd) {
      zstd = ZSTD_createDCtx();
      KUA_CHECK(zstd != nullptr);
      KUA_CHECK(
          !ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, kZstdWindowLogMax)));
    }
    if (packing != Packing::plain) out.resize(kStepBytes);
  }
  ~Impl() {
    if (packing == Packing::gzip) inflateEnd(&gzip);
    if (packing == Packing::zstd) ZSTD_freeDCtx(zstd);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::unexpected<Error> damaged(const char* what) const {
    return fail(ErrorKind::invalid_input, what,
                packing == Packing::gzip ? "unpacking gzip" : "unpacking zstd");
  }

  Expected<std::string_view> next_gzip(std::string_view& in) {
    if (whole) {  // another member
      if (in.empty()) return std::string_view();
      inflateReset(&gzip);
    }
    whole = false;
    const std::size_t given = std::min(in.size(), kStepBytes);
    gzip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    gzip.avail_in = static_cast<uInt>(given);
    gzip.next_out = reinterpret_cast<Bytef*>(out.data());
    gzip.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&gzip, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return damaged(gzip.msg == nullptr ? "damaged" : gzip.msg);
    }
    in.remove_prefix(given - gzip.avail_in);
    whole = code == Z_STREAM_END;
    return std::string_view(out).substr(0, out.size() - gzip.avail_out);
  }

  Expected<std::string_view> next_zstd(std::string_view& in) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t left = ZSTD_decompressStream(zstd, &to, &from);
    if (ZSTD_isError(left)) return damaged(ZSTD_getErrorName(left));
    in.remove_prefix(from.pos);
    if (from.pos > 0 || to.pos > 0) whole = left == 0;
    return std::string_view(out).substr(0, to.pos);
  }

  Packing packing;
  bool whole = true;
  z_stream gzip{};
  ZSTD_DCtx* zstd = nullptr;
  std::string out;
};

Unpacker::Unpacker(Packing packing) : impl_(std::make_unique<Impl>(packing)) {}
Unpacker::Unpacker(Unpacker&&) noexcept = default;
Unpacker& Unpacker::operator=(Unpacker&&) noexcept = default;
Unpacker::~Unpacker() = default;

Expected<std::string_view> Unpacker::next(std::string_view& in) {
  switch (impl_->packing) {
    case Packing::gzip:
      return impl_->next_gzip(in);
    case Packing::zstd:
      return impl_->next_zstd(in);
    case Packing::plain:
      break;
  }
  return std::exchange(in, {}).substr(0);
}

bool Unpacker::is_whole() const noexcept { return impl_->whole; }

}  // namespace kua::platform
