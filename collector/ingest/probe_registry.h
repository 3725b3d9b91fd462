// The probes that enrolled: their keys, what is remembered of each between requests, and which cluster
// each one is in this epoch. Keys and clusters are on disk before anything is answered; the sequence of
// heartbeats is written now and then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/ingest/cluster_keys.h"
#include "collector/ingest/token_bucket.h"
#include "measurement/error.h"
#include "measurement/names.h"
#include "platform/crypto/crypto.h"
#include "platform/sqlite/sqlite.h"
#include "protocol/api.h"

namespace kua::collector {

struct KnownProbe {
  platform::PublicKey key{};
  std::string invitation;
  std::uint64_t heartbeat_sequence = 0;
  std::uint64_t stored_sequence = 0;
  TokenBucket batches;
  TokenBucket heartbeats;
  TokenBucket failures;  // signatures that did not fit
  std::optional<BootAnchor> anchor;
  std::vector<std::pair<Epoch, std::string>> clusters;  // few: the epochs that still have keys
};

enum class EnrolmentOutcome : std::uint8_t { enrolled, known_already };

class ProbeRegistry {
 public:
  // Errors: invalid_input for a damaged file: unlike the index it cannot be made again, so the
  // operator decides.
  [[nodiscard]] static Expected<ProbeRegistry> open(const std::string& path);

  // nullptr: not enrolled. Valid until the next enrol().
  [[nodiscard]] KnownProbe* find(const ProbeId& id);
  [[nodiscard]] Expected<EnrolmentOutcome> enrol(const ProbeId& id, const platform::PublicKey& key,
                                                 const protocol::Enrolment& facts, WallTime now);

  // The probe's cluster in that epoch: the one of the address it was first seen from, or of its
  // invitation. It keeps it for the epoch, so that one device on changing addresses stays one witness.
  // Empty when the epoch has no key.
  [[nodiscard]] Expected<std::string> cluster_of(const ProbeId& id, KnownProbe& probe, const ClusterKeys& keys,
                                                 const IpAddress& address, Epoch epoch);
  // Removes the clusters of epochs whose keys are gone.
  [[nodiscard]] Expected<void> forget_clusters(const ClusterKeys& keys);

  // A heartbeat with a sequence above the last one seen.
  void heard(const ProbeId& id, KnownProbe& probe, std::uint64_t sequence);
  // Writes the sequences that changed since the last call. What a crash loses of them can be replayed
  // once; each replay still needs a heartbeat that was stolen out of TLS.
  [[nodiscard]] Expected<void> save_sequences();
  [[nodiscard]] std::size_t size() const noexcept { return probes_.size(); }

 private:
  ProbeRegistry(platform::Database enrolments, platform::Database notes)
      : enrolments_(std::move(enrolments)), notes_(std::move(notes)) {}
  [[nodiscard]] Expected<void> load();
  [[nodiscard]] Expected<std::string> pin(Epoch epoch, std::string_view kind, std::string_view who,
                                          const std::string& cluster);

  // Two connections to one file: an enrolment must survive a power cut before it is answered, the rest
  // would only be learnt again.
  platform::Database enrolments_;
  platform::Database notes_;
  std::unordered_map<ProbeId, KnownProbe> probes_;
  std::vector<ProbeId> changed_;  // heartbeat sequences to be written
};

}  // namespace kua::collector
