#include "probe/membership/list_store.h"

#include <algorithm>

namespace kua::probe {
namespace {

// A list that was verified when it came is read again whatever its age: it still names the controls, and
// standing() looks at its expiry.
constexpr WallTime kBeforeAnyExpiry{};

const std::shared_ptr<const protocol::TargetList>& no_list() {
  static const auto kNone = std::make_shared<const protocol::TargetList>();
  return kNone;
}

bool has_control(const protocol::TargetList& list, ControlScope scope) {
  return std::ranges::any_of(list.targets, [&](const Target& target) {
    return target.tier == Tier::control && target.scope == scope;
  });
}

// `base` with what looks at the line need and only `expired` names.
protocol::TargetList completed_for_line(const protocol::TargetList& base, const protocol::TargetList& expired) {
  protocol::TargetList out = base;
  for (const Target& target : expired.targets) {
    if (target.tier == Tier::control && !has_control(base, target.scope)) out.targets.push_back(target);
  }
  if (out.trusted_resolvers.empty()) out.trusted_resolvers = expired.trusted_resolvers;
  // What is known of networks that open connections is no contact, and tells a state from an antivirus.
  if (out.interception_roots.empty()) out.interception_roots = expired.interception_roots;
  if (out.routable.empty()) out.routable = expired.routable;
  return out;
}

}  // namespace

const char* to_string(ListStanding standing) noexcept {
  switch (standing) {
    case ListStanding::current: return "current";
    case ListStanding::minimum: return "minimum";
    case ListStanding::link_only: return "link_only";
  }
  return "link_only";
}

ListStore ListStore::open(const StateDirectory& state, const protocol::JoinLink& link) {
  ListStore store(state, link);
  if (const auto envelope = state.read(kMinimumListFile)) {
    if (auto kept = store.offer_minimum(*envelope); !kept) store.notice_ = kept.error().text();
  }
  if (const auto envelope = state.read(kListFile)) {
    auto list = protocol::open_target_list(*envelope, store.keys_, kBeforeAnyExpiry, 0);
    if (list) {
      store.list_ = std::make_shared<protocol::TargetList>(std::move(*list));
    } else {
      store.notice_ = state.path_of(kListFile) + " is not used: " + list.error().text();
    }
  }
  return store;
}

Expected<bool> ListStore::offer(const std::string& envelope, WallTime now) {
  const std::uint64_t serial_min = list_ ? list_->serial : 0;
  auto list = protocol::open_target_list(envelope, keys_, now, serial_min);
  if (!list) return std::unexpected(list.error());
  if (list_ && list->serial == list_->serial) return false;
  if (auto written = state_.write(kListFile, envelope); !written) return std::unexpected(written.error());
  list_ = std::make_shared<protocol::TargetList>(std::move(*list));
  return true;
}

Expected<void> ListStore::offer_minimum(const std::string& envelope) {
  const std::string doing = "taking the minimum list";
  const auto digest = platform::sha256(envelope);
  if (platform::to_hex(digest) != minimum_sha256_) {
    return fail(ErrorKind::permission, "its hash is not the one in the join link", doing);
  }
  auto list = protocol::open_target_list(envelope, keys_, kBeforeAnyExpiry, 0);
  if (!list) return std::unexpected(list.error());
  const auto kept = state_.read(kMinimumListFile);
  if (!kept || *kept != envelope) {
    if (auto written = state_.write(kMinimumListFile, envelope); !written) return written;
  }
  minimum_ = std::make_shared<protocol::TargetList>(std::move(*list));
  return {};
}

ListStanding ListStore::standing(WallTime now) const {
  if (list_ && now < list_->expires) return ListStanding::current;
  return minimum_ ? ListStanding::minimum : ListStanding::link_only;
}

std::vector<Target> ListStore::targets(WallTime now) const {
  switch (standing(now)) {
    case ListStanding::current: return list_->targets;
    case ListStanding::minimum: return minimum_->targets;
    case ListStanding::link_only: return {};
  }
  return {};
}

std::shared_ptr<const protocol::TargetList> ListStore::holding(WallTime now) const {
  switch (standing(now)) {
    case ListStanding::current: return list_;
    case ListStanding::minimum: return minimum_;
    case ListStanding::link_only: return no_list();
  }
  return no_list();
}

std::shared_ptr<const protocol::TargetList> ListStore::for_line(WallTime now) const {
  const auto held = holding(now);
  if (!list_ || held == list_) return held;
  return std::make_shared<const protocol::TargetList>(completed_for_line(*held, *list_));
}

const protocol::TargetList& ListStore::newest() const noexcept {
  if (list_) return *list_;
  return minimum_ ? *minimum_ : *no_list();
}

const Target* find_target(const std::vector<Target>& targets, std::string_view text) {
  const auto by = [&](auto matches) -> const Target* {
    const auto found = std::ranges::find_if(targets, matches);
    return found == targets.end() ? nullptr : &*found;
  };
  if (const Target* target = by([&](const Target& t) { return t.id.text() == text; })) return target;
  if (const Target* target = by([&](const Target& t) { return !t.url.empty() && t.url == text; })) {
    return target;
  }
  const std::string service = "service:" + std::string(text);
  if (const Target* target = by([&](const Target& t) { return t.id.text() == service; })) return target;
  // A bare name stands for the page at its root.
  for (const char* scheme : {"https://", "http://"}) {
    const std::string url = scheme + std::string(text) + "/";
    if (const Target* target = by([&](const Target& t) { return t.url == url; })) return target;
  }
  return nullptr;
}

}  // namespace kua::probe
