// The table of networks that an operator gives: whatever it holds, every address has an answer, and
// a refusal names the file and the line.
#include <string>
#include <string_view>

#include "collector/ingest/network_database.h"
#include "measurement/check.h"

using namespace kua;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto database = collector::read_network_csv(text, "fuzz.csv");
  if (!database) {
    KUA_CHECK(database.error().text().find("fuzz.csv") != std::string::npos);
    return 0;
  }
  for (const char* address : {"0.0.0.0", "198.18.0.1", "255.255.255.255", "::", "2001:db8::1"}) {
    const collector::NetworkFacts facts = (*database)->look_up(*IpAddress::parse(address));
    KUA_CHECK(facts.country.text().size() == 2);
  }
  return 0;
}
