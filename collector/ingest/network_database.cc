#include "collector/ingest/network_database.h"

#include <maxminddb.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "collector/limits.h"

namespace kua::collector {
namespace {

struct Row {
  Prefix prefix;
  NetworkFacts facts;
};

// By family, then length, then base: one binary search a length.
auto key_of(const Prefix& prefix) {
  return std::tuple(prefix.base().family(), prefix.length(), prefix.base());
}

class PrefixTable final : public NetworkDatabase {
 public:
  explicit PrefixTable(std::vector<Row> rows) : rows_(std::move(rows)) {
    // A prefix that is listed twice keeps its first row.
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const Row& a, const Row& b) { return key_of(a.prefix) < key_of(b.prefix); });
    for (const Row& row : rows_) {
      (row.prefix.base().family() == Family::ip4 ? lengths4_ : lengths6_).insert(row.prefix.length());
    }
  }

  NetworkFacts look_up(const IpAddress& address) const override {
    for (const int length : address.family() == Family::ip4 ? lengths4_ : lengths6_) {
      const auto wanted = key_of(Prefix::of(address, length));
      const auto found = std::lower_bound(rows_.begin(), rows_.end(), wanted, [](const Row& row, const auto& key) {
        return key_of(row.prefix) < key;
      });
      if (found != rows_.end() && key_of(found->prefix) == wanted) return found->facts;
    }
    return {};
  }

 private:
  std::vector<Row> rows_;
  std::set<int, std::greater<>> lengths4_;
  std::set<int, std::greater<>> lengths6_;
};

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const auto comma = line.find(',');
    std::string_view field = line.substr(0, comma);
    while (!field.empty() && (field.front() == ' ' || field.front() == '"')) field.remove_prefix(1);
    while (!field.empty() && (field.back() == ' ' || field.back() == '"' || field.back() == '\r')) field.remove_suffix(1);
    out.push_back(field);
    if (comma == std::string_view::npos) return out;
    line.remove_prefix(comma + 1);
  }
}

std::optional<Asn> parse_asn(std::string_view text) {
  if (text.starts_with("AS") || text.starts_with("as")) text.remove_prefix(2);
  Asn asn;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), asn.number);
  if (problem != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return asn;
}

// Where each column stands; nullopt: it is absent.
struct Columns {
  std::optional<std::size_t> prefix, asn, country, network_type;
};

Expected<Columns> read_columns(std::string_view line, const std::string& name) {
  Columns columns;
  const auto names = fields_of(line);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "prefix") columns.prefix = i;
    if (names[i] == "asn") columns.asn = i;
    if (names[i] == "country") columns.country = i;
    if (names[i] == "network_type") columns.network_type = i;
  }
  if (!columns.prefix) {
    return fail(ErrorKind::invalid_input, "the first line must name the columns: prefix,asn,country,network_type",
                "reading " + name + ":1");
  }
  return columns;
}

Expected<Row> read_row(std::string_view line, const Columns& columns) {
  const auto fields = fields_of(line);
  const auto field = [&](std::optional<std::size_t> column) {
    return column && *column < fields.size() ? fields[*column] : std::string_view();
  };
  const auto prefix = Prefix::parse(field(columns.prefix));
  if (!prefix) return fail(ErrorKind::invalid_input, "'" + std::string(field(columns.prefix)) + "' is not a prefix");
  Row row{*prefix, {}};
  if (const auto text = field(columns.asn); !text.empty()) {
    const auto asn = parse_asn(text);
    if (!asn) return fail(ErrorKind::invalid_input, "'" + std::string(text) + "' is not an AS number");
    row.facts.asn = *asn;
  }
  if (const auto text = field(columns.country); !text.empty()) {
    const auto country = CountryCode::parse(text);
    if (!country) return fail(ErrorKind::invalid_input, "'" + std::string(text) + "' is not a country code");
    row.facts.country = *country;
  }
  if (const auto text = field(columns.network_type); !text.empty()) {
    const auto type = parse_network_type(text);
    if (!type) return fail(ErrorKind::invalid_input, "'" + std::string(text) + "' is not a network type");
    row.facts.network_type = *type;
  }
  return row;
}

std::optional<std::string_view> mmdb_text(const MMDB_entry_data_s& data) {
  if (!data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING) return std::nullopt;
  return std::string_view(data.utf8_string, data.data_size);
}

class MaxMindDatabase final : public NetworkDatabase {
 public:
  explicit MaxMindDatabase(const MMDB_s& database) : database_(database) {}
  MaxMindDatabase(const MaxMindDatabase&) = delete;
  MaxMindDatabase& operator=(const MaxMindDatabase&) = delete;
  ~MaxMindDatabase() override { MMDB_close(&database_); }

  NetworkFacts look_up(const IpAddress& address) const override {
    NetworkFacts facts;
    int gai_error = 0;
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s found = MMDB_lookup_string(&database_, address.text().c_str(), &gai_error, &error);
    if (gai_error != 0 || error != MMDB_SUCCESS || !found.found_entry) return facts;
    // GeoLite2 and DB-IP nest the country; IPinfo's files have it flat.
    MMDB_entry_data_s data{};
    if (MMDB_get_value(&found.entry, &data, "country", "iso_code", nullptr) != MMDB_SUCCESS) {
      (void)MMDB_get_value(&found.entry, &data, "country", nullptr);
    }
    if (const auto text = mmdb_text(data)) facts.country = CountryCode::parse(*text).value_or(facts.country);
    data = {};
    if (MMDB_get_value(&found.entry, &data, "autonomous_system_number", nullptr) == MMDB_SUCCESS && data.has_data &&
        data.type == MMDB_DATA_TYPE_UINT32) {
      facts.asn.number = data.uint32;
    } else if (MMDB_get_value(&found.entry, &data, "asn", nullptr) == MMDB_SUCCESS) {
      if (const auto text = mmdb_text(data)) facts.asn = parse_asn(*text).value_or(facts.asn);
    }
    return facts;
  }

 private:
  mutable MMDB_s database_;
};

class SeveralDatabases final : public NetworkDatabase {
 public:
  explicit SeveralDatabases(std::vector<std::unique_ptr<NetworkDatabase>> parts) : parts_(std::move(parts)) {}

  NetworkFacts look_up(const IpAddress& address) const override {
    NetworkFacts facts;
    const NetworkFacts nothing;
    for (const auto& part : parts_) {
      const NetworkFacts more = part->look_up(address);
      if (facts.country == nothing.country) facts.country = more.country;
      if (facts.asn == nothing.asn) facts.asn = more.asn;
      if (facts.network_type == nothing.network_type) facts.network_type = more.network_type;
    }
    return facts;
  }

 private:
  std::vector<std::unique_ptr<NetworkDatabase>> parts_;
};

Expected<std::unique_ptr<NetworkDatabase>> open_one(const std::string& path) {
  if (path.ends_with(".mmdb")) {
    MMDB_s database{};
    const int error = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database);
    if (error != MMDB_SUCCESS) {
      return fail(ErrorKind::configuration, MMDB_strerror(error), "opening network database " + path);
    }
    return std::make_unique<MaxMindDatabase>(database);
  }
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return fail(ErrorKind::not_found, "the file cannot be read", "opening network database " + path);
  }
  return read_network_csv(text.str(), path);
}

}  // namespace

Expected<std::unique_ptr<NetworkDatabase>> read_network_csv(std::string_view text, const std::string& name) {
  std::vector<Row> rows;
  std::optional<Columns> columns;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (line.empty() || line == "\r" || line.front() == '#') continue;
    if (!columns) {
      const auto read = read_columns(line, name);
      if (!read) return std::unexpected(read.error());
      columns = *read;
      continue;
    }
    auto row = read_row(line, *columns);
    if (!row) {
      row.error().doing = "reading " + name + ":" + std::to_string(number);
      return std::unexpected(row.error());
    }
    if (rows.size() >= limits::kNetworkRowsMax) {
      return fail(ErrorKind::limit, "more than " + std::to_string(limits::kNetworkRowsMax) + " rows", "reading " + name);
    }
    rows.push_back(std::move(*row));
  }
  return std::make_unique<PrefixTable>(std::move(rows));
}

Expected<std::unique_ptr<NetworkDatabase>> open_network_databases(const std::vector<std::string>& paths) {
  std::vector<std::unique_ptr<NetworkDatabase>> parts;
  for (const std::string& path : paths) {
    auto part = open_one(path);
    if (!part) return std::unexpected(part.error());
    parts.push_back(std::move(*part));
  }
  return std::make_unique<SeveralDatabases>(std::move(parts));
}

}  // namespace kua::collector
