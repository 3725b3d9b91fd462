#include "collector/ingest/store_answer.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kua::collector {
namespace {

namespace asio = boost::asio;

// A timer that never expires is the condition variable of a coroutine.
struct Rendezvous {
  explicit Rendezvous(const asio::any_io_executor& executor)
      : answered(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer answered;
  std::optional<AppendResult> result;
};

}  // namespace

asio::awaitable<AppendResult> append_and_wait(RecordStore& store, AppendBatch batch) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto shared = std::make_shared<Rendezvous>(executor);
  const auto on_commit = [shared, executor](AppendResult result) {
    // Runs on the commit thread: only the post may happen there.
    auto moved = std::make_shared<AppendResult>(std::move(result));
    asio::post(executor, [shared, moved] {
      shared->result = std::move(*moved);
      shared->answered.cancel();
    });
  };
  if (!store.append(std::move(batch), on_commit)) {
    co_return fail(ErrorKind::unavailable, "too much is waiting to be written", "storing records");
  }
  while (!shared->result) {
    co_await shared->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return std::move(*shared->result);
}

}  // namespace kua::collector
