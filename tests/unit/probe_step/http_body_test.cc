#include "probe/step/http_body.h"

#include <gtest/gtest.h>

#include <ostream>
#include <zlib.h>

#include <string>

#include "platform/crypto/crypto.h"
#include "probe/limits.h"

namespace kua::probe {
namespace {

constexpr BodyLimits kWide{1 << 20, 1 << 20};
constexpr int kGzip = 15 + 16;
constexpr int kZlib = 15;
constexpr int kRaw = -15;

std::string deflated(const std::string& text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

// Text that does not compress to nothing.
std::string prose(std::size_t bytes) {
  std::string out;
  for (unsigned i = 0; out.size() < bytes; ++i) out += std::to_string(i * 2654435761U);
  out.resize(bytes);
  return out;
}

std::string hash_of(const std::string& text) { return platform::to_hex(platform::sha256(text)); }

struct Coded {
  const char* says;
  ContentCoding coding;
  int window_bits;
  std::size_t piece;
  friend void PrintTo(const Coded& row, std::ostream* out) { *out << row.says; }
};

class Coding : public ::testing::TestWithParam<Coded> {};

TEST_P(Coding, IsUndoneHoweverTheBytesArrive) {
  const std::string text = prose(60'000);
  const std::string wire = deflated(text, GetParam().window_bits);
  HttpBody body(kWide);
  body.begin(GetParam().coding);
  for (std::size_t at = 0; at < wire.size(); at += GetParam().piece) {
    body.take(std::string_view(wire).substr(at, GetParam().piece));
  }
  EXPECT_EQ(body.end(), BodyEnd::open) << GetParam().says;
  EXPECT_EQ(body.decoded_bytes(), text.size());
  EXPECT_EQ(body.prefix(), text.substr(0, kTitleSearchBytes));
  EXPECT_EQ(body.sha256(), hash_of(text));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Coding,
    ::testing::Values(Coded{"gzip in one piece", ContentCoding::gzip, kGzip, 1 << 20},
                      Coded{"gzip byte by byte", ContentCoding::gzip, kGzip, 1},
                      Coded{"deflate as the RFC says", ContentCoding::deflate, kZlib, 4096},
                      Coded{"deflate as some servers send it", ContentCoding::deflate, kRaw, 4096}));

TEST(HttpBody, TakesPlainBytesAsTheyAre) {
  HttpBody body(kWide);
  body.begin(ContentCoding::identity);
  body.take("ab");
  body.take("c");
  EXPECT_EQ(body.prefix(), "abc");
  EXPECT_EQ(body.sha256(), hash_of("abc"));
}

TEST(HttpBody, HasNoHashWithoutBytes) {
  HttpBody body(kWide);
  body.begin(ContentCoding::gzip);
  body.take("");
  EXPECT_EQ(body.sha256(), "");
}

TEST(HttpBody, StopsAtTheWireLimit) {
  HttpBody body({1000, 1 << 20});
  body.begin(ContentCoding::identity);
  body.take(std::string(600, 'x'));
  EXPECT_EQ(body.end(), BodyEnd::open);
  body.take(std::string(600, 'x'));
  EXPECT_EQ(body.end(), BodyEnd::wire_bytes);
  EXPECT_EQ(body.decoded_bytes(), 1000u);
  body.take("more");
  EXPECT_EQ(body.decoded_bytes(), 1000u);
}

TEST(HttpBody, StopsAtTheDecodedLimit) {
  const std::string wire = deflated(prose(50'000), kGzip);
  HttpBody body({1 << 20, 20'000});
  body.begin(ContentCoding::gzip);
  body.take(wire);
  EXPECT_EQ(body.end(), BodyEnd::decoded_bytes);
  EXPECT_EQ(body.decoded_bytes(), 20'000u);
}

TEST(HttpBody, KnowsABombByItsRatio) {
  const std::string bomb = deflated(std::string(100 << 20, '\0'), kGzip);
  HttpBody body({bomb.size(), std::uint64_t{1} << 40});
  body.begin(ContentCoding::gzip);
  body.take(bomb);
  EXPECT_EQ(body.end(), BodyEnd::compression_ratio);
  EXPECT_LT(body.decoded_bytes(), bomb.size() * kCompressionRatioMax + (1u << 20));
}

TEST(HttpBody, SaysWhenTheCodingIsNotWhatWasPromised) {
  HttpBody body(kWide);
  body.begin(ContentCoding::gzip);
  body.take("<html>not compressed at all</html>");
  EXPECT_EQ(body.end(), BodyEnd::broken_coding);
}

TEST(HttpBody, IgnoresBytesBehindTheCodedStream) {
  const std::string text = prose(100);
  HttpBody body(kWide);
  body.begin(ContentCoding::gzip);
  body.take(deflated(text, kGzip) + "trailing");
  EXPECT_EQ(body.end(), BodyEnd::open);
  EXPECT_EQ(body.decoded_bytes(), text.size());
}

TEST(ContentCodings, AreReadWithoutCase) {
  EXPECT_EQ(parse_content_coding("GZip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding(" deflate "), ContentCoding::deflate);
  EXPECT_EQ(parse_content_coding(""), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding("br"), ContentCoding::unknown);
  EXPECT_EQ(parse_content_coding("gzip, gzip"), ContentCoding::unknown);
}

}  // namespace
}  // namespace kua::probe
