// Waiting for the commit thread inside a coroutine of the state thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "collector/store/record_store.h"

namespace kua::collector {

// Resumes on the coroutine's executor, in order of commit. Error unavailable at once when the store's
// queue is full. The batch's views must outlive the awaitable.
[[nodiscard]] boost::asio::awaitable<AppendResult> append_and_wait(RecordStore& store, AppendBatch batch);

}  // namespace kua::collector
