// One HTTP/1.1 GET over a connection that is already there: ordinary browser headers out, a bounded look
// at the answer back. Never follows a redirect and never keeps a whole body.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "measurement/observation.h"
#include "measurement/record.h"
#include "probe/step/http_body.h"
#include "probe/step/tcp_stream.h"
#include "probe/step/timeline.h"

namespace kua::probe {

enum class HttpMethod : std::uint8_t { get, head };

struct HttpOptions {
  StepContext context;  // hop, host and role; the rest is filled in
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::tcp};
  std::string url;        // for the record
  std::string authority;  // Host header
  std::string target;     // request line: path and query
  HttpMethod method = HttpMethod::get;
  enum class Over : std::uint8_t { tcp, tls } over = Over::tcp;
  // A sample is kept for plain HTTP and for status 400 and above; `always` where the chain is untrusted.
  enum class Sample : std::uint8_t { where_suspect, always } sample = Sample::where_suspect;
  BodyLimits body{};
  MonotonicTime deadline;  // absolute
};

struct HttpResult {
  HttpRoundTrip observation;  // present whatever happened; not yet scrubbed
  LimitCounts limits;         // what cut it short, by the names of limits.h
  std::string location;       // of a redirect, as it was sent; empty otherwise
  std::string date;           // Date header as it was sent
  std::optional<std::uint16_t> http3_port;  // where Alt-Svc offers HTTP/3 at this very host
};

// Borrows `stream` until it is done.
[[nodiscard]] boost::asio::awaitable<HttpResult> http_round_trip(Timeline timeline, ByteStream& stream,
                                                                 HttpOptions options);

}  // namespace kua::probe
