// A line that claims to be a join link: what is read is written and read again as the same link.
#include "protocol/join_link.h"

#include "measurement/check.h"

using namespace kua;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Expected<protocol::JoinLink> link = protocol::read_join_link(text);
  if (!link) return 0;
  KUA_CHECK(!link->endpoints.empty() && link->endpoints.size() <= 8);
  KUA_CHECK(!link->pins.empty() && link->pins.size() <= 8);
  KUA_CHECK(!link->list_keys.empty() && link->list_keys.size() <= 4);
  const std::string written = protocol::write_join_link(*link);
  const Expected<protocol::JoinLink> again = protocol::read_join_link(written);
  KUA_CHECK(again.has_value() && *again == *link);
  KUA_CHECK(protocol::write_join_link(*again) == written);
  return 0;
}
