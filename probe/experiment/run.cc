#include "probe/experiment/run.h"

#include <algorithm>
#include <array>
#include <variant>

#include "platform/crypto/crypto.h"
#include "probe/limits.h"
#include "probe/step/contact_guard.h"
#include "probe/step/scrub.h"

namespace kua::probe {
namespace {

RecordHeader stamped(const Instrument& instrument) {
  const RecordStamp& stamp = instrument.stamp;
  RecordHeader header;
  header.time = floor_to(instrument.clock.wall_now(), stamp.rounding);
  header.monotonic = floor_to(instrument.clock.monotonic_now(), stamp.rounding);
  RecordId::Bytes random{};
  platform::random_bytes(random);
  // The id holds a time too: the rounded one.
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(header.time.time_since_epoch());
  header.id = RecordId::make(since_epoch.count(), random);
  header.probe = stamp.probe;
  header.role = stamp.role;
  header.software = stamp.software;
  header.boot = stamp.boot;
  header.vantage = stamp.vantage;
  return header;
}

// Every address that this measurement asked for: contacted, or standing in an answer.
std::vector<IpAddress> asked_addresses(const std::vector<Observation>& observations) {
  std::vector<IpAddress> out;
  for (const Observation& observation : observations) {
    if (const auto* lookup = std::get_if<Lookup>(&observation)) {
      if (lookup->reply) {
        out.insert(out.end(), lookup->reply->addresses.begin(), lookup->reply->addresses.end());
      }
      for (const DnsReply& late : lookup->late) {
        out.insert(out.end(), late.addresses.begin(), late.addresses.end());
      }
    } else if (const auto* connect = std::get_if<Connect>(&observation)) {
      out.push_back(connect->endpoint.address);
    }
  }
  return out;
}

}  // namespace

Dice::result_type Dice::operator()() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Microseconds Dice::between(Microseconds low, Microseconds high) {
  if (high <= low) return low;
  const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + Microseconds(static_cast<std::int64_t>((*this)() % span));
}

std::size_t Dice::below(std::size_t count) { return static_cast<std::size_t>((*this)() % count); }

Run::Run(const Instrument& instrument, ExperimentRequest request, std::string experiment)
    : instrument_(&instrument),
      request_(std::move(request)),
      timeline_{&instrument.clock, instrument.clock.monotonic_now()},
      tally_(std::make_shared<WireTally>()),
      follow_up_bytes_(request_.follow_up_bytes_max),
      dice_(request_.seed != 0 ? request_.seed : platform::random_u64()),
      own_addresses_(instrument.own_addresses.begin(), instrument.own_addresses.end()) {
  measurement_.header = stamped(instrument);
  measurement_.experiment = std::move(experiment);
  measurement_.target = request_.target.id;
  measurement_.input = request_.target.url.empty() ? request_.target.id.text() : request_.target.url;
  measurement_.category = request_.target.category;
  measurement_.tier = request_.target.tier;
  measurement_.link_state = request_.link_state;
}

MonotonicTime Run::deadline(Microseconds within, MonotonicTime latest) const {
  return std::min(timeline_.now() + within, latest);
}

std::shared_ptr<WireTally> Run::begin_follow_up(std::uint64_t bytes) {
  std::shared_ptr<WireTally> tally = follow_up_bytes_.begin(bytes);
  if (tally == nullptr) count_limit("follow_up_bytes");
  return tally;
}

MonotonicTime Run::main_latest() const {
  if (!first_doubt_) return MonotonicTime::max();
  const Microseconds within = pacing().follow_up_within;
  return std::max(*first_doubt_ + within, timeline_.now() + within / 2);
}

MonotonicTime Run::immediate_set_latest() {
  if (!immediate_set_latest_) {
    note_doubt();  // one that no step told, as a late answer
    const Microseconds within = pacing().immediate_set_deadline;
    immediate_set_latest_ = std::max(*first_doubt_ + within, timeline_.now() + within / 2);
  }
  return *immediate_set_latest_;
}

void Run::record(Observation observation) {
  if (auto* handshake = std::get_if<TlsHandshake>(&observation)) keep_new_certificates(handshake->chain);
  if (auto* handshake = std::get_if<QuicHandshake>(&observation)) keep_new_certificates(handshake->chain);
  if (request_.on_observation) request_.on_observation(observation);
  measurement_.observations.push_back(std::move(observation));
}

// The same chain comes with every retry, and over QUIC again; a record holds its bytes once.
void Run::keep_new_certificates(std::vector<Certificate>& chain) {
  for (Certificate& certificate : chain) {
    if (!certificate.der.empty() && !certificates_.insert(certificate.sha256).second) certificate.der.clear();
  }
}

void Run::record_lookup(Lookup lookup, std::shared_ptr<LateReplies> late) {
  if (late != nullptr) {
    listening_.push_back({measurement_.observations.size(), lookup.type, std::move(late)});
  }
  record(std::move(lookup));
}

void Run::fail_round_trip(std::uint32_t hop, FailureCode code) {
  for (Observation& observation : measurement_.observations) {
    auto* round_trip = std::get_if<HttpRoundTrip>(&observation);
    if (round_trip == nullptr || round_trip->hop != hop || round_trip->role != StepRole::main) continue;
    if (!round_trip->failure) round_trip->failure = Failure{code, Operation::http_round_trip};
  }
}

void Run::count_limits(const LimitCounts& limits) {
  for (const auto& [name, count] : limits) measurement_.limits[name] += count;
}

void Run::missing(std::string_view what) {
  auto& list = measurement_.missing;
  if (std::ranges::find(list, what) == list.end()) list.emplace_back(what);
}

void Run::fail_instrument(const Error& error) {
  measurement_.validity = Validity::instrument;
  measurement_.validity_reason = error.text();
}

bool Run::instrument_failed() const noexcept { return measurement_.validity == Validity::instrument; }

bool Run::is_punctual(MonotonicTime deadline) const { return timeline_.now() - deadline <= kStepLagMax; }

void Run::check_punctual(MonotonicTime deadline) {
  if (is_punctual(deadline)) return;
  fail_instrument({ErrorKind::unavailable, "this machine was too busy to keep a step's deadline", ""});
}

void Run::fail_vantage(std::string_view reason) {
  if (instrument_failed()) return;  // the stronger word
  measurement_.validity = Validity::vantage;
  measurement_.validity_reason = reason;
}

bool Run::ipv6_worth_trying() const noexcept {
  return instrument_->allow_ipv6 && !ipv6_silent_ && !measurement_.header.vantage.faults.ipv6_broken;
}

void Run::learn_own_address(const TcpStream& stream) {
  if (const auto address = stream.local_address()) own_addresses_.insert(*address);
}

std::optional<MonotonicTime> Run::listening_until() const {
  std::optional<MonotonicTime> latest;
  for (const Listening& one : listening_) {
    if (!latest || *latest < one.late->until()) latest = one.late->until();
  }
  return latest;
}

std::set<std::string> Run::take_late_replies() {
  std::set<std::string> hosts;
  for (Listening& one : listening_) {
    auto& lookup = std::get<Lookup>(measurement_.observations[one.index]);
    lookup.late = one.late->take(one.type);
    if (!lookup.late.empty() && lookup.role == StepRole::main) hosts.insert(lookup.host);
  }
  listening_.clear();
  return hosts;
}

bool Run::may_contact(const IpAddress& address) const {
  return probe::may_contact(address, list().routable, instrument_->own_networks);
}

void Run::withhold_own_networks() {
  const auto withhold = [&](DnsReply& reply) {
    for (IpAddress& address : reply.addresses) {
      const auto stand_in = stand_in_for(address, instrument_->own_networks);
      if (!stand_in) continue;
      address = *stand_in;
      reply.raw.clear();  // says it too
    }
  };
  for (Observation& observation : measurement_.observations) {
    auto* lookup = std::get_if<Lookup>(&observation);
    if (lookup == nullptr) continue;
    if (lookup->reply) withhold(*lookup->reply);
    std::ranges::for_each(lookup->late, withhold);
  }
}

void Run::scrub() {
  withhold_own_networks();
  const std::vector<IpAddress> own(own_addresses_.begin(), own_addresses_.end());
  Scrubber scrubber(own, asked_addresses(measurement_.observations));
  scrubber.keep_patterns(list().fingerprints);
  for (const InterceptionRoot& root : list().interception_roots) scrubber.keep(root.subject);
  scrubber.keep(list().harmless_name);
  scrubber.keep(request_.target.url);
  for (const ServiceEndpoint& endpoint : request_.target.endpoints) scrubber.keep(endpoint.host);
  for (const Observation& observation : measurement_.observations) scrubber.learn_names(observation);
  for (Observation& observation : measurement_.observations) scrubber.scrub(observation);
  if (const auto names = scrubber.names_replaced(); names > 0) measurement_.limits["scrubbed_names"] = names;
}

Measurement Run::finish() {
  take_late_replies();
  measurement_.runtime = timeline_.offset();
  const WireTally follow_up = follow_up_bytes_.sum();
  measurement_.bytes_sent = tally_->sent + follow_up.sent;
  measurement_.bytes_received = tally_->received + follow_up.received;
  std::ranges::stable_sort(measurement_.observations, {}, [](const Observation& observation) {
    const StepContext* const context = context_of(observation);
    return context == nullptr ? Microseconds(0) : context->offset;
  });
  scrub();
  return std::move(measurement_);
}

}  // namespace kua::probe
