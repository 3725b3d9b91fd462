// A disk that is really full: the spool on a tmpfs of eight megabytes, in a mount namespace of a child.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "probe/limits.h"
#include "probe/spool/spool.h"
#include "tests/unit/probe/records.h"
#include "tests/unit/probe/temporary_directory.h"

namespace kua::probe {
namespace {

constexpr int kNoNamespaces = 77;
constexpr int kBroken = 1;

// The child has no test framework to talk to: it says what does not hold and ends.
#define HOLDS(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      return kBroken;                                                                     \
    }                                                                                     \
  } while (false)

Expected<Spool> open_spool(const std::string& folder) {
  return Spool::open(folder + "/spool.db", {.bytes_max = 50'000'000, .age_max = std::chrono::hours(24)});
}

// Takes all the room there is.
void fill(const std::string& file) {
  const int out = ::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string block(4096, 'x');
  while (::write(out, block.data(), block.size()) > 0) {
  }
  ::close(out);
}

std::uint64_t lost(const Spool::Level& level) {
  const auto found = level.losses.find(std::string(loss::kNoSpace));
  return found == level.losses.end() ? 0 : found->second;
}

int survive(const std::string& folder) {
  constexpr std::uint64_t kRoomy = 20;
  constexpr std::uint64_t kCrowded = 2000;
  std::uint64_t number = 0;
  const auto append = [&](Spool& spool) { return spool.append(some_measurement(number++, Tier::key, 1000)); };
  {
    auto spool = open_spool(folder);
    HOLDS(spool.has_value());
    while (number < kRoomy) HOLDS(append(*spool).has_value());
    fill(folder + "/ballast");
    std::uint64_t refused = 0;
    while (number < kRoomy + kCrowded) {
      const auto appended = append(*spool);
      if (appended) continue;
      HOLDS(appended.error().kind == ErrorKind::no_space);
      ++refused;
    }
    HOLDS(refused > kCrowded / 2);
    const auto full = spool->level();
    HOLDS(full.has_value() && full->held > 0);
    // Until there is room again, what was on the disk can be read and sent.
    const auto batch = spool->next_batch(10, 1'000'000);
    HOLDS(batch.has_value() && batch->size() == 10);

    std::filesystem::remove(folder + "/ballast");
    HOLDS(append(*spool).has_value());
    const auto roomy = spool->level();
    HOLDS(roomy.has_value() && roomy->held == 0);
    HOLDS(lost(*roomy) > 0);
    HOLDS(roomy->records + lost(*roomy) == number);
    std::printf("%llu records: %llu refused, %llu kept, %llu counted as lost\n",
                static_cast<unsigned long long>(number), static_cast<unsigned long long>(refused),
                static_cast<unsigned long long>(roomy->records), static_cast<unsigned long long>(lost(*roomy)));
  }
  const auto again = open_spool(folder);
  HOLDS(again.has_value() && again->notices().empty());
  return 0;
}

// A process that ends while the disk is full: what it held in memory is counted by the next.
int end_full(const std::string& folder) {
  constexpr std::uint64_t kRoomy = 20;
  constexpr std::uint64_t kCrowded = 2000;
  std::uint64_t number = 0;
  const auto append = [&](Spool& spool) { return spool.append(some_measurement(number++, Tier::key, 1000)); };
  std::uint64_t held = 0;
  {
    auto spool = open_spool(folder);
    HOLDS(spool.has_value());
    while (number < kRoomy) HOLDS(append(*spool).has_value());
    fill(folder + "/ballast");
    while (number < kRoomy + kCrowded) (void)append(*spool);
    const auto full = spool->level();
    HOLDS(full.has_value() && full->held > 0 && lost(*full) > 0);
    held = full->held;
  }
  std::filesystem::remove(folder + "/ballast");
  for (int start = 0; start < 2; ++start) {  // a second start counts nothing twice
    auto again = open_spool(folder);
    HOLDS(again.has_value());
    const auto level = again->level();
    HOLDS(level.has_value() && level->held == 0);
    HOLDS(lost(*level) >= held);
    HOLDS(level->records + lost(*level) == number);
  }
  auto spool = open_spool(folder);
  HOLDS(append(*spool).has_value());
  const auto batch = spool->next_batch(10'000, 100'000'000);
  HOLDS(batch.has_value() && batch->back().line.find("\"spool_no_space\":") != std::string::npos);
  return 0;
}

bool write_text(const char* file, const std::string& text) {
  const int out = ::open(file, O_WRONLY | O_CLOEXEC);
  const bool written = ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(out);
  return written;
}

// A tmpfs that nobody else sees and that is gone with us. False where that is not to be had.
bool mount_small_disk(const std::string& place) {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", user) && write_text("/proc/self/gid_map", group) &&
         ::mount("tmpfs", place.c_str(), "tmpfs", 0, "size=8m") == 0;
}

void plays_on_a_small_disk(int (*play)(const std::string& folder)) {
  const TemporaryDirectory folder;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string place = folder.file("disk");
    std::filesystem::create_directory(place);
    const int code = mount_small_disk(place) ? play(place) : kNoNamespaces;
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoNamespaces) GTEST_SKIP() << "no user and mount namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(SpoolOnAFullDisk, RefusesCleanlySurvivesAndCounts) { plays_on_a_small_disk(survive); }

TEST(SpoolOnAFullDisk, WhatMemoryHeldIsCountedWhenTheProcessHasEnded) { plays_on_a_small_disk(end_full); }

}  // namespace
}  // namespace kua::probe
