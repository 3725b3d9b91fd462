// One QUIC client handshake for HTTP/3, with a chosen name. As over TCP, a certificate we would reject does
// not end it: what was presented is the evidence. Built in where ngtcp2 is (KUA_QUIC).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "measurement/error.h"
#include "measurement/observation.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

class TrustStore;

struct QuicOptions {
  StepContext context;  // hop, host and role; the rest is filled in
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::udp};
  std::string server_name;  // as TlsOptions::server_name
  MonotonicTime deadline;   // absolute
};

struct QuicResult {
  QuicHandshake observation;        // present whatever happened
  std::optional<Error> instrument;  // our own failure; the observation then says nothing of the network
  bool chain_cut = false;           // certificates beyond the limits were left out
  bool flooded = false;             // more datagrams came than are looked at: "quic_datagrams"
};

// Whether this build can shake hands over QUIC; without it quic_handshake() must not be called.
[[nodiscard]] bool has_quic() noexcept;

// Borrows `trust`, which outlives the awaitable. Ends the connection that it made. The caller has made sure
// that the address may be contacted at all (probe/step/contact_guard.h).
[[nodiscard]] boost::asio::awaitable<QuicResult> quic_handshake(const TrustStore& trust, Timeline timeline,
                                                                std::shared_ptr<WireTally> tally,
                                                                QuicOptions options);

}  // namespace kua::probe
