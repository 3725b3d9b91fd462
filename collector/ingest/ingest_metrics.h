// The counters of ingest and store, as docs/metrics.md names them. prometheus-cpp stays inside the .cc:
// the rest of ingest says what happened in words.
#pragma once

#include <cstdint>
#include <memory>

#include "collector/store/record_store.h"
#include "protocol/api.h"

namespace prometheus {
class Registry;
}

namespace kua::collector {

// Why a request was refused whole. Closed set; the texts are label values and the words of error answers.
enum class Refusal : std::uint8_t {
  bad_signature = 0,
  unknown_probe = 1,
  too_large = 2,
  malformed = 3,
  rate_limited = 4,
  no_space = 5,
  unavailable = 6,
  replayed = 7,
  invitation = 8,
};
inline constexpr std::size_t kRefusals = 9;
[[nodiscard]] const char* to_string(Refusal refusal) noexcept;
[[nodiscard]] unsigned status_of(Refusal refusal) noexcept;  // the HTTP status it is answered with

enum class Call : std::uint8_t { batch = 0, heartbeat = 1, enrolment = 2 };

class IngestMetrics {
 public:
  // Registers its families, every known label value at 0. Borrows `registry`.
  explicit IngestMetrics(prometheus::Registry& registry);
  ~IngestMetrics();

  void arrived(Call call);
  void refused(Call call, Refusal refusal);
  void batch_bytes(std::size_t compressed, std::size_t decompressed);
  void records(std::size_t all, std::size_t duplicates);
  void record_rejected(protocol::Rejection reason, std::size_t count);
  void lines_unreadable(std::size_t count);

  // Brings in what the store counts; called before each exposition, on the state thread.
  void refresh(RecordStore& store, std::size_t probes_enrolled);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::collector
