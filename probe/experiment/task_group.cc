#include "probe/experiment/task_group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <utility>

namespace kua::probe {

namespace asio = boost::asio;

struct TaskGroup::State {
  explicit State(asio::any_io_executor executor_in) : executor(executor_in), all_done(executor_in) {}
  asio::any_io_executor executor;
  asio::steady_timer all_done;  // never expires; cancelled when the last task ends
  std::list<asio::cancellation_signal> signals;
  int running = 0;
  std::exception_ptr problem;
};

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {
  state_->all_done.expires_at(asio::steady_timer::time_point::max());
}

TaskGroup::~TaskGroup() {
  if (state_->running == 0) return;
  for (asio::cancellation_signal& signal : state_->signals) {
    signal.emit(asio::cancellation_type::terminal);
  }
}

void TaskGroup::spawn(asio::awaitable<void> task) {
  ++state_->running;
  asio::cancellation_signal& signal = state_->signals.emplace_back();
  auto ended = [state = state_](std::exception_ptr problem) {
    if (problem && !state->problem) state->problem = problem;
    if (--state->running == 0) state->all_done.cancel();
  };
  asio::co_spawn(state_->executor, std::move(task),
                 asio::bind_cancellation_slot(signal.slot(), std::move(ended)));
}

asio::awaitable<void> TaskGroup::join() {
  const std::shared_ptr<State> state = state_;
  if (state->running > 0) {
    const auto [cancelled] = co_await state->all_done.async_wait(asio::as_tuple(asio::use_awaitable));
    (void)cancelled;  // the way it ends
  }
  if (state->problem) std::rethrow_exception(std::exchange(state->problem, nullptr));
}

}  // namespace kua::probe
