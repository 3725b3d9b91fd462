#include "probe/step/scrub_name.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "measurement/names.h"

namespace kua::probe {
namespace {

constexpr std::string_view kStandIn = "scrubbed";
// Neither is a character of a name. In place of an address until the end, so that nothing is read across it.
constexpr char kMark = '!';
// Joins nothing: each word stands for itself.
constexpr char kNoSeparator = '\0';

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

std::uint64_t number_of(std::string_view digits, unsigned base) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(is_digit(c) ? c - '0' : c - 'a' + 10);
    value = value * base + digit;
  }
  return value;
}

IpAddress address4(std::uint64_t number) {
  const std::array<std::uint8_t, 4> bytes = {
      static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
      static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return *IpAddress::from_bytes(bytes);
}

std::uint64_t reversed4(std::uint64_t number) {
  return (number >> 24 & 0xff) | (number >> 8 & 0xff00) | (number << 8 & 0xff0000) | (number << 24 & 0xff000000);
}

// Read in either order. An address that stays excuses the other reading.
bool spells_visitor(std::uint64_t number, const MayStay& may_stay) {
  return !may_stay(address4(number)) && !may_stay(address4(reversed4(number)));
}

// A stretch of a name in which words of one alphabet are joined by one separator.
struct Run {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<std::string_view> words;  // empty ones where separators touch
};

template <typename InWord>
Run run_at(std::string_view name, std::size_t at, InWord in_word, char separator) {
  Run run{at, at, {}};
  while (true) {
    const std::size_t begin = run.end;
    while (run.end < name.size() && in_word(name[run.end])) ++run.end;
    run.words.push_back(name.substr(begin, run.end - begin));
    const bool goes_on = run.end + 1 < name.size() && name[run.end] == separator &&
                         (in_word(name[run.end + 1]) || (separator == '-' && name[run.end + 1] == '-'));
    if (!goes_on) return run;
    ++run.end;
  }
}

// Marks the runs that `tells`.
template <typename InWord, typename Tells>
std::string marked(std::string_view name, InWord in_word, char separator, Tells tells) {
  std::string out;
  std::size_t at = 0;
  while (at < name.size()) {
    if (!in_word(name[at])) {
      out += name[at++];
      continue;
    }
    const Run run = run_at(name, at, in_word, separator);
    if (tells(run)) {
      out += kMark;
    } else {
      out += name.substr(run.begin, run.end - run.begin);
    }
    at = run.end;
  }
  return out;
}

// Four numbers of a byte each, anywhere among more of them: a counter may stand before or behind.
bool spells_quad(const Run& run, const MayStay& may_stay) {
  bool visitor = false;
  for (std::size_t i = 0; i + 4 <= run.words.size(); ++i) {
    std::uint64_t number = 0;
    bool bytes = true;
    for (std::size_t part = i; part < i + 4; ++part) {
      const std::string_view word = run.words[part];
      const std::uint64_t value = word.empty() || word.size() > 3 ? 256 : number_of(word, 10);
      bytes = bytes && value < 256;
      number = number << 8 | (value & 0xff);
    }
    if (!bytes) continue;
    if (!spells_visitor(number, may_stay)) return false;
    visitor = true;
  }
  return visitor;
}

bool spells_nibbles(const Run& run) {
  constexpr std::size_t kNibbles = 32;
  const auto is_nibble = [](std::string_view word) { return word.size() == 1; };
  return run.words.size() >= kNibbles && std::ranges::all_of(run.words, is_nibble);
}

bool is_of_a_host(const IpAddress& address) {
  static const std::array kBlocks = {*Prefix::parse("2000::/3"), *Prefix::parse("fc00::/7"),
                                     *Prefix::parse("fe80::/10")};
  return std::ranges::any_of(kBlocks, [&](const Prefix& block) { return block.contains(address); });
}

// IPv6 with dashes for colons, "--" for "::", and maybe words before or behind it.
bool spells_dashed6(const Run& run, const MayStay& may_stay) {
  constexpr std::size_t kGroups = 8;
  constexpr std::size_t kGroupsMin = 3;  // of a shortened one: less is a word and a number
  for (std::size_t from = 0; from < run.words.size(); ++from) {
    std::string text;
    std::size_t groups = 0;
    for (std::size_t i = from; i < run.words.size() && i < from + kGroups; ++i) {
      text += (i > from ? ":" : "") + std::string(run.words[i]);
      groups += run.words[i].empty() ? 0 : 1;
      if (groups < kGroupsMin) continue;
      const auto address = IpAddress::parse(text);
      if (address && is_of_a_host(*address) && !may_stay(*address)) return true;
    }
  }
  return false;
}

// Eight or 32 hexadecimal digits, letters beside them or not.
bool spells_hex(const Run& run, const MayStay& may_stay) {
  const std::string_view digits = run.words.front();
  if (digits.size() == 32) return true;
  return digits.size() == 8 && spells_visitor(number_of(digits, 16), may_stay);
}

// Four bytes in hexadecimal with separators.
bool spells_hex_bytes(const Run& run, const MayStay& may_stay) {
  const auto is_byte = [](std::string_view word) { return word.size() == 2; };
  if (run.words.size() != 4 || !std::ranges::all_of(run.words, is_byte)) return false;
  std::uint64_t number = 0;
  for (const std::string_view word : run.words) number = number << 8 | number_of(word, 16);
  return spells_visitor(number, may_stay);
}

// Twelve digits are four numbers with their zeros; eight to ten are one number where it is large enough.
bool spells_decimal(const Run& run, const MayStay& may_stay) {
  constexpr std::uint64_t kSmallest = 1U << 24;
  const std::string_view digits = run.words.front();
  if (digits.size() == 12) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < digits.size(); i += 3) {
      const std::uint64_t value = number_of(digits.substr(i, 3), 10);
      if (value > 255) return false;
      number = number << 8 | value;
    }
    return spells_visitor(number, may_stay);
  }
  if (digits.size() < 8 || digits.size() > 10) return false;
  const std::uint64_t number = number_of(digits, 10);
  return number >= kSmallest && number <= std::numeric_limits<std::uint32_t>::max() &&
         spells_visitor(number, may_stay);
}

std::string with_stand_ins(std::string_view marked_name) {
  std::string out;
  for (const char c : marked_name) {
    if (c == kMark) {
      out += kStandIn;
    } else {
      out += c;
    }
  }
  return DomainNameTraits::valid(out) ? out : std::string(kScrubbedName);
}

}  // namespace

std::string without_addresses(std::string_view name, const MayStay& may_stay, NameFrom from) {
  std::string out(name);
  // The longest first: what is part of an IPv6 address may read as an IPv4 one.
  out = marked(out, is_hex, '.', spells_nibbles);
  out = marked(out, is_hex, '-', [&](const Run& run) { return spells_dashed6(run, may_stay); });
  for (const char separator : {'.', '-', '_'}) {
    out = marked(out, is_digit, separator, [&](const Run& run) { return spells_quad(run, may_stay); });
  }
  if (from == NameFrom::visitor) {
    for (const char separator : {'.', '-', '_'}) {
      out = marked(out, is_hex, separator, [&](const Run& run) { return spells_hex_bytes(run, may_stay); });
    }
    out = marked(out, is_digit, kNoSeparator, [&](const Run& run) { return spells_decimal(run, may_stay); });
    out = marked(out, is_hex, kNoSeparator, [&](const Run& run) { return spells_hex(run, may_stay); });
  }
  return out == name ? out : with_stand_ins(out);
}

}  // namespace kua::probe
