#include "collector/ingest/ingest_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <map>
#include <span>

#include "measurement/check.h"

namespace kua::collector {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Counter& counter(Registry& registry, const char* name, const char* help) {
  return counters(registry, name, help).Add({});
}
Gauge& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

// Brings a counter of ours up to a total that somebody else counted.
void raise_to(Counter& counter, double total) {
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

constexpr std::array kBatchRefusals = {Refusal::bad_signature, Refusal::unknown_probe, Refusal::too_large,
                                       Refusal::malformed,     Refusal::rate_limited,  Refusal::no_space,
                                       Refusal::unavailable};
constexpr std::array kHeartbeatRefusals = {Refusal::bad_signature, Refusal::unknown_probe, Refusal::too_large,
                                           Refusal::malformed,     Refusal::rate_limited,  Refusal::replayed,
                                           Refusal::unavailable};
constexpr std::array kEnrolmentRefusals = {Refusal::bad_signature, Refusal::malformed, Refusal::too_large,
                                           Refusal::rate_limited,  Refusal::no_space,  Refusal::unavailable,
                                           Refusal::invitation};
constexpr std::array kRejections = {protocol::Rejection::malformed,   protocol::Rejection::too_large,
                                    protocol::Rejection::wrong_probe, protocol::Rejection::too_old,
                                    protocol::Rejection::from_future, protocol::Rejection::unknown_format};

using ByRefusal = std::array<Counter*, kRefusals>;

ByRefusal by_refusal(Family<Counter>& family, std::span<const Refusal> refusals) {
  ByRefusal out{};
  for (const Refusal refusal : refusals) {
    out[static_cast<std::size_t>(refusal)] = &family.Add({{"reason", to_string(refusal)}});
  }
  return out;
}

}  // namespace

const char* to_string(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::bad_signature: return "bad_signature";
    case Refusal::unknown_probe: return "unknown_probe";
    case Refusal::too_large: return "too_large";
    case Refusal::malformed: return "malformed";
    case Refusal::rate_limited: return "rate_limited";
    case Refusal::no_space: return "no_space";
    case Refusal::unavailable: return "unavailable";
    case Refusal::replayed: return "replayed";
    case Refusal::invitation: return "invitation";
  }
  return "unavailable";
}

unsigned status_of(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::bad_signature:
    case Refusal::unknown_probe: return 401;
    case Refusal::too_large: return 413;
    case Refusal::malformed: return 400;
    case Refusal::rate_limited: return 429;
    case Refusal::no_space: return 507;
    case Refusal::unavailable: return 503;
    case Refusal::replayed: return 409;
    case Refusal::invitation: return 403;
  }
  return 503;
}

struct IngestMetrics::Impl {
  explicit Impl(Registry& registry);

  std::array<Counter*, 3> arrived{};
  std::array<ByRefusal, 3> refused{};
  Counter& records;
  Counter& duplicates;
  std::map<protocol::Rejection, Counter*> rejected;
  Counter& unreadable;
  Counter& received_bytes;
  Counter& decompressed_bytes;
  Histogram& commit_duration;
  Counter& commit_failures;
  Gauge& last_commit;
  Gauge& probes;
  Gauge& log_bytes;
  Gauge& free_bytes;
  Gauge& oldest_record;
  Counter& removed_by_age;
  Counter& removed_by_size;
  Counter& torn_bytes;
  Counter& torn_bytes_lost;
  Counter& damaged_bytes;
  Counter& index_failures;
  Counter& index_rebuilds;
};

namespace {

Family<Counter>& removed_files(Registry& registry) {
  return counters(registry, "kua_store_removed_files_total", "Day files of the record log removed by retention, by reason.");
}

}  // namespace

IngestMetrics::Impl::Impl(Registry& r)
    : records(counter(r, "kua_ingest_records_total", "Records in accepted batches, duplicates included.")),
      duplicates(counter(r, "kua_ingest_records_duplicate_total", "Records that were on disk already.")),
      unreadable(counter(r, "kua_ingest_lines_unreadable_total",
                         "Lines of batches from which not even a record id could be read.")),
      received_bytes(counter(r, "kua_ingest_received_bytes_total", "Compressed bytes of batches.")),
      decompressed_bytes(counter(r, "kua_ingest_decompressed_bytes_total", "Bytes of batches after decompression.")),
      commit_duration(prometheus::BuildHistogram()
                          .Name("kua_ingest_commit_duration_seconds")
                          .Help("Time from the write of a commit to the end of its fdatasync.")
                          .Register(r)
                          .Add({}, Histogram::BucketBoundaries{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                               0.25, 0.5, 1, 2.5})),
      commit_failures(counter(r, "kua_ingest_commit_failures_total", "Commits that failed; their batches were refused.")),
      last_commit(gauge(r, "kua_ingest_last_commit_timestamp_seconds", "Time of the newest commit.")),
      probes(gauge(r, "kua_probes_enrolled", "Probes whose key is enrolled.")),
      log_bytes(gauge(r, "kua_store_log_bytes", "Size of the record log.")),
      free_bytes(gauge(r, "kua_store_free_bytes", "Free bytes on the file system of the record log.")),
      oldest_record(gauge(r, "kua_store_oldest_record_timestamp_seconds", "Begin of the oldest day kept.")),
      removed_by_age(removed_files(r).Add({{"reason", "age"}})),
      removed_by_size(removed_files(r).Add({{"reason", "size"}})),
      torn_bytes(counter(r, "kua_store_torn_bytes_total", "Bytes of an unfinished commit cut off at the last start.")),
      torn_bytes_lost(counter(r, "kua_store_torn_bytes_lost_total",
                              "Of these, bytes that a full disk had no room to set aside.")),
      damaged_bytes(counter(r, "kua_store_damaged_bytes_total", "Bytes of the record log that cannot be read.")),
      index_failures(counter(r, "kua_store_index_failures_total", "Commits whose index rows have to be made again.")),
      index_rebuilds(counter(r, "kua_store_index_rebuilds_total", "Times a damaged index was set aside and made anew.")) {
  arrived = {&counter(r, "kua_ingest_batches_total", "Batches that arrived."),
             &counter(r, "kua_heartbeats_total", "Heartbeats that arrived."),
             &counter(r, "kua_enrolments_total", "Enrolments that arrived.")};
  refused = {by_refusal(counters(r, "kua_ingest_batches_refused_total", "Batches refused whole, by reason."),
                        kBatchRefusals),
             by_refusal(counters(r, "kua_heartbeats_refused_total", "Heartbeats refused, by reason."),
                        kHeartbeatRefusals),
             by_refusal(counters(r, "kua_enrolments_refused_total", "Enrolments refused, by reason."),
                        kEnrolmentRefusals)};
  Family<Counter>& by_reason = counters(r, "kua_ingest_records_rejected_total", "Records refused, by reason.");
  for (const auto reason : kRejections) rejected[reason] = &by_reason.Add({{"reason", protocol::to_string(reason)}});
}

IngestMetrics::IngestMetrics(Registry& registry) : impl_(std::make_unique<Impl>(registry)) {}
IngestMetrics::~IngestMetrics() = default;

void IngestMetrics::arrived(Call call) { impl_->arrived[static_cast<std::size_t>(call)]->Increment(); }

void IngestMetrics::refused(Call call, Refusal refusal) {
  Counter* counted = impl_->refused[static_cast<std::size_t>(call)][static_cast<std::size_t>(refusal)];
  KUA_CHECK(counted != nullptr);  // each call names its reasons above
  counted->Increment();
}

void IngestMetrics::batch_bytes(std::size_t compressed, std::size_t decompressed) {
  impl_->received_bytes.Increment(static_cast<double>(compressed));
  impl_->decompressed_bytes.Increment(static_cast<double>(decompressed));
}

void IngestMetrics::records(std::size_t all, std::size_t duplicates) {
  impl_->records.Increment(static_cast<double>(all));
  impl_->duplicates.Increment(static_cast<double>(duplicates));
}

void IngestMetrics::record_rejected(protocol::Rejection reason, std::size_t count) {
  impl_->rejected.at(reason)->Increment(static_cast<double>(count));
}

void IngestMetrics::lines_unreadable(std::size_t count) { impl_->unreadable.Increment(static_cast<double>(count)); }

void IngestMetrics::refresh(RecordStore& store, std::size_t probes_enrolled) {
  const StoreCounters& counted = store.counters();
  for (const Microseconds took : store.take_commit_durations()) {
    impl_->commit_duration.Observe(std::chrono::duration<double>(took).count());
  }
  raise_to(impl_->commit_failures, static_cast<double>(counted.commit_failures));
  impl_->last_commit.Set(static_cast<double>(counted.last_commit_us) / 1e6);
  impl_->probes.Set(static_cast<double>(probes_enrolled));
  impl_->log_bytes.Set(static_cast<double>(counted.log_bytes));
  impl_->oldest_record.Set(static_cast<double>(counted.oldest_day) * 86'400);
  if (const auto free = store.free_bytes()) impl_->free_bytes.Set(static_cast<double>(*free));
  raise_to(impl_->removed_by_age, static_cast<double>(counted.days_removed_by_age));
  raise_to(impl_->removed_by_size, static_cast<double>(counted.days_removed_by_size));
  raise_to(impl_->torn_bytes, static_cast<double>(counted.torn_bytes));
  raise_to(impl_->torn_bytes_lost, static_cast<double>(counted.torn_bytes_lost));
  raise_to(impl_->damaged_bytes, static_cast<double>(counted.damaged_bytes));
  raise_to(impl_->index_failures, static_cast<double>(counted.index_failures));
  raise_to(impl_->index_rebuilds, static_cast<double>(counted.index_rebuilds));
}

}  // namespace kua::collector
