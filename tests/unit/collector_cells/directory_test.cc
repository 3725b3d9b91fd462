#include "collector/cells/directory.h"

#include <gtest/gtest.h>

namespace kua::collector {
namespace {

TEST(Directory, AWordKeepsItsIndex) {
  Directory directory{{}};
  const TargetIndex one = directory.target(*TargetId::parse("web:https://one.example/"));
  const TargetIndex two = directory.target(*TargetId::parse("web:https://two.example/"));
  EXPECT_NE(one, two);
  EXPECT_EQ(directory.target(*TargetId::parse("web:https://one.example/")), one);
  EXPECT_EQ(directory.at(two), "web:https://two.example/");
}

TEST(Directory, MobileAndFixedOfOneOperatorAreTwoNetworks) {
  Directory directory{{}};
  const Network fixed{*CountryCode::parse("KZ"), Asn{9198}, NetworkType::fixed};
  Network mobile = fixed;
  mobile.type = NetworkType::mobile;
  EXPECT_NE(directory.network(fixed), directory.network(mobile));
  EXPECT_EQ(directory.at(directory.network(fixed)), fixed);
  EXPECT_EQ(network_name(fixed.asn), "AS9198");
}

TEST(Directory, InventedTargetsFillTheirOwnRoomOnly) {
  Directory directory{{.networks_max = 2, .unlisted_targets_max = 3, .mechanisms_max = 1}};
  for (int i = 0; i < 50; ++i) {
    (void)directory.target(*TargetId::parse("web:https://junk.example/" + std::to_string(i)));
    (void)directory.network(
        {*CountryCode::parse("KZ"), Asn{static_cast<std::uint32_t>(i + 1)}, NetworkType::fixed});
    (void)directory.mechanism("made.up." + std::to_string(i));
  }
  EXPECT_EQ(directory.folded().targets, 47u);
  EXPECT_EQ(directory.folded().networks, 48u);
  EXPECT_EQ(directory.folded().mechanisms, 49u);
  const TargetId listed = *TargetId::parse("service:telegram");
  EXPECT_NE(directory.admit(listed), TargetIndex{});
  EXPECT_NE(directory.target(listed), TargetIndex{});
}

TEST(Directory, CategoriesAreAClosedSet) {
  Directory directory{{}};
  EXPECT_EQ(directory.at(directory.category("NEWS")), "NEWS");
  EXPECT_EQ(directory.at(directory.category("<script>")), "MISC");
}

}  // namespace
}  // namespace kua::collector
