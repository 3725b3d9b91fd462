#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "protocol/csv.h"
#include "protocol/target_list.h"
#include "protocol/target_url.h"

namespace kua::protocol {
namespace {

// Citizen Lab's columns first, then ours; the first two are required.
enum Column : std::size_t {
  url,
  category_code,
  category_description,
  date_added,
  source,
  notes,
  tier,
  scope,
  country,
  service,
  endpoints,
  rule
};
constexpr std::array<std::string_view, 12> kColumns = {
    "url",        "category_code", "category_description",
    "date_added", "source",        "notes",
    "tier",       "scope",         "country",
    "service",    "endpoints",     "rule"};
constexpr std::size_t kRequired = 2;
constexpr std::size_t kServiceNameBytesMax = 64;
constexpr std::size_t kEndpointsMax = 32;  // of one service
constexpr std::size_t kCategoryBytesMax = 8;

using Row = std::vector<CsvField>;

struct Scheme {
  std::string_view name;
  Transport transport;
  bool tls;
};
constexpr std::array<Scheme, 3> kSchemes = {{{"tcp://", Transport::tcp, false},
                                             {"tls://", Transport::tcp, true},
                                             {"udp://", Transport::udp, false}}};

std::optional<ServiceEndpoint> parse_endpoint(std::string_view text) {
  const auto scheme =
      std::ranges::find_if(kSchemes, [&](const Scheme& s) { return text.starts_with(s.name); });
  if (scheme == kSchemes.end()) return std::nullopt;
  text.remove_prefix(scheme->name.size());
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto digits = text.substr(colon + 1);
  ServiceEndpoint out{std::string(host), 0, scheme->transport, scheme->tls};
  const auto number = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  const bool whole = number.ec == std::errc() && number.ptr == digits.data() + digits.size();
  if (!whole || out.port == 0) return std::nullopt;
  if (!DomainName::parse(out.host) && !IpAddress::parse(out.host)) return std::nullopt;
  return out;
}

std::string endpoint_text(const ServiceEndpoint& endpoint) {
  const auto scheme = std::ranges::find_if(kSchemes, [&](const Scheme& s) {
    return s.transport == endpoint.transport && s.tls == endpoint.tls;
  });
  const bool literal6 = endpoint.host.contains(':');
  return std::string(scheme == kSchemes.end() ? "udp://" : scheme->name) +
         (literal6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" +
         std::to_string(endpoint.port);
}

bool is_service_name(std::string_view name) {
  return !name.empty() && name.size() <= kServiceNameBytesMax &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '.';
         });
}

bool is_category(std::string_view code) {
  return !code.empty() && code.size() <= kCategoryBytesMax && std::ranges::all_of(code, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

Expected<void> take_endpoints(const CsvTable& table, const CsvField& field, Target& out) {
  std::string_view rest = field.text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.empty()) continue;
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) {
      return table.error(
          field, "'" + std::string(text) +
                     "' is no endpoint (tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT)");
    }
    out.endpoints.push_back(*endpoint);
  }
  if (out.endpoints.empty()) return table.error(field, "a service needs endpoints");
  if (out.endpoints.size() > kEndpointsMax)
    return table.error(field, "too many endpoints", ErrorKind::limit);
  return {};
}

// What is measured, and the id that follows from it.
Expected<void> take_subject(const CsvTable& table, const Row& row, Target& out) {
  const bool is_page = !row[url].text.empty();
  const bool is_service = !row[service].text.empty();
  if (is_page == is_service) return table.error(row[url], "give either a url or a service");
  if (is_service) {
    if (!is_service_name(row[service].text)) {
      return table.error(row[service], "a service's name is made of a-z, 0-9, '_', '-' and '.'");
    }
    out.id = *TargetId::parse("service:" + row[service].text);
    return take_endpoints(table, row[endpoints], out);
  }
  if (!row[endpoints].text.empty()) return table.error(row[endpoints], "a url has no endpoints");
  if (!row[rule].text.empty()) return table.error(row[rule], "a url has no rule");
  const auto page = parse_target_url(row[url].text);
  if (!page) return table.error(row[url], page.error().message, page.error().kind);
  out.url = page->text();
  out.id = target_id_of(*page);
  return {};
}

// A word of a closed set; an empty field keeps the default.
template <typename T>
Expected<void> take_word(const CsvTable& table, const CsvField& field, T& out,
                         std::optional<T> (*parse)(std::string_view) noexcept,
                         const char* allowed) {
  if (field.text.empty()) return {};
  const auto word = parse(field.text);
  if (!word)
    return table.error(field, "'" + field.text + "' is not allowed (allowed: " + allowed + ")");
  out = *word;
  return {};
}

Expected<Target> read_target(const CsvTable& table, const Row& row) {
  Target out{*TargetId::parse("none"), {}, {}, ServiceRule::any, {}, Tier::full,
             ControlScope::none,       {}};
  auto taken = take_subject(table, row, out);
  if (taken) taken = take_word(table, row[tier], out.tier, &parse_tier, "key, core, full, control");
  if (taken)
    taken =
        take_word(table, row[scope], out.scope, &parse_control_scope, "national, international");
  if (taken) taken = take_word(table, row[rule], out.rule, &parse_service_rule, "any, all");
  if (!taken) return std::unexpected(taken.error());
  if (!is_category(row[category_code].text)) {
    return table.error(row[category_code], "a category is a code of capitals, for instance NEWS");
  }
  out.category = row[category_code].text;
  if (!row[country].text.empty()) {
    out.country = CountryCode::parse(row[country].text);
    if (!out.country)
      return table.error(row[country], "a country is two capitals, for instance KZ");
  }
  if ((out.tier == Tier::control) != (out.scope != ControlScope::none)) {
    return table.error(row[scope], "controls, and only they, have a scope");
  }
  return out;
}

}  // namespace

Expected<std::vector<Target>> read_targets_csv(std::string_view text, const std::string& name) {
  auto table = CsvTable::open(text, name, kColumns, kRequired);
  if (!table) return std::unexpected(table.error());
  struct Seen {
    std::size_t index;
    std::size_t line;
  };
  std::vector<Target> out;
  std::unordered_map<TargetId, Seen> seen;
  while (true) {
    const auto row = table->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    const auto& first = (*row)->front();
    auto target = read_target(*table, **row);
    if (!target) return std::unexpected(target.error());
    const auto [earlier, is_new] = seen.emplace(target->id, Seen{out.size(), first.line});
    if (is_new) {
      out.push_back(std::move(*target));
      continue;
    }
    // Public lists hold one page under two spellings, sometimes in two categories: the first
    // counts.
    target->category = out[earlier->second.index].category;
    if (*target != out[earlier->second.index]) {
      return table->error(first, "'" + target->id.text() + "' stands in line " +
                                     std::to_string(earlier->second.line) +
                                     " with another meaning");
    }
  }
}

std::string write_targets_csv(const std::vector<Target>& targets) {
  std::string out;
  for (const auto column : kColumns) out.append(out.empty() ? "" : ",").append(column);
  out += "\n";
  for (const auto& target : targets) {
    std::string list;
    for (const auto& endpoint : target.endpoints)
      list += (list.empty() ? "" : " ") + endpoint_text(endpoint);
    const bool is_service = target.url.empty();
    const std::array<std::string, kColumns.size()> fields = {
        target.url,
        target.category,
        "",
        "",
        "",
        "",
        to_string(target.tier),
        target.scope == ControlScope::none ? "" : to_string(target.scope),
        target.country ? target.country->text() : "",
        is_service ? target.id.text().substr(std::string_view("service:").size()) : "",
        list,
        is_service ? to_string(target.rule) : ""};
    for (std::size_t i = 0; i < fields.size(); ++i)
      out += (i == 0 ? "" : ",") + csv_field(fields[i]);
    out += "\n";
  }
  return out;
}

}  // namespace kua::protocol
