#include "collector/serve/page/page.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collector/serve/page/html.h"
#include "collector/serve/page/network_card.h"
#include "collector/serve/page/style.h"
#include "collector/serve/page/words.h"

namespace kua::collector {
namespace {

// Networks beside each other in one table; with more, the cards have to do.
constexpr std::size_t kMatrixColumnsMax = 8;

using Country = std::pair<CountryCode, std::vector<const PublicNetwork*>>;

bool is_trouble(State state) noexcept { return state != State::ok && state != State::insufficient; }

// Distinct targets that are in `state` on at least one network.
std::size_t targets_in(const Country& country, State state) {
  std::map<std::string_view, bool> found;
  for (const PublicNetwork* network : country.second) {
    for (const PublicTarget& target : network->targets) {
      if (target.state == state) found[target.target] = true;
    }
  }
  return found.size();
}

// Those with blocking first, then by name; the unknown one last.
std::vector<Country> countries_of(const PublicOverview& overview) {
  std::map<CountryCode, std::vector<const PublicNetwork*>> by_code;
  for (const PublicNetwork& network : overview.networks) {
    by_code[network.network.country].push_back(&network);
  }
  std::vector<Country> countries(by_code.begin(), by_code.end());
  std::ranges::sort(countries, {}, [](const Country& country) {
    return std::tuple(country.first.text() == "ZZ", targets_in(country, State::blocked) == 0,
                      targets_in(country, State::likely_blocked) == 0, country_name(country.first));
  });
  return countries;
}

// Networks where something can be told: a target in a state that means anything.
std::size_t telling_networks(const Country& country) {
  return static_cast<std::size_t>(
      std::ranges::count_if(country.second, [](const PublicNetwork* network) {
        return std::ranges::any_of(network->targets, [](const PublicTarget& target) {
          return target.state != State::insufficient;
        });
      }));
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

// "2 targets blocked and 1 likely blocked on at least one of 3 networks."
std::string country_sentence(const Country& country) {
  const std::size_t networks = telling_networks(country);
  if (networks == 0) return "Nothing is known right now.";
  const std::string where =
      networks == 1 ? "on the one network shown"
                    : "on at least one of " + std::to_string(networks) + " networks shown";
  std::string troubles;
  for (const State state : {State::blocked, State::likely_blocked}) {
    const std::size_t targets = targets_in(country, state);
    if (targets == 0) continue;
    troubles += troubles.empty() ? "" : " and ";
    troubles += counted(targets, "target ", "targets ");
    troubles += state == State::blocked ? "blocked" : "likely blocked";
  }
  if (troubles.empty()) return "No blocking seen " + where + ".";
  return troubles + " " + where + ".";
}

std::string headline(const std::vector<Country>& countries) {
  std::vector<std::string> names;
  bool anything = false;
  for (const Country& country : countries) {
    anything = anything || telling_networks(country) != 0;
    if (targets_in(country, State::blocked) + targets_in(country, State::likely_blocked) != 0) {
      names.push_back(country_name(country.first));
    }
  }
  if (!anything) return "Nothing is known right now";
  if (names.empty()) return "No blocking seen in what is measured now";
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < 3; ++i) {
    list += i == 0 ? ""
                   : (i + 1 == std::min<std::size_t>(names.size(), 3) && names.size() <= 3 ? " and "
                                                                                           : ", ");
    list += names[i];
  }
  if (names.size() > 3)
    list += " and " + counted(names.size() - 3, "other country", "other countries");
  return "Blocking seen in " + list;
}

const PublicTarget* find_target(const PublicNetwork& network, const std::string& target) {
  const auto found = std::ranges::lower_bound(network.targets, target, {}, &PublicTarget::target);
  return found != network.targets.end() && found->target == target ? &*found : nullptr;
}

// What is in trouble on some network, seen from each: whether it is one network or all of them.
std::string matrix(const Country& country) {
  std::vector<const PublicNetwork*> columns;
  for (const PublicNetwork* network : country.second) {
    if (!network->targets.empty()) columns.push_back(network);
  }
  if (columns.size() < 2 || columns.size() > kMatrixColumnsMax) return {};
  std::map<std::string, std::pair<State, std::string>> rows;  // worst state, category
  for (const PublicNetwork* network : columns) {
    for (const PublicTarget& target : network->targets) {
      if (!is_trouble(target.state)) continue;
      const auto [row, is_new] = rows.try_emplace(target.target, target.state, target.category);
      if (!is_new) row->second.first = std::max(row->second.first, target.state);
    }
  }
  if (rows.empty()) return {};
  std::vector<std::pair<std::string, std::pair<State, std::string>>> ordered(rows.begin(),
                                                                             rows.end());
  std::ranges::stable_sort(ordered, std::greater<>(),
                           [](const auto& row) { return row.second.first; });
  std::string out =
      "<div class=\"scroll\"><table class=\"matrix\"><caption>Targets in trouble on at least one "
      "network, seen "
      "from each</caption><thead><tr><th scope=\"col\">Target</th>";
  for (const PublicNetwork* network : columns) {
    out += "<th scope=\"col\">" + network_name(network->network.asn) + "<small>" +
           std::string(network_type_word(network->network.type)) + "</small></th>";
  }
  out += "</tr></thead><tbody>";
  for (const auto& [target, row] : ordered) {
    out += "<tr><th scope=\"row\">" + escape_html(target_name(target)) + "<small>" +
           std::string(category_word(row.second)) + "</small></th>";
    for (const PublicNetwork* network : columns) {
      const PublicTarget* seen = find_target(*network, target);
      out += "<td data-network=\"" + network_name(network->network.asn) + "\">" +
             (seen == nullptr ? "<span class=\"none\">no data</span>" : state_html(seen->state)) +
             "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string others_note(const PublicOverview& overview, const std::string& country) {
  if (overview.rule.is_local()) return {};
  return "<p class=\"others\">Other networks in " + escape_html(country) +
         " are not shown: nothing is said about a network with fewer than " +
         std::to_string(overview.rule.min_clusters) +
         " independent witnesses. Not being shown does not mean that everything works there.</p>";
}

std::string country_html(const PublicOverview& overview, const Country& country) {
  const std::string name = country_name(country.first);
  std::string out = "<section class=\"country\" id=\"" + country.first.text() + "\"><h2>" +
                    escape_html(name) + "</h2><p>" + escape_html(country_sentence(country)) +
                    "</p>" + matrix(country);
  for (const PublicNetwork* network : country.second) out += network_card(overview, *network);
  return out + others_note(overview, name) + "</section>";
}

std::string legend() {
  std::string out = "<section class=\"words\" id=\"words\"><h2>What the words mean</h2><dl>";
  for (const State state : {State::ok, State::blocked, State::likely_blocked, State::down,
                            State::impaired, State::insufficient}) {
    out +=
        "<dt>" + state_html(state) + "</dt><dd>" + std::string(words_of(state).meaning) + "</dd>";
  }
  return out +
         "<dt><span class=\"none\">no data</span></dt><dd>Nobody measured it from there lately, or "
         "too few to "
         "say so. This never means that it works.</dd></dl>";
}

std::string method(const PublicOverview& overview) {
  std::string out =
      "<div class=\"method\"><p><strong>How it is measured.</strong> Probes at volunteers’ homes "
      "open each "
      "target step by step: name look-up, connection, encryption, page. The same targets are "
      "opened from "
      "outside at about the same time, so that a site that is down for everybody is not taken for "
      "a blocked "
      "one.</p><p><strong>How it is judged.</strong> Each independent witness has one voice, its "
      "last one. A "
      "state is what more than half of them say at least; in a tie the weaker claim stands. What "
      "nobody "
      "measured within its window is gone from the page: for the most watched targets that is " +
      duration_words(overview.key_window) +
      ".</p><p><strong>What it does not say.</strong> A measurement shows that a network "
      "interferes, not who "
      "ordered it, nor why. All times are UTC.</p><p><strong>What is held back.</strong> ";
  if (overview.rule.is_local()) {
    out +=
        "This is a local instance and shows every witness it has. A collector for the public shows "
        "a network "
        "only from five independent witnesses, and numbers only in bands.";
  } else {
    out += "A target on a network is shown in full from " +
           std::to_string(overview.rule.min_clusters) +
           " independent witnesses, their number in a band. From " +
           std::to_string(overview.rule.hourly_clusters()) +
           " it is shown as it stood at the full hour, without numbers. Below that nothing is "
           "said, so that "
           "no page points at a person.";
  }
  return out + "</p></div></section>";
}

std::string local_notice() {
  return "<p class=\"notice\" role=\"note\"><strong>Local instance.</strong> It shows results from "
         "fewer than "
         "five independent witnesses, perhaps from a single line. Good for looking at one’s own "
         "network; not "
         "for citing or sharing, since it may point at a person.</p>";
}

std::string empty_notice(const PublicOverview& overview) {
  return "<p class=\"quiet\">Nobody measured in the last " + duration_words(overview.key_window) +
         ", or too few to say so. This is not a sign that everything works: there is no data.</p>";
}

std::string head(const std::string& title) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" "
         "content=\"light dark\">"
         "<meta name=\"referrer\" content=\"no-referrer\"><meta name=\"description\" "
         "content=\"What networks "
         "let through, measured by volunteers’ probes.\"><title>" +
         escape_html(title) + " · Kua</title><link rel=\"icon\" href=\"" + std::string(icon_url()) +
         "\"><style>" + std::string(style_sheet()) + "</style></head>";
}

}  // namespace

std::string render_page(const PublicOverview& overview, const PageOptions& options) {
  const std::vector<Country> countries = countries_of(overview);
  const std::string title = headline(countries);
  std::string out = head(title) + "<body>" + std::string(state_symbols()) +
                    "<div class=\"wrap\"><header class=\"mast\">" +
                    "<div class=\"brand\">Kua<small>куә, Kazakh for witness</small></div><div "
                    "class=\"stamp\">As of "
                    "<time datetime=\"" +
                    to_rfc3339(floor_to(overview.now, std::chrono::minutes(1))) + "\">" +
                    date_words(overview.now) + "</time></div></header><main>";
  if (overview.rule.is_local()) out += local_notice();
  out += "<h1>" + escape_html(title) +
         "</h1><p class=\"lead\">Whether social networks, messengers and news sites "
         "can be reached, network by network, as volunteers’ probes see it.</p>";
  if (countries.size() > 1) {
    out += "<ul class=\"toc\">";
    for (const Country& country : countries) {
      out += "<li><a href=\"#" + country.first.text() + "\">" +
             escape_html(country_name(country.first)) + "</a></li>";
    }
    out += "</ul>";
  }
  if (countries.empty()) out += empty_notice(overview);
  for (const Country& country : countries) out += country_html(overview, country);
  out += legend() + method(overview) + "</main><footer>";
  if (!options.operator_name.empty())
    out += "<span>Run by " + escape_html(options.operator_name) + "</span>";
  out +=
      "<span>Measurements: <a href=\"https://creativecommons.org/licenses/by/4.0/\">CC BY "
      "4.0</a></span>"
      "<span><a href=\"/api/v1/cells\">This page as JSON</a></span><span>Kua " +
      escape_html(options.version) +
      "</span><span>No scripts, no cookies, nothing from elsewhere.</span>"
      "</footer></div></body></html>\n";
  return out;
}

}  // namespace kua::collector
