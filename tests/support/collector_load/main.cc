// kua-collector-load: plays many probes against one collector on loopback.
//
//   records --port P [--probes N] [--batches N] [--seconds S] [--threads N] [--records N]
//           [--acknowledged FILE] [--retry] [--warm]   batches of measurements as fast as they are taken,
//           after every probe connected and sent one record where it is warm
//   stream  --port P [--probes N] [--seconds S] [--threads N] [--records N] [--acknowledged FILE]
//           ever new batches until the time is over, sent again until they are taken
//   flood   --port P [--probes N] [--days N] [--within SECONDS] [--acknowledged FILE]
//           every probe reconnects once within the time, with so many days of minute summaries
//   corpus  --batches N --out FILE            the batches' NDJSON, for peers that merely store it
//
// Prints one JSON line. Exit 0, 1 when something that had to be taken was not, 2 for wrong usage.
#include <csignal>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <latch>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "platform/clock/clock.h"
#include "platform/compress/compress.h"
#include "protocol/api.h"
#include "protocol/record_codec.h"
#include "tests/support/collector_load/fleet.h"
#include "tests/support/collector_load/https_connection.h"

namespace kua::load {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kLevel = 3;  // the probe's own

struct Options {
  std::map<std::string, std::string> values;
  [[nodiscard]] std::size_t number(const std::string& key, std::size_t fallback) const {
    const auto found = values.find(key);
    return found == values.end() ? fallback : std::stoul(found->second);
  }
  [[nodiscard]] std::string text(const std::string& key) const {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  }
  [[nodiscard]] bool has(const std::string& key) const { return values.contains(key); }
  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(number("port", 0)); }
};

struct Batch {
  std::size_t probe = 0;
  std::size_t records = 0;
  std::size_t bytes = 0;  // NDJSON
  std::string request;
};

// Ids the collector named as stored, one a line, on disk before the next request goes out.
class Acknowledged {
 public:
  explicit Acknowledged(const std::string& path) : file_(path.empty() ? nullptr : std::fopen(path.c_str(), "w")) {}
  ~Acknowledged() {
    if (file_ != nullptr) std::fclose(file_);
  }
  Acknowledged(const Acknowledged&) = delete;
  Acknowledged& operator=(const Acknowledged&) = delete;

  // How many ids the answer names.
  std::size_t take(const std::string& body) {
    const auto answer = protocol::read_batch_answer(body);
    if (!answer) return 0;
    if (file_ != nullptr) {
      const std::lock_guard lock(mutex_);
      for (const std::string& id : answer->accepted) std::fprintf(file_, "%s\n", id.c_str());
      std::fflush(file_);
    }
    return answer->accepted.size();
  }

 private:
  std::FILE* file_;
  std::mutex mutex_;
};

std::string lines_of(Fleet& fleet, const FleetProbe& probe, std::size_t records, WallTime now) {
  std::string lines;
  for (std::size_t i = 0; i < records; ++i) {
    protocol::append_record(fleet.measurement(probe, now - std::chrono::milliseconds(37 * i)), lines);
  }
  return lines;
}

std::vector<Batch> make_batches(Fleet& fleet, std::size_t count, std::size_t records) {
  const WallTime now = platform::SystemClock().wall_now();
  std::vector<Batch> batches(count);
  for (std::size_t i = 0; i < count; ++i) {
    Batch& batch = batches[i];
    batch.probe = i % fleet.probes().size();
    batch.records = records;
    const FleetProbe& probe = fleet.probes()[batch.probe];
    const std::string lines = lines_of(fleet, probe, records, now - std::chrono::seconds(i % 300));
    batch.bytes = lines.size();
    batch.request = signed_post(probe, protocol::kRecordsPath, platform::zstd_compress(lines, kLevel));
  }
  return batches;
}

bool enrol_all(const Fleet& fleet, std::uint16_t port) {
  auto connection = HttpsConnection::open("127.0.0.1", port);
  for (const FleetProbe& probe : fleet.probes()) {
    const auto answer =
        connection ? connection->ask(signed_post(probe, protocol::kEnrolPath, enrolment_of(probe))) : std::nullopt;
    if (!answer || answer->status != 201) {
      std::fprintf(stderr, "enrolment: %s\n", answer ? answer->body.c_str() : "no answer");
      return false;
    }
  }
  return true;
}

// Counts of one run; written by all threads.
struct Tally {
  std::atomic<std::size_t> acknowledged{0};
  std::atomic<std::size_t> refused{0};
  std::atomic<std::size_t> broken{0};
};

using Connections = std::map<std::size_t, HttpsConnection>;  // by probe

// The connection of a batch's probe; nullptr: nobody listens now.
HttpsConnection* connection_of(std::size_t probe, std::uint16_t port, Connections& connections) {
  const auto known = connections.find(probe);
  if (known != connections.end()) return &known->second;
  auto opened = HttpsConnection::open("127.0.0.1", port);
  return opened ? &connections.emplace(probe, std::move(*opened)).first->second : nullptr;
}

// A connection a probe; a batch comes again until it is taken or the time is over.
void send_batches(std::span<const Batch* const> batches, const Options& options, Connections& connections,
                  Steady::time_point end, Acknowledged& acknowledged, Tally& tally) {
  for (const Batch* batch : batches) {
    while (Steady::now() < end) {
      HttpsConnection* connection = connection_of(batch->probe, options.port(), connections);
      if (connection == nullptr) {
        ++tally.broken;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      const auto answer = connection->ask(batch->request);
      if (!answer) connections.erase(batch->probe);
      if (answer && answer->status == 200) {
        tally.acknowledged += acknowledged.take(answer->body);
        break;
      }
      ++(answer ? tally.refused : tally.broken);
      if (!options.has("retry")) break;
    }
  }
}

// The batches of one thread: those of its own probes, so that a probe's connection stays in one hand.
std::vector<const Batch*> share_of(const std::vector<Batch>& batches, std::size_t threads, std::size_t self) {
  std::vector<const Batch*> out;
  for (const Batch& batch : batches) {
    if (batch.probe % threads == self) out.push_back(&batch);
  }
  return out;
}

// Every probe connects and sends one record, so that what comes after finds kept-alive connections.
bool warm_up(Fleet& fleet, const Options& options, std::vector<Connections>& connections, Acknowledged& acknowledged) {
  std::vector<Batch> greetings = make_batches(fleet, fleet.probes().size(), 1);
  Tally tally;
  const auto end = Steady::now() + std::chrono::seconds(60);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    send_batches(share_of(greetings, connections.size(), i), options, connections[i], end, acknowledged, tally);
  }
  return tally.acknowledged == greetings.size();
}

int run_records(const Options& options) {
  Fleet fleet(options.number("probes", 1000), options.number("seed", 1));
  const std::size_t records = options.number("records", 100);
  const std::vector<Batch> batches = make_batches(fleet, options.number("batches", 2000), records);
  Acknowledged acknowledged(options.text("acknowledged"));
  std::vector<Connections> connections(options.number("threads", 8));
  if (!enrol_all(fleet, options.port())) return 1;
  if (options.has("warm") && !warm_up(fleet, options, connections, acknowledged)) return 1;
  std::fprintf(stderr, "ready\n");
  Tally tally;
  const auto begin = Steady::now();
  const auto end = begin + std::chrono::seconds(options.number("seconds", 60));
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    workers.emplace_back([&, i] {
      send_batches(share_of(batches, connections.size(), i), options, connections[i], end, acknowledged, tally);
    });
  }
  for (std::thread& worker : workers) worker.join();
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  std::size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes;
  std::printf("{\"acknowledged\":%zu,\"sent\":%zu,\"refused\":%zu,\"broken\":%zu,\"seconds\":%.3f,\"record_bytes\":%.0f}\n",
              tally.acknowledged.load(), batches.size() * records, tally.refused.load(), tally.broken.load(), seconds,
              static_cast<double>(bytes) / static_cast<double>(batches.size() * records));
  return options.has("retry") || tally.acknowledged == batches.size() * records ? 0 : 1;
}

// One thread's own probes, who never run out of records.
void stream_of(const Options& options, std::size_t self, Steady::time_point end, Acknowledged& acknowledged, Tally& tally,
               std::atomic<bool>& failed, std::latch& ready) {
  const std::size_t threads = options.number("threads", 4);
  Fleet fleet(std::max<std::size_t>(1, options.number("probes", 40) / threads), options.number("seed", 3) + self);
  if (!enrol_all(fleet, options.port())) failed = true;
  ready.arrive_and_wait();
  Connections connections;
  for (std::size_t i = 0; !failed && Steady::now() < end; ++i) {
    const WallTime now = platform::SystemClock().wall_now();
    const std::size_t probe = i % fleet.probes().size();
    const std::string lines = lines_of(fleet, fleet.probes()[probe], options.number("records", 20), now);
    const Batch batch{probe, 0, 0,
                      signed_post(fleet.probes()[probe], protocol::kRecordsPath, platform::zstd_compress(lines, kLevel))};
    const Batch* const one = &batch;
    send_batches({&one, 1}, options, connections, end, acknowledged, tally);
  }
}

int run_stream(Options options) {
  options.values["retry"] = "yes";
  Acknowledged acknowledged(options.text("acknowledged"));
  Tally tally;
  std::atomic<bool> failed{false};
  const std::size_t threads = options.number("threads", 4);
  std::latch ready(static_cast<std::ptrdiff_t>(threads) + 1);
  const auto end = Steady::now() + std::chrono::seconds(options.number("seconds", 10));
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] { stream_of(options, i, end, acknowledged, tally, failed, ready); });
  }
  ready.arrive_and_wait();
  std::fprintf(stderr, "ready\n");
  for (std::thread& worker : workers) worker.join();
  std::printf("{\"acknowledged\":%zu,\"refused\":%zu,\"broken\":%zu}\n", tally.acknowledged.load(), tally.refused.load(),
              tally.broken.load());
  return failed ? 1 : 0;
}

// Each probe's one return, at its own moment.
void return_of(const Options& options, const std::vector<std::string>& requests, std::size_t threads, std::size_t self,
               Steady::time_point begin, Acknowledged& acknowledged, Tally& tally, std::atomic<std::int64_t>& slowest_ms) {
  const auto within = std::chrono::seconds(options.number("within", 60));
  for (std::size_t i = self; i < requests.size(); i += threads) {
    const auto due = begin + within * i / requests.size();
    std::this_thread::sleep_until(due);
    for (int attempt = 0; attempt < 50; ++attempt) {
      auto connection = HttpsConnection::open("127.0.0.1", options.port());
      const auto answer = connection ? connection->ask(requests[i]) : std::nullopt;
      if (answer && answer->status == 200) {
        tally.acknowledged += acknowledged.take(answer->body);
        break;
      }
      ++(answer ? tally.refused : tally.broken);
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - due).count();
    std::int64_t known = slowest_ms;
    while (took > known && !slowest_ms.compare_exchange_weak(known, took)) {
    }
  }
}

int run_flood(const Options& options) {
  Fleet fleet(options.number("probes", 1000), options.number("seed", 2));
  const std::size_t days = options.number("days", 24);
  const WallTime now = platform::SystemClock().wall_now();
  const WallTime today = floor_to(now, std::chrono::hours(24));
  std::vector<std::string> requests;
  for (const FleetProbe& probe : fleet.probes()) {
    std::string lines;
    for (std::size_t day = 0; day < days; ++day) {
      const WallTime begin = today - std::chrono::days(days - day);
      protocol::append_record(fleet.summary(probe, begin, begin + std::chrono::hours(24)), lines);
    }
    requests.push_back(signed_post(probe, protocol::kRecordsPath, platform::zstd_compress(lines, kLevel)));
  }
  if (!enrol_all(fleet, options.port())) return 1;
  std::fprintf(stderr, "ready\n");
  Acknowledged acknowledged(options.text("acknowledged"));
  Tally tally;
  std::atomic<std::int64_t> slowest_ms{0};
  const std::size_t threads = options.number("threads", 32);
  const auto begin = Steady::now();
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i) {
    workers.emplace_back(
        [&, i] { return_of(options, requests, threads, i, begin, acknowledged, tally, slowest_ms); });
  }
  for (std::thread& worker : workers) worker.join();
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  std::printf("{\"acknowledged\":%zu,\"sent\":%zu,\"refused\":%zu,\"broken\":%zu,\"seconds\":%.3f,\"slowest_ms\":%lld}\n",
              tally.acknowledged.load(), requests.size() * days, tally.refused.load(), tally.broken.load(), seconds,
              static_cast<long long>(slowest_ms.load()));
  return tally.acknowledged == requests.size() * days ? 0 : 1;
}

int run_corpus(const Options& options) {
  Fleet fleet(options.number("probes", 100), options.number("seed", 1));
  const WallTime now = platform::SystemClock().wall_now();
  std::FILE* out = std::fopen(options.text("out").c_str(), "w");
  if (out == nullptr) return 2;
  for (std::size_t i = 0; i < options.number("batches", 100); ++i) {
    const std::string lines =
        lines_of(fleet, fleet.probes()[i % fleet.probes().size()], options.number("records", 100), now);
    std::fwrite(lines.data(), 1, lines.size(), out);
  }
  return std::fclose(out) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kua::load

int main(int argc, char** argv) {
  // A collector that was killed closes connections under our hands.
  std::signal(SIGPIPE, SIG_IGN);
  kua::load::Options options;
  for (int i = 2; i < argc; ++i) {
    if (std::strncmp(argv[i], "--", 2) != 0) return 2;
    const std::string key = argv[i] + 2;
    options.values[key] = i + 1 < argc && std::strncmp(argv[i + 1], "--", 2) != 0 ? argv[++i] : "yes";
  }
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "records") return kua::load::run_records(options);
  if (command == "stream") return kua::load::run_stream(options);
  if (command == "flood") return kua::load::run_flood(options);
  if (command == "corpus") return kua::load::run_corpus(options);
  std::fprintf(stderr, "usage: kua-collector-load records|stream|flood|corpus --port P …\n");
  return 2;
}
