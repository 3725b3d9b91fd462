#include "probe/state/state_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "probe/identity/identity.h"
#include "tests/unit/probe/temporary_directory.h"

namespace kua::probe {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  return facts.st_mode & 0777;
}

TEST(StateDirectoryTest, IsMadeWithItsParentsAndClosedToOthers) {
  const TemporaryDirectory folder;
  const auto state = StateDirectory::open(folder.file("a/b/kua"));
  ASSERT_TRUE(state) << state.error().text();
  EXPECT_EQ(mode_of(state->path()), 0700u);
  ASSERT_TRUE(state->write("x", "bytes"));
  EXPECT_EQ(mode_of(state->path_of("x")), 0600u);
  EXPECT_EQ(*state->read("x"), "bytes");
}

TEST(StateDirectoryTest, AFolderOpenToOthersIsClosed) {
  const TemporaryDirectory folder;
  ASSERT_EQ(::mkdir(folder.file("s").c_str(), 0755), 0);
  ASSERT_TRUE(StateDirectory::open(folder.file("s")));
  EXPECT_EQ(mode_of(folder.file("s")), 0700u);
}

TEST(StateDirectoryTest, WhatIsAbsentIsNotFound) {
  const TemporaryDirectory folder;
  EXPECT_EQ(StateDirectory::open_existing(folder.file("none")).error().kind, ErrorKind::not_found);
  const auto state = StateDirectory::open(folder.file("s"));
  EXPECT_EQ(state->read("x").error().kind, ErrorKind::not_found);
  EXPECT_TRUE(state->remove("x"));
}

TEST(StateDirectoryTest, OneProcessHoldsTheLock) {
  const TemporaryDirectory folder;
  const auto state = StateDirectory::open(folder.file("s"));
  {
    const auto lock = InstanceLock::take(*state);
    ASSERT_TRUE(lock);
    const auto second = InstanceLock::take(*state);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(InstanceLock::take(*state));
}

TEST(IdentityTest, IsMadeOnceAndKept) {
  const TemporaryDirectory folder;
  const auto state = StateDirectory::open(folder.file("s"));
  const auto first = load_or_create_identity(*state);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(mode_of(state->path_of(kKeyFile)), 0600u);
  EXPECT_EQ(load_or_create_identity(*state)->id, first->id);
}

TEST(IdentityTest, ADamagedKeyIsAnErrorAndNotANewIdentity) {
  const TemporaryDirectory folder;
  const auto state = StateDirectory::open(folder.file("s"));
  ASSERT_TRUE(state->write(kKeyFile, "not a key"));
  EXPECT_FALSE(load_or_create_identity(*state));
  EXPECT_EQ(*state->read(kKeyFile), "not a key");
}

TEST(IdentityTest, ABootHasOneNameForEachProbe) {
  const TemporaryDirectory folder;
  std::ofstream(folder.file("boot_id")) << "3f1c0a52-6f5e-4e0b-9d39-0d5e5ae2f7a1\n";
  const auto a = *ProbeId::parse(std::string(32, 'a'));
  const auto b = *ProbeId::parse(std::string(32, 'b'));
  const auto name = boot_name(a, folder.file("boot_id"));
  ASSERT_TRUE(name);
  EXPECT_EQ(name->size(), 16u);
  EXPECT_EQ(*boot_name(a, folder.file("boot_id")), *name);
  EXPECT_NE(*boot_name(b, folder.file("boot_id")), *name);
  EXPECT_FALSE(boot_name(a, folder.file("none")));
}

}  // namespace
}  // namespace kua::probe
