// kua-collector. serve() builds the collector by hand and reads as its diagram:
//
//   probes ──▶ listener ──▶ ingest ──▶ store ──▶ sink (judge, cells) ──▶ desk, public
//                             │          └ commit thread: record log, index
//                             └ networks, cluster keys, enrolled probes, signed lists
//
// One io_context thread owns all state; the store's commit thread is the only other one.
#include <prometheus/registry.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>

#include "collector/command/command_line.h"
#include "collector/config/collector_config.h"
#include "collector/http/desk_access.h"
#include "collector/ingest/ingest.h"
#include "collector/setup/text_file.h"
#include "platform/clock/clock.h"
#include "platform/log/log.h"
#include "protocol/record_codec.h"

namespace kua::collector {
namespace {

namespace asio = boost::asio;
using platform::Log;

constexpr std::chrono::minutes kTendEvery{1};
constexpr std::chrono::seconds kStopMax{15};  // running answers may end; then they are cut off

ExitCode code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::configuration:
    case ErrorKind::invalid_input:
    case ErrorKind::not_found:
    case ErrorKind::permission: return ExitCode::usage;
    case ErrorKind::io:
    case ErrorKind::no_space:
    case ErrorKind::unavailable:
    case ErrorKind::limit:
    case ErrorKind::internal: return ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode complain(const Error& error) {
  std::fprintf(stderr, "kua-collector: %s\n", error.text().c_str());
  return code_of(error);
}

// Stands where the judge will: counts what it is told.
class CountingSink final : public RecordSink {
 public:
  void on_record(const ReceivedRecord&) override { ++records_; }
  void on_heartbeat(const ProbeId&, LinkState, const ReceivedFacts&) override {}
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  std::uint64_t records_ = 0;
};

Expected<ListenerOptions> listener_options(const std::string& name, const ListenerConfig& config,
                                           std::size_t body_bytes_max) {
  ListenerOptions options;
  options.name = name;
  const auto colon = config.address.rfind(':');
  const auto endpoint = Endpoint::parse(config.address.substr(0, colon) + ":1", Transport::tcp);
  if (!endpoint) return fail(ErrorKind::configuration, "'" + config.address + "' is no address", "opening listener " + name);
  options.endpoint = *endpoint;
  options.endpoint.port = static_cast<std::uint16_t>(std::stoul(config.address.substr(colon + 1)));
  if (!config.certificate.empty()) {
    auto certificate = read_text_file(config.certificate);
    if (!certificate) return std::unexpected(certificate.error());
    auto key = read_text_file(config.key);
    if (!key) return std::unexpected(key.error());
    options.certificate_pem = std::move(*certificate);
    options.key_pem = std::move(*key);
  }
  options.body_bytes_max = body_bytes_max;
  options.connections_max = config.connections_max;
  options.idle_max = config.idle_max;
  return options;
}

Expected<std::unique_ptr<HttpServer>> open_listener(asio::io_context& context, Log& log, const std::string& name,
                                                    const ListenerConfig& config, std::size_t body_bytes_max,
                                                    Router router) {
  auto options = listener_options(name, config, body_bytes_max);
  if (!options) return std::unexpected(options.error());
  Endpoint endpoint = options->endpoint;
  auto server = HttpServer::listen(context.get_executor(), std::move(*options), std::move(router));
  if (!server) return server;
  endpoint.port = (*server)->port();
  log.info("listening", {{"name", name}, {"address", endpoint.text()}});
  return server;
}

// What was judged before the stop is judged again, so that cells know what held.
Expected<void> replay(RecordStore& store, RecordSink& sink, WallTime since, Log& log) {
  protocol::RecordReader reader;
  std::uint64_t replayed = 0;
  std::uint64_t unreadable = 0;
  const auto done = store.replay(since, [&](const StoredRecord& stored) {
    auto record = reader.read(stored.json);
    if (!record) {
      ++unreadable;
      return;
    }
    const ReceivedRecord received{std::move(*record), stored.facts};
    sink.on_record(received);
    ++replayed;
  });
  log.info("replayed", {{"records", replayed}, {"unreadable", unreadable}});
  return done;
}

void log_recovery(const RecordStore& store, Log& log) {
  const StoreCounters& counters = store.counters();
  if (counters.torn_bytes > 0) {
    log.warning("unfinished commit set aside", {{"bytes", counters.torn_bytes.load()}});
  }
  if (counters.damaged_bytes > 0) {
    log.error("record log is damaged", {{"bytes", counters.damaged_bytes.load()}});
  }
}

asio::awaitable<void> tend_regularly(Ingest& ingest, asio::steady_timer& timer, Log& log) {
  while (true) {
    timer.expires_after(kTendEvery);
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    if (const auto tended = ingest.tend(); !tended) log.error("tending failed", {{"error", tended.error().text()}});
  }
}

Expected<void> serve(const CollectorConfig& config, Log& log) {
  const platform::SystemClock clock;
  const std::unique_ptr<StoreFiles> files = system_files();
  if (const auto made = files->make_directory(config.state_dir); !made) return made;

  prometheus::Registry registry;
  IngestMetrics metrics(registry);

  auto networks = open_network_databases(config.network_databases);
  if (!networks) return std::unexpected(networks.error());
  auto cluster_keys = ClusterKeys::open(config.state_dir + "/cluster-keys");
  if (!cluster_keys) return std::unexpected(cluster_keys.error());
  auto probes = ProbeRegistry::open(config.state_dir + "/probes.db");
  if (!probes) return std::unexpected(probes.error());
  auto desk_access = DeskAccess::load(config.desk_tokens);
  if (!desk_access) return std::unexpected(desk_access.error());
  ListFiles lists(config.lists_dir);

  StoreOptions store_options{config.state_dir, config.retention_age, config.retention_bytes};
  auto store = RecordStore::open(*files, clock, store_options);
  if (!store) return std::unexpected(store.error());
  log_recovery(**store, log);

  CountingSink sink;
  const WallTime since = clock.wall_now() - config.replay_window;
  if (const auto replayed = replay(**store, sink, since, log); !replayed) return replayed;

  asio::io_context context(1);
  Ingest ingest({clock, **store, *probes, *cluster_keys, **networks, lists, metrics, sink}, config.ingest);
  if (const auto tended = ingest.tend(); !tended) return tended;

  Router probes_router;
  ingest.add_routes(probes_router);
  Router desk_router;
  desk_router.set_gate(desk_access->gate(DeskRole::reader));
  Router public_router;
  auto probes_server = open_listener(context, log, "probes", config.probes, limits::kBatchBytesMax, probes_router);
  if (!probes_server) return std::unexpected(probes_server.error());
  auto desk_server = open_listener(context, log, "desk", config.desk, 0, desk_router);
  if (!desk_server) return std::unexpected(desk_server.error());
  auto public_server = open_listener(context, log, "public", config.public_pages, 0, public_router);
  if (!public_server) return std::unexpected(public_server.error());

  asio::steady_timer tend_timer(context);
  asio::co_spawn(context, tend_regularly(ingest, tend_timer, log), asio::detached);
  bool stopping = false;
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int signal) {
    log.info("stopping", {{"signal", signal}});
    for (HttpServer* server : {probes_server->get(), desk_server->get(), public_server->get()}) server->stop();
    tend_timer.cancel();
    stopping = true;
  });
  while (!stopping) context.run_one();
  context.run_for(kStopMax);
  store->reset();  // commits what is queued
  if (const auto saved = probes->save_sequences(); !saved) return saved;
  log.info("stopped", {{"records", sink.records()}});
  return {};
}

ExitCode run(const ServeCommand& command) {
  auto config = CollectorConfig::load(command.config_file);
  if (!config) return complain(config.error());
  Log log = Log::to_stderr(*platform::parse_log_level(config->log_level));
  const auto served = serve(*config, log);
  if (!served) {
    log.error("stopped", {{"error", served.error().text()}});
    return code_of(served.error());
  }
  return ExitCode::ok;
}

WallTime now() { return platform::SystemClock().wall_now(); }

ExitCode run(const InitOptions& options) {
  const auto link = make_operator_files(options, now());
  if (!link) return complain(link.error());
  if (*link) {
    std::printf("%s\n", (*link)->c_str());
  } else {
    std::fprintf(stderr, "No join link yet: it needs a signed list. See kua-collector link --help.\n");
  }
  std::fprintf(stderr, "Made %s; its README says what lies there.\n", options.directory.c_str());
  return ExitCode::ok;
}

ExitCode run(const LinkOptions& options) {
  const auto link = make_join_link(options, now());
  if (!link) return complain(link.error());
  std::printf("%s\n", link->c_str());
  return ExitCode::ok;
}

ExitCode run(const InviteCommand& command) {
  const auto codes = make_invitations(command.directory, command.count);
  if (!codes) return complain(codes.error());
  for (const std::string& code : *codes) std::printf("%s\n", code.c_str());
  return ExitCode::ok;
}

ExitCode run(const KeygenCommand& command) {
  const auto key = make_list_key(command.out_file);
  if (!key) return complain(key.error());
  std::printf("%s\n", key->c_str());
  return ExitCode::ok;
}

ExitCode run(const SignOptions& options) {
  const auto list = sign_list(options, now());
  if (!list) return complain(list.error());
  std::printf("%s", summary_of(*list).c_str());
  return ExitCode::ok;
}

ExitCode run(const ShowOptions& options) {
  const auto text = show_list(options, now());
  if (!text) return complain(text.error());
  std::printf("%s", text->c_str());
  return ExitCode::ok;
}

}  // namespace
}  // namespace kua::collector

int main(int argc, char** argv) {
  using namespace kua::collector;
  const auto command = parse_command_line(argc, argv);
  if (!command) {
    const bool good = command.error().code == ExitCode::ok;
    std::fputs(command.error().text.c_str(), good ? stdout : stderr);
    return static_cast<int>(command.error().code);
  }
  return static_cast<int>(std::visit([](const auto& options) { return run(options); }, *command));
}
