#include "probe/step/quic_handshake.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "probe/limits.h"
#include "probe/step/datagram_socket.h"
#include "probe/step/quic_client.h"
#include "probe/step/trust_store_impl.h"
#include "probe/step/verify_chain.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

using Phase = QuicClient::Phase;
using Problem = DatagramSocket::Problem;

constexpr std::size_t kDatagramBytesMax = 65'535;
constexpr std::uint64_t kCryptoErrors = 0x100;  // RFC 9000 §20.1: CRYPTO_ERROR, 0x0100 to 0x01ff

std::optional<Problem> flush(QuicClient& client, DatagramSocket& socket, MonotonicTime now,
                             QuicHandshake& observation) {
  std::array<std::uint8_t, 1500> buffer;
  while (const std::size_t size = client.write(buffer, now)) {
    if (auto problem = socket.send(std::span(buffer).first(size))) return problem;
    observation.initial_sent = true;
  }
  return std::nullopt;
}

std::optional<Problem> drain(QuicClient& client, DatagramSocket& socket, MonotonicTime now,
                             std::span<std::uint8_t> buffer, QuicResult& out) {
  while (client.phase() == Phase::shaking) {
    if (out.observation.replies == kQuicDatagramsMax) {
      out.flooded = true;
      return Problem{FailureCode::message_size, std::nullopt};
    }
    const auto got = socket.receive(buffer);
    if (!got) return got.error();
    if (!*got) return std::nullopt;
    ++out.observation.replies;
    out.observation.bytes_received += **got;
    client.receive(buffer.first(**got), now);
  }
  return std::nullopt;
}

// Until the handshake has ended in one way or the other.
asio::awaitable<std::optional<Problem>> drive(QuicClient& client, DatagramSocket& socket, Timeline timeline,
                                              MonotonicTime deadline, QuicResult& out) {
  std::vector<std::uint8_t> buffer(kDatagramBytesMax);
  std::optional<Problem> problem;
  while (!problem) {
    problem = flush(client, socket, timeline.now(), out.observation);
    if (problem || client.phase() != Phase::shaking) break;
    const MonotonicTime until = std::min(deadline, client.next_tick());
    const Ready ready = co_await socket.wait(until);
    problem = drain(client, socket, timeline.now(), buffer, out);
    if (problem || client.phase() != Phase::shaking) continue;
    // What had come by the deadline has been read.
    if (ready == Ready::expired && timeline.now() >= deadline) {
      problem = Problem{FailureCode::generic_timeout_error, std::nullopt};
    }
    client.tick(timeline.now());
  }
  co_return problem;
}

std::optional<FailureCode> failure_of(const QuicClient& client, const std::optional<Problem>& problem) {
  switch (client.phase()) {
    case Phase::done:
      return std::nullopt;
    case Phase::shaking:
      return problem ? problem->code : FailureCode::unknown_failure;
    case Phase::closed: {
      const std::uint64_t code = client.close_code().value_or(0);
      const bool by_tls = code >= kCryptoErrors && code < 2 * kCryptoErrors;
      return by_tls ? FailureCode::ssl_failed_handshake : FailureCode::connection_aborted;
    }
    case Phase::other_version:
      return FailureCode::quic_incompatible_version;
    case Phase::failed:
      return FailureCode::ssl_failed_handshake;
  }
  return FailureCode::unknown_failure;
}

void describe(const QuicClient& client, QuicHandshake& observation) {
  observation.version = client.version();
  observation.close_code = client.close_code();
  if (client.phase() != Phase::done) return;
  observation.cipher = client.cipher();
  observation.alpn = client.alpn();
}

void judge(const TrustStore& trust, const QuicClient& client, const std::string& name, WallTime now,
           QuicResult& out) {
  ChainVerdict verdict;
  verdict.now = now;
  judge_chain(trust.impl().context.get(), client.chain(), name, verdict);
  out.observation.trust = verdict.trust;
  out.observation.chain = std::move(verdict.chain);
  out.chain_cut = verdict.cut;
}

void say_goodbye(QuicClient& client, DatagramSocket& socket, MonotonicTime now) {
  std::array<std::uint8_t, 1500> buffer;
  const std::size_t size = client.write_close(buffer, now);
  if (size > 0) (void)socket.send(std::span(buffer).first(size));  // the handshake has been told already
}

}  // namespace

bool has_quic() noexcept { return true; }

asio::awaitable<QuicResult> quic_handshake(const TrustStore& trust, Timeline timeline,
                                           std::shared_ptr<WireTally> tally, QuicOptions options) {
  QuicResult out;
  QuicHandshake& observation = out.observation;
  static_cast<StepContext&>(observation) = std::move(options.context);
  observation.endpoint = options.endpoint;
  observation.offset = timeline.offset();
  const std::string sni = IpAddress::parse(options.server_name) ? std::string() : options.server_name;
  if (!sni.empty()) observation.server_name = sni;

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto give_up = [&](FailureCode code, std::optional<Error> instrument) {
    observation.duration = timeline.offset() - observation.offset;
    observation.failure = Failure{code, Operation::quic_handshake};
    out.instrument = std::move(instrument);
  };
  auto socket = DatagramSocket::open(executor, options.endpoint, *timeline.clock, std::move(tally));
  if (!socket) {
    give_up(socket.error().code, socket.error().instrument);
    co_return out;
  }
  auto opened = QuicClient::open(socket->local(), socket->remote(), sni, timeline.now());
  if (!opened) {
    give_up(FailureCode::unknown_failure, std::move(opened.error()));
    co_return out;
  }
  QuicClient& client = *opened;
  const std::optional<Problem> problem = co_await drive(client, *socket, timeline, options.deadline, out);
  observation.duration = timeline.offset() - observation.offset;
  if (problem) out.instrument = problem->instrument;
  if (const auto code = failure_of(client, problem)) {
    observation.failure = Failure{*code, Operation::quic_handshake};
  }
  describe(client, observation);
  judge(trust, client, options.server_name, timeline.clock->wall_now(), out);
  say_goodbye(client, *socket, timeline.now());
  co_return out;
}

}  // namespace kua::probe
