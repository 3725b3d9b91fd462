// How many c-ares channels may be open at once in one io_context: each takes 75 kB. What comes later waits
// its turn, in order. A service of the context, so that every lookup on it counts, whoever started it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>

namespace kua::probe {

class LookupSlots final : public boost::asio::execution_context::service {
 public:
  using key_type = LookupSlots;
  static inline boost::asio::execution_context::id id;
  explicit LookupSlots(boost::asio::execution_context& context) : service(context) {}

  // One place; given back by destruction.
  class Slot {
   public:
    explicit Slot(LookupSlots& slots) : slots_(slots) { ++slots_.open_; }
    ~Slot() { slots_.give_back(); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

   private:
    LookupSlots& slots_;
  };

  // Returns once there is a place; the caller takes it in the next statement, without waiting between.
  // Dropping the awaitable leaves the queue.
  [[nodiscard]] boost::asio::awaitable<void> wait_for_place();

 private:
  struct Waiting;
  void shutdown() noexcept override { over_ = true; }  // coroutines are torn down later and end their slots
  void give_back();
  void wake_first();

  std::size_t open_ = 0;
  std::deque<boost::asio::steady_timer*> waiting_;
  bool over_ = false;
};

}  // namespace kua::probe
