#include "platform/compress/unpacker.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "platform/compress/compress.h"

namespace kua::platform {
namespace {

std::string gzipped(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string lines() {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

struct Unpacked {
  std::string text;
  std::size_t largest = 0;
  bool whole = false;
  bool failed = false;
};

// Gives `packed` in pieces of `piece` bytes.
Unpacked unpack(std::string_view packed, std::size_t piece) {
  Unpacker unpacker(packing_of(packed));
  Unpacked out;
  while (true) {
    std::string_view in = packed.substr(0, piece);
    packed.remove_prefix(in.size());
    const bool end = in.empty();
    while (true) {
      const auto got = unpacker.next(in);
      if (!got) {
        EXPECT_EQ(got.error().kind, ErrorKind::invalid_input);
        out.failed = true;
        return out;
      }
      out.text += *got;
      out.largest = std::max(out.largest, got->size());
      if (got->empty() && in.empty()) break;
    }
    if (end) break;
  }
  out.whole = unpacker.is_whole();
  return out;
}

TEST(Unpacker, WhatWasPackedComesOutWholeHoweverItIsCut) {
  const std::string text = lines();
  const std::string several_gzip = gzipped(text) + gzipped("and more\n");
  const std::string several_zstd = zstd_compress(text) + zstd_compress("and more\n");
  for (const std::size_t piece : {1uz, 7uz, 4096uz, several_gzip.size() + several_zstd.size()}) {
    for (const std::string& packed : {several_gzip, several_zstd}) {
      const Unpacked got = unpack(packed, piece);
      EXPECT_EQ(got.text, text + "and more\n") << piece;
      EXPECT_TRUE(got.whole);
      EXPECT_LE(got.largest, Unpacker::kStepBytes);
    }
    EXPECT_EQ(unpack(text, piece).text, text);
  }
}

TEST(Unpacker, ACutOffStreamIsNotWhole) {
  for (const std::string& packed : {gzipped(lines()), zstd_compress(lines())}) {
    const Unpacked got = unpack(std::string_view(packed).substr(0, packed.size() / 2), 1000);
    EXPECT_TRUE(got.failed || !got.whole);
    EXPECT_FALSE(got.failed) << "the begin of it is fine";
  }
}

TEST(Unpacker, DamageIsAnErrorAndNotText) {
  for (std::string packed : {gzipped(lines()), zstd_compress(lines())}) {
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x5a);
    packed[packed.size() / 2 + 1] = static_cast<char>(packed[packed.size() / 2 + 1] ^ 0x5a);
    EXPECT_TRUE(unpack(packed, 4096).failed);
  }
}

TEST(Unpacker, ABombComesOutInSmallPieces) {
  const std::string bomb = zstd_compress(std::string(64 * 1024 * 1024, 'x'));
  ASSERT_LT(bomb.size(), 16'384u);
  EXPECT_LE(unpack(bomb, 4096).largest, Unpacker::kStepBytes);
}

TEST(Unpacker, PackingIsToldByTheFirstBytes) {
  EXPECT_EQ(packing_of(gzipped("x")), Packing::gzip);
  EXPECT_EQ(packing_of(zstd_compress("x")), Packing::zstd);
  EXPECT_EQ(packing_of("{\"format\""), Packing::plain);
  EXPECT_EQ(packing_of(""), Packing::plain);
}

}  // namespace
}  // namespace kua::platform
