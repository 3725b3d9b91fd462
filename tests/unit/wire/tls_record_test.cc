#include "wire/tls_record.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"

namespace kua::wire {
namespace {

struct RecordCase {
  const char* says;
  const char* hex;
  TlsPause pause;
};

TEST(DecodeTlsRecord, TellsABeginningFromSomethingElse) {
  const RecordCase kCases[] = {
      {"nothing yet", "", TlsPause::need_more},
      {"a content type alone", "16", TlsPause::need_more},
      {"half a header", "160301", TlsPause::need_more},
      {"a header whose fragment is on its way", "1603010005 0100", TlsPause::need_more},
      {"an HTTP answer", "48545450", TlsPause::not_tls},
      {"an HTTP answer's first byte", "48", TlsPause::not_tls},
      {"content type 24", "18", TlsPause::not_tls},
      {"major version 2", "1602", TlsPause::not_tls},
      {"minor version 9", "160309", TlsPause::not_tls},
      {"a fragment longer than TLS allows", "1603034801", TlsPause::not_tls},
      {"an empty handshake record", "1603030000", TlsPause::not_tls},
  };
  for (const auto& c : kCases) {
    const Bytes bytes = from_hex(c.hex);
    const auto record = decode_tls_record(bytes);
    ASSERT_FALSE(record) << c.says;
    EXPECT_EQ(record.error(), c.pause) << c.says;
  }
}

TEST(DecodeTlsRecord, WalksAServersFirstFlight) {
  const Bytes stream = vector_bytes("tls_server_hello");
  std::vector<int> types;
  std::size_t at = 0;
  while (at < stream.size()) {
    const auto record = decode_tls_record(BytesView(stream).subspan(at));
    ASSERT_TRUE(record);
    types.push_back(record->content_type);
    at += record->bytes();
  }
  EXPECT_EQ(types, (std::vector<int>{22, 20, 23, 23, 23, 23}));
}

TEST(TlsAlert, ReadsAServersAndWritesTheSame) {
  const Bytes stream = vector_bytes("tls_alert_protocol_version");
  const auto record = decode_tls_record(stream);
  ASSERT_TRUE(record);
  const auto alert = decode_tls_alert(*record);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->level, kTlsAlertFatal);
  EXPECT_EQ(alert->description, 70);  // protocol_version
  const auto again = encode_tls_alert(*alert);
  EXPECT_EQ(Bytes(again.begin(), again.end()), stream);
}

TEST(TlsAlert, IsNotReadFromWhatIsEncryptedOrNoAlert) {
  for (const char* hex : {"1503030003 022800", "1603030002 0228", "1503030002 0328"}) {
    const Bytes bytes = from_hex(hex);
    const auto record = decode_tls_record(bytes);
    ASSERT_TRUE(record) << hex;
    EXPECT_FALSE(decode_tls_alert(*record)) << hex;
  }
}

}  // namespace
}  // namespace kua::wire
