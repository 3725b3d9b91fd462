#include "platform/compress/compress.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace kua::platform {
namespace {

std::string records() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += R"({"format":"kua/1","i":)" + std::to_string(i) + "}\n";
  return text;
}

// A frame as a streaming peer makes it: without its content size.
std::string unsized_frame(std::string_view bytes) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const auto size = ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size());
  ZSTD_freeCCtx(context);
  EXPECT_FALSE(ZSTD_isError(size));
  out.resize(size);
  EXPECT_EQ(ZSTD_getFrameContentSize(out.data(), out.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  return out;
}

TEST(Compress, RoundTripKeepsEveryByteAndStatesItsSize) {
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("\0\xff\n", 3), records()}) {
    const auto frame = zstd_compress(text);
    EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), text.size());
    const auto back = zstd_decompress(frame, text.size());
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(*back, text);
  }
  EXPECT_LT(zstd_compress(records()).size(), records().size() / 4);
}

TEST(Compress, FramesFollowOneAnother) {
  const auto both = zstd_compress("first\n") + unsized_frame("second\n") + zstd_compress("third\n");
  EXPECT_EQ(zstd_decompress(both, 100).value(), "first\nsecond\nthird\n");
  EXPECT_EQ(zstd_decompress("", 100).value(), "");
}

TEST(Compress, NothingPassesTheLimitWhateverAFrameStates) {
  const auto text = records();
  for (const auto& frame : {zstd_compress(text), unsized_frame(text)}) {
    EXPECT_EQ(zstd_decompress(frame, text.size()).value().size(), text.size());
    EXPECT_EQ(zstd_decompress(frame, text.size() - 1).error().kind, ErrorKind::limit);
    EXPECT_EQ(zstd_decompress(frame, 0).error().kind, ErrorKind::limit);
    EXPECT_EQ(zstd_decompress(frame + frame, 2 * text.size() - 1).error().kind, ErrorKind::limit);
  }
}

TEST(Compress, ABombOfAGigabyteCostsNothing) {
  // 1 GiB of zeros in about 32 kB.
  std::string bomb(std::size_t{1} << 26, '\0');
  const auto one = unsized_frame(bomb);
  std::string many;
  for (int i = 0; i < 16; ++i) many += one;
  EXPECT_LT(many.size(), 64u * 1024);
  EXPECT_EQ(zstd_decompress(many, 1 << 20).error().kind, ErrorKind::limit);
}

TEST(Compress, DamageIsInvalidInputAtEveryLength) {
  for (const auto& frame : {zstd_compress(records()), unsized_frame("a short frame")}) {
    for (std::size_t size = 1; size < frame.size(); size += 1 + frame.size() / 97) {
      const auto back = zstd_decompress(frame.substr(0, size), 1 << 20);
      ASSERT_FALSE(back) << size;
      EXPECT_EQ(back.error().kind, ErrorKind::invalid_input) << size;
    }
  }
  auto flipped = zstd_compress(records());
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x10);
  EXPECT_EQ(zstd_decompress(flipped, 1 << 20).error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(zstd_decompress("not zstd at all", 1 << 20).error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(zstd_decompress(zstd_compress("x") + "tail", 1 << 20).error().kind,
            ErrorKind::invalid_input);
}

TEST(Compress, WorksAgainAfterAFailure) {
  EXPECT_FALSE(zstd_decompress("garbage", 100));
  EXPECT_FALSE(zstd_decompress(unsized_frame(records()).substr(0, 40), 1 << 20));
  EXPECT_EQ(zstd_decompress(unsized_frame("fine"), 100).value(), "fine");
  EXPECT_EQ(zstd_decompress(zstd_compress("fine"), 100).value(), "fine");
}

TEST(OneCheckedFrame, IsAllOfTheBytesAndHasItsChecksum) {
  const std::string frame = zstd_compress("words");
  EXPECT_TRUE(is_one_checked_frame(frame));
  EXPECT_FALSE(is_one_checked_frame(frame + frame));
  EXPECT_FALSE(is_one_checked_frame(frame.substr(0, frame.size() - 1)));
  EXPECT_FALSE(is_one_checked_frame(""));
  std::string unchecked = frame.substr(0, frame.size() - 4);
  unchecked[4] = static_cast<char>(unchecked[4] & ~4);
  ASSERT_EQ(*zstd_decompress(unchecked, 100), "words");
  EXPECT_FALSE(is_one_checked_frame(unchecked));
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0\xff\xff\xff\xff", 12);
  EXPECT_FALSE(is_one_checked_frame(skippable));
}

}  // namespace
}  // namespace kua::platform
