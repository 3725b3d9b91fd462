#include "collector/rejudge/control_shelf.h"

#include <algorithm>

namespace kua::collector {
namespace {

bool is_fresh(WallTime control, Microseconds interval, WallTime at) noexcept {
  const Microseconds distance = control > at ? control - at : at - control;
  return distance < 3 * interval;
}

}  // namespace

std::string ControlShelf::key_of(const Measurement& measurement) {
  return lane_of(measurement.header) + '\n' + measurement.target.text();
}

ControlShelf::Added ControlShelf::add(const Measurement& control) {
  if (!is_comparable(control)) return Added::unusable;
  if (size_ >= options_.controls_max) return Added::full;
  std::vector<Page>& pages = pages_[key_of(control)];
  auto page = std::ranges::find(pages, control.header.probe, &Page::vantage);
  if (page == pages.end()) {
    if (pages.size() >= options_.vantages_max) return Added::beyond;
    const Microseconds first =
        std::max(options_.timing.interval_min, options_.timing.first(control.tier));
    pages.push_back({control.header.probe, first, {}});
    page = std::prev(pages.end());
  }
  const auto& origin = control.header.origin;
  page->entries.push_back({control.header.time, control.header.id, origin ? origin->id : "",
                           Microseconds(0), verdict::ControlFacts(control)});
  ++size_;
  return Added::taken;
}

void ControlShelf::close() {
  for (auto& [key, pages] : pages_) {
    for (Page& page : pages) {
      std::vector<Entry>& entries = page.entries;
      std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        return a.time != b.time ? a.time < b.time : a.id < b.id;
      });
      // The same record from two files would count as a control that failed twice.
      const auto twice = std::ranges::unique(entries, {}, &Entry::id);
      size_ -= twice.size();
      entries.erase(twice.begin(), twice.end());
      Microseconds interval = page.interval_first;
      for (std::size_t i = 0; i < entries.size(); ++i) {
        if (i > 0)
          interval = options_.timing.learn(interval, entries[i].time - entries[i - 1].time);
        entries[i].interval = interval;
      }
    }
  }
}

const ControlShelf::Entry* ControlShelf::newest_for(const Page& page,
                                                    const Measurement& measurement) {
  const std::vector<Entry>& entries = page.entries;
  const WallTime at = measurement.header.time;
  const auto begin = std::ranges::lower_bound(entries, at, {}, &Entry::time);
  if (const auto& origin = measurement.header.origin; origin && !origin->id.empty()) {
    for (auto same = begin; same != entries.end() && same->time == at; ++same) {
      if (same->origin == origin->id) return &*same;
    }
  }
  // The last one that is fresh: intervals differ, so each is asked, newest first among those behind
  // `at`.
  const Entry* newest = nullptr;
  for (auto after = begin; after != entries.end(); ++after) {
    if (!is_fresh(after->time, after->interval, at)) break;
    newest = &*after;
  }
  if (newest != nullptr || begin == entries.begin()) return newest;
  const Entry& before = *std::prev(begin);
  return is_fresh(before.time, before.interval, at) ? &before : nullptr;
}

std::vector<verdict::ControlView> ControlShelf::views(const Measurement& measurement) const {
  std::vector<verdict::ControlView> views;
  const auto found = pages_.find(key_of(measurement));
  if (found == pages_.end()) return views;
  for (const Page& page : found->second) {
    const Entry* newest = newest_for(page, measurement);
    if (newest == nullptr) continue;
    const Entry* before = newest == page.entries.data() ? nullptr : newest - 1;
    const bool counts =
        before != nullptr && is_fresh(before->time, newest->interval, measurement.header.time);
    views.push_back({&newest->facts, counts ? &before->facts : nullptr});
  }
  return views;
}

}  // namespace kua::collector
