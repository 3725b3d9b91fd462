#include "platform/privilege/privilege.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace kua::platform {
namespace {

TEST(FindAccount, KnowsTheUsersOfTheMachine) {
  const auto root = find_account("root");
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_EQ(root->uid, 0u);
  EXPECT_EQ(find_account("no-such-user-here").error().kind, ErrorKind::not_found);
}

TEST(LeaveRoot, OnlyRootCan) {
  if (is_root()) GTEST_SKIP() << "runs as root; the other tests of this file say what then holds";
  EXPECT_EQ(leave_root(Account{"nobody", 65534, 65534}, {}).error().kind, ErrorKind::permission);
}

// Each body runs in a process of its own, since leaving root is for good; it exits with the number
// of the first expectation that does not hold.
class LeaveRootAsRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_root()) GTEST_SKIP() << "needs root";
    if (!find_account("nobody")) GTEST_SKIP() << "needs a user nobody";
  }
};

void require(int number, bool holds) {
  if (holds) return;
  std::fprintf(stderr, "expectation %d does not hold\n", number);
  std::_Exit(number);
}

TEST_F(LeaveRootAsRoot, IsForGood) {
  EXPECT_EXIT(
      {
        const auto nobody = *find_account("nobody");
        require(1, leave_root(nobody, {}).has_value());
        require(2,
                ::getuid() == nobody.uid && ::geteuid() == nobody.uid && ::getgid() == nobody.gid);
        require(3, ::getgroups(0, nullptr) == 0);
        require(4, ::setuid(0) != 0 && ::setgid(0) != 0);
        require(5, ::open("/etc/shadow", O_RDONLY) < 0);
        require(6, ::socket(AF_INET, SOCK_RAW, 1) < 0);
        require(7, leave_root(nobody, {}).error().kind == ErrorKind::permission);
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(LeaveRootAsRoot, KeepsWhatIsNamedAndNothingElse) {
  const int probe = ::socket(AF_INET, SOCK_RAW, 1);
  if (probe < 0) GTEST_SKIP() << "this machine gives nobody a raw socket";
  ::close(probe);
  EXPECT_EXIT(
      {
        constexpr std::array kKeep = {Capability::net_raw};
        require(1, leave_root(*find_account("nobody"), kKeep).has_value());
        require(2, ::socket(AF_INET, SOCK_RAW, 1) >= 0);
        require(3, ::setuid(0) != 0);
        require(4, ::open("/etc/shadow", O_RDONLY) < 0);
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(LeaveRootAsRoot, RootIsNoOtherUser) {
  EXPECT_EQ(leave_root(*find_account("root"), {}).error().kind, ErrorKind::permission);
  EXPECT_EQ(leave_root(Account{"x", 65534, 0}, {}).error().kind, ErrorKind::permission);
  EXPECT_TRUE(is_root());
}

TEST_F(LeaveRootAsRoot, RefusesASecondThread) {
  EXPECT_EXIT(
      {
        std::atomic<bool> done{false};
        std::thread other([&done] { done.wait(false); });
        require(1, leave_root(*find_account("nobody"), {}).error().kind == ErrorKind::internal);
        require(2, is_root());
        done = true;
        done.notify_all();
        other.join();
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace kua::platform
