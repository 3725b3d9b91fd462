#include "collector/serve/page/words.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace kua::collector {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// In order: the first whose mechanism is equal or a parent holds, so children come first.
constexpr std::array kMechanisms = {
    Pair{"dns.nxdomain", "the network’s resolver denies that the name exists"},
    Pair{"dns.bogon", "the network’s resolver answers an impossible address"},
    Pair{"dns.injection", "a forged DNS answer is injected on the path"},
    Pair{"dns.forged.blockpage", "a forged DNS answer leads to a block page"},
    Pair{"dns.forged", "the network’s resolver answers a forged address"},
    Pair{"dns.refused", "the network’s resolver refuses this name"},
    Pair{"dns.servfail", "the network’s resolver fails for this name only"},
    Pair{"dns.timeout", "the network’s resolver is silent for this name only"},
    Pair{"tcp.timeout", "connections to the address get no answer"},
    Pair{"tcp.reset", "connections to the address are reset"},
    Pair{"tcp.refused", "connections to the address are refused"},
    Pair{"tcp.icmp_prohibited", "the path says that the address is prohibited"},
    Pair{"tls.reset.sni", "the connection is reset once the name is shown"},
    Pair{"tls.timeout.sni", "silence once the name is shown"},
    Pair{"tls.eof.sni", "the connection is closed once the name is shown"},
    Pair{"tls.alert.sni", "a forged alert once the name is shown"},
    Pair{"tls.mitm.known_root", "a certificate forged under a known interception root"},
    Pair{"tls.mitm", "a forged certificate"},
    Pair{"tls.freeze", "the transfer freezes after a few kilobytes"},
    Pair{"tls.throttle", "slowed down under this name"},
    Pair{"tls.reset", "encrypted connections to the address are reset"},
    Pair{"tls.timeout", "encrypted connections to the address get no answer"},
    Pair{"http.blockpage", "a known block page is shown instead"},
    Pair{"http.redirect.blockpage", "redirected to a known block page"},
    Pair{"http.reset", "the connection is reset once the site is asked for"},
    Pair{"http.timeout", "silence once the site is asked for"},
    Pair{"http.eof", "the connection is closed once the site is asked for"},
    Pair{"http.diff", "a different page than the one seen elsewhere"},
    Pair{"http.server_side", "the site itself refuses this visitor"},
};

// Services whose name is not merely their id with a capital.
constexpr std::array kServices = {
    Pair{"whatsapp", "WhatsApp"},
    Pair{"facebook_messenger", "Messenger"},
    Pair{"imo", "imo"},
    Pair{"wechat", "WeChat"},
    Pair{"line", "LINE"},
    Pair{"skype_teams", "Skype and Teams"},
    Pair{"google_meet", "Google Meet"},
    Pair{"wire_messenger", "Wire"},
    Pair{"youtube", "YouTube"},
    Pair{"tiktok", "TikTok"},
};

constexpr std::array kCategories = {
    Pair{"ALDR", "Alcohol and drugs"},
    Pair{"ANON", "Circumvention tools"},
    Pair{"COMM", "Commerce"},
    Pair{"COMT", "Messengers"},
    Pair{"CTRL", "Control"},
    Pair{"CULTR", "Culture"},
    Pair{"DATE", "Dating"},
    Pair{"ECON", "Economy"},
    Pair{"ENV", "Environment"},
    Pair{"FILE", "File sharing"},
    Pair{"GAME", "Games"},
    Pair{"GMB", "Gambling"},
    Pair{"GOVT", "Government"},
    Pair{"GRP", "Social networks"},
    Pair{"HACK", "Security tools"},
    Pair{"HATE", "Hate speech"},
    Pair{"HOST", "Hosting and blogs"},
    Pair{"HUMR", "Human rights"},
    Pair{"IGO", "International bodies"},
    Pair{"LGBT", "LGBT"},
    Pair{"MILX", "Militants"},
    Pair{"MMED", "Media sharing"},
    Pair{"NEWS", "News"},
    Pair{"POLR", "Political criticism"},
    Pair{"PORN", "Pornography"},
    Pair{"PROV", "Provocative attire"},
    Pair{"PUBH", "Public health"},
    Pair{"REL", "Religion"},
    Pair{"SRCH", "Search"},
    Pair{"XED", "Sex education"},
};

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::minutes> time;
};

Civil civil_of(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day(day),
          std::chrono::hh_mm_ss(std::chrono::floor<std::chrono::minutes>(time - day))};
}

std::string clock_text(const Civil& civil) {
  const auto two = [](long value) {
    return std::string(1, static_cast<char>('0' + value / 10)) +
           static_cast<char>('0' + value % 10);
  };
  return two(civil.time.hours().count()) + ":" + two(civil.time.minutes().count()) + " UTC";
}

std::string date_text(const Civil& civil, std::size_t month_letters_max) {
  const std::string_view month = kMonths.at(static_cast<unsigned>(civil.date.month()) - 1);
  return std::to_string(static_cast<unsigned>(civil.date.day())) + " " +
         std::string(month.substr(0, month_letters_max)) + " " +
         std::to_string(static_cast<int>(civil.date.year()));
}

std::string count_words(std::int64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

}  // namespace

StateWords words_of(State state) noexcept {
  switch (state) {
    case State::ok:
      return {"ok", "Open", "Reached from this network, over a connection whose certificate fits."};
    case State::impaired:
      return {"impaired", "Impaired",
              "Reached, but slowly, partly, or turned away by the site itself."};
    case State::down:
      return {"down", "Down", "It fails for everybody, also from outside. No network is to blame."};
    case State::likely_blocked:
      return {"likely", "Likely blocked",
              "It fails here and works outside at the same time, but nothing proves what is in the "
              "way."};
    case State::blocked:
      return {
          "blocked", "Blocked",
          "The interference itself was seen: a forged answer, a forged certificate, a block page, "
          "or a paired test that fails for this name only."};
    case State::insufficient:
      return {"unknown", "Not enough data",
              "Somebody measured, and it cannot be told. This never means that it works."};
  }
  return {"unknown", "Not enough data", ""};
}

std::string_view link_word(LinkState state) noexcept {
  switch (state) {
    case LinkState::unknown:
      return "Lines: not known";
    case LinkState::online:
      return "Lines online";
    case LinkState::captive:
      return "Lines behind a sign-in page";
    case LinkState::dns_broken:
      return "Name look-up broken";
    case LinkState::international_cut:
      return "No connections abroad";
    case LinkState::offline:
      return "Lines offline";
  }
  return "Lines: not known";
}

std::string_view network_type_word(NetworkType type) noexcept {
  switch (type) {
    case NetworkType::unknown:
      return "network";
    case NetworkType::fixed:
      return "fixed lines";
    case NetworkType::mobile:
      return "mobile";
    case NetworkType::hosting:
      return "hosting";
  }
  return "network";
}

std::string_view category_word(std::string_view code) noexcept {
  const auto found = std::ranges::find(kCategories, code, &Pair::first);
  return found == kCategories.end() ? "Other" : found->second;
}

std::string_view mechanism_phrase(std::string_view mechanism) noexcept {
  for (const auto& [known, phrase] : kMechanisms) {
    if (!mechanism.starts_with(known)) continue;
    if (mechanism.size() == known.size() || mechanism[known.size()] == '.') return phrase;
  }
  return {};
}

std::string target_name(std::string_view target_id) {
  constexpr std::string_view kWeb = "web:";
  constexpr std::string_view kService = "service:";
  if (target_id.starts_with(kService)) {
    std::string name(target_id.substr(kService.size()));
    const auto known = std::ranges::find(kServices, name, &Pair::first);
    if (known != kServices.end()) return std::string(known->second);
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z')
      name[0] = static_cast<char>(name[0] - 32);
    return name;
  }
  if (target_id.starts_with(kWeb)) target_id.remove_prefix(kWeb.size());
  if (target_id.starts_with("https://")) target_id.remove_prefix(8);
  if (target_id.ends_with('/')) target_id.remove_suffix(1);
  return std::string(target_id);
}

std::string clock_words(WallTime time, WallTime now) {
  const Civil civil = civil_of(time);
  if (civil.date == civil_of(now).date) return clock_text(civil);
  return date_text(civil, 3) + ", " + clock_text(civil);
}

std::string date_words(WallTime time) {
  const Civil civil = civil_of(time);
  return date_text(civil, std::string_view::npos) + ", " + clock_text(civil);
}

std::string ago_words(WallTime time, WallTime now) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(now - time).count();
  if (minutes < 1) return "just now";
  if (minutes < 120) return std::to_string(minutes) + " min ago";
  if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h ago";
  return std::to_string(minutes / (24 * 60)) + " days ago";
}

std::string duration_words(Microseconds duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration).count();
  if (seconds < 120) return count_words(seconds, "second", "seconds");
  if (seconds < 120 * 60) return count_words(seconds / 60, "minute", "minutes");
  if (seconds < 72 * 3600) return count_words(seconds / 3600, "hour", "hours");
  return count_words(seconds / (24 * 3600), "day", "days");
}

}  // namespace kua::collector
