#include "collector/ingest/probe_registry.h"

#include <algorithm>

#include "collector/limits.h"

namespace kua::collector {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS probes(
  id TEXT PRIMARY KEY, key TEXT NOT NULL, role TEXT NOT NULL, country TEXT NOT NULL, asn INTEGER NOT NULL,
  network_type TEXT NOT NULL, invitation TEXT NOT NULL, software TEXT NOT NULL, enrolled INTEGER NOT NULL,
  heartbeat_sequence INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clusters(
  epoch INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, cluster TEXT NOT NULL,
  PRIMARY KEY(epoch, kind, who)) WITHOUT ROWID;
)";

std::string_view bytes_of(const platform::PublicKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

Expected<ProbeRegistry> ProbeRegistry::open(const std::string& path) {
  auto enrolments = platform::Database::open(path, platform::Durability::power_cut);
  if (!enrolments) return std::unexpected(enrolments.error());
  if (const auto made = enrolments->execute(kSchema); !made) return std::unexpected(made.error());
  auto notes = platform::Database::open(path, platform::Durability::process_crash);
  if (!notes) return std::unexpected(notes.error());
  ProbeRegistry registry(std::move(*enrolments), std::move(*notes));
  if (const auto loaded = registry.load(); !loaded) return std::unexpected(loaded.error());
  return registry;
}

Expected<void> ProbeRegistry::load() {
  auto rows = notes_.prepare("SELECT id, key, invitation, heartbeat_sequence FROM probes");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    const auto id = ProbeId::parse(rows->text(0));
    const auto key = platform::parse_public_key(rows->text(1));
    if (!id || !key) return fail(ErrorKind::invalid_input, "a probe's row is damaged", "reading the enrolled probes");
    KnownProbe probe;
    probe.key = *key;
    probe.invitation = rows->text(2);
    probe.heartbeat_sequence = static_cast<std::uint64_t>(rows->integer(3));
    probe.stored_sequence = probe.heartbeat_sequence;
    probes_.emplace(*id, std::move(probe));
  }
  auto pins = notes_.prepare("SELECT epoch, who, cluster FROM clusters WHERE kind = 'probe'");
  if (!pins) return std::unexpected(pins.error());
  while (true) {
    const auto row = pins->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    const auto id = ProbeId::parse(pins->text(1));
    const auto probe = id ? probes_.find(*id) : probes_.end();
    if (probe != probes_.end()) probe->second.clusters.emplace_back(pins->integer(0), std::string(pins->text(2)));
  }
}

KnownProbe* ProbeRegistry::find(const ProbeId& id) {
  const auto found = probes_.find(id);
  return found == probes_.end() ? nullptr : &found->second;
}

Expected<EnrolmentOutcome> ProbeRegistry::enrol(const ProbeId& id, const platform::PublicKey& key,
                                                const protocol::Enrolment& facts, WallTime now) {
  if (probes_.contains(id)) return EnrolmentOutcome::known_already;
  if (probes_.size() >= limits::kProbesMax) {
    return fail(ErrorKind::limit, "as many probes as limits allow are enrolled", "enrolling a probe");
  }
  auto add = enrolments_.prepare(
      "INSERT INTO probes(id, key, role, country, asn, network_type, invitation, software, enrolled) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  if (!add) return std::unexpected(add.error());
  add->bind_text(1, id.text());
  add->bind_text(2, platform::to_base64url(bytes_of(key)));
  add->bind_text(3, to_string(facts.role));
  add->bind_text(4, facts.country.text());
  add->bind(5, static_cast<std::int64_t>(facts.asn.number));
  add->bind_text(6, to_string(facts.network_type));
  add->bind_text(7, facts.invitation);
  add->bind_text(8, facts.software);
  add->bind(9, static_cast<std::int64_t>(now.time_since_epoch().count()));
  if (const auto added = add->run(); !added) return std::unexpected(added.error());
  KnownProbe probe;
  probe.key = key;
  probe.invitation = facts.invitation;
  probes_.emplace(id, std::move(probe));
  return EnrolmentOutcome::enrolled;
}

// The first cluster given for (epoch, who) stands.
Expected<std::string> ProbeRegistry::pin(Epoch epoch, std::string_view kind, std::string_view who,
                                         const std::string& cluster) {
  auto add = notes_.prepare("INSERT INTO clusters(epoch, kind, who, cluster) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING");
  if (!add) return std::unexpected(add.error());
  add->bind(1, epoch);
  add->bind_text(2, kind);
  add->bind_text(3, who);
  add->bind_text(4, cluster);
  if (const auto added = add->run(); !added) return std::unexpected(added.error());
  if (notes_.changes() > 0) return cluster;
  auto find = notes_.prepare("SELECT cluster FROM clusters WHERE epoch = ?1 AND kind = ?2 AND who = ?3");
  if (!find) return std::unexpected(find.error());
  find->bind(1, epoch);
  find->bind_text(2, kind);
  find->bind_text(3, who);
  const auto row = find->step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::string(find->text(0)) : cluster;
}

Expected<std::string> ProbeRegistry::cluster_of(const ProbeId& id, KnownProbe& probe, const ClusterKeys& keys,
                                                const IpAddress& address, Epoch epoch) {
  if (!keys.has(epoch)) return std::string();
  for (const auto& [known_epoch, cluster] : probe.clusters) {
    if (known_epoch == epoch) return cluster;
  }
  std::string cluster = keys.cluster_of(address, epoch);
  if (!probe.invitation.empty()) {
    auto shared = pin(epoch, "invitation", probe.invitation, cluster);
    if (!shared) return std::unexpected(shared.error());
    cluster = std::move(*shared);
  }
  auto pinned = pin(epoch, "probe", id.text(), cluster);
  if (!pinned) return std::unexpected(pinned.error());
  probe.clusters.emplace_back(epoch, *pinned);
  return *pinned;
}

Expected<void> ProbeRegistry::forget_clusters(const ClusterKeys& keys) {
  auto epochs = notes_.prepare("SELECT DISTINCT epoch FROM clusters");
  if (!epochs) return std::unexpected(epochs.error());
  std::vector<Epoch> over;
  while (true) {
    const auto row = epochs->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (!keys.has(epochs->integer(0))) over.push_back(epochs->integer(0));
  }
  epochs->reset();
  for (const Epoch epoch : over) {
    auto forget = notes_.prepare("DELETE FROM clusters WHERE epoch = ?1");
    if (!forget) return std::unexpected(forget.error());
    forget->bind(1, epoch);
    if (const auto done = forget->run(); !done) return done;
  }
  for (auto& [id, probe] : probes_) {
    std::erase_if(probe.clusters, [&](const auto& entry) { return !keys.has(entry.first); });
  }
  return {};
}

void ProbeRegistry::heard(const ProbeId& id, KnownProbe& probe, std::uint64_t sequence) {
  if (probe.heartbeat_sequence == probe.stored_sequence) changed_.push_back(id);
  probe.heartbeat_sequence = sequence;
}

Expected<void> ProbeRegistry::save_sequences() {
  if (changed_.empty()) return {};
  auto transaction = platform::Transaction::begin(notes_);
  if (!transaction) return std::unexpected(transaction.error());
  auto save = notes_.prepare("UPDATE probes SET heartbeat_sequence = ?2 WHERE id = ?1");
  if (!save) return std::unexpected(save.error());
  for (const ProbeId& id : changed_) {
    KnownProbe* probe = find(id);
    if (probe == nullptr) continue;
    save->bind_text(1, id.text());
    save->bind(2, static_cast<std::int64_t>(probe->heartbeat_sequence));
    if (const auto saved = save->run(); !saved) return saved;
  }
  if (const auto done = transaction->commit(); !done) return done;
  for (const ProbeId& id : changed_) {
    if (KnownProbe* probe = find(id)) probe->stored_sequence = probe->heartbeat_sequence;
  }
  changed_.clear();
  return {};
}

}  // namespace kua::collector
