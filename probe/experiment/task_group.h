// Coroutines that run side by side and are waited for together. Destroying the group cancels what still
// runs; such a task ends at its next wait, so it must own what it touches.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

namespace kua::probe {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(boost::asio::awaitable<void> task);
  // Until every task has ended. An exception of a task is thrown here.
  [[nodiscard]] boost::asio::awaitable<void> join();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kua::probe
