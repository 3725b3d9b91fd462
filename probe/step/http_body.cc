#include "probe/step/http_body.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <span>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "probe/limits.h"
#include "probe/step/openssl_ptr.h"

namespace kua::probe {
namespace {

constexpr std::size_t kInflateChunkBytes = 16 * 1024;
// The ratio is judged only past this many decoded bytes: a small page may be one repeated line.
constexpr std::uint64_t kRatioFromBytes = 64 * 1024;
constexpr int kWindowBits = 15;

bool same_word(std::string_view a, std::string_view lower) noexcept {
  return std::ranges::equal(a, lower, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

}  // namespace

ContentCoding parse_content_coding(std::string_view value) noexcept {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty() || same_word(value, "identity")) return ContentCoding::identity;
  if (same_word(value, "gzip") || same_word(value, "x-gzip")) return ContentCoding::gzip;
  if (same_word(value, "deflate")) return ContentCoding::deflate;
  return ContentCoding::unknown;
}

struct HttpBody::Hash {
  Hash() : context(EVP_MD_CTX_new()) {
    KUA_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  }
  OpensslPtr<EVP_MD_CTX> context;
};

struct HttpBody::Inflater {
  explicit Inflater(ContentCoding coding_in) : coding(coding_in) {
    // 32 added: zlib and gzip headers are told apart by zlib itself.
    KUA_CHECK(inflateInit2(&stream, kWindowBits + 32) == Z_OK);
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Whether two first bytes are a zlib header (RFC 1950 §2.2) or gzip's magic; else "deflate" is raw.
  static bool has_header(std::string_view two) {
    const unsigned first = static_cast<unsigned char>(two[0]);
    const unsigned second = static_cast<unsigned char>(two[1]);
    return (first == 0x1f && second == 0x8b) || ((first & 0x0f) == 8 && (first << 8 | second) % 31 == 0);
  }

  z_stream stream{};
  ContentCoding coding;
  std::string head;  // of "deflate": the first bytes, until it is known whether there is a header
  bool over = false;  // the coded stream is complete; bytes behind it are ignored, as browsers do
};

HttpBody::HttpBody(BodyLimits limits) : limits_(limits) {}
HttpBody::~HttpBody() = default;

void HttpBody::begin(ContentCoding coding) {
  if (coding == ContentCoding::gzip || coding == ContentCoding::deflate) {
    inflater_ = std::make_unique<Inflater>(coding);
  }
}

void HttpBody::take(std::string_view wire_bytes) {
  if (end_ != BodyEnd::open) return;
  const std::uint64_t room = limits_.wire_bytes_max - wire_bytes_;
  const bool cut = wire_bytes.size() > room;
  if (cut) wire_bytes = wire_bytes.substr(0, static_cast<std::size_t>(room));
  wire_bytes_ += wire_bytes.size();
  if (inflater_ != nullptr) {
    inflate(wire_bytes);
  } else {
    keep(wire_bytes);
  }
  if (cut && end_ == BodyEnd::open) end_ = BodyEnd::wire_bytes;
}

void HttpBody::inflate(std::string_view wire_bytes) {
  z_stream& stream = inflater_->stream;
  if (inflater_->coding == ContentCoding::deflate) {
    inflater_->head += wire_bytes;
    if (inflater_->head.size() < 2) return;
    if (!Inflater::has_header(inflater_->head)) KUA_CHECK(inflateReset2(&stream, -kWindowBits) == Z_OK);
    inflater_->coding = ContentCoding::gzip;  // decided once
    wire_bytes = inflater_->head;
  }
  // zlib's interface predates const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(wire_bytes.data()));
  stream.avail_in = static_cast<uInt>(wire_bytes.size());
  std::array<char, kInflateChunkBytes> chunk;
  while (!inflater_->over && end_ == BodyEnd::open) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    keep({chunk.data(), chunk.size() - stream.avail_out});
    if (end_ != BodyEnd::open) return;
    if (decoded_bytes_ > kRatioFromBytes && decoded_bytes_ > wire_bytes_ * kCompressionRatioMax) {
      end_ = BodyEnd::compression_ratio;
    } else if (result == Z_STREAM_END) {
      inflater_->over = true;
    } else if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      return;  // needs more input
    } else if (result != Z_OK) {
      end_ = BodyEnd::broken_coding;
    }
  }
}

void HttpBody::keep(std::string_view decoded) {
  const std::uint64_t room = limits_.decoded_bytes_max - decoded_bytes_;
  if (decoded.size() > room) {
    decoded = decoded.substr(0, static_cast<std::size_t>(room));
    end_ = BodyEnd::decoded_bytes;
  }
  if (decoded.empty()) return;
  decoded_bytes_ += decoded.size();
  if (hash_ == nullptr) hash_ = std::make_unique<Hash>();
  KUA_CHECK(EVP_DigestUpdate(hash_->context.get(), decoded.data(), decoded.size()) == 1);
  if (prefix_.size() < kTitleSearchBytes) {
    prefix_.append(decoded.substr(0, kTitleSearchBytes - prefix_.size()));
  }
}

std::string HttpBody::sha256() {
  if (hash_ == nullptr) return {};
  platform::Digest digest{};
  KUA_CHECK(EVP_DigestFinal_ex(hash_->context.get(), digest.data(), nullptr) == 1);
  hash_.reset();
  return platform::to_hex(digest);
}

}  // namespace kua::probe
