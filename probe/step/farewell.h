// The end of a TCP connection, counted. What a server still sends after we have lost interest (session
// tickets, the rest of a window) is paid for, and the kernel forgets a socket's counters when it is closed:
// so a connection is kept for a round trip more, in the background, and closed when nothing more comes.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "probe/step/async_socket.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

enum class Farewell : std::uint8_t {
  in_order,     // says goodbye and reads on until the peer has, too
  when_quiet,   // reads no more, lets what is under way arrive, resets; for a bounded receive buffer only
  immediately,  // resets
};

// Takes over a connection, adds what it cost to `tally` when it has ended, and closes it; a connection
// that cannot bring anything more is counted and closed at once. Borrows `clock` as the socket does.
void bid_farewell(boost::asio::any_io_executor executor, std::unique_ptr<AsyncSocket> socket, Family family,
                  const platform::Clock& clock, std::shared_ptr<WireTally> tally, Farewell how);

// Waits until every connection of the tally is counted: at most kFarewellMax.
[[nodiscard]] boost::asio::awaitable<void> farewells_said(std::shared_ptr<WireTally> tally);

}  // namespace kua::probe
