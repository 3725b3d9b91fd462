// Two ways of merely storing what a collector takes, for comparison in the same run. Both read the NDJSON
// of `kua-collector-load corpus` before the clock starts.
//
//   sqlite FILE DIR           one row a record, WAL, synchronous=FULL, one commit for each batch of 100
//   jetstream FILE URL PID    messages of 64 kB to a JetStream stream with file storage; CPU of process PID
//
// Prints one JSON line: records, seconds, CPU seconds of whoever stored them.
#include <nats/nats.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kBatchRecords = 100;
constexpr std::size_t kMessageBytes = 64 * 1024;
constexpr std::int64_t kPublishPendingMax = 256;

[[noreturn]] void give_up(const char* what, const char* why) {
  std::fprintf(stderr, "%s: %s\n", what, why);
  std::exit(1);
}

double seconds_of(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double cpu_seconds_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string read_all(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// The value of a text member, as an application that keeps a row a record would index it.
std::string_view member(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  const auto begin = at + key.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

void report(std::size_t records, std::chrono::steady_clock::time_point begin, double cpu_seconds) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("{\"records\":%zu,\"seconds\":%.3f,\"cpu_seconds\":%.3f}\n", records, seconds, cpu_seconds);
}

void execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) give_up(sql, sqlite3_errmsg(database));
}

int store_in_sqlite(const char* corpus, const std::string& directory) {
  const std::string text = read_all(corpus);
  const auto lines = lines_of(text);
  sqlite3* database = nullptr;
  if (sqlite3_open((directory + "/rows.db").c_str(), &database) != SQLITE_OK) give_up("open", sqlite3_errmsg(database));
  execute(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
  execute(database, "CREATE TABLE records(id TEXT PRIMARY KEY, time TEXT, probe TEXT, target TEXT, record TEXT)");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT INTO records VALUES(?, ?, ?, ?, ?)", -1, &insert, nullptr);
  const auto bind = [&](int index, std::string_view value) {
    sqlite3_bind_text(insert, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  };
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = own_cpu_seconds();
  for (std::size_t i = 0; i < lines.size(); i += kBatchRecords) {
    execute(database, "BEGIN");
    for (std::size_t k = i; k < std::min(i + kBatchRecords, lines.size()); ++k) {
      bind(1, member(lines[k], "\"id\":\""));
      bind(2, member(lines[k], "\"time\":\""));
      bind(3, member(lines[k], "\"probe\":\""));
      bind(4, member(lines[k], "\"target\":\""));
      bind(5, lines[k]);
      if (sqlite3_step(insert) != SQLITE_DONE) give_up("insert", sqlite3_errmsg(database));
      sqlite3_reset(insert);
    }
    execute(database, "COMMIT");
  }
  report(lines.size(), begin, own_cpu_seconds() - cpu);
  sqlite3_finalize(insert);
  sqlite3_close(database);
  return 0;
}

void check(natsStatus status, const char* what) {
  if (status != NATS_OK) give_up(what, natsStatus_GetText(status));
}

int store_in_jetstream(const char* corpus, const char* url, const std::string& pid) {
  const std::string text = read_all(corpus);
  std::vector<std::string> messages(1);
  std::size_t records = 0;
  for (const std::string_view line : lines_of(text)) {
    if (messages.back().size() + line.size() > kMessageBytes) messages.emplace_back();
    messages.back().append(line).push_back('\n');
    ++records;
  }
  natsConnection* connection = nullptr;
  jsCtx* stream = nullptr;
  jsOptions options;
  jsErrCode code{};
  check(natsConnection_ConnectTo(&connection, url), "connecting");
  jsOptions_Init(&options);
  options.PublishAsync.MaxPending = kPublishPendingMax;
  options.PublishAsync.StallWait = 10'000;
  check(natsConnection_JetStream(&stream, connection, &options), "JetStream");
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subjects[] = {"records"};
  config.Name = "RECORDS";
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  check(js_AddStream(nullptr, stream, &config, nullptr, &code), "adding the stream");
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds_of(pid);
  for (const std::string& message : messages) {
    check(js_PublishAsync(stream, "records", message.data(), static_cast<int>(message.size()), nullptr), "publishing");
  }
  jsPubOptions patience;
  jsPubOptions_Init(&patience);
  patience.MaxWait = 60'000;
  check(js_PublishAsyncComplete(stream, &patience), "waiting for acknowledgements");
  report(records, begin, cpu_seconds_of(pid) - cpu);
  jsCtx_Destroy(stream);
  natsConnection_Destroy(connection);
  nats_Close();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "sqlite") == 0) return store_in_sqlite(argv[2], argv[3]);
  if (argc == 5 && std::strcmp(argv[1], "jetstream") == 0) return store_in_jetstream(argv[2], argv[3], argv[4]);
  std::fprintf(stderr, "usage: store_peers sqlite FILE DIR | jetstream FILE URL PID\n");
  return 2;
}
