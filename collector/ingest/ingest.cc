#include "collector/ingest/ingest.h"

#include <algorithm>
#include <fstream>

#include "collector/ingest/store_answer.h"
#include "collector/limits.h"
#include "platform/compress/compress.h"

namespace kua::collector {
namespace {

using protocol::BatchAnswer;
using protocol::Rejection;

constexpr Rate kFailureRate{limits::kFailuresPerMinute, limits::kFailuresBurst};
constexpr long kRetryNoSpaceSeconds = 300;
constexpr long kRetryUnavailableSeconds = 10;
constexpr long kRetryEnrolmentSeconds = 60;
constexpr long kRetryLimitedSeconds = 1;  // at least

const char* message_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::bad_signature: return "the signature does not fit the request and the key";
    case Refusal::unknown_probe: return "no such probe is enrolled here";
    case Refusal::too_large: return "the body is larger than the limits allow";
    case Refusal::malformed: return "the body is not what this call takes";
    case Refusal::rate_limited: return "too many requests; wait as Retry-After says";
    case Refusal::no_space: return "the collector's disk is full; keep the records and try again later";
    case Refusal::unavailable: return "the collector cannot store now; keep the records and try again later";
    case Refusal::replayed: return "a heartbeat with this sequence or a later one was seen already";
    case Refusal::invitation: return "this collector takes a probe only with an invitation it knows";
  }
  return "refused";
}

Refusal refusal_of(const Error& error) {
  return error.kind == ErrorKind::no_space ? Refusal::no_space : Refusal::unavailable;
}

HttpResponse json_answer(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// The least of (arrival - monotonic time) over the records of each boot bounds when that boot began.
void move_anchor(std::optional<BootAnchor>& anchor, const RecordHeader& header, WallTime received) {
  const Microseconds begin = received.time_since_epoch() - header.monotonic.time_since_epoch();
  if (!anchor || anchor->boot != header.boot) {
    anchor = BootAnchor{header.boot, begin};
  } else {
    anchor->begin = std::min(anchor->begin, begin);
  }
}

}  // namespace

void IngestOptions::scale_time(double divisor) {
  for (Rate* rate : {&batches, &heartbeats, &enrolments}) {
    rate->per_minute *= divisor;
    rate->burst *= divisor;
  }
}

Ingest::Ingest(Parts parts, IngestOptions options)
    : parts_(parts), options_(std::move(options)), strangers_(kFailureRate), enrolments_(options_.enrolments) {}

void Ingest::add_routes(Router& router) {
  router.add("POST", std::string(protocol::kRecordsPath),
             [this](HttpRequest request) { return on_batch(std::move(request)); });
  router.add("POST", std::string(protocol::kEnrolPath),
             [this](HttpRequest request) { return on_enrolment(std::move(request)); });
  router.add("POST", std::string(protocol::kHeartbeatsPath),
             [this](HttpRequest request) { return on_heartbeat(std::move(request)); });
  router.add("GET", std::string(protocol::kTargetsPath),
             [this](HttpRequest request) { return on_targets(std::move(request)); });
}

Ingest::Answer Ingest::on_enrolment(HttpRequest request) { co_return enrol(request); }
Ingest::Answer Ingest::on_heartbeat(HttpRequest request) { co_return beat(request); }
Ingest::Answer Ingest::on_targets(HttpRequest request) { co_return hand_on_list(request); }

Expected<void> Ingest::tend() {
  const Expected<void> kept = parts_.cluster_keys.tend(parts_.clock.wall_now());
  if (!kept) return kept;
  if (const auto forgotten = parts_.probes.forget_clusters(parts_.cluster_keys); !forgotten) return forgotten;
  return parts_.probes.save_sequences();
}

HttpResponse Ingest::refuse(Call call, Refusal refusal, long retry_after_seconds) {
  parts_.metrics.refused(call, refusal);
  HttpResponse response = error_response(status_of(refusal), to_string(refusal), message_of(refusal));
  if (refusal == Refusal::no_space) retry_after_seconds = kRetryNoSpaceSeconds;
  if (refusal == Refusal::unavailable) retry_after_seconds = kRetryUnavailableSeconds;
  if (refusal == Refusal::rate_limited) retry_after_seconds = std::max(retry_after_seconds, kRetryLimitedSeconds);
  if (retry_after_seconds > 0) response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  return response;
}

std::expected<Ingest::Signer, Refusal> Ingest::identify(const HttpRequest& request) {
  const MonotonicTime now = parts_.clock.monotonic_now();
  const auto id = ProbeId::parse(request.header("kua-probe"));
  KnownProbe* probe = id ? parts_.probes.find(*id) : nullptr;
  if (probe == nullptr) {
    // Those behind one address may be thousands: what strangers spend is not taken from the enrolled.
    if (!strangers_.take(request.peer, now)) return std::unexpected(Refusal::rate_limited);
    return std::unexpected(id ? Refusal::unknown_probe : Refusal::bad_signature);
  }
  // A verification costs a hundred microseconds; the id that keeps failing gets no more of them.
  if (!probe->failures.has(kFailureRate, now)) return std::unexpected(Refusal::rate_limited);
  const auto signature = platform::parse_signature(request.header("kua-signature"));
  const std::string signed_bytes = protocol::request_signing_input(request.method, request.path, request.body);
  if (!signature || !platform::verify_signature(probe->key, signed_bytes, *signature)) {
    (void)probe->failures.take(kFailureRate, now);
    return std::unexpected(Refusal::bad_signature);
  }
  return Signer{*id, probe, *signature};
}

std::expected<ReadBatch, Refusal> Ingest::open_batch(Opened& opened, const Signer& signer) {
  auto decompressed = platform::zstd_decompress(opened.bytes, limits::kBatchDecompressedBytesMax);
  if (!decompressed) {
    return std::unexpected(decompressed.error().kind == ErrorKind::limit ? Refusal::too_large : Refusal::malformed);
  }
  opened.text = std::move(*decompressed);
  parts_.metrics.batch_bytes(opened.bytes.size(), opened.text.size());
  return reader_.read(opened.text, signer.id, parts_.clock.wall_now());
}

Expected<Reception> Ingest::receive(const ReadBatch& batch, const HttpRequest& request, Signer signer,
                                   WallTime now) {
  const NetworkFacts network = parts_.networks.look_up(request.peer);
  Reception reception;
  reception.time = now;
  reception.country = network.country;
  reception.asn = network.asn;
  reception.network_type = network.network_type;
  for (const ReadBatch::Item& item : batch.items) {
    const RecordHeader& header = header_of(item.record);
    // The anchor is of the newest boot: that of the newest record, which comes last.
    move_anchor(signer.probe->anchor, header, now);
    const Epoch epoch = epoch_of(header.time);
    const auto is_its = [epoch](const auto& known) { return known.first == epoch; };
    if (std::ranges::any_of(reception.clusters, is_its)) continue;
    auto cluster = parts_.probes.cluster_of(signer.id, *signer.probe, parts_.cluster_keys, request.peer, epoch);
    if (!cluster) return std::unexpected(cluster.error());
    if (!cluster->empty()) reception.clusters.emplace_back(epoch, std::move(*cluster));
  }
  reception.anchor = signer.probe->anchor;
  return reception;
}

// What the store borrows of a batch stays where it is until the answer.
AppendBatch Ingest::to_append(const ReadBatch& batch, const Opened& opened, Reception reception) {
  AppendBatch out;
  out.reception = std::move(reception);
  out.items.reserve(batch.items.size());
  for (const ReadBatch::Item& item : batch.items) {
    out.items.push_back({index_entry_of(item.record), item.line});
    out.bytes += item.line.size();
  }
  if (batch.is_whole && platform::is_one_checked_frame(opened.bytes)) {
    out.sent = AppendBatch::Sent{opened.seal, opened.bytes, opened.text};
  }
  return out;
}

Ingest::Answer Ingest::on_batch(HttpRequest request) {
  parts_.metrics.arrived(Call::batch);
  const auto signer = identify(request);
  if (!signer) co_return refuse(Call::batch, signer.error());
  const MonotonicTime monotonic = parts_.clock.monotonic_now();
  if (!signer->probe->batches.take(options_.batches, monotonic)) {
    co_return refuse(Call::batch, Refusal::rate_limited, signer->probe->batches.wait_seconds(options_.batches));
  }
  Opened opened{{signer->probe->key, signer->signature}, request.body, {}};
  auto batch = open_batch(opened, *signer);
  if (!batch) co_return refuse(Call::batch, batch.error());
  auto reception = receive(*batch, request, *signer, parts_.clock.wall_now());
  if (!reception) co_return refuse(Call::batch, refusal_of(reception.error()));
  AppendResult stored = std::vector<Stored>();
  if (!batch->items.empty()) {
    boost::asio::awaitable<AppendResult> waiting =
        append_and_wait(parts_.store, to_append(*batch, opened, *reception));
    stored = co_await std::move(waiting);
  }
  if (!stored) co_return refuse(Call::batch, refusal_of(stored.error()));
  co_return accept(*batch, *reception, *stored);
}

HttpResponse Ingest::accept(ReadBatch& batch, const Reception& reception, const std::vector<Stored>& stored) {
  BatchAnswer answer;
  answer.rejected = std::move(batch.rejected);
  answer.unreadable = batch.unreadable;
  answer.server_time = parts_.clock.wall_now();
  answer.accepted.reserve(stored.size());
  std::size_t duplicates = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const RecordHeader& header = header_of(batch.items[i].record);
    answer.accepted.push_back(header.id.text());
    switch (stored[i]) {
      case Stored::duplicate:
        ++duplicates;
        break;
      case Stored::stored: {
        ReceivedFacts facts = facts_of(reception, header);
        parts_.sink.on_record({std::move(batch.items[i].record), std::move(facts)});
        break;
      }
    }
  }
  parts_.metrics.records(stored.size(), duplicates);
  for (const BatchAnswer::Rejected& rejected : answer.rejected) parts_.metrics.record_rejected(rejected.reason, 1);
  parts_.metrics.lines_unreadable(answer.unreadable);
  return json_answer(200, protocol::write_batch_answer(answer));
}

bool Ingest::invitation_known(const std::string& code) const {
  if (code.empty() || options_.invitations_file.empty()) return false;
  std::ifstream file(options_.invitations_file);
  std::string line;
  while (std::getline(file, line)) {
    if (line == code) return true;
  }
  return false;
}

HttpResponse Ingest::enrol(const HttpRequest& request) {
  parts_.metrics.arrived(Call::enrolment);
  const MonotonicTime monotonic = parts_.clock.monotonic_now();
  if (!enrolments_.take(request.peer, monotonic)) return refuse(Call::enrolment, Refusal::rate_limited, kRetryEnrolmentSeconds);
  if (request.body.size() > limits::kEnrolmentBytesMax) return refuse(Call::enrolment, Refusal::too_large);
  auto enrolment = protocol::read_enrolment(request.body);
  const auto key = enrolment ? platform::parse_public_key(enrolment->public_key) : std::nullopt;
  if (!key) return refuse(Call::enrolment, Refusal::malformed);
  const ProbeId id = platform::probe_id_of(*key);
  const auto signature = platform::parse_signature(request.header("kua-signature"));
  const std::string signed_bytes = protocol::request_signing_input(request.method, request.path, request.body);
  if (request.header("kua-probe") != id.text() || !signature ||
      !platform::verify_signature(*key, signed_bytes, *signature)) {
    return refuse(Call::enrolment, Refusal::bad_signature);
  }
  // A code nobody gave out ties a probe to nothing.
  if (!invitation_known(enrolment->invitation)) {
    if (options_.invitations == InvitationRule::required) return refuse(Call::enrolment, Refusal::invitation);
    enrolment->invitation.clear();
  }
  const WallTime now = parts_.clock.wall_now();
  const auto outcome = parts_.probes.enrol(id, *key, *enrolment, now);
  if (!outcome) return refuse(Call::enrolment, refusal_of(outcome.error()));
  const NetworkFacts network = parts_.networks.look_up(request.peer);
  const protocol::EnrolmentAnswer answer{network.country, network.asn, network.network_type, now};
  return json_answer(*outcome == EnrolmentOutcome::enrolled ? 201 : 200, protocol::write_enrolment_answer(answer));
}

HttpResponse Ingest::beat(const HttpRequest& request) {
  parts_.metrics.arrived(Call::heartbeat);
  if (request.body.size() > limits::kHeartbeatBytesMax) return refuse(Call::heartbeat, Refusal::too_large);
  const auto signer = identify(request);
  if (!signer) return refuse(Call::heartbeat, signer.error());
  KnownProbe& probe = *signer->probe;
  if (!probe.heartbeats.take(options_.heartbeats, parts_.clock.monotonic_now())) {
    return refuse(Call::heartbeat, Refusal::rate_limited, probe.heartbeats.wait_seconds(options_.heartbeats));
  }
  const auto heartbeat = protocol::read_heartbeat(request.body);
  if (!heartbeat || heartbeat->probe != signer->id) return refuse(Call::heartbeat, Refusal::malformed);
  if (heartbeat->sequence <= probe.heartbeat_sequence) return refuse(Call::heartbeat, Refusal::replayed);
  const WallTime now = parts_.clock.wall_now();
  auto cluster = parts_.probes.cluster_of(signer->id, probe, parts_.cluster_keys, request.peer, epoch_of(now));
  if (!cluster) return refuse(Call::heartbeat, Refusal::unavailable);
  parts_.probes.heard(signer->id, probe, heartbeat->sequence);
  const NetworkFacts network = parts_.networks.look_up(request.peer);
  ReceivedFacts facts;
  facts.received = now;
  facts.country = network.country;
  facts.asn = network.asn;
  facts.network_type = network.network_type;
  facts.cluster = std::move(*cluster);
  parts_.sink.on_heartbeat(signer->id, heartbeat->link_state, facts);
  return json_answer(204, {});
}

HttpResponse Ingest::hand_on_list(const HttpRequest& request) {
  const auto asked = request.query.find("country");
  const auto country = asked == request.query.end() ? CountryCode::parse("ZZ") : CountryCode::parse(asked->second);
  if (!country) return error_response(400, "malformed", "country is two capital letters (ISO 3166-1)");
  const ListFiles::Envelope* envelope = parts_.lists.find(*country);
  if (envelope == nullptr) return error_response(404, "not_found", "there is no target list for this country");
  HttpResponse response;
  response.headers.emplace_back("ETag", envelope->etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (etag_matches(request.header("if-none-match"), envelope->etag)) {
    response.status = 304;
    return response;
  }
  response.body = envelope->bytes;
  return response;
}

}  // namespace kua::collector
