// What is asked when something failed: the pairs and retries that tell a name from an address, an
// injector from a resolver, and a moment's fault from a lasting one. Random order, one bound for all.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "probe/experiment/site.h"

namespace kua::probe {

// A hop that was measured.
struct Visit {
  Site site;
  SiteFacts facts;
};

// Waits for second answers of the lookups, where the depth or a doubt makes them worth it. One that came
// and differs is a doubt of its own. Borrows `visits` until it is done.
[[nodiscard]] boost::asio::awaitable<void> settle_lookups(std::shared_ptr<Run> run,
                                                          std::vector<Visit>& visits);

// What `granted` allows: the immediate set, and with FollowUp::all the deferred one after its rests. With
// FollowUp::none only the addresses are gone to that trusted resolvers gave already. Nothing without a doubt.
[[nodiscard]] boost::asio::awaitable<void> follow_up(std::shared_ptr<Run> run, std::vector<Visit> visits,
                                                     FollowUp granted);

// Until all connections of the run are counted: half a second at most.
[[nodiscard]] boost::asio::awaitable<void> bytes_counted(std::shared_ptr<Run> run);

[[nodiscard]] boost::asio::awaitable<void> rest_until(std::shared_ptr<Run> run, MonotonicTime instant);

}  // namespace kua::probe
