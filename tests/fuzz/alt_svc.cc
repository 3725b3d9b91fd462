// A port that is read stands in the text as an alternative of this host, and what is put before or behind it
// as another element does not hide it.
#include "wire/alt_svc.h"

#include <string>

#include "measurement/check.h"

using namespace kua::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto port = http3_port(text);
  if (!port) return 0;
  KUA_CHECK(*port != 0 && text.find("h3=\":") != std::string::npos);
  KUA_CHECK(http3_port("h2=\"alt.example:443\", " + text) == port);
  KUA_CHECK(http3_port(text + ",h3=\":1\"") == port);
  return 0;
}
