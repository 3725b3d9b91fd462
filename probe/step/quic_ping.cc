#include "probe/step/quic_ping.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "platform/crypto/crypto.h"
#include "probe/limits.h"
#include "probe/step/datagram_socket.h"
#include "wire/quic_packet.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr Microseconds kFirstWait{300'000};  // doubled with every copy

using Datagram = std::array<std::uint8_t, wire::kQuicFirstDatagramBytes>;

QuicPingResult failed(QuicPing observation, const DatagramSocket::Problem& problem) {
  observation.failure = Failure{problem.code, Operation::quic_handshake};
  return {std::move(observation), problem.instrument};
}

struct Heard {
  bool answered = false;
  std::optional<DatagramSocket::Problem> problem;
};

// Everything that is there; another datagram than the answer is no answer.
Heard listen(DatagramSocket& socket, const Datagram& ping, QuicPing& observation) {
  Datagram buffer;
  for (std::size_t datagrams = 0; datagrams < kQuicDatagramsMax; ++datagrams) {
    const auto got = socket.receive(buffer);
    if (!got) return {false, got.error()};
    if (!*got) return {};
    observation.bytes_received += **got;
    const wire::BytesView datagram = wire::BytesView(buffer).first(**got);
    if (auto versions = wire::read_version_negotiation(datagram, ping)) {
      observation.versions = std::move(*versions);
      return {true, std::nullopt};
    }
  }
  return {};
}

}  // namespace

asio::awaitable<QuicPingResult> quic_ping(Timeline timeline, std::shared_ptr<WireTally> tally,
                                          QuicPingOptions options) {
  QuicPing observation;
  static_cast<StepContext&>(observation) = std::move(options.context);
  observation.endpoint = options.endpoint;
  observation.offset = timeline.offset();
  const auto end = [&timeline](QuicPing step) {
    step.duration = timeline.offset() - step.offset;
    return step;
  };

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto socket = DatagramSocket::open(executor, options.endpoint, *timeline.clock, std::move(tally));
  if (!socket) co_return failed(end(std::move(observation)), socket.error());
  Datagram ping{};
  platform::random_bytes(ping);
  wire::make_version_ping(ping);

  Microseconds patience = kFirstWait;
  MonotonicTime next_copy = timeline.now();
  std::optional<DatagramSocket::Problem> problem;
  while (!problem) {
    if (timeline.now() >= next_copy) {
      problem = socket->send(ping);
      next_copy = timeline.now() + patience;
      patience *= 2;
      continue;
    }
    const MonotonicTime until = std::min(options.deadline, next_copy);
    const Ready ready = co_await socket->wait(until);
    const Heard heard = listen(*socket, ping, observation);
    if (heard.answered) co_return QuicPingResult{end(std::move(observation)), std::nullopt};
    problem = heard.problem;
    if (ready == Ready::expired && until == options.deadline) break;
  }
  if (!problem) problem = DatagramSocket::Problem{FailureCode::generic_timeout_error, std::nullopt};
  co_return failed(end(std::move(observation)), *problem);
}

}  // namespace kua::probe
