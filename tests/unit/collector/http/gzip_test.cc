#include "collector/http/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace kua::collector {
namespace {

std::string gunzip(const std::string& bytes, std::size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, WhatIsCompressedComesBack) {
  std::string page;
  for (int i = 0; i < 5000; ++i) page += "line " + std::to_string(i) + "\n";
  const std::string packed = gzip_compress(page);
  EXPECT_LT(packed.size(), page.size() / 3);
  EXPECT_EQ(gunzip(packed, page.size()), page);
}

TEST(Gzip, AcceptEncodingIsReadAsRfc9110Says) {
  struct Case {
    const char* claim;
    const char* header;
    bool accepts;
  };
  const Case cases[] = {
      {"nothing said means nothing allowed", "", false},
      {"named", "gzip", true},
      {"named among others", "br, gzip, deflate", true},
      {"named with a quality", "gzip;q=0.5", true},
      {"forbidden by quality zero", "gzip;q=0", false},
      {"forbidden by quality zero with decimals", "br, gzip; q=0.000", false},
      {"the star stands for it", "*", true},
      {"a forbidden name beats the star", "*, gzip;q=0", false},
      {"another coding is not it", "br", false},
      {"a longer name is not it", "gzipped", false},
  };
  for (const Case& c : cases) EXPECT_EQ(accepts_gzip(c.header), c.accepts) << c.claim;
}

}  // namespace
}  // namespace kua::collector
