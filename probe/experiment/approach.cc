#include "probe/experiment/approach.h"

#include <algorithm>
#include <utility>

#include "probe/limits.h"
#include "probe/step/http_round_trip.h"
#include "probe/step/tcp_connect.h"
#include "probe/step/tls_handshake.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

HttpOptions http_options(const Run& run, const Approach& approach, const Arrival& arrival) {
  // The same path under the approach's name, which for S is not the target's.
  protocol::TargetUrl url = approach.url;
  url.host = approach.name;
  HttpOptions options;
  options.context = approach.context;
  options.endpoint = approach.endpoint;
  options.url = url.text();
  options.authority = url.authority();
  options.target = url.request_target();
  options.over = approach.security == Security::tls ? HttpOptions::Over::tls : HttpOptions::Over::tcp;
  options.sample = approach.security == Security::tls && arrival.trust != ChainTrust::trusted
                       ? HttpOptions::Sample::always
                       : HttpOptions::Sample::where_suspect;
  // What follows a failure compares the beginning; the whole page was for the main step.
  const std::uint64_t asked = run.request().body_wire_bytes_max;
  const bool is_main = approach.context.role == StepRole::main;
  options.body = {is_main ? asked : std::min(asked, approach.body_wire_bytes_max), kBodyBytesMax};
  options.deadline = run.deadline(run.pacing().round_trip_deadline, approach.latest);
  return options;
}

// No route, or no address of that family, as far as this machine's own tables say.
bool is_no_route(const Connect& connect) {
  if (!connect.failure || connect.icmp) return false;
  return connect.failure->code == FailureCode::network_unreachable ||
         connect.failure->code == FailureCode::address_not_available ||
         connect.failure->code == FailureCode::address_family_not_supported;
}

}  // namespace

std::uint64_t reckoned_bytes(const Approach& approach) noexcept {
  std::uint64_t bytes = kConnectBytesReckoned;
  if (approach.reach != Reach::connect && approach.security == Security::tls) bytes += kHandshakeBytesReckoned;
  if (approach.reach == Reach::round_trip) bytes += approach.body_wire_bytes_max + kRoundTripBytesBeside;
  return bytes;
}

asio::awaitable<Arrival> connect_step(std::shared_ptr<Run> run, Approach approach) {
  ConnectOptions options;
  options.context = approach.context;
  options.endpoint = approach.endpoint;
  options.deadline = run->deadline(run->pacing().connect_deadline, approach.latest);
  const MonotonicTime deadline = options.deadline;
  const bool is_main = approach.context.role == StepRole::main;
  if (!is_main || run->request().body_wire_bytes_max <= kRoundBodyWireBytesMax) {
    options.receive_buffer_bytes = kRoundReceiveBufferBytes;
  }
  std::shared_ptr<WireTally> tally = approach.tally ? approach.tally : run->tally();
  ConnectResult result = co_await tcp_connect(run->timeline(), std::move(tally), std::move(options));
  run->check_punctual(deadline);

  Arrival arrival;
  if (result.observation.failure) {
    arrival.failed_at = Layer::tcp;
    arrival.code = result.observation.failure->code;
    arrival.no_route = is_no_route(result.observation);
  }
  if (result.instrument) run->fail_instrument(*result.instrument);
  if (result.stream != nullptr) {
    run->learn_own_address(*result.stream);
    arrival.stream = std::move(result.stream);
  }
  run->record(std::move(result.observation));
  co_return arrival;
}

asio::awaitable<Arrival> handshake_step(std::shared_ptr<Run> run, Approach approach, Arrival arrival) {
  if (arrival.failed_at || approach.security == Security::plain) co_return arrival;
  TlsOptions options;
  options.context = approach.context;
  options.endpoint = approach.endpoint;
  options.server_name = approach.name;
  options.deadline = run->deadline(run->pacing().handshake_deadline, approach.latest);
  const MonotonicTime deadline = options.deadline;
  // connect_step made it, so the stream is the bare connection.
  std::unique_ptr<TcpStream> tcp(static_cast<TcpStream*>(arrival.stream.release()));
  TlsResult result = co_await tls_handshake(run->instrument().trust, run->timeline(), std::move(tcp),
                                            std::move(options));
  run->check_punctual(deadline);
  if (result.observation.failure) {
    arrival.failed_at = Layer::tls;
    arrival.code = result.observation.failure->code;
  }
  arrival.trust = result.observation.trust;
  arrival.stream = std::move(result.stream);
  if (result.chain_cut) run->count_limit("certificates");
  run->record(std::move(result.observation));
  co_return arrival;
}

asio::awaitable<Arrival> round_trip_step(std::shared_ptr<Run> run, Approach approach, Arrival arrival) {
  if (arrival.failed_at) co_return arrival;
  HttpOptions options = http_options(*run, approach, arrival);
  const MonotonicTime deadline = options.deadline;
  HttpResult result = co_await http_round_trip(run->timeline(), *arrival.stream, std::move(options));
  run->check_punctual(deadline);
  arrival.stream.reset();
  if (result.observation.failure) {
    arrival.failed_at = Layer::http;
    arrival.code = result.observation.failure->code;
  }
  arrival.answer.status = result.observation.status;
  arrival.answer.bytes = result.observation.bytes_received;
  arrival.answer.last_byte = result.observation.last_byte.value_or(Microseconds(0));
  arrival.answer.duration = result.observation.duration;
  arrival.answer.location = std::move(result.location);
  arrival.answer.date = std::move(result.date);
  arrival.answer.http3_port = result.http3_port;
  run->count_limits(result.limits);
  run->record(std::move(result.observation));
  co_return arrival;
}

asio::awaitable<Arrival> go(std::shared_ptr<Run> run, Approach approach) {
  const Reach reach = approach.reach;
  Arrival arrival = co_await connect_step(run, approach);
  if (reach == Reach::connect) co_return arrival;
  arrival = co_await handshake_step(run, approach, std::move(arrival));
  if (reach == Reach::handshake) co_return arrival;
  co_return co_await round_trip_step(run, approach, std::move(arrival));
}

}  // namespace kua::probe
