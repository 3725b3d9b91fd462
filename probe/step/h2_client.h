// A few GETs over one HTTP/2 connection, as DoH needs them: side by side, bodies bounded, nothing pushed.
// For the files of this folder only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/step/tcp_stream.h"
#include "probe/step/timeline.h"

namespace kua::probe {

struct H2Request {
  std::string authority;
  std::string path;
  std::string accept;
};

struct H2Response {
  std::optional<int> status;
  std::string content_type;
  std::string body;
  bool complete = false;   // the stream was closed in order
  bool truncated = false;  // the body was longer than the limit
  Microseconds ended{0};   // offset in the measurement
};

struct H2Result {
  std::vector<H2Response> responses;   // by request
  std::optional<FailureCode> failure;  // of the connection, before all were complete
};

// Borrows `stream`, on which nothing was sent yet, until it is done.
[[nodiscard]] boost::asio::awaitable<H2Result> h2_get(Timeline timeline, ByteStream& stream,
                                                      std::vector<H2Request> requests,
                                                      MonotonicTime deadline);

}  // namespace kua::probe
