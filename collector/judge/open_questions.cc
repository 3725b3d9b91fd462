#include "collector/judge/open_questions.h"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace kua::collector {
namespace {

struct Weigher {
  std::size_t operator()(const Lookup& lookup) const noexcept {
    std::size_t bytes = lookup.late.size() * sizeof(DnsReply);
    if (lookup.reply) bytes += lookup.reply->raw.size();
    for (const DnsReply& reply : lookup.late) bytes += reply.raw.size();
    return bytes;
  }
  std::size_t operator()(const TlsHandshake& handshake) const noexcept {
    std::size_t bytes = handshake.chain.size() * sizeof(Certificate);
    for (const Certificate& certificate : handshake.chain) {
      bytes +=
          certificate.der.size() + certificate.subject.size() + certificate.issuer.size() + 128;
    }
    return bytes;
  }
  std::size_t operator()(const HttpRoundTrip& trip) const noexcept {
    std::size_t bytes = trip.body_sample.size() + trip.title.size() + trip.url.size();
    for (const auto& [name, value] : trip.headers) bytes += name.size() + value.size() + 64;
    return bytes;
  }
  std::size_t operator()(const UnknownObservation& unknown) const noexcept {
    return unknown.json.size();
  }
  std::size_t operator()(const StepContext&) const noexcept { return 0; }
};

}  // namespace

std::size_t weigh(const Measurement& measurement) noexcept {
  std::size_t bytes = sizeof(Measurement) + measurement.input.size();
  for (const Observation& observation : measurement.observations) {
    bytes += sizeof(Observation) + std::visit(Weigher(), observation);
  }
  for (const auto& [name, json] : measurement.header.unknown) bytes += name.size() + json.size();
  return bytes;
}

void OpenQuestions::add(OpenQuestion question) {
  const std::size_t weight = weigh(question.measurement);
  while (!questions_.empty() &&
         (questions_.size() >= bounds_.count_max || bytes_ + weight > bounds_.bytes_max)) {
    ++dropped_;
    remove(questions_.begin());
  }
  bytes_ += weight;
  questions_.push_back({std::move(question), weight});
  const auto item = std::prev(questions_.end());
  by_target_[item->question.measurement.target.text()].push_back(item);
}

void OpenQuestions::remove(Items::iterator item) {
  const auto found = by_target_.find(item->question.measurement.target.text());
  std::erase(found->second, item);
  if (found->second.empty()) by_target_.erase(found);
  bytes_ -= item->weight;
  questions_.erase(item);
}

void OpenQuestions::close_before(const TargetId& target, WallTime horizon) {
  const auto found = by_target_.find(target.text());
  if (found == by_target_.end()) return;
  const std::vector<Items::iterator> items = found->second;
  for (const Items::iterator& item : items) {
    if (item->question.measurement.header.time < horizon) remove(item);
  }
}

std::vector<OpenQuestion*> OpenQuestions::of(const TargetId& target) {
  std::vector<OpenQuestion*> result;
  const auto found = by_target_.find(target.text());
  if (found == by_target_.end()) return result;
  for (const Items::iterator& item : found->second) result.push_back(&item->question);
  return result;
}

}  // namespace kua::collector
