// kua-collector. serve() builds the collector by hand and reads as its diagram:
//
//   probes ──▶ listener ──▶ ingest ──▶ store ──▶ judge, cells ──▶ desk (metrics, API), public (pages)
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
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "collector/command/command_line.h"
#include "collector/config/collector_config.h"
#include "collector/http/desk_access.h"
#include "collector/ingest/ingest.h"
#include "collector/ingest/listener_metrics.h"
#include "collector/lists/own_lists.h"
#include "collector/serve/serve.h"
#include "collector/setup/text_file.h"
#include "collector/store/log_check.h"
#include "platform/clock/clock.h"
#include "platform/log/log.h"

namespace kua::collector {
namespace {

namespace asio = boost::asio;
using platform::Log;

constexpr std::chrono::minutes kChoresEvery{1};
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
  std::uint64_t replayed = 0;
  const auto done = store.replay(since, [&](StoredRecord stored) {
    sink.on_record({std::move(stored.record), std::move(stored.facts)});
    ++replayed;
  });
  log.info("replayed", {{"records", replayed}});
  return done;
}

void log_recovery(const RecordStore& store, Log& log) {
  const StoreCounters& counters = store.counters();
  if (counters.torn_bytes > 0) {
    log.warning("unfinished commit cut off and set aside",
                {{"bytes", counters.torn_bytes.load()}, {"not_kept", counters.torn_bytes_lost.load()}});
  }
  if (counters.damaged_bytes > 0) {
    log.error("record log is damaged", {{"bytes", counters.damaged_bytes.load()}});
  }
}

void take_lists(OwnLists& own, Serve& shown, Log& log) {
  if (!own.changed()) return;
  const OwnLists::Loaded loaded = own.load();
  for (const Error& error : loaded.errors) log.warning("a target list is left out", {{"error", error.text()}});
  shown.set_lists(loaded.lists);
  log.info("target lists", {{"count", loaded.lists.size()}});
}

ServeOptions serve_options(const CollectorConfig& config) {
  ServeOptions options;
  options.rule.min_clusters = static_cast<std::uint32_t>(config.publish_min_clusters);
  options.operator_name = config.operator_name;
  options.build = {KUA_VERSION, KUA_REVISION, __VERSION__};
  options.max_series = config.max_series;
  options.cells = config.cells;
  const bool any = std::ranges::find(config.controls, "any") != config.controls.end();
  if (!any && !(config.controls.empty() && options.rule.is_local())) {
    options.judge.controls.emplace();
    for (const std::string& id : config.controls) options.judge.controls->insert(*ProbeId::parse(id));
  }
  options.scale_time(config.time_scale);
  return options;
}

// What is done once a minute.
struct Chores {
  Ingest& ingest;
  OwnLists& own_lists;
  Serve& shown;
  Log& log;
};

asio::awaitable<void> do_chores(Chores& chores, asio::steady_timer& timer) {
  while (true) {
    timer.expires_after(kChoresEvery);
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    if (const auto tended = chores.ingest.tend(); !tended) {
      chores.log.error("tending failed", {{"error", tended.error().text()}});
    }
    take_lists(chores.own_lists, chores.shown, chores.log);
    chores.shown.tick();
  }
}

struct Listeners {
  std::unique_ptr<HttpServer> probes;
  std::unique_ptr<HttpServer> desk;
  std::unique_ptr<HttpServer> pages;

  [[nodiscard]] std::vector<const HttpServer*> all() const { return {probes.get(), desk.get(), pages.get()}; }
  void stop() {
    for (HttpServer* server : {probes.get(), desk.get(), pages.get()}) server->stop();
  }
};

Expected<Listeners> open_listeners(asio::io_context& context, Log& log, const CollectorConfig& config,
                                   const DeskAccess& desk_access, Ingest& ingest, Serve& shown) {
  Router for_probes;
  ingest.add_routes(for_probes);
  Router for_desk;
  for_desk.set_gate(desk_access.gate(DeskRole::reader));
  shown.add_desk_routes(for_desk);
  Router for_public;
  shown.add_public_routes(for_public);
  Listeners out;
  auto probes = open_listener(context, log, "probes", config.probes, limits::kBatchBytesMax, for_probes);
  if (!probes) return std::unexpected(probes.error());
  out.probes = std::move(*probes);
  auto desk = open_listener(context, log, "desk", config.desk, 0, for_desk);
  if (!desk) return std::unexpected(desk.error());
  out.desk = std::move(*desk);
  auto pages = open_listener(context, log, "public", config.public_pages, 0, for_public);
  if (!pages) return std::unexpected(pages.error());
  out.pages = std::move(*pages);
  return out;
}

// Runs until SIGTERM or SIGINT; then running answers may end.
void run_until_signal(asio::io_context& context, Listeners& listeners, Chores& chores) {
  asio::steady_timer chores_timer(context);
  asio::co_spawn(context, do_chores(chores, chores_timer), asio::detached);
  bool stopping = false;
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int signal) {
    chores.log.info("stopping", {{"signal", signal}});
    listeners.stop();
    chores_timer.cancel();
    stopping = true;
  });
  while (!stopping) context.run_one();
  context.run_for(kStopMax);
}

Expected<void> serve(const CollectorConfig& config, Log& log) {
  const platform::SystemClock clock;
  const std::unique_ptr<StoreFiles> files = system_files();
  if (const auto made = files->make_directory(config.state_dir); !made) return made;

  prometheus::Registry registry;
  IngestMetrics metrics(registry);
  ListenerMetrics listener_metrics(registry);

  auto networks = open_network_databases(config.network_databases);
  if (!networks) return std::unexpected(networks.error());
  auto cluster_keys = ClusterKeys::open(config.state_dir + "/cluster-keys");
  if (!cluster_keys) return std::unexpected(cluster_keys.error());
  auto probes = ProbeRegistry::open(config.state_dir + "/probes.db");
  if (!probes) return std::unexpected(probes.error());
  auto desk_access = DeskAccess::load(config.desk_tokens);
  if (!desk_access) return std::unexpected(desk_access.error());
  ListFiles lists(config.lists_dir);
  OwnLists own_lists(config.lists_dir);

  const StoreOptions store_options{config.state_dir, config.retention_age, config.retention_bytes,
                                   config.free_bytes_min};
  auto store = RecordStore::open(*files, clock, store_options);
  if (!store) return std::unexpected(store.error());

  Serve shown(serve_options(config), registry, **store, clock);
  take_lists(own_lists, shown, log);
  const WallTime since = clock.wall_now() - config.replay_window;
  if (const auto replayed = replay(**store, shown.sink(), since, log); !replayed) return replayed;
  shown.live();
  log_recovery(**store, log);

  IngestOptions ingest_options = config.ingest;
  ingest_options.scale_time(config.time_scale);

  asio::io_context context(1);
  Ingest ingest({clock, **store, *probes, *cluster_keys, **networks, lists, metrics, shown.sink()}, ingest_options);
  if (const auto tended = ingest.tend(); !tended) return tended;
  auto listeners = open_listeners(context, log, config, *desk_access, ingest, shown);
  if (!listeners) return std::unexpected(listeners.error());
  shown.add_metric_source([&](Families&) {
    metrics.refresh(**store, probes->size());
    listener_metrics.refresh(listeners->all());
  });

  Chores chores{ingest, own_lists, shown, log};
  run_until_signal(context, *listeners, chores);
  store->reset();  // commits what is queued
  if (const auto saved = probes->save_sequences(); !saved) return saved;
  log.info("stopped");
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
  const auto done = sign_list(options, now());
  if (!done) return complain(done.error());
  std::printf("%s%s", summary_of(done->list).c_str(), summary_of(done->skipped).c_str());
  return ExitCode::ok;
}

ExitCode run(const ShowOptions& options) {
  const auto text = show_list(options, now());
  if (!text) return complain(text.error());
  std::printf("%s", text->c_str());
  return ExitCode::ok;
}

std::string percent_of(std::uint64_t done, std::uint64_t all) {
  return std::to_string(all == 0 ? 100 : done * 100 / all) + " %";
}

void print(const std::string& file, const LogCheck& check) {
  std::printf("%s: %" PRIu64 " records; batches: %" PRIu64 " signed, %" PRIu64 " forged, %" PRIu64 " unsigned; %" PRIu64
              " damaged bytes, %" PRIu64 " unreadable lines\n",
              file.c_str(), check.records, check.signed_batches, check.forged_batches, check.unsigned_batches,
              check.damaged_bytes, check.unreadable_lines);
}

ExitCode run(const VerifyCommand& command) {
  const auto files = system_files();
  const bool shows = ::isatty(STDERR_FILENO) == 1;
  ExitCode code = ExitCode::ok;
  for (const std::string& file : command.files) {
    const auto checked = check_log(*files, file, [&](std::uint64_t done, std::uint64_t all) {
      if (shows) std::fprintf(stderr, "\r%s: %s\r", file.c_str(), percent_of(done, all).c_str());
    });
    if (!checked) {
      (void)complain(checked.error());
      return ExitCode::failed;
    }
    print(file, *checked);
    if (checked->forged_batches > 0) {
      code = ExitCode::failed;
    } else if (!checked->is_clean() && code == ExitCode::ok) {
      code = ExitCode::incomplete;
    }
  }
  return code;
}

ExitCode code_of(ReadThrough read) {
  switch (read) {
    case ReadThrough::whole: return ExitCode::ok;
    case ReadThrough::in_part: return ExitCode::incomplete;
  }
  return ExitCode::failed;
}

ExitCode run(const JudgeCommand& command) {
  const auto done = judge_files(command, stdout, stderr);
  return done ? code_of(*done) : complain(done.error());
}

ExitCode run(const ImportOoniCommand& command) {
  const auto done = import_ooni(command, stdout, stderr);
  return done ? code_of(*done) : complain(done.error());
}

ExitCode run(const ExportOoniCommand& command) {
  const auto done = export_ooni(command, stdout, stderr);
  return done ? code_of(*done) : complain(done.error());
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
