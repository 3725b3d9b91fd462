// Whether an address speaks QUIC at all: a first datagram of a reserved version, which bears no name and
// which every server answers (RFC 9000 §6.1). Repeated, since nobody repeats a datagram for us.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>

#include "measurement/error.h"
#include "measurement/observation.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

struct QuicPingOptions {
  StepContext context;  // hop, host and role; the rest is filled in
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::udp};
  MonotonicTime deadline;  // absolute
};

struct QuicPingResult {
  QuicPing observation;             // present whatever happened
  std::optional<Error> instrument;  // our own failure; the observation then says nothing of the network
};

// The caller has made sure that the address may be contacted at all (probe/step/contact_guard.h).
[[nodiscard]] boost::asio::awaitable<QuicPingResult> quic_ping(Timeline timeline, std::shared_ptr<WireTally> tally,
                                                               QuicPingOptions options);

}  // namespace kua::probe
