// One event loop for a test: servers on loopback and the coroutine under test live on it together, so
// that a test has one thread and no sleep.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace kua::test {

class Loop {
 public:
  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

  // Runs `task` to its end; throws what it threw, and std::runtime_error when it hangs.
  template <typename T>
  T run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    std::exception_ptr problem;
    bool ended = false;
    boost::asio::co_spawn(context_, std::move(task), [&](std::exception_ptr thrown, T value) {
      problem = thrown;
      result.emplace(std::move(value));
      ended = true;
    });
    const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    context_.restart();
    while (!ended && std::chrono::steady_clock::now() < latest) {
      context_.run_one_for(std::chrono::seconds(1));
    }
    if (!ended) throw std::runtime_error("the coroutine hangs");
    if (problem) std::rethrow_exception(problem);
    return std::move(*result);
  }

 private:
  boost::asio::io_context context_;
};

}  // namespace kua::test
