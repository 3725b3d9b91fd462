// What the running probe tells about itself, over a local socket that only its own user may open. There
// is no history in it: who looks over the owner's shoulder learns how the probe works, not what it saw.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "measurement/error.h"
#include "probe/daemon/line_watch.h"
#include "probe/daemon/parts.h"
#include "probe/daemon/report_loop.h"

namespace kua::probe {

// One JSON object, a line.
[[nodiscard]] std::string write_status(Parts& parts, const LineWatch& line, const ReportLoop* reports,
                                       WallTime started);

class StatusServer {
 public:
  // Removes what an earlier process left at `path`. Errors: io.
  [[nodiscard]] static Expected<std::unique_ptr<StatusServer>> listen(boost::asio::any_io_executor executor,
                                                                      const std::string& path,
                                                                      std::function<std::string()> answer);
  virtual ~StatusServer() = default;
  // Answers whoever connects with one text and closes.
  [[nodiscard]] virtual boost::asio::awaitable<void> run() = 0;
};

// Asks the server at `path`. Errors: unavailable when nobody listens.
[[nodiscard]] Expected<std::string> ask_status(const std::string& path);

}  // namespace kua::probe
