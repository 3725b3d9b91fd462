// One TCP connect. What refuses or swallows it is the result; only a failure of ours (no descriptor, no
// local port, a local rule) is told apart, since it must never look like blocking.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>

#include "measurement/error.h"
#include "measurement/observation.h"
#include "probe/step/tcp_stream.h"
#include "probe/step/timeline.h"

namespace kua::probe {

struct ConnectOptions {
  StepContext context;  // hop, host and role; the rest is filled in
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::tcp};
  MonotonicTime deadline;  // absolute
  // The kernel's receive buffer, where it is to be small: bytes that a peer may send ahead of what is
  // read, and thus beyond a body's cap. Absent: the system's own, which grows to megabytes.
  std::optional<int> receive_buffer_bytes{};
};

struct ConnectResult {
  Connect observation;                // present whatever happened
  std::unique_ptr<TcpStream> stream;  // null unless connected
  std::optional<Error> instrument;    // our own failure; the observation then says nothing of the network
};

// The caller has made sure that the address may be contacted at all (probe/step/contact_guard.h).
[[nodiscard]] boost::asio::awaitable<ConnectResult> tcp_connect(Timeline timeline,
                                                                std::shared_ptr<WireTally> tally,
                                                                ConnectOptions options);

}  // namespace kua::probe
