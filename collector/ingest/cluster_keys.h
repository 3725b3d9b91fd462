// The secret keys that turn a probe's /24 or /48 into the pseudonym of a cluster. A key serves one
// epoch of 30 days and is destroyed 14 days after its end; from then on nobody can tell which address
// stood behind a pseudonym, and records that old count as no witness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "collector/ingest/reception.h"
#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/time.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {

class ClusterKeys {
 public:
  // Reads the file (0600; lines of `epoch key-in-hex`) or begins with none. Errors: permission when
  // others may read it, invalid_input.
  [[nodiscard]] static Expected<ClusterKeys> open(std::string path);

  // Makes the key of the present epoch and destroys those that are over. Call at start and then at
  // least daily. The file is replaced as a whole and the old one's bytes are overwritten first.
  [[nodiscard]] Expected<void> tend(WallTime now);

  // kClusterDigits of them; empty when the epoch has no key.
  [[nodiscard]] std::string cluster_of(const IpAddress& address, Epoch epoch) const;
  [[nodiscard]] bool has(Epoch epoch) const { return keys_.contains(epoch); }

 private:
  explicit ClusterKeys(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Expected<void> write() const;

  std::string path_;
  std::map<Epoch, platform::Digest> keys_;
};

}  // namespace kua::collector
