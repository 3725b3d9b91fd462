#include "collector/ingest/probe_registry.h"

#include <gtest/gtest.h>

#include "collector/limits.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

IpAddress address(const char* text) { return *IpAddress::parse(text); }

class ProbeRegistryTest : public ::testing::Test {
 protected:
  ProbeRegistryTest() {
    keys_ = std::move(*ClusterKeys::open(directory_.path() + "/keys"));
    EXPECT_TRUE(keys_->tend(kNoon).has_value());
    open();
  }
  void open() {
    probes_.reset();
    auto probes = ProbeRegistry::open(directory_.path() + "/probes.db");
    ASSERT_TRUE(probes.has_value()) << probes.error().text();
    probes_ = std::move(*probes);
  }
  ProbeId enrol(const std::string& invitation = {}) {
    const platform::SigningKey key = platform::SigningKey::generate();
    const ProbeId id = platform::probe_id_of(key.public_key());
    protocol::Enrolment facts;
    facts.invitation = invitation;
    EXPECT_EQ(*probes_->enrol(id, key.public_key(), facts, kNoon), EnrolmentOutcome::enrolled);
    EXPECT_EQ(*probes_->enrol(id, key.public_key(), facts, kNoon), EnrolmentOutcome::known_already);
    return id;
  }
  std::string cluster(const ProbeId& id, const char* from, Epoch epoch) {
    return *probes_->cluster_of(id, *probes_->find(id), *keys_, address(from), epoch);
  }

  TemporaryDirectory directory_;
  std::optional<ClusterKeys> keys_;
  std::optional<ProbeRegistry> probes_;
  const Epoch now_ = epoch_of(kNoon);
};

TEST_F(ProbeRegistryTest, AnEnrolledProbeIsKnownAfterARestart) {
  const ProbeId id = enrol();
  const platform::PublicKey key = probes_->find(id)->key;
  open();
  ASSERT_NE(probes_->find(id), nullptr);
  EXPECT_EQ(probes_->find(id)->key, key);
  EXPECT_EQ(probes_->find(sample_probe(1)), nullptr);
}

TEST_F(ProbeRegistryTest, AProbeOnChangingAddressesStaysOneWitness) {
  const ProbeId id = enrol();
  const std::string first = cluster(id, "203.0.113.7", now_);
  EXPECT_EQ(cluster(id, "192.0.2.7", now_), first);
  open();
  EXPECT_EQ(cluster(id, "198.51.100.7", now_), first) << "also across a restart";
  EXPECT_NE(cluster(id, "203.0.113.7", now_ + 1), first) << "the next epoch begins anew";
}

TEST_F(ProbeRegistryTest, ProbesOfOneBlockOrOneInvitationAreOneWitness) {
  const ProbeId a = enrol();
  const ProbeId b = enrol();
  EXPECT_EQ(cluster(a, "203.0.113.7", now_), cluster(b, "203.0.113.99", now_));
  const ProbeId c = enrol("from-a-friend");
  const ProbeId d = enrol("from-a-friend");
  const ProbeId e = enrol("from-another");
  EXPECT_EQ(cluster(c, "192.0.2.1", now_), cluster(d, "198.51.100.1", now_));
  EXPECT_NE(cluster(c, "192.0.2.1", now_), cluster(e, "203.0.114.1", now_));
}

TEST_F(ProbeRegistryTest, AnEpochWithoutAKeyGivesNoWitnessAndLeavesNothingBehind) {
  const ProbeId id = enrol();
  EXPECT_EQ(cluster(id, "203.0.113.7", now_ - 3), "");
  EXPECT_NE(cluster(id, "203.0.113.7", now_), "");
  const WallTime later = WallTime(limits::kClusterEpoch * (now_ + 1)) + limits::kClusterOverlap;
  ASSERT_TRUE(keys_->tend(later).has_value());
  ASSERT_TRUE(probes_->forget_clusters(*keys_).has_value());
  EXPECT_EQ(cluster(id, "203.0.113.7", now_), "");
  open();
  EXPECT_TRUE(probes_->find(id)->clusters.empty());
}

TEST_F(ProbeRegistryTest, HeartbeatSequencesAreKeptOnceSaved) {
  const ProbeId id = enrol();
  probes_->heard(id, *probes_->find(id), 41);
  probes_->heard(id, *probes_->find(id), 42);
  ASSERT_TRUE(probes_->save_sequences().has_value());
  open();
  EXPECT_EQ(probes_->find(id)->heartbeat_sequence, 42u);
}

}  // namespace
}  // namespace kua::collector
