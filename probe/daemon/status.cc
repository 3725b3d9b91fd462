#include "probe/daemon/status.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "probe/limits.h"
#include "protocol/json_writer.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

class Server final : public StatusServer {
 public:
  Server(stream_protocol::acceptor acceptor, std::function<std::string()> answer)
      : acceptor_(std::move(acceptor)), answer_(std::move(answer)) {}

  asio::awaitable<void> run() override {
    for (;;) {
      auto [problem, peer] = co_await acceptor_.async_accept(kAwait);
      if (problem) co_return;
      const std::string text = answer_();
      // A reader who does not read holds nobody up: the text fits the socket's buffer or is cut.
      peer.non_blocking(true, problem);
      const auto buffer = asio::buffer(text);
      (void)peer.write_some(buffer, problem);
    }
  }

 private:
  stream_protocol::acceptor acceptor_;
  std::function<std::string()> answer_;
};

void write_spool(protocol::JsonWriter& json, Spool& spool) {
  const auto level = spool.level();
  if (!level) return;
  json.object("spool");
  json.number("records", level->records);
  json.number("bytes", level->bytes);
  json.number("held_in_memory", level->held);
  if (level->oldest) json.text("oldest", to_rfc3339(*level->oldest));
  json.object("losses");
  for (const auto& [name, times] : level->losses) json.number(name, times);
  json.end_object();
  json.end_object();
}

void write_list(protocol::JsonWriter& json, const Parts& parts) {
  const WallTime now = parts.clock.wall_now();
  json.object("list");
  json.text("standing", to_string(parts.setup.lists.standing(now)));
  if (const auto* list = parts.setup.lists.list()) {
    json.number("serial", list->serial);
    json.text("expires", to_rfc3339(list->expires));
  }
  for (const Tier tier : {Tier::key, Tier::core, Tier::full}) {
    json.number(to_string(tier), parts.schedule.target_count(tier));
  }
  json.end_object();
}

void write_reports(protocol::JsonWriter& json, const Parts& parts, const ReportLoop* reports) {
  json.object("reports");
  json.text("operator", parts.setup.membership ? parts.setup.membership->link.operator_name : "");
  json.flag("on", reports != nullptr);
  if (reports != nullptr) {
    const ReportLoop::Facts& facts = reports->facts();
    json.flag("enrolled", facts.enrolled);
    json.number("accepted", facts.records_accepted);
    json.number("rejected", facts.records_rejected);
    json.number("wrong_pins", facts.wrong_pins);
    json.flag("backlog_waits", facts.backlog_waits);
    if (facts.delivered) json.text("last_delivery", to_rfc3339(*facts.delivered));
    if (facts.trouble) json.text("trouble", *facts.trouble);
  }
  json.end_object();
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

}  // namespace

std::string write_status(Parts& parts, const LineWatch& line, const ReportLoop* reports, WallTime started) {
  std::string out;
  protocol::JsonWriter json(out);
  json.begin_object();
  json.text("software", kSoftware);
  json.number("process", ::getpid());
  json.text("probe", parts.setup.identity.id.text());
  json.text("role", to_string(parts.setup.config.role));
  json.text("started", to_rfc3339(started));
  json.object("line");
  json.text("state", to_string(line.state()));
  json.text("since", to_rfc3339(line.since()));
  json.flag("measuring", line.fit());
  json.flag("vpn", parts.setup.vantage.faults.vpn);
  json.flag("clock_wrong", parts.setup.vantage.faults.clock_wrong);
  json.flag("ipv6_broken", parts.setup.vantage.faults.ipv6_broken);
  json.flag("tls_inspected", parts.setup.vantage.faults.tls_inspected);
  json.text("country", parts.setup.vantage.country.text());
  json.number("asn", parts.setup.vantage.asn.number);
  json.text("network_type", to_string(parts.setup.vantage.network_type));
  json.text("resolver_class", to_string(parts.setup.vantage.resolver_class));
  json.end_object();
  json.object("budget");
  json.text("profile", to_string(profile_now(parts.setup)));
  json.number("bytes_today", parts.budget.used(parts.budget_now()));
  json.number("bytes_per_day", parts.budget.bytes_per_day());
  json.number("sums_refused", parts.budget.sums_refused());
  json.number("running", parts.schedule.running());
  json.number("advice_ignored", parts.schedule.ignored_advice());
  json.number("targets_left_out", parts.schedule.left_out());
  json.end_object();
  write_list(json, parts);
  write_reports(json, parts, reports);
  write_spool(json, parts.spool);
  json.end_object();
  out.push_back('\n');
  return out;
}

Expected<std::unique_ptr<StatusServer>> StatusServer::listen(asio::any_io_executor executor,
                                                             const std::string& path,
                                                             std::function<std::string()> answer) {
  const std::string doing = "listening on " + path;
  if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return fail(ErrorKind::io, "the path is longer than a socket's name may be", doing);
  }
  ::unlink(path.c_str());
  boost::system::error_code problem;
  stream_protocol::acceptor acceptor(executor);
  acceptor.open(stream_protocol(), problem);
  const mode_t before = ::umask(0177);  // nobody else may open it, not even for a moment
  if (!problem) acceptor.bind(stream_protocol::endpoint(path), problem);
  ::umask(before);
  if (!problem) acceptor.listen(8, problem);
  if (problem) return fail(ErrorKind::io, problem.message(), doing);
  return std::make_unique<Server>(std::move(acceptor), std::move(answer));
}

Expected<std::string> ask_status(const std::string& path) {
  const std::string doing = "asking the running probe at " + path;
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(ErrorKind::io, std::strerror(errno), doing);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_un address = address_of(path);
  std::string text;
  int problem = 0;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) problem = errno;
  std::array<char, 4096> chunk{};
  while (problem == 0 && text.size() < kStatusAnswerBytesMax) {
    const ssize_t got = ::recv(socket, chunk.data(), chunk.size(), 0);
    if (got < 0) problem = errno;
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  ::close(socket);
  if (problem == EACCES) return fail(ErrorKind::permission, "it runs as another user", doing);
  if (problem != 0) return fail(ErrorKind::unavailable, "no kua-probe is running", doing);
  return text;
}

}  // namespace kua::probe
