// Token buckets of address blocks, for peers that have no name yet. A block is known by a keyed hash
// whose key dies with the process, so that memory holds no addresses either.
#pragma once

#include <cstdint>
#include <map>

#include "collector/ingest/token_bucket.h"
#include "measurement/address.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {

class PeerLimits {
 public:
  explicit PeerLimits(Rate rate);
  [[nodiscard]] bool take(const IpAddress& peer, MonotonicTime now);
  [[nodiscard]] bool has(const IpAddress& peer, MonotonicTime now);
  [[nodiscard]] const Rate& rate() const noexcept { return rate_; }

 private:
  [[nodiscard]] std::uint64_t key_of(const IpAddress& peer) const;
  [[nodiscard]] TokenBucket& bucket_of(const IpAddress& peer, MonotonicTime now);

  Rate rate_;
  platform::Digest secret_{};
  std::map<std::uint64_t, TokenBucket> buckets_;
};

}  // namespace kua::collector
