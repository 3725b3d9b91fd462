// The calls of the probes' listener without a socket: requests in, answers out, and what the store, the
// sink and the counters saw of them.
#include "collector/ingest/ingest.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "collector/limits.h"
#include "platform/compress/compress.h"
#include "tests/unit/collector/store/recording_files.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/set_clock.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

using protocol::BatchAnswer;
using std::chrono::hours;
using std::chrono::minutes;

class RememberingSink final : public RecordSink {
 public:
  void on_record(const ReceivedRecord& received) override { records.push_back(received); }
  void on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) override {
    heartbeats.emplace_back(probe, state, facts);
  }
  std::vector<ReceivedRecord> records;
  std::vector<std::tuple<ProbeId, LinkState, ReceivedFacts>> heartbeats;
};

constexpr const char* kNetworks =
    "prefix,asn,country,network_type\n"
    "203.0.113.0/24,9198,KZ,fixed\n"
    "192.0.2.0/24,64500,BY,mobile\n";

// One probe of the test's own.
struct TestProbe {
  platform::SigningKey key = platform::SigningKey::generate();
  ProbeId id = platform::probe_id_of(key.public_key());
};

class IngestTest : public ::testing::Test {
 protected:
  IngestTest() : networks_(std::move(*read_network_csv(kNetworks, "networks.csv"))) { open({}); }

  void open(IngestOptions options) {
    ingest_.reset();
    store_.reset();
    probes_.reset();
    auto store = RecordStore::open(files_, clock_, {directory_.path() + "/state", std::chrono::days(400)});
    ASSERT_TRUE(store.has_value());
    store_ = std::move(*store);
    probes_.emplace(std::move(*ProbeRegistry::open(directory_.path() + "/probes.db")));
    keys_.emplace(std::move(*ClusterKeys::open(directory_.path() + "/cluster-keys")));
    registry_ = std::make_unique<prometheus::Registry>();
    metrics_.emplace(*registry_);
    options.invitations_file = directory_.path() + "/invitations";
    ingest_.emplace(Ingest::Parts{clock_, *store_, *probes_, *keys_, *networks_, lists_, *metrics_, sink_},
                    std::move(options));
    ASSERT_TRUE(ingest_->tend().has_value());
    router_ = Router();
    ingest_->add_routes(router_);
  }

  HttpResponse send(HttpRequest request) {
    HttpResponse out;
    boost::asio::co_spawn(context_, router_.dispatch(std::move(request)),
                          [&out](std::exception_ptr problem, HttpResponse response) {
                            ASSERT_FALSE(problem);
                            out = std::move(response);
                          });
    context_.restart();
    context_.run();
    return out;
  }
  HttpRequest signed_request(const TestProbe& probe, std::string_view path, std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.path = path;
    request.body = std::move(body);
    request.peer = peer_;
    const auto signature = probe.key.sign(protocol::request_signing_input("POST", path, request.body));
    request.headers["kua-probe"] = probe.id.text();
    request.headers["kua-signature"] =
        platform::to_base64({reinterpret_cast<const char*>(signature.data()), signature.size()});
    return request;
  }
  HttpResponse enrol(const TestProbe& probe, const std::string& invitation = {}) {
    protocol::Enrolment enrolment;
    const platform::PublicKey& key = probe.key.public_key();
    enrolment.public_key = platform::to_base64url({reinterpret_cast<const char*>(key.data()), key.size()});
    enrolment.software = "kua-probe/0.1.0";
    enrolment.invitation = invitation;
    return send(signed_request(probe, protocol::kEnrolPath, protocol::write_enrolment(enrolment)));
  }
  static std::string batch_of(const TestProbe& probe, std::vector<Measurement> measurements) {
    std::string lines;
    for (Measurement& measurement : measurements) {
      measurement.header.probe = probe.id;
      protocol::append_record(measurement, lines);
    }
    return platform::zstd_compress(lines);
  }
  HttpResponse upload(const TestProbe& probe, std::vector<Measurement> measurements) {
    return send(signed_request(probe, protocol::kRecordsPath, batch_of(probe, std::move(measurements))));
  }
  BatchAnswer uploaded(const TestProbe& probe, std::vector<Measurement> measurements) {
    const HttpResponse response = upload(probe, std::move(measurements));
    EXPECT_EQ(response.status, 200u) << response.body;
    auto answer = protocol::read_batch_answer(response.body);
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(BatchAnswer{});
  }
  HttpResponse beat(const TestProbe& probe, std::uint64_t sequence, LinkState state = LinkState::online) {
    return send(signed_request(probe, protocol::kHeartbeatsPath, protocol::write_heartbeat({probe.id, sequence, state})));
  }
  std::string log_bytes() {
    const auto day = std::chrono::floor<std::chrono::days>(kNoon);
    return files_.read(directory_.path() + "/state/log/" + DayLog::file_name(day), 0, 1 << 20).value_or("");
  }
  std::string metrics_text() {
    metrics_->refresh(*store_, probes_->size());
    return prometheus::TextSerializer().Serialize(registry_->Collect());
  }
  // The value of one sample, by its name and labels as they stand in the text.
  double counted(const std::string& sample) {
    const std::string text = "\n" + metrics_text();
    const auto at = text.find("\n" + sample + " ");
    EXPECT_NE(at, std::string::npos) << sample;
    return at == std::string::npos ? -1 : std::stod(text.substr(at + sample.size() + 2));
  }
  static std::string header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  TemporaryDirectory directory_;
  RecordingFiles files_;
  SetClock clock_{kNoon};
  std::unique_ptr<NetworkDatabase> networks_;
  ListFiles lists_{directory_.path() + "/lists"};
  RememberingSink sink_;
  std::unique_ptr<prometheus::Registry> registry_;
  std::optional<IngestMetrics> metrics_;
  std::unique_ptr<RecordStore> store_;
  std::optional<ProbeRegistry> probes_;
  std::optional<ClusterKeys> keys_;
  std::optional<Ingest> ingest_;
  Router router_;
  boost::asio::io_context context_;
  IpAddress peer_ = *IpAddress::parse("203.0.113.77");
  TestProbe probe_;
};

TEST_F(IngestTest, ABatchIsStoredAnsweredAndToldToTheJudge) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  const auto answer = uploaded(probe_, {sample_measurement(1), sample_measurement(2)});
  EXPECT_EQ(answer.accepted, (std::vector<std::string>{sample_measurement(1).header.id.text(),
                                                       sample_measurement(2).header.id.text()}));
  EXPECT_EQ(answer.server_time, kNoon);
  ASSERT_EQ(sink_.records.size(), 2u);
  const ReceivedFacts& facts = sink_.records[0].facts;
  EXPECT_EQ(facts.country.text(), "KZ");
  EXPECT_EQ(facts.asn, Asn{9198});
  EXPECT_EQ(facts.network_type, NetworkType::fixed);
  EXPECT_TRUE(facts.network_agrees);
  EXPECT_FALSE(facts.late);
  EXPECT_EQ(facts.cluster.size(), 14u);
  store_->settle();
  const auto found = store_->find(sample_measurement(2).header.id);
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->facts, sink_.records[1].facts);
}

// Years later anybody can check with the probe's key that these are its words.
TEST_F(IngestTest, TheLogKeepsWhatTheProbeSignedWithItsSignature) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  const std::string sent = batch_of(probe_, {sample_measurement(1), sample_measurement(2)});
  ASSERT_EQ(send(signed_request(probe_, protocol::kRecordsPath, sent)).status, 200u);
  const std::string log = log_bytes();
  ASSERT_TRUE(log.ends_with(sent));
  const std::string line = *platform::zstd_decompress(std::string_view(log).substr(0, log.size() - sent.size()), 4096);
  const auto about = read_batch_line(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(about.has_value() && about->seal.has_value());
  EXPECT_EQ(platform::probe_id_of(about->seal->key), probe_.id);
  EXPECT_TRUE(platform::verify_signature(about->seal->key,
                                         protocol::request_signing_input("POST", protocol::kRecordsPath, sent),
                                         about->seal->signature));
}

// Anything else goes into the log without what was refused, and unsigned.
TEST_F(IngestTest, ABatchThatIsNotTakenWholeIsKeptUnsigned) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  unsigned number = 10;
  const auto next_line = [&] {
    return *platform::zstd_decompress(batch_of(probe_, {sample_measurement(number++)}), 1 << 20);
  };
  const auto without_end = [&] { std::string line = next_line(); line.pop_back(); return line; };
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"one line is no record", platform::zstd_compress(next_line() + "{}\n")},
      {"an empty line", platform::zstd_compress(next_line() + "\n")},
      {"an empty line, and no newline at the end", platform::zstd_compress(next_line() + "\n" + without_end())},
      {"no newline at the end", platform::zstd_compress(without_end())},
      {"two frames", platform::zstd_compress(next_line()) + platform::zstd_compress(next_line())},
  };
  for (const auto& [claim, body] : cases) {
    const std::size_t before = log_bytes().size();
    ASSERT_EQ(send(signed_request(probe_, protocol::kRecordsPath, body)).status, 200u) << claim;
    const std::string text = *platform::zstd_decompress(log_bytes().substr(before), 1 << 20);
    const auto about = read_batch_line(std::string_view(text).substr(0, text.find('\n')));
    ASSERT_TRUE(about.has_value()) << claim;
    EXPECT_FALSE(about->seal.has_value()) << claim;
    EXPECT_TRUE(text.ends_with("}\n") && !text.ends_with("\n\n") && !text.ends_with("{}\n")) << claim;
  }
}

TEST_F(IngestTest, ARepeatedBatchIsAcceptedAndNotToldAgain) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  uploaded(probe_, {sample_measurement(1)});
  const auto again = uploaded(probe_, {sample_measurement(1), sample_measurement(2)});
  EXPECT_EQ(again.accepted.size(), 2u);
  EXPECT_EQ(sink_.records.size(), 2u);
  EXPECT_EQ(counted("kua_ingest_records_total"), 3);
  EXPECT_EQ(counted("kua_ingest_records_duplicate_total"), 1);
}

TEST_F(IngestTest, RefusedRecordsAreNamedAndTheOthersStored) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  const auto answer = uploaded(probe_, {sample_measurement(1), sample_measurement(2, kNoon - hours(24 * 500))});
  EXPECT_EQ(answer.accepted.size(), 1u);
  ASSERT_EQ(answer.rejected.size(), 1u);
  EXPECT_EQ(answer.rejected[0].reason, protocol::Rejection::too_old);
  EXPECT_EQ(counted("kua_ingest_records_rejected_total{reason=\"too_old\"}"), 1);
}

TEST_F(IngestTest, WhatIsNotSignedByAKnownKeyIsNotEvenDecompressed) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  const std::string body = batch_of(probe_, {sample_measurement(1)});
  TestProbe stranger;
  HttpRequest flipped = signed_request(probe_, protocol::kRecordsPath, body);
  flipped.body[flipped.body.size() / 2] ^= 1;
  HttpRequest other_path = signed_request(probe_, protocol::kHeartbeatsPath, body);
  other_path.path = protocol::kRecordsPath;
  HttpRequest borrowed = signed_request(stranger, protocol::kRecordsPath, body);
  borrowed.headers["kua-probe"] = probe_.id.text();
  HttpRequest unsigned_request = signed_request(probe_, protocol::kRecordsPath, body);
  unsigned_request.headers.erase("kua-signature");
  struct Case {
    const char* claim;
    HttpRequest request;
    const char* error;
  };
  const std::vector<Case> cases = {
      {"one bit of the body flipped", flipped, "bad_signature"},
      {"signed for another path", other_path, "bad_signature"},
      {"signed by another key", borrowed, "bad_signature"},
      {"not signed", unsigned_request, "bad_signature"},
      {"a key nobody enrolled", signed_request(stranger, protocol::kRecordsPath, body), "unknown_probe"},
  };
  for (const Case& c : cases) {
    const HttpResponse response = send(c.request);
    EXPECT_EQ(response.status, 401u) << c.claim;
    EXPECT_EQ(protocol::read_api_error(response.body)->error, c.error) << c.claim;
  }
  EXPECT_EQ(counted("kua_ingest_batches_refused_total{reason=\"bad_signature\"}"), 4);
  EXPECT_EQ(counted("kua_ingest_batches_refused_total{reason=\"unknown_probe\"}"), 1);
  EXPECT_EQ(counted("kua_ingest_decompressed_bytes_total"), 0);
  EXPECT_TRUE(sink_.records.empty());
}

TEST_F(IngestTest, WhoKeepsFailingGetsNoMoreVerifications) {
  TestProbe stranger;
  unsigned status = 0;
  for (int i = 0; i < static_cast<int>(limits::kFailuresBurst) + 1; ++i) status = upload(stranger, {}).status;
  EXPECT_EQ(status, 429u);
  peer_ = *IpAddress::parse("192.0.2.1");
  EXPECT_EQ(upload(stranger, {}).status, 401u) << "others are not made to pay";
}

TEST_F(IngestTest, StrangersBehindOneAddressDoNotMuteTheEnrolled) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  TestProbe stranger;
  unsigned status = 0;
  for (int i = 0; i < static_cast<int>(limits::kFailuresBurst) + 1; ++i) status = upload(stranger, {}).status;
  ASSERT_EQ(status, 429u);
  EXPECT_EQ(upload(probe_, {sample_measurement(1)}).status, 200u);
  EXPECT_EQ(beat(probe_, 1).status, 204u);
}

TEST_F(IngestTest, SignaturesThatFailAreChargedToTheirIdAlone) {
  TestProbe neighbour;
  ASSERT_EQ(enrol(probe_).status, 201u);
  ASSERT_EQ(enrol(neighbour).status, 201u);
  HttpRequest forged = signed_request(neighbour, protocol::kRecordsPath, "");
  forged.headers["kua-probe"] = probe_.id.text();
  for (int i = 0; i < static_cast<int>(limits::kFailuresBurst); ++i) ASSERT_EQ(send(forged).status, 401u);
  peer_ = *IpAddress::parse("192.0.2.1");
  EXPECT_EQ(upload(probe_, {}).status, 429u) << "from any address: there is one bucket of this id";
  peer_ = *IpAddress::parse("203.0.113.77");
  EXPECT_EQ(upload(neighbour, {}).status, 200u);
  EXPECT_EQ(upload(TestProbe(), {}).status, 401u) << "and none of it is the block's";
  clock_.advance(minutes(1));
  EXPECT_EQ(upload(probe_, {}).status, 200u);
}

TEST_F(IngestTest, BombsAndNoiseAreRefusedWhole) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  const std::string bomb = platform::zstd_compress(std::string(limits::kBatchDecompressedBytesMax + 1, '\n'));
  EXPECT_EQ(send(signed_request(probe_, protocol::kRecordsPath, bomb)).status, 413u);
  EXPECT_EQ(send(signed_request(probe_, protocol::kRecordsPath, "not zstd")).status, 400u);
  EXPECT_EQ(counted("kua_ingest_batches_refused_total{reason=\"too_large\"}"), 1);
  EXPECT_EQ(counted("kua_ingest_batches_refused_total{reason=\"malformed\"}"), 1);
  EXPECT_EQ(send(signed_request(probe_, protocol::kRecordsPath, "")).status, 200u) << "an empty batch is none";
}

TEST_F(IngestTest, AKeyThatSendsTooOftenIsToldWhenToComeBack) {
  IngestOptions options;
  options.batches = {60, 2};
  open(options);
  ASSERT_EQ(enrol(probe_).status, 201u);
  EXPECT_EQ(upload(probe_, {sample_measurement(1)}).status, 200u);
  EXPECT_EQ(upload(probe_, {sample_measurement(2)}).status, 200u);
  const HttpResponse limited = upload(probe_, {sample_measurement(3)});
  EXPECT_EQ(limited.status, 429u);
  EXPECT_FALSE(header(limited, "Retry-After").empty());
  clock_.advance(std::chrono::seconds(std::stol(header(limited, "Retry-After"))));
  EXPECT_EQ(upload(probe_, {sample_measurement(3)}).status, 200u);
}

TEST_F(IngestTest, AFullDiskIs507AndTheRecordsMayComeAgain) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  files_.room = [](std::size_t bytes) { return bytes / 2; };
  const HttpResponse refused = upload(probe_, {sample_measurement(1)});
  EXPECT_EQ(refused.status, 507u);
  EXPECT_FALSE(header(refused, "Retry-After").empty());
  EXPECT_TRUE(sink_.records.empty());
  EXPECT_EQ(counted("kua_ingest_batches_refused_total{reason=\"no_space\"}"), 1);
  files_.room = [](std::size_t) { return std::string::npos; };
  EXPECT_EQ(uploaded(probe_, {sample_measurement(1)}).accepted.size(), 1u);
}

TEST_F(IngestTest, LateAndDisagreeingRecordsAreMarked) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  peer_ = *IpAddress::parse("192.0.2.9");
  uploaded(probe_, {sample_measurement(1, kNoon - hours(3)), sample_measurement(2, kNoon - hours(24 * 100))});
  ASSERT_EQ(sink_.records.size(), 2u);
  EXPECT_TRUE(sink_.records[0].facts.late);
  EXPECT_FALSE(sink_.records[0].facts.network_agrees);
  EXPECT_NE(sink_.records[0].facts.cluster, "");
  EXPECT_EQ(sink_.records[1].facts.cluster, "") << "older than the kept keys: no witness";
}

TEST_F(IngestTest, AClockThatRunsAheadIsSeenByItsMonotonicHand) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  Measurement first = sample_measurement(1, kNoon + hours(5));
  Measurement second = sample_measurement(2, kNoon + hours(5) - minutes(10));
  second.header.monotonic = first.header.monotonic - minutes(10);
  uploaded(probe_, {second, first});
  ASSERT_EQ(sink_.records.size(), 2u);
  EXPECT_EQ(sink_.records[0].facts.clock_skew, Microseconds(hours(5)));
  EXPECT_EQ(sink_.records[1].facts.clock_skew, Microseconds(hours(5)));
}

TEST_F(IngestTest, AHeartbeatCountsOnceAndNeverAgain) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  EXPECT_EQ(beat(probe_, 5, LinkState::dns_broken).status, 204u);
  ASSERT_EQ(sink_.heartbeats.size(), 1u);
  EXPECT_EQ(std::get<LinkState>(sink_.heartbeats[0]), LinkState::dns_broken);
  EXPECT_EQ(std::get<ReceivedFacts>(sink_.heartbeats[0]).country.text(), "KZ");
  EXPECT_EQ(beat(probe_, 5).status, 409u);
  EXPECT_EQ(beat(probe_, 4).status, 409u);
  EXPECT_EQ(beat(probe_, 6).status, 204u);
  ASSERT_TRUE(ingest_->tend().has_value());
  open({});
  EXPECT_EQ(beat(probe_, 6).status, 409u) << "also after a restart";
  EXPECT_EQ(counted("kua_heartbeats_refused_total{reason=\"replayed\"}"), 1);
}

TEST_F(IngestTest, AHeartbeatWhoseClusterCannotBeKeptIsRefusedAndCounted) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  auto other = platform::Database::open(directory_.path() + "/probes.db", platform::Durability::process_crash);
  ASSERT_TRUE(other.has_value());
  ASSERT_TRUE(other->execute("DROP TABLE clusters").has_value());
  const HttpResponse refused = beat(probe_, 1);
  EXPECT_EQ(refused.status, 503u);
  EXPECT_FALSE(header(refused, "Retry-After").empty());
  EXPECT_EQ(counted("kua_heartbeats_refused_total{reason=\"unavailable\"}"), 1);
  EXPECT_TRUE(sink_.heartbeats.empty());
}

TEST_F(IngestTest, HeartbeatsThatAreNoneAreRefused) {
  ASSERT_EQ(enrol(probe_).status, 201u);
  EXPECT_EQ(send(signed_request(probe_, protocol::kHeartbeatsPath, std::string(201, ' '))).status, 413u);
  EXPECT_EQ(send(signed_request(probe_, protocol::kHeartbeatsPath, "{}")).status, 400u);
  TestProbe other;
  const std::string foreign = protocol::write_heartbeat({other.id, 1, LinkState::online});
  EXPECT_EQ(send(signed_request(probe_, protocol::kHeartbeatsPath, foreign)).status, 400u);
  EXPECT_EQ(beat(other, 1).status, 401u);
  EXPECT_TRUE(sink_.heartbeats.empty());
}

TEST_F(IngestTest, EnrolmentProvesTheKeyAndTellsWhatWeKnowOfTheNetwork) {
  const HttpResponse first = enrol(probe_);
  EXPECT_EQ(first.status, 201u);
  const auto answer = protocol::read_enrolment_answer(first.body);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->country.text(), "KZ");
  EXPECT_EQ(answer->asn, Asn{9198});
  EXPECT_EQ(enrol(probe_).status, 200u) << "known already";
  TestProbe other;
  const platform::PublicKey& key = other.key.public_key();
  protocol::Enrolment enrolment;
  enrolment.public_key = platform::to_base64url({reinterpret_cast<const char*>(key.data()), key.size()});
  const std::string body = protocol::write_enrolment(enrolment);
  EXPECT_EQ(send(signed_request(probe_, protocol::kEnrolPath, body)).status, 401u) << "another's key";
  EXPECT_EQ(send(signed_request(other, protocol::kEnrolPath, "{}")).status, 400u);
  open({});
  EXPECT_EQ(uploaded(probe_, {sample_measurement(1)}).accepted.size(), 1u) << "known after a restart";
}

TEST_F(IngestTest, WhereInvitationsAreRequiredOnlyKnownCodesEnrol) {
  IngestOptions options;
  options.invitations = InvitationRule::required;
  open(options);
  std::ofstream(directory_.path() + "/invitations") << "one-code\nanother\n";
  EXPECT_EQ(enrol(probe_).status, 403u);
  EXPECT_EQ(enrol(probe_, "guessed").status, 403u);
  EXPECT_EQ(enrol(probe_, "another").status, 201u);
  EXPECT_EQ(counted("kua_enrolments_refused_total{reason=\"invitation\"}"), 2);
}

TEST_F(IngestTest, ListsAreHandedOnAsTheyAre) {
  HttpRequest request;
  request.method = "GET";
  request.path = protocol::kTargetsPath;
  request.query["country"] = "KZ";
  EXPECT_EQ(send(request).status, 404u);
  std::filesystem::create_directory(directory_.path() + "/lists");
  std::ofstream(directory_.path() + "/lists/targets.json") << "{signed}";
  const HttpResponse first = send(request);
  EXPECT_EQ(first.status, 200u);
  EXPECT_EQ(first.body, "{signed}");
  request.headers["if-none-match"] = header(first, "ETag");
  EXPECT_EQ(send(request).status, 304u);
  request.query["country"] = "kazakhstan";
  EXPECT_EQ(send(request).status, 400u);
}

TEST_F(IngestTest, TheSourceAddressIsNowhereAfterwards) {
  const std::string planted[] = {"203.0.113.201", "203.0.113.", "2001:db8:5eed:1::77", "2001:db8:5eed"};
  std::string answers;
  for (const char* address : {"203.0.113.201", "2001:db8:5eed:1::77"}) {
    peer_ = *IpAddress::parse(address);
    TestProbe probe;
    answers += enrol(probe).body;
    // The sample's own endpoint lies in the planted block; this one must not.
    Measurement measurement = sample_measurement(1);
    measurement.header.id = sample_measurement(static_cast<unsigned>(answers.size())).header.id;
    std::get<Connect>(measurement.observations[0]).endpoint = *Endpoint::parse("198.51.100.1:443", Transport::tcp);
    answers += upload(probe, {measurement}).body;
    answers += beat(probe, 1).body;
    answers += upload(TestProbe(), {measurement}).body;
  }
  EXPECT_EQ(sink_.records.size(), 2u);
  ASSERT_TRUE(ingest_->tend().has_value());
  std::map<std::string, std::string> places = {{"answers", answers}, {"metrics", metrics_text()}};
  ingest_.reset();
  store_.reset();
  probes_.reset();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    places[entry.path()] = text.str();
    if (auto lines = platform::zstd_decompress(text.str(), 1 << 20)) places[entry.path().string() + " unpacked"] = *lines;
  }
  EXPECT_GE(places.size(), 7u) << "log, index, probes, keys are among them";
  for (const auto& [name, text] : places) {
    for (const std::string& address : planted) EXPECT_EQ(text.find(address), std::string::npos) << address << " in " << name;
    for (const char* address : {"203.0.113.201", "2001:db8:5eed:1::77"}) {
      const auto bytes = IpAddress::parse(address)->bytes();
      const std::string raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      EXPECT_EQ(text.find(raw), std::string::npos) << address << " as bytes in " << name;
    }
  }
}

}  // namespace
}  // namespace kua::collector
