// One run of one experiment: what its steps share, and the record that grows out of it. Steps may run side
// by side and outlive the coroutine that started them by a moment, so a run is held by shared_ptr.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "measurement/error.h"
#include "probe/experiment/experiment.h"
#include "probe/experiment/follow_up_bytes.h"
#include "probe/step/dns_lookup.h"
#include "probe/step/tcp_stream.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

// Orders and rests of a run, from its seed (splitmix64; its whole state is one word).
class Dice {
 public:
  using result_type = std::uint64_t;
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()();
  // Uniform in [low, high].
  [[nodiscard]] Microseconds between(Microseconds low, Microseconds high);
  [[nodiscard]] std::size_t below(std::size_t count);  // count > 0

 private:
  std::uint64_t state_;
};

class Run {
 public:
  // Borrows `instrument`, which outlives every run.
  Run(const Instrument& instrument, ExperimentRequest request, std::string experiment);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  [[nodiscard]] const Instrument& instrument() const noexcept { return *instrument_; }
  [[nodiscard]] const Pacing& pacing() const noexcept { return instrument_->pacing; }
  [[nodiscard]] const protocol::TargetList& list() const noexcept { return instrument_->list; }
  [[nodiscard]] const ExperimentRequest& request() const noexcept { return request_; }
  [[nodiscard]] const Timeline& timeline() const noexcept { return timeline_; }
  [[nodiscard]] const std::shared_ptr<WireTally>& tally() const noexcept { return tally_; }
  // For a step of the follow-up that takes `bytes` at most; nullptr, counted, where they are not left.
  [[nodiscard]] std::shared_ptr<WireTally> begin_follow_up(std::uint64_t bytes);
  [[nodiscard]] const FollowUpBytes& follow_up_bytes() const noexcept { return follow_up_bytes_; }
  [[nodiscard]] Dice& dice() noexcept { return dice_; }

  // min(now + within, latest): deadlines are passed down and never restarted.
  [[nodiscard]] MonotonicTime deadline(Microseconds within, MonotonicTime latest) const;

  // A main step has failed: from the first of these on, the follow-up's time runs.
  void note_doubt() noexcept { first_doubt_ = first_doubt_.value_or(timeline_.now()); }
  // For main steps that begin after the first doubt: they must leave the follow-up its time, and are
  // never so short that a slow line looks like a silent one.
  [[nodiscard]] MonotonicTime main_latest() const;
  // When the immediate set must be over, by whatever part of it asks first: the pacing's deadline after
  // the first doubt. Where main steps took most of that, half of it is left for the set all the same.
  [[nodiscard]] MonotonicTime immediate_set_latest();

  // Keeps what a step saw. The step has ended.
  void record(Observation observation);
  // Keeps a lookup whose socket goes on listening; `late` may be null.
  void record_lookup(Lookup lookup, std::shared_ptr<LateReplies> late);
  // A round trip of that hop that was answered and yet leads nowhere.
  void fail_round_trip(std::uint32_t hop, FailureCode code);
  void count_limits(const LimitCounts& limits);
  void count_limit(const std::string& name) { ++measurement_.limits[name]; }
  void missing(std::string_view what);
  // Our own failure: the record can no longer be judged.
  void fail_instrument(const Error& error);
  [[nodiscard]] bool instrument_failed() const noexcept;
  // A step ended that had this deadline. Far behind it, the failure is our own.
  void check_punctual(MonotonicTime deadline);
  [[nodiscard]] bool is_punctual(MonotonicTime deadline) const;
  // The line or the vantage was at fault, not a target.
  void fail_vantage(std::string_view reason);
  void learn_own_address(const TcpStream& stream);
  [[nodiscard]] bool may_contact(const IpAddress& address) const;
  // Whether an IPv6 address is worth a connect: not where the vantage is known to be broken, nor after
  // one host of this run was silent over IPv6 and answered over IPv4.
  [[nodiscard]] bool ipv6_worth_trying() const noexcept;
  void note_ipv6_silent() noexcept { ipv6_silent_ = true; }
  void mark_tls_inspected() noexcept { measurement_.header.vantage.faults.tls_inspected = true; }
  void mark_ipv6_broken() noexcept { measurement_.header.vantage.faults.ipv6_broken = true; }

  // Until when the late replies of the lookups are worth waiting for; nullopt: nothing listens.
  [[nodiscard]] std::optional<MonotonicTime> listening_until() const;
  // Ends the listening and puts what came into its lookups. Returns the hosts whose main lookup got a
  // late, different reply.
  std::set<std::string> take_late_replies();

  // The record, scrubbed. Call once, last.
  [[nodiscard]] Measurement finish();

 private:
  void keep_new_certificates(std::vector<Certificate>& chain);
  void withhold_own_networks();
  void scrub();

  const Instrument* instrument_;
  ExperimentRequest request_;
  Timeline timeline_;
  std::shared_ptr<WireTally> tally_;
  FollowUpBytes follow_up_bytes_;
  Dice dice_;
  Measurement measurement_;
  std::optional<MonotonicTime> first_doubt_;
  std::optional<MonotonicTime> immediate_set_latest_;
  std::set<IpAddress> own_addresses_;
  std::set<std::string> certificates_;  // SHA-256 of those whose bytes are in the record
  struct Listening {
    std::size_t index;  // of the lookup among the observations
    QueryType type;
    std::shared_ptr<LateReplies> late;
  };
  std::vector<Listening> listening_;
  bool ipv6_silent_ = false;
};

}  // namespace kua::probe
