// Which network an address belongs to, by files of the operator: MaxMind databases (*.mmdb) and tables
// `prefix,asn,country,network_type` (*.csv). libmaxminddb stays inside network_database.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/names.h"
#include "measurement/vantage.h"

namespace kua::collector {

struct NetworkFacts {
  CountryCode country = *CountryCode::parse("ZZ");
  Asn asn;
  NetworkType network_type = NetworkType::unknown;
  friend bool operator==(const NetworkFacts&, const NetworkFacts&) = default;
};

class NetworkDatabase {
 public:
  virtual ~NetworkDatabase() = default;
  // What is not known stays "ZZ", 0, unknown.
  [[nodiscard]] virtual NetworkFacts look_up(const IpAddress& address) const = 0;
};

// A table of prefixes; the longest that contains the address answers. First line: the column names, of
// which asn, country and network_type may be absent. Errors: invalid_input with file and line, limit.
[[nodiscard]] Expected<std::unique_ptr<NetworkDatabase>> read_network_csv(std::string_view text,
                                                                          const std::string& name);

// Several files; a fact is taken from the first that knows it. No files: nothing is known.
[[nodiscard]] Expected<std::unique_ptr<NetworkDatabase>> open_network_databases(
    const std::vector<std::string>& paths);

}  // namespace kua::collector
