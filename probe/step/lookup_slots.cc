#include "probe/step/lookup_slots.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "probe/limits.h"

namespace kua::probe {

namespace asio = boost::asio;

// A waiter's place in the queue, left when it goes.
struct LookupSlots::Waiting {
  Waiting(LookupSlots& slots_in, asio::steady_timer& timer_in) : slots(slots_in), timer(timer_in) {
    slots.waiting_.push_back(&timer);
  }
  ~Waiting() {
    std::erase(slots.waiting_, &timer);
    slots.wake_first();  // this one may have been woken and dropped before it ran
  }
  LookupSlots& slots;
  asio::steady_timer& timer;
};

asio::awaitable<void> LookupSlots::wait_for_place() {
  if (open_ < kLookupsOpenMax && waiting_.empty()) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  const Waiting waiting(*this, timer);
  while (open_ >= kLookupsOpenMax || waiting_.front() != &timer) {
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void LookupSlots::give_back() {
  --open_;
  wake_first();
}

void LookupSlots::wake_first() {
  if (!over_ && open_ < kLookupsOpenMax && !waiting_.empty()) waiting_.front()->cancel();
}

}  // namespace kua::probe
