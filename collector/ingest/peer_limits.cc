#include "collector/ingest/peer_limits.h"

#include <cstring>

#include "collector/limits.h"

namespace kua::collector {

PeerLimits::PeerLimits(Rate rate) : rate_(rate) { platform::random_bytes(secret_); }

std::uint64_t PeerLimits::key_of(const IpAddress& peer) const {
  const Prefix block = Prefix::of(peer, peer.family() == Family::ip4 ? 24 : 48);
  const std::string_view secret(reinterpret_cast<const char*>(secret_.data()), secret_.size());
  const auto bytes = block.base().bytes();
  const platform::Digest digest =
      platform::hmac_sha256(secret, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  std::uint64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

TokenBucket& PeerLimits::bucket_of(const IpAddress& peer, MonotonicTime now) {
  if (buckets_.size() >= limits::kRateBucketsMax) {
    // A bucket that nobody touched for the time it takes to fill says nothing any more.
    const auto full_after = std::chrono::duration<double, std::ratio<60>>(rate_.burst / rate_.per_minute);
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.last_used() > full_after; });
    // Still full of live ones: a flood from everywhere. Beginning anew favours nobody.
    if (buckets_.size() >= limits::kRateBucketsMax) buckets_.clear();
  }
  return buckets_[key_of(peer)];
}

bool PeerLimits::take(const IpAddress& peer, MonotonicTime now) { return bucket_of(peer, now).take(rate_, now); }
bool PeerLimits::has(const IpAddress& peer, MonotonicTime now) { return bucket_of(peer, now).has(rate_, now); }

}  // namespace kua::collector
