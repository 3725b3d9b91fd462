#include "collector/judge/control_book.h"

#include <algorithm>
#include <set>

namespace kua::collector {

Microseconds ControlTiming::learn(Microseconds mean, Microseconds gap) const noexcept {
  const Microseconds bounded = std::min(gap, 3 * mean);
  return std::max(interval_min, mean + (bounded - mean) / 4);
}

bool is_comparable(const Measurement& control) noexcept {
  if (control.validity != Validity::ok) return false;
  switch (control.link_state) {
    case LinkState::unknown:
    case LinkState::online:
      return true;
    case LinkState::captive:
    case LinkState::dns_broken:
    case LinkState::international_cut:
    case LinkState::offline:
      return false;
  }
  return false;
}

bool ControlBook::add(const Measurement& control) {
  if (!is_comparable(control)) return false;
  auto found = book_.find(control.target.text());
  if (found == book_.end()) {
    if (book_.size() >= options_.targets_max) {
      ++turned_away_;
      return false;
    }
    found = book_.emplace(control.target.text(), std::vector<Page>()).first;
  }
  std::vector<Page>& pages = found->second;
  auto page = std::ranges::find(pages, control.header.probe, &Page::vantage);
  if (page == pages.end()) {
    if (pages.size() >= options_.vantages_max) {
      ++turned_away_;
      return false;
    }
    pages.push_back({control.header.probe,
                     std::max(options_.timing.interval_min, options_.timing.first(control.tier)),
                     verdict::ControlFacts(control),
                     {}});
    return true;
  }
  const WallTime time = control.header.time;
  if (time > page->newest->time()) {
    page->interval = options_.timing.learn(page->interval, time - page->newest->time());
    page->before = std::move(page->newest);
    page->newest.emplace(control);
    return true;
  }
  if (page->before && time <= page->before->time()) return false;
  page->before.emplace(control);
  return true;
}

bool ControlBook::is_fresh(const Page& page, WallTime control, WallTime at) noexcept {
  const Microseconds distance = control > at ? control - at : at - control;
  return distance < 3 * page.interval;
}

std::vector<verdict::ControlView> ControlBook::views(const TargetId& target, WallTime at) const {
  std::vector<verdict::ControlView> views;
  const auto found = book_.find(target.text());
  if (found == book_.end()) return views;
  for (const Page& page : found->second) {
    const bool newest_fresh = is_fresh(page, page.newest->time(), at);
    const bool before_fresh = page.before && is_fresh(page, page.before->time(), at);
    if (newest_fresh) {
      views.push_back({&*page.newest, before_fresh ? &*page.before : nullptr});
    } else if (before_fresh) {
      views.push_back({&*page.before, nullptr});
    }
  }
  return views;
}

Microseconds ControlBook::reach(const TargetId& target) const {
  Microseconds reach{0};
  const auto found = book_.find(target.text());
  if (found == book_.end()) return reach;
  for (const Page& page : found->second) reach = std::max(reach, 3 * page.interval);
  return reach;
}

void ControlBook::expire(WallTime now) {
  for (auto item = book_.begin(); item != book_.end();) {
    // Twice the reach: a measurement that was made within it may still arrive a little later.
    std::erase_if(item->second, [now](const Page& page) {
      return now - page.newest->time() > 6 * page.interval;
    });
    item = item->second.empty() ? book_.erase(item) : std::next(item);
  }
}

std::size_t ControlBook::reporting(WallTime now) const {
  std::set<ProbeId> vantages;
  for (const auto& [target, pages] : book_) {
    for (const Page& page : pages) {
      if (is_fresh(page, page.newest->time(), now)) vantages.insert(page.vantage);
    }
  }
  return vantages.size();
}

}  // namespace kua::collector
