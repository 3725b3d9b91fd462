#include "probe/step/farewell.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::uint8_t kEstablished = 1;  // of the kernel's enum tcp_state
// How long a peer may take to end its side: a slow round trip and a busy server.
constexpr Microseconds kFarewellMax{500'000};
// What is under way arrives within a round trip; twice that, and what a busy peer or router may add.
constexpr Microseconds kQuietMin{60'000};
constexpr Microseconds kQuietMax{300'000};

struct Connection {
  std::unique_ptr<AsyncSocket> socket;
  Family family;
  std::shared_ptr<WireTally> tally;
  MonotonicTime deadline;
};

void reset_on_close(int socket) {
  const linger at_once{1, 0};
  (void)::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// Throws away what has come. Says whether more may come.
bool drain(int socket) {
  constexpr std::size_t kAtOnce = 64 * 1024;
  while (true) {
    const ssize_t got = ::recv(socket, nullptr, kAtOnce, MSG_TRUNC | MSG_DONTWAIT);  // tcp(7): discards
    if (got > 0) continue;
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }
}

// A loop that has ended, or is being torn down, plays nobody's farewell.
bool is_over(const asio::any_io_executor& executor) {
  const auto* plain = executor.target<asio::io_context::executor_type>();
  return plain != nullptr && plain->context().stopped();
}

void count(const Connection& connection, Closing how) {
  add_tcp_socket(*connection.tally, connection.socket->descriptor(), connection.family, how);
}

void end(Connection& connection) {
  reset_on_close(connection.socket->descriptor());  // no retransmissions behind our back
  count(connection, Closing::by_reset);
  connection.socket.reset();
  WireTally& tally = *connection.tally;
  if (--tally.farewells == 0 && tally.on_last_farewell) tally.on_last_farewell();
}

asio::awaitable<void> part_in_order(Connection connection) {
  const int socket = connection.socket->descriptor();
  ::shutdown(socket, SHUT_WR);
  bool more = true;
  while (more) {
    const Ready ready = co_await connection.socket->wait(WaitFor::readable, connection.deadline);
    more = drain(socket) && ready == Ready::yes;
  }
  end(connection);
}

asio::awaitable<void> part_when_quiet(Connection connection, Microseconds rest) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  timer.expires_after(rest);
  const auto [cancelled] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  (void)cancelled;
  end(connection);
}

}  // namespace

void bid_farewell(asio::any_io_executor executor, std::unique_ptr<AsyncSocket> socket, Family family,
                  const platform::Clock& clock, std::shared_ptr<WireTally> tally, Farewell how) {
  tcp_info info{};
  socklen_t length = sizeof info;
  const int descriptor = socket->descriptor();
  const bool known = ::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
  // A peer that ended its side sends no more, and one that acknowledges nothing hears no goodbye.
  const bool live = known && info.tcpi_state == kEstablished && info.tcpi_retransmits == 0;
  Connection connection{std::move(socket), family, std::move(tally), clock.monotonic_now() + kFarewellMax};
  if (!live || how == Farewell::immediately || is_over(executor)) {
    const bool orderly = known && info.tcpi_retransmits == 0 && how != Farewell::immediately;
    if (!orderly) reset_on_close(descriptor);
    count(connection, orderly ? Closing::in_order : Closing::by_reset);
    return;
  }
  ++connection.tally->farewells;
  if (how == Farewell::in_order) {
    asio::co_spawn(executor, part_in_order(std::move(connection)), asio::detached);
  } else {
    const Microseconds rest = std::clamp(Microseconds(2 * std::int64_t{info.tcpi_rtt}), kQuietMin, kQuietMax);
    asio::co_spawn(executor, part_when_quiet(std::move(connection), rest), asio::detached);
  }
}

asio::awaitable<void> farewells_said(std::shared_ptr<WireTally> tally) {
  if (tally->farewells == 0) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto timer = std::make_shared<asio::steady_timer>(executor);
  timer->expires_after(2 * kFarewellMax);
  tally->on_last_farewell = [timer] { timer->cancel(); };
  const auto [cancelled] = co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
  (void)cancelled;  // the way it ends
  tally->on_last_farewell = nullptr;
}

}  // namespace kua::probe
