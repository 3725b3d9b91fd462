// QUIC beside TCP: a handshake where a page said over a proven connection that it speaks HTTP/3, and after a
// failure the pairs that tell a name from an address and an address from the whole port.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "probe/experiment/follow_up.h"

namespace kua::probe {

// The main handshakes, where nothing else is in doubt over their family: what failed before leaves them to the
// follow-up. Ends at the first host that fails. Borrows `visits` until it is done.
[[nodiscard]] boost::asio::awaitable<void> try_quic(std::shared_ptr<Run> run, std::vector<Visit>& visits);

// The rest of it in the immediate set, over by its deadline: handshakes that have not been tried, and where
// one failed the retry, the harmless name and the pings, in random order. `visits` are all of the run.
[[nodiscard]] boost::asio::awaitable<void> follow_quic(std::shared_ptr<Run> run, std::vector<Visit> visits);

}  // namespace kua::probe
