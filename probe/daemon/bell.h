// Lets one coroutine of the loop sleep until a time has passed or another one rings. A ring while nobody
// sleeps is remembered.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "measurement/time.h"

namespace kua::probe {

class Bell {
 public:
  explicit Bell(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {}

  void ring() {
    rung_ = true;
    timer_.cancel();
  }

  // Whether it was rung.
  boost::asio::awaitable<bool> wait(Microseconds at_most) {
    if (!rung_) {
      timer_.expires_after(at_most);
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    co_return std::exchange(rung_, false);
  }

 private:
  boost::asio::steady_timer timer_;
  bool rung_ = false;
};

}  // namespace kua::probe
