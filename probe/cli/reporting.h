// What joins a setup to its operator's collector: the uplink by the join link, enrolment, the list.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "probe/cli/exit_code.h"
#include "probe/cli/setup.h"
#include "probe/uplink/uplink.h"

namespace kua::probe {

// The join link's endpoints, through the configured proxy if there is one. Needs setup.membership;
// borrows setup.identity and clock.
[[nodiscard]] Uplink make_uplink(const Setup& setup, boost::asio::any_io_executor executor,
                                 const platform::Clock& clock);

// Enrols and keeps the answer: from now on the vantage knows country and network.
[[nodiscard]] boost::asio::awaitable<Expected<void>> enrol(Setup& setup, Uplink& uplink);

// Asks for a newer list and keeps it; an envelope whose hash the join link names is the minimum list too.
// True when there is a newer list.
[[nodiscard]] boost::asio::awaitable<Expected<bool>> refresh_list(Setup& setup, Uplink& uplink,
                                                                  const platform::Clock& clock);

// `kua-probe join LINK`: stores the link, then enrols and fetches the list if the collector can be reached.
[[nodiscard]] ExitCode join(const ProbeConfig& config, const std::string& link);

}  // namespace kua::probe
