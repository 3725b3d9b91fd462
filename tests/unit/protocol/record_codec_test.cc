#include "protocol/record_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/protocol/sample_records.h"

namespace kua::protocol {
namespace {

using ::testing::HasSubstr;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

class RecordCodec : public ::testing::Test {
 protected:
  Record read(const std::string& line) {
    auto record = reader_.read(line);
    EXPECT_TRUE(record) << record.error().text() << "\n" << line;
    return record ? *record : Record();
  }
  Measurement read_measurement(const std::string& line) {
    return std::get<Measurement>(read(line));
  }
  std::string fault(const std::string& line) {
    const auto record = reader_.read(line);
    return record ? "accepted" : record.error().message;
  }

  RecordReader reader_;
  const std::string usual_ = write_record(test::usual_measurement());
  const std::string full_ = write_record(test::full_measurement());
};

TEST_F(RecordCodec, EveryFieldSurvivesARoundTrip) {
  EXPECT_EQ(read(full_), Record(test::full_measurement()));
  EXPECT_EQ(read(usual_), Record(test::usual_measurement()));
  EXPECT_EQ(read(write_record(test::usual_summary())), Record(test::usual_summary()));
  EXPECT_EQ(write_record(read(full_)), full_) << "what was read is written as it came";
}

TEST_F(RecordCodec, DefaultsSurviveTooAndAreShort) {
  Measurement blank;
  blank.header.id = test::usual_measurement().header.id;
  blank.header.boot = "0000000000000000";
  blank.observations = {Lookup(), Connect(), TlsHandshake(), HttpRoundTrip(), LinkCheck()};
  const auto line = write_record(blank);
  EXPECT_EQ(read(line), Record(blank));
  EXPECT_LT(line.size(), 1300u) << line;
}

TEST_F(RecordCodec, ADayFitsItsBound) {
  EXPECT_LE(write_record(test::usual_summary()).size(), 2500u);
}

TEST_F(RecordCodec, AppendEndsTheLine) {
  std::string out = "x\n";
  append_record(test::usual_measurement(), out);
  EXPECT_EQ(out, "x\n" + usual_ + "\n");
}

TEST_F(RecordCodec, AbsentIsNotZero) {
  auto measurement = test::usual_measurement();
  auto& trip = std::get<HttpRoundTrip>(measurement.observations.back());
  trip.status = std::nullopt;
  EXPECT_THAT(write_record(measurement), ::testing::Not(HasSubstr("\"status\"")));
  trip.status = 0;
  EXPECT_THAT(write_record(measurement), HasSubstr("\"status\":0"));
  trip.last_byte = Microseconds(0);
  EXPECT_THAT(write_record(measurement), HasSubstr("\"last_byte_us\":0"));
  trip.last_byte = Microseconds(119'000);
  auto& handshake = std::get<TlsHandshake>(measurement.observations[2]);
  handshake.alert = 0;
  handshake.server_name = std::nullopt;
  EXPECT_EQ(read(write_record(measurement)), Record(measurement));
}

TEST_F(RecordCodec, MembersMayComeInAnyOrder) {
  const auto moved = replaced(replaced(usual_, R"("kind":"measurement",)", ""), R"({"format")",
                              R"({"zzz":[ 1 , 2 ],"format")");
  const auto line = moved.substr(0, moved.size() - 1) + R"(, "kind" : "measurement" })";
  auto expected = test::usual_measurement();
  expected.header.unknown = {{"zzz", "[1,2]"}};
  EXPECT_EQ(read(line), Record(expected));
}

TEST_F(RecordCodec, BytesThatAreNotUtf8AreReplacedInTextsAndKeptInBinaryFields) {
  auto measurement = test::usual_measurement();
  auto& trip = std::get<HttpRoundTrip>(measurement.observations.back());
  trip.title = "a\xff\xf0\x9f\x98 b\xc3";
  trip.headers = {{"X-\x80", "\xed\xa0\x80"}};
  trip.body_sample = "\xff\xfe";
  const auto back = read_measurement(write_record(measurement));
  const auto& seen = std::get<HttpRoundTrip>(back.observations.back());
  EXPECT_EQ(seen.title, "a\xef\xbf\xbd\xef\xbf\xbd b\xef\xbf\xbd");
  EXPECT_EQ(seen.headers.front().second, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(seen.body_sample, "\xff\xfe");
}

TEST_F(RecordCodec, AWordOfALaterVersionKeepsTheObservationRaw) {
  const struct {
    const char* from;
    const char* to;
  } rows[] = {{R"("engine":"system")", R"("engine":"dot")"},
              {R"("type":"A")", R"("type":"HTTPS")"},
              {R"("host":"example.org","offset_us":0)",
               R"("host":"example.org","role":"mirror","offset_us":0)"}};
  for (const auto& row : rows) {
    const auto line = replaced(usual_, row.from, row.to);
    const auto record = read(line);
    const auto& first = std::get<Measurement>(record).observations.front();
    ASSERT_TRUE(std::holds_alternative<UnknownObservation>(first)) << row.to;
    EXPECT_EQ(std::get<UnknownObservation>(first).kind, "lookup");
    EXPECT_TRUE(std::holds_alternative<Connect>(std::get<Measurement>(record).observations[1]));
    EXPECT_EQ(write_record(record), line);
  }
}

TEST_F(RecordCodec, WordsOfALaterVersionInTheVantageAreUnknown) {
  const auto measurement = read_measurement(
      replaced(replaced(usual_, R"("network_type":"fixed")", R"("network_type":"satellite")"),
               R"("resolver_class":"network")", R"("resolver_class":"oblivious")"));
  EXPECT_EQ(measurement.header.vantage.network_type, NetworkType::unknown);
  EXPECT_EQ(measurement.header.vantage.resolver_class, ResolverClass::unknown);
}

TEST_F(RecordCodec, AFaultOfALaterVersionSilencesTheMeasurement) {
  const auto line = replaced(usual_, R"("resolver_asn":64500)",
                             R"("resolver_asn":64500,"faults":["vpn","proxied"])");
  const auto measurement = read_measurement(line);
  EXPECT_TRUE(measurement.header.vantage.faults.vpn);
  EXPECT_EQ(measurement.validity, Validity::vantage);
  EXPECT_FALSE(measurement.validity_reason.empty());
}

TEST_F(RecordCodec, AFailureOfALaterVersionIsUnknown) {
  const auto line = replaced(full_, "host_unreachable", "host_on_fire");
  const auto measurement = read_measurement(line);
  EXPECT_EQ(context_of(measurement.observations[1])->failure->code, FailureCode::unknown_failure);
}

TEST_F(RecordCodec, FaultsNameTheMember) {
  const struct {
    const char* from;
    const char* to;
    const char* fault;
  } rows[] = {
      {R"("kua/1")", R"("kua/2")", "format: not kua/1"},
      {R"("kind":"measurement")", R"("kind":"opinion")",
       "kind: neither measurement nor minute_summary"},
      {R"("format":"kua/1",)", "", "format: missing"},
      {R"("boot":"00112233445566ff",)", "", "boot: missing"},
      {R"("boot":"00112233445566ff")", R"("boot":"00112233445566FF")",
       "boot: not 16 lower-case hexadecimal digits"},
      {R"("role":"probe")", R"("role":"oracle")", "role: not a word of its set"},
      {R"("id":"017e)", R"("id":"zzze)", "id: not of its form"},
      {R"("asn":64500)", R"("asn":4294967296)", "vantage.asn: not an integer from 0 to 4294967295"},
      {R"("country":"KZ")", R"("country":7)", "vantage.country: not a text"},
      {R"("time":"2022-01-05T10:55:10Z")", R"("time":"2022-02-30T10:55:10Z")",
       "time: not an RFC 3339 time"},
      {R"("runtime_us":270000)", R"("runtime_us":-1)",
       "runtime_us: not an integer from 0 to 3153600000000000"},
      {R"("runtime_us":270000)", R"("runtime_us":1.0)",
       "runtime_us: not an integer from 0 to 3153600000000000"},
      {R"("rcode":0)", R"("rcode":65536)",
       "observations[0].reply.rcode: not an integer from 0 to 65535"},
      {R"("addresses":["203.0.113.10"])", R"("addresses":["203.0.113.10","nowhere"])",
       "observations[0].reply.addresses[1]: not of its form"},
      {R"("raw":"EjSB)", R"("raw":"E SB)", "observations[0].reply.raw: not base64"},
      {R"("endpoint":"203.0.113.10:443")", R"("endpoint":"203.0.113.10")",
       "observations[1].endpoint: not an address with a port"},
      {R"("over_tls":true)", R"("over_tls":1)", "observations[3].over_tls: neither true nor false"},
      {R"(["Server","nginx"])", R"(["Server"])", "observations[3].headers[1]: not [name, value]"},
      {R"("host":"example.org")", R"("host":"<b>")",
       "observations[0].host: neither a DNS name nor an address"},
      {R"({"kind":"lookup",)", R"({)", "observations[0]: has no kind"},
      {R"("tier":"core")", R"("tier":"core","tier":"full")", "tier: given twice"},
      {R"("tier":"core")", R"("tier":"core","x":1,"x":1)", "x: given twice"},
      {R"("tier":"core")", R"("tier":"core","limits":{"a":1,"a":2})",
       "limits: a limit given twice"},
      {R"("tier":"core")", R"("tier":"core","limits":{"a":-1})",
       "limits.a: not an integer from 0 to 4294967295"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(fault(replaced(usual_, row.from, row.to)), row.fault) << row.to;
  }
  EXPECT_EQ(reader_.read(replaced(usual_, R"("asn":64500)", R"("asn":-1)")).error().kind,
            ErrorKind::invalid_input);
}

TEST_F(RecordCodec, EveryBoundIsChecked) {
  const auto over = [this](const char* what, auto change) {
    auto measurement = test::usual_measurement();
    change(measurement);
    const auto record = reader_.read(write_record(measurement));
    ASSERT_FALSE(record) << what;
    EXPECT_EQ(record.error().kind, ErrorKind::limit) << what << ": " << record.error().text();
  };
  const auto lookup = [](Measurement& m) -> Lookup& { return std::get<Lookup>(m.observations[0]); };
  const auto handshake = [](Measurement& m) -> TlsHandshake& {
    return std::get<TlsHandshake>(m.observations[2]);
  };
  const auto trip = [](Measurement& m) -> HttpRoundTrip& {
    return std::get<HttpRoundTrip>(m.observations[3]);
  };
  over("observations", [](auto& m) { m.observations.resize(kObservationsMax + 1, Connect()); });
  over("software", [](auto& m) { m.header.software.assign(kNameBytesMax + 1, 'x'); });
  over("input", [](auto& m) { m.input.assign(kUrlTextBytesMax + 1, 'x'); });
  over("missing", [](auto& m) { m.missing.resize(kMissingMax + 1); });
  over("limits", [](auto& m) {
    for (std::size_t i = 0; i <= kLimitCountsMax; ++i) m.limits[std::to_string(i)] = 1;
  });
  over("unknown", [](auto& m) {
    for (std::size_t i = 0; i <= kUnknownMembersMax; ++i)
      m.header.unknown.emplace_back(std::to_string(i), "1");
  });
  over("late", [&](auto& m) { lookup(m).late.resize(kLateRepliesMax + 1); });
  over("addresses", [&](auto& m) {
    lookup(m).reply->addresses.assign(kReplyAddressesMax + 1, *IpAddress::parse("::1"));
  });
  over("cnames", [&](auto& m) { lookup(m).reply->cnames.resize(kReplyCnamesMax + 1); });
  over("raw", [&](auto& m) { lookup(m).reply->raw.assign(kDnsMessageBytesMax + 1, 'x'); });
  over("chain", [&](auto& m) {
    handshake(m).chain.resize(kCertificatesMax + 1, handshake(m).chain.front());
  });
  over("der",
       [&](auto& m) { handshake(m).chain.front().der.assign(kCertificateBytesMax + 1, 'x'); });
  over("subject", [&](auto& m) {
    handshake(m).chain.front().subject.assign(kDistinguishedNameBytesMax + 1, 'x');
  });
  over("headers", [&](auto& m) { trip(m).headers.resize(kHeadersMax + 1); });
  over("header value",
       [&](auto& m) { trip(m).headers.front().second.assign(kHeaderValueBytesMax + 1, 'x'); });
  over("title", [&](auto& m) { trip(m).title.assign(kTitleBytesMax + 1, 'x'); });
  over("body sample", [&](auto& m) { trip(m).body_sample.assign(kBodySampleBytesMax + 1, 'x'); });
  over("line", [&](auto& m) { m.validity_reason.assign(kRecordBytesMax, 'x'); });
}

TEST_F(RecordCodec, HostileLinesEndInAnError) {
  std::string deep(200'000, '[');
  std::string deep_member =
      replaced(usual_, R"({"format")",
               R"({"x":)" + std::string(100, '[') + std::string(100, ']') + R"(,"format")");
  for (const std::string& line :
       {std::string(), std::string(" "), std::string("null"), std::string("[]"), std::string("{}"),
        std::string("\0", 1), std::string("{\"format\":\"kua/1\"}"), usual_ + usual_, usual_ + "x",
        deep, deep_member, replaced(usual_, "kua-probe", "\xff"),
        replaced(usual_, "kua-probe", "\n"), replaced(usual_, "270000", "1e999"),
        replaced(usual_, "270000", std::string(400, '9')), std::string("\xef\xbb\xbf") + "{",
        std::string(kRecordBytesMax + 1, ' ')}) {
    EXPECT_FALSE(reader_.read(line)) << line.substr(0, 60);
  }
  EXPECT_TRUE(reader_.read(usual_)) << "the reader works on after every one of them";
}

TEST_F(RecordCodec, EveryTruncationIsRefused) {
  for (std::size_t size = 0; size < full_.size(); ++size) {
    ASSERT_FALSE(reader_.read(full_.substr(0, size))) << size;
  }
}

TEST_F(RecordCodec, EveryFlippedByteIsReadOrRefused) {
  for (std::size_t at = 0; at < full_.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\x20'}) {
      auto line = full_;
      line[at] = static_cast<char>(line[at] ^ mask);
      if (const auto record = reader_.read(line)) {
        const auto again = reader_.read(write_record(*record));
        ASSERT_TRUE(again) << again.error().text() << "\n" << line;
        EXPECT_EQ(*again, *record) << line;
      }
    }
  }
}

TEST_F(RecordCodec, ASummaryIsOfAWholeDay) {
  const auto line = write_record(test::usual_summary());
  EXPECT_EQ(fault(replaced(line, "T00:00:00Z", "T00:01:00Z")), "time: a day begins at 00:00Z");
  EXPECT_EQ(fault(replaced(line, R"("watched":")", R"("watched":"AAAA)")),
            "minutes.watched: longer than 240 bytes");
  EXPECT_EQ(fault(replaced(line, R"("minutes":)", R"("hours":)")), "minutes: missing");
}

}  // namespace
}  // namespace kua::protocol
