// The probe's side of docs/protocol.md: enrol, deliver what the spool holds, say that we are alive, fetch
// the signed list. Tries the endpoints of the join link in order with a back-off of their own and keeps one
// connection. At-least-once: an item leaves the spool only when an answer names it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/vantage.h"
#include "platform/clock/clock.h"
#include "platform/crypto/crypto.h"
#include "probe/limits.h"
#include "probe/spool/spool.h"
#include "probe/uplink/backoff.h"
#include "probe/uplink/pinned_connection.h"
#include "protocol/api.h"
#include "protocol/join_link.h"

namespace kua::probe {

class Uplink {
 public:
  struct Options {
    std::vector<protocol::CollectorEndpoint> endpoints;  // in order of preference, at least one
    std::vector<std::string> pins;
    std::size_t batch_records_max = 0;
    std::size_t batch_bytes_max = 0;  // of NDJSON before compression
    // First sequence of heartbeats; must exceed every earlier one of this probe, so Unix milliseconds do.
    std::uint64_t heartbeat_sequence = 0;
    Microseconds connect_deadline = kConnectDeadline;
    Microseconds request_deadline = kRequestDeadline;
  };
  // Borrows clock and key, which must outlive every call.
  Uplink(boost::asio::any_io_executor executor, const platform::Clock& clock,
         const platform::SigningKey& key, Options options);

  // 2xx answer of the collector. Errors: permission (refused: signature, invitation, or a wrong pin),
  // unavailable.
  [[nodiscard]] boost::asio::awaitable<Expected<protocol::EnrolmentAnswer>> enrol(
      protocol::Enrolment enrolment);

  struct Delivery {
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;
    std::uint64_t bytes_sent = 0;           // compressed bodies
    std::uint64_t backlog_bytes = 0;        // on the wire, for records older than the ration's
    bool backlog_waits = false;             // some are left, and the ration is used up
    std::vector<std::string> advice;        // target ids, at most kAdviceTargetsMax
    std::optional<WallTime> server_time;    // of the last answer: a clock anchor
    bool enrolment_needed = false;          // the collector does not know this key
  };
  // What may be sent at once. Summaries and records born from `fresh_since` on always go, and go first; what
  // is older follows until it has taken `backlog_bytes` of the wire, and by a batch's last record more.
  struct Ration {
    WallTime fresh_since = WallTime::min();
    std::uint64_t backlog_bytes = 0;
  };
  // Sends batch after batch until the spool is empty, the ration used up or something stops it; what was delivered until then
  // is in the Delivery either way, and `stopped` says why it ended early. Borrows the spool.
  struct Outcome {
    Delivery delivery;
    std::optional<Error> stopped;
  };
  [[nodiscard]] boost::asio::awaitable<Outcome> deliver(Spool& spool, Ration ration);

  [[nodiscard]] boost::asio::awaitable<Expected<void>> heartbeat(LinkState state);

  // The envelope, or nullopt when the collector has none newer than the last one fetched.
  [[nodiscard]] boost::asio::awaitable<Expected<std::optional<std::string>>> fetch_list(
      CountryCode country);

  // Handshakes that presented another key than the pinned one, since the last call; at most 8.
  [[nodiscard]] std::vector<TlsHandshake> take_wrong_pins();
  // On the wire since this Uplink was made, both directions, failed attempts included: only grows.
  [[nodiscard]] std::uint64_t wire_bytes() const;
  // The line is back: forget what failed while it was away.
  void line_returned();
  // The earliest instant at which a call can do more than fail.
  [[nodiscard]] MonotonicTime not_before() const;

 private:
  struct Peer {
    protocol::CollectorEndpoint endpoint;
    Backoff backoff;
  };
  [[nodiscard]] boost::asio::awaitable<Expected<ApiAnswer>> call(ApiCall request);
  [[nodiscard]] boost::asio::awaitable<Expected<ApiAnswer>> call_peer(std::size_t index, ApiCall request);
  [[nodiscard]] ApiCall signed_post(std::string_view path, std::string content_type, std::string body) const;
  // The next of the older items, none where the ration is used up, and in the delivery whether any wait.
  [[nodiscard]] Expected<std::vector<Spool::Item>> next_of_backlog(Spool& spool, const Ration& ration,
                                                              std::size_t batch_max, Delivery& delivery) const;
  [[nodiscard]] Expected<void> settle(Spool& spool, const std::vector<Spool::Item>& items,
                                      const ApiAnswer& answer, Delivery& delivery, std::size_t& batch_max);
  [[nodiscard]] Expected<void> settle_accepted(Spool& spool, const std::vector<Spool::Item>& items,
                                               const ApiAnswer& answer, Delivery& delivery);
  // Rests the endpoint for as long as its answer asks; another may be asked meanwhile.
  [[nodiscard]] Error refused(const ApiAnswer& answer, std::string doing);
  void note_wrong_pin(TlsHandshake seen);
  void drop_connection();

  boost::asio::any_io_executor executor_;
  const platform::Clock& clock_;
  const platform::SigningKey& key_;
  Options options_;
  ProbeId probe_;
  std::vector<Peer> peers_;
  std::unique_ptr<PinnedConnection> connection_;
  std::size_t connected_to_ = 0;
  std::vector<TlsHandshake> wrong_pins_;
  std::string etag_;
  std::uint64_t closed_bytes_ = 0;  // of connections that are gone
};

}  // namespace kua::probe
