#include <algorithm>
#include <array>
#include <charconv>

#include "platform/crypto/crypto.h"
#include "protocol/csv.h"
#include "protocol/target_list.h"

namespace kua::protocol {
namespace {

using Row = std::vector<CsvField>;

namespace sign {
enum Column : std::size_t {
  name,
  location_found,
  pattern_type,
  pattern,
  scope,
  other_names,
  confidence,
  countries,
  source,
  exp_url,
  notes
};
}
constexpr std::array<std::string_view, 11> kSignColumns = {
    "name",        "location_found",   "pattern_type",       "pattern", "scope",
    "other_names", "confidence_no_fp", "expected_countries", "source",  "exp_url",
    "notes"};
constexpr std::size_t kSignRequired = 4;

namespace root {
enum Column : std::size_t { name, subject, spki_sha256, countries, source, notes };
}
constexpr std::array<std::string_view, 6> kRootColumns = {"name",      "subject", "spki_sha256",
                                                          "countries", "source",  "notes"};
constexpr std::size_t kRootRequired = 2;

// Below it the lists' authors themselves expect ordinary pages to match.
constexpr int kConfidenceMin = 5;

// Whose blocking a row shows. Only these say something of a network: `fp` marks pages that look
// like blocking and are none, `vbw` words too vague to prove any, `inst` the filter of one school
// or company.
constexpr std::array<std::string_view, 3> kScopes = {"nat", "isp", "prod"};

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Countries parted by commas or spaces.
Expected<std::vector<CountryCode>> read_countries(const CsvTable& table, const CsvField& field) {
  std::vector<CountryCode> out;
  std::string_view rest = field.text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(", "), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (word.empty()) continue;
    const auto code = CountryCode::parse(word);
    if (!code)
      return table.error(field, "'" + std::string(word) + "' is not a country's two capitals");
    out.push_back(*code);
  }
  return out;
}

Expected<void> take_place(const CsvTable& table, const CsvField& field, Fingerprint& out) {
  using Where = Fingerprint::Where;
  constexpr std::string_view kHeader = "header.";
  const std::string_view place = field.text;
  if (place == "body") {
    out.where = Where::body;
  } else if (place == "title") {
    out.where = Where::title;
  } else if (place == "dns") {
    out.where = Where::dns_answer;
  } else if (place.starts_with(kHeader) && place.size() > kHeader.size()) {
    out.where = Where::header;
    out.header = place.substr(kHeader.size());
    std::ranges::transform(out.header, out.header.begin(), to_lower);
    if (out.header == "location") {
      out.where = Where::location;
      out.header.clear();
    }
  } else {
    return table.error(
        field, "'" + field.text + "' is not allowed (allowed: body, title, dns, header.NAME)");
  }
  return {};
}

Expected<void> take_match(const CsvTable& table, const CsvField& field, Fingerprint& out) {
  using Match = Fingerprint::Match;
  if (field.text == "full") {
    out.match = Match::full;
  } else if (field.text == "prefix") {
    out.match = Match::prefix;
  } else if (field.text == "contains") {
    out.match = Match::contains;
  } else {
    return table.error(
        field, "'" + field.text + "' is not allowed (allowed: full, prefix, contains, regexp)");
  }
  return {};
}

// nullopt, and counted: a row that must not accuse a network.
Expected<std::optional<Fingerprint>> read_fingerprint(const CsvTable& table, const Row& row,
                                                      SkippedSigns& skipped) {
  const auto skip = [](std::size_t& reason) {
    ++reason;
    return std::nullopt;
  };
  if (row[sign::pattern_type].text == "regexp") return skip(skipped.regular_expression);
  const auto& scope = row[sign::scope].text;
  if (!scope.empty() && std::ranges::find(kScopes, scope) == kScopes.end()) {
    return skip(skipped.scope);
  }
  if (const auto& text = row[sign::confidence].text; !text.empty()) {
    int confidence = 0;
    const auto number = std::from_chars(text.data(), text.data() + text.size(), confidence);
    if (number.ec != std::errc() || number.ptr != text.data() + text.size()) {
      return table.error(row[sign::confidence], "a confidence is a whole number");
    }
    if (confidence < kConfidenceMin) return skip(skipped.confidence);
  }
  Fingerprint out;
  if (row[sign::name].text.empty()) return table.error(row[sign::name], "the name is missing");
  out.name = row[sign::name].text;
  if (row[sign::pattern].text.empty())
    return table.error(row[sign::pattern], "the pattern is missing");
  out.pattern = row[sign::pattern].text;
  auto taken = take_place(table, row[sign::location_found], out);
  if (taken) taken = take_match(table, row[sign::pattern_type], out);
  if (!taken) return std::unexpected(taken.error());
  if (out.where == Fingerprint::Where::dns_answer) {
    const auto address = IpAddress::parse(out.pattern);
    if (address) out.pattern = address->text();
    std::ranges::transform(out.pattern, out.pattern.begin(), to_lower);  // names know no case
    if (!address && !DomainName::parse(out.pattern)) {
      return table.error(row[sign::pattern],
                         "a forged answer is an address or the name of a CNAME");
    }
  }
  auto countries = read_countries(table, row[sign::countries]);
  if (!countries) return std::unexpected(countries.error());
  out.countries = std::move(*countries);
  return out;
}

Expected<InterceptionRoot> read_root(const CsvTable& table, const Row& row) {
  InterceptionRoot out{row[root::name].text, row[root::spki_sha256].text, row[root::subject].text};
  if (out.name.empty()) return table.error(row[root::name], "the name is missing");
  if (out.subject.empty() && out.spki_sha256.empty()) {
    return table.error(row[root::subject], "give the subject, the spki_sha256 or both");
  }
  if (!out.spki_sha256.empty()) {
    const auto digest = platform::from_hex(out.spki_sha256);
    if (!digest || digest->size() != 32)
      return table.error(row[root::spki_sha256], "not 64 hexadecimal digits");
    std::ranges::transform(out.spki_sha256, out.spki_sha256.begin(), to_lower);
  }
  return out;
}

}  // namespace

Expected<std::vector<Fingerprint>> read_fingerprints_csv(std::string_view text,
                                                         const std::string& name,
                                                         SkippedSigns& skipped) {
  auto table = CsvTable::open(text, name, kSignColumns, kSignRequired);
  if (!table) return std::unexpected(table.error());
  std::vector<Fingerprint> out;
  while (true) {
    const auto row = table->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    auto fingerprint = read_fingerprint(*table, **row, skipped);
    if (!fingerprint) return std::unexpected(fingerprint.error());
    if (*fingerprint) out.push_back(std::move(**fingerprint));
  }
}

Expected<std::vector<InterceptionRoot>> read_interception_roots_csv(std::string_view text,
                                                                    const std::string& name) {
  auto table = CsvTable::open(text, name, kRootColumns, kRootRequired);
  if (!table) return std::unexpected(table.error());
  std::vector<InterceptionRoot> out;
  while (true) {
    const auto row = table->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    auto read = read_root(*table, **row);
    if (!read) return std::unexpected(read.error());
    out.push_back(std::move(*read));
  }
}

}  // namespace kua::protocol
