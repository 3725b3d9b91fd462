#include "wire/client_hello.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/wire/vector.h"
#include "wire/limits.h"
#include "wire/tls_record.h"

namespace kua::wire {
namespace {

// The same handshake bytes in records of `bytes_each`.
Bytes split(BytesView one_record, std::size_t bytes_each) {
  const BytesView handshake = one_record.subspan(kTlsRecordHeaderBytes);
  Bytes out;
  for (std::size_t at = 0; at < handshake.size(); at += bytes_each) {
    const BytesView piece = handshake.subspan(at, std::min(bytes_each, handshake.size() - at));
    put_bytes(out, from_hex("160301"));
    put_u16(out, static_cast<std::uint16_t>(piece.size()));
    put_bytes(out, piece);
  }
  return out;
}

struct RealHello {
  const char* vector;
  const char* server_name;
  std::vector<std::string> alpn;
  bool tls13;
};

TEST(DecodeClientHello, ReadsWhatRealClientsSend) {
  const RealHello kCases[] = {
      {"tls_hello_openssl", "www.example.com", {"h2", "http/1.1"}, true},
      {"tls_hello_curl", "www.example.com", {"h2", "http/1.1"}, true},
      {"tls_hello_chromium", "news.example.com", {"h2", "http/1.1"}, true},
  };
  for (const auto& c : kCases) {
    const Bytes stream = vector_bytes(c.vector);
    const auto hello = decode_client_hello(stream);
    ASSERT_TRUE(hello) << c.vector << " " << to_string(hello.error());
    EXPECT_EQ(hello->server_name, c.server_name);
    EXPECT_EQ(hello->alpn, c.alpn) << c.vector;
    EXPECT_EQ(std::ranges::count(hello->supported_versions, kTls13), c.tls13 ? 1 : 0) << c.vector;
    EXPECT_EQ(hello->stream_bytes, stream.size());
    EXPECT_FALSE(hello->cipher_suites.empty());
  }
  EXPECT_TRUE(decode_client_hello(vector_bytes("tls_hello_chromium"))->encrypted_client_hello);
  EXPECT_FALSE(decode_client_hello(vector_bytes("tls_hello_curl"))->encrypted_client_hello);
}

TEST(DecodeClientHello, EveryPrefixNeedsMoreAndTheWholeDoesNot) {
  const Bytes stream = split(vector_bytes("tls_hello_openssl"), 100);
  for (std::size_t length = 0; length < stream.size(); ++length) {
    const auto hello = decode_client_hello(BytesView(stream).first(length));
    ASSERT_FALSE(hello) << length;
    ASSERT_EQ(hello.error(), HelloPause::need_more) << length;
  }
  EXPECT_EQ(decode_client_hello(stream)->server_name, "www.example.com");
}

TEST(DecodeClientHello, IsTheSameHoweverItWasSplit) {
  const Bytes whole = vector_bytes("tls_hello_chromium");
  auto expected = *decode_client_hello(whole);
  for (const std::size_t bytes_each : {1u, 2u, 5u, 64u, 1000u}) {
    const Bytes stream = split(whole, bytes_each);
    auto hello = decode_client_hello(stream);
    ASSERT_TRUE(hello) << bytes_each;
    EXPECT_EQ(hello->stream_bytes, stream.size());
    hello->stream_bytes = expected.stream_bytes;
    EXPECT_EQ(*hello, expected) << bytes_each;
  }
}

struct HelloCase {
  const char* says;
  const char* hex;
  HelloPause pause;
};

TEST(DecodeClientHello, NamesWhatItIsInstead) {
  const HelloCase kCases[] = {
      {"an HTTP request", "474554202f", HelloPause::not_tls},
      {"a ServerHello", "1603030004 02000000", HelloPause::not_client_hello},
      {"an alert", "1503030002 0228", HelloPause::not_client_hello},
      {"the beginning of application data", "170303", HelloPause::not_client_hello},
      {"a message of 16 MiB", "1603010004 01ffffff", HelloPause::too_large},
      {"an empty body", "1603010004 01000000", HelloPause::malformed},
      {"garbage after a first record", "1603010001 01 ffff", HelloPause::not_tls},
  };
  for (const auto& c : kCases) {
    const Bytes bytes = from_hex(c.hex);
    const auto hello = decode_client_hello(bytes);
    ASSERT_FALSE(hello) << c.says;
    EXPECT_EQ(hello.error(), c.pause) << c.says;
  }
}

TEST(DecodeClientHello, RefusesLengthsThatContradictEachOther) {
  const Bytes whole = vector_bytes("tls_hello_openssl");
  // Record header 5, handshake header 4, version 2, random 32: the session id's length is at 43.
  Bytes bytes = whole;
  bytes[43] = 33;
  EXPECT_EQ(decode_client_hello(bytes).error(), HelloPause::malformed);
  bytes = whole;
  bytes[bytes.size() - 1] = 0;
  bytes.push_back(0);  // behind the hello: the next message's business
  EXPECT_TRUE(decode_client_hello(bytes));
}

TEST(DecodeClientHello, GivesUpOnEndlessTinyRecords) {
  Bytes handshake = from_hex("01 007fff");
  handshake.resize(4 + 0x7fff);
  Bytes record = from_hex("1603010000");
  put_bytes(record, handshake);
  EXPECT_EQ(decode_client_hello(split(record, 4)).error(), HelloPause::too_large);
}

TEST(EncodeClientHello, IsReadBackWithItsNameAndProtocols) {
  ClientHelloRequest request;
  request.server_name = "www.example.com";
  request.alpn = {"h2", "http/1.1"};
  request.random.fill(7);
  const Bytes stream = encode_client_hello(request);
  const auto hello = decode_client_hello(stream);
  ASSERT_TRUE(hello) << to_string(hello.error());
  EXPECT_EQ(hello->server_name, "www.example.com");
  EXPECT_EQ(hello->alpn, request.alpn);
  EXPECT_EQ(hello->random, request.random);
  EXPECT_EQ(hello->supported_versions, (std::vector<std::uint16_t>{kTls13, kTls12}));
  EXPECT_EQ(encode_client_hello(request), stream);
  request.server_name.reset();
  EXPECT_FALSE(decode_client_hello(encode_client_hello(request))->server_name);
}

}  // namespace
}  // namespace kua::wire
