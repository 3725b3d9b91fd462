// The probes' listener: enrolment, batches, heartbeats, target lists (docs/protocol.md). Lives on the
// state thread. A batch is verified before anything in it is decompressed, and answered 2xx only when
// what the answer names is on disk, synced.
#pragma once

#include <string>

#include "collector/http/http.h"
#include "collector/ingest/batch_reader.h"
#include "collector/ingest/cluster_keys.h"
#include "collector/ingest/ingest_metrics.h"
#include "collector/ingest/list_files.h"
#include "collector/ingest/network_database.h"
#include "collector/ingest/peer_limits.h"
#include "collector/ingest/probe_registry.h"
#include "collector/ingest/received.h"
#include "collector/store/record_store.h"
#include "platform/clock/clock.h"

namespace kua::collector {

enum class InvitationRule : std::uint8_t { optional, required };

struct IngestOptions {
  InvitationRule invitations = InvitationRule::optional;
  std::string invitations_file;  // one code a line, read at each enrolment; empty: no code is known
  Rate batches{120, 60};         // of one probe
  Rate heartbeats{10, 20};
  Rate enrolments{30, 300};      // of one /24 or /48
  friend bool operator==(const IngestOptions&, const IngestOptions&) = default;

  // The lab's clock: a minute of its probes is a part of ours, and they may call as much more often.
  void scale_time(double divisor);
};

class Ingest {
 public:
  struct Parts {
    const platform::Clock& clock;
    RecordStore& store;
    ProbeRegistry& probes;
    ClusterKeys& cluster_keys;
    const NetworkDatabase& networks;
    ListFiles& lists;
    IngestMetrics& metrics;
    RecordSink& sink;
  };
  // Borrows all parts.
  Ingest(Parts parts, IngestOptions options);
  void add_routes(Router& router);
  // Once a minute: heartbeat sequences to disk, cluster keys made and destroyed.
  [[nodiscard]] Expected<void> tend();

 private:
  using Answer = boost::asio::awaitable<HttpResponse>;
  [[nodiscard]] Answer on_batch(HttpRequest request);
  [[nodiscard]] Answer on_enrolment(HttpRequest request);
  [[nodiscard]] Answer on_heartbeat(HttpRequest request);
  [[nodiscard]] Answer on_targets(HttpRequest request);
  [[nodiscard]] HttpResponse enrol(const HttpRequest& request);
  [[nodiscard]] HttpResponse beat(const HttpRequest& request);
  [[nodiscard]] HttpResponse hand_on_list(const HttpRequest& request);

  struct Signer {
    ProbeId id;
    KnownProbe* probe;  // valid until the next enrolment: not across a suspension
    platform::Signature signature;
  };
  // A batch's bytes, as they were signed and as they read.
  struct Opened {
    Seal seal;
    std::string_view bytes;
    std::string text;
  };
  // Who signed the request; the refusal where it was nobody we know, or too often.
  [[nodiscard]] std::expected<Signer, Refusal> identify(const HttpRequest& request);
  [[nodiscard]] std::expected<ReadBatch, Refusal> open_batch(Opened& opened, const Signer& signer);
  [[nodiscard]] Expected<Reception> receive(const ReadBatch& batch, const HttpRequest& request, Signer signer,
                                            WallTime now);
  [[nodiscard]] static AppendBatch to_append(const ReadBatch& batch, const Opened& opened, Reception reception);
  // Tells the sink what is new and the probe what is on disk.
  [[nodiscard]] HttpResponse accept(ReadBatch& batch, const Reception& reception, const std::vector<Stored>& stored);
  [[nodiscard]] HttpResponse refuse(Call call, Refusal refusal, long retry_after_seconds = 0);
  [[nodiscard]] bool invitation_known(const std::string& code) const;

  Parts parts_;
  IngestOptions options_;
  BatchReader reader_;
  PeerLimits strangers_;  // requests in the name of no probe that is enrolled
  PeerLimits enrolments_;
};

}  // namespace kua::collector
