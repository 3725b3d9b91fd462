// One address approached under one name, as far as asked: connect, handshake, round trip. Each step is
// recorded as it ends; what comes back says how far it went.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "measurement/verdict.h"
#include "probe/experiment/run.h"
#include "probe/limits.h"
#include "protocol/target_url.h"

namespace kua::probe {

// How far to go.
enum class Reach : std::uint8_t { connect, handshake, round_trip };

enum class Security : std::uint8_t { plain, tls };

struct Approach {
  StepContext context;  // hop, host and role of every step
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::tcp};
  Security security = Security::tls;
  std::string name;  // SNI, the certificate's name, and the host that `url` is asked under
  protocol::TargetUrl url;
  Reach reach = Reach::round_trip;
  std::uint64_t body_wire_bytes_max = kRoundBodyWireBytesMax;  // of any but the main step
  MonotonicTime latest = MonotonicTime::max();  // bounds the pacing's own deadlines
  std::shared_ptr<WireTally> tally;  // what it costs is added here; nullptr: to the run's own
};

// The most that a step of the follow-up costs at ordinary sizes.
[[nodiscard]] std::uint64_t reckoned_bytes(const Approach& approach) noexcept;

// What a round trip brought that the next step needs.
struct Answer {
  std::optional<std::uint16_t> status;
  std::string location;
  std::string date;
  std::optional<std::uint16_t> http3_port;  // where it offers HTTP/3 at the same host
  std::uint64_t bytes = 0;
  Microseconds last_byte{0};  // since the request began
  Microseconds duration{0};   // of all of it, waiting for more included
};

struct Arrival {
  std::optional<Layer> failed_at;  // nullopt: everything that was asked for worked
  std::optional<FailureCode> code;
  bool no_route = false;  // nothing left this machine: it says nothing of the network
  ChainTrust trust = ChainTrust::not_presented;
  std::unique_ptr<ByteStream> stream;  // while a next step may follow
  Answer answer;
};

// Each takes up where the one before it ended; after a failure they pass the arrival through.
[[nodiscard]] boost::asio::awaitable<Arrival> connect_step(std::shared_ptr<Run> run, Approach approach);
[[nodiscard]] boost::asio::awaitable<Arrival> handshake_step(std::shared_ptr<Run> run, Approach approach,
                                                             Arrival arrival);
[[nodiscard]] boost::asio::awaitable<Arrival> round_trip_step(std::shared_ptr<Run> run, Approach approach,
                                                              Arrival arrival);
// All of them in order, up to `approach.reach`.
[[nodiscard]] boost::asio::awaitable<Arrival> go(std::shared_ptr<Run> run, Approach approach);

}  // namespace kua::probe
