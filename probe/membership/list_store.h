// The signed target list: what may be contacted, and nothing else. A newer list replaces the one at hand
// only after its signature, serial and expiry were checked. When it expires, all of it gives way to the
// minimum list that the join link names by its hash; only the controls of the line stay where that one has
// none, since link state never ends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/time.h"
#include "platform/crypto/crypto.h"
#include "probe/state/state_directory.h"
#include "protocol/join_link.h"
#include "protocol/target_list.h"

namespace kua::probe {

enum class ListStanding {
  current,  // the list at hand holds
  minimum,  // it expired, or there is none: the minimum list holds
  link_only,  // neither holds: only the line itself is looked at
};
[[nodiscard]] const char* to_string(ListStanding standing) noexcept;

class ListStore {
 public:
  // Reads what the state directory holds. A file that does not verify is left out, and notice() says so.
  [[nodiscard]] static ListStore open(const StateDirectory& state, const protocol::JoinLink& link);

  // Checks and keeps an envelope from the collector. True when it is newer than the one at hand.
  // Errors: permission (signature, older serial), unavailable (expired), invalid_input, and the disk's.
  [[nodiscard]] Expected<bool> offer(const std::string& envelope, WallTime now);
  // Keeps the envelope if its hash is the one in the join link; permission if not.
  [[nodiscard]] Expected<void> offer_minimum(const std::string& envelope);

  [[nodiscard]] ListStanding standing(WallTime now) const;
  // What may be measured now. Empty for link_only.
  [[nodiscard]] std::vector<Target> targets(WallTime now) const;
  // The list that holds, with all that a measurement takes from it (witnesses, resolvers, fingerprints).
  // Empty for link_only. The pointer keeps it alive when a newer one comes while a measurement is on.
  [[nodiscard]] std::shared_ptr<const protocol::TargetList> holding(WallTime now) const;
  // For link state: the list that holds, with the controls of a side, the trusted resolvers and the
  // interception roots of the expired list where it names none itself.
  [[nodiscard]] std::shared_ptr<const protocol::TargetList> for_line(WallTime now) const;
  // Expired or not: for what does not expire, such as whose resolver an address is. Stays valid until the
  // next offer.
  [[nodiscard]] const protocol::TargetList& newest() const noexcept;

  [[nodiscard]] bool has_minimum() const noexcept { return minimum_ != nullptr; }
  // nullptr: none was taken yet.
  [[nodiscard]] const protocol::TargetList* list() const noexcept { return list_.get(); }
  [[nodiscard]] const std::optional<std::string>& notice() const noexcept { return notice_; }

 private:
  ListStore(const StateDirectory& state, const protocol::JoinLink& link)
      : state_(state), keys_(link.list_keys), minimum_sha256_(link.minimum_list_sha256) {}
  StateDirectory state_;
  std::vector<platform::PublicKey> keys_;
  std::string minimum_sha256_;
  std::shared_ptr<const protocol::TargetList> list_;
  std::shared_ptr<const protocol::TargetList> minimum_;
  std::optional<std::string> notice_;
};

// Whose URL, id, host or service name `text` is; nullptr when it is on no list.
[[nodiscard]] const Target* find_target(const std::vector<Target>& targets, std::string_view text);

}  // namespace kua::probe
