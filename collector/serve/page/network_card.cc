#include "collector/serve/page/network_card.h"

#include <algorithm>
#include <array>
#include <vector>

#include "collector/serve/page/html.h"
#include "collector/serve/page/words.h"

namespace kua::collector {
namespace {

constexpr std::array kWorstFirst = {State::blocked,  State::likely_blocked, State::down,
                                    State::impaired, State::insufficient,   State::ok};

std::size_t rank(State state) noexcept {
  return static_cast<std::size_t>(std::ranges::find(kWorstFirst, state) - kWorstFirst.begin());
}

std::string symbol(State state) {
  return "<svg aria-hidden=\"true\"><use href=\"#s-" + std::string(words_of(state).css) +
         "\"/></svg>";
}

std::string time_html(WallTime time, WallTime now) {
  return "<time datetime=\"" + to_rfc3339(floor_to(time, std::chrono::seconds(1))) + "\">" +
         clock_words(time, now) + "</time>";
}

std::string since_html(const PublicOverview& overview, const PublicTarget& target) {
  if (!target.detail) {
    return time_html(overview.hour, overview.now) +
           "<small>as it stood then; shown by the hour</small>";
  }
  std::string out = time_html(target.detail->since, overview.now) + "<small> " +
                    ago_words(target.detail->since, overview.now) + "</small>";
  // Trouble may stand on a proof that is older than the last measurement (docs/cells.md, "Held").
  if (target.detail->proven && target.state != State::ok) {
    out += "<small>last seen so " + ago_words(*target.detail->proven, overview.now) + "</small>";
  }
  return out;
}

std::string witnesses_html(const PublicOverview& overview, const PublicTarget& target) {
  if (!target.detail) return "<small>too few to number</small>";
  const bool one = target.detail->witnesses.high == 1u;
  const std::string noun = overview.rule.min_clusters <= 1 ? (one ? " probe" : " probes")
                                                           : (one ? " witness" : " witnesses");
  return escape_html(target.detail->witnesses.text()) + "<small>" + noun + "</small>";
}

std::string how_html(const PublicTarget& target) {
  if (!target.detail || target.detail->mechanism.empty()) return {};
  const std::string_view phrase = mechanism_phrase(target.detail->mechanism);
  const std::string text(phrase.empty() ? std::string_view(target.detail->mechanism) : phrase);
  return "<small title=\"" + escape_html(target.detail->mechanism) + "\">" + escape_html(text) +
         "</small>";
}

std::string table(const PublicOverview& overview, const std::vector<const PublicTarget*>& targets,
                  const std::string& caption) {
  std::string out =
      "<table class=\"rows\"><caption class=\"hidden\">" + escape_html(caption) +
      "</caption><thead><tr><th scope=\"col\" class=\"w-target\">Target</th><th scope=\"col\" "
      "class=\"w-state\">State</th><th scope=\"col\" class=\"w-since\">Since</th><th "
      "scope=\"col\">From</th></tr></thead><tbody>";
  for (const PublicTarget* target : targets) {
    out += "<tr><th scope=\"row\">" + escape_html(target_name(target->target)) + "<small>" +
           std::string(category_word(target->category)) + "</small></th><td class=\"c-state\">" +
           state_html(target->state) + how_html(*target) + "</td><td class=\"c-since\">" +
           since_html(overview, *target) + "</td><td class=\"c-witnesses\">" +
           witnesses_html(overview, *target) + "</td></tr>";
  }
  return out + "</tbody></table>";
}

std::string tally(const std::array<std::size_t, 6>& counts, std::size_t total) {
  std::string bar = "<div class=\"bar\" aria-hidden=\"true\">";
  std::string list = "<ul class=\"tally\">";
  for (std::size_t place = 0; place < kWorstFirst.size(); ++place) {
    if (counts[place] == 0) continue;
    const State state = kWorstFirst[place];
    const StateWords words = words_of(state);
    bar += "<i class=\"s-" + std::string(words.css) + " g" +
           std::to_string((counts[place] * 20 + total - 1) / total) + "\"></i>";
    list += "<li class=\"s-" + std::string(words.css) + "\">" + symbol(state) +
            std::to_string(counts[place]) + " " + std::string(words.word) + "</li>";
  }
  return bar + "</div>" + list + "</ul>";
}

std::string header_html(const PublicNetwork& network) {
  std::string out = "<header><h3>" + network_name(network.network.asn) + "<span>" +
                    std::string(network_type_word(network.network.type)) + "</span></h3>";
  if (network.network.asn.number == 0) {
    out = "<header><h3>Unknown network<span>" +
          std::string(network_type_word(network.network.type)) + "</span></h3>";
  }
  if (network.link) {
    const bool bad = *network.link != LinkState::online && *network.link != LinkState::unknown;
    out += "<span class=\"line" + std::string(bad ? " bad" : "") + "\">" +
           std::string(link_word(*network.link)) + "</span>";
  }
  return out + "</header>";
}

std::string silent_html(const PublicOverview& overview, const PublicNetwork& network) {
  std::string out = "<p class=\"quiet\">Nobody measured a target here in the last " +
                    duration_words(overview.key_window) + ".";
  if (network.last_heard) {
    out += " A probe was last heard at " + time_html(*network.last_heard, overview.now) + ", " +
           ago_words(*network.last_heard, overview.now) + ".";
  }
  return out + " Silence says nothing about what can be reached.</p>";
}

}  // namespace

std::string state_html(State state) {
  const StateWords words = words_of(state);
  return "<span class=\"state s-" + std::string(words.css) + "\">" + symbol(state) +
         std::string(words.word) + "</span>";
}

std::string network_card(const PublicOverview& overview, const PublicNetwork& network) {
  std::string out = "<article class=\"net\">" + header_html(network);
  if (network.targets.empty()) return out + silent_html(overview, network) + "</article>";
  std::array<std::size_t, 6> counts{};
  std::vector<const PublicTarget*> trouble;
  std::vector<const PublicTarget*> unknown;
  std::vector<const PublicTarget*> open;
  for (const PublicTarget& target : network.targets) {
    ++counts[rank(target.state)];
    (target.state == State::ok             ? open
     : target.state == State::insufficient ? unknown
                                           : trouble)
        .push_back(&target);
  }
  std::ranges::stable_sort(trouble, {},
                           [](const PublicTarget* target) { return rank(target->state); });
  out += tally(counts, network.targets.size());
  if (!trouble.empty()) out += table(overview, trouble, "Targets in trouble");
  const auto folded = [&](const std::vector<const PublicTarget*>& targets, const char* word,
                          State state) {
    if (targets.empty()) return;
    out += "<details><summary>" + std::string(words_of(state).word) + " <span>· " +
           std::to_string(targets.size()) + " " + (targets.size() == 1 ? "target" : "targets") +
           "</span></summary>" + table(overview, targets, word) + "</details>";
  };
  folded(unknown, "Targets without enough data", State::insufficient);
  folded(open, "Open targets", State::ok);
  return out + "</article>";
}

}  // namespace kua::collector
