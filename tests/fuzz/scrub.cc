// What servers sent, made fit for a record: the probe's addresses are gone in every spelling that
// stands alone, and scrubbing what was scrubbed changes nothing. A host's name stays one.
#include "probe/step/scrub.h"

#include <cctype>

#include "measurement/check.h"
#include "measurement/names.h"

using namespace kua;
using namespace kua::probe;

namespace {

// Where `spelling` stands in `text` without a letter or a digit beside it.
bool stands_alone(std::string_view text, std::string_view spelling) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = text.find(spelling); at != std::string_view::npos;
       at = text.find(spelling, at + 1)) {
    const std::size_t end = at + spelling.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])))
      return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const IpAddress own[] = {*IpAddress::parse("203.0.113.77"),
                                  *IpAddress::parse("2001:db8:77::1")};
  static const IpAddress asked[] = {*IpAddress::parse("198.51.100.5")};
  static const Scrubber scrubber(own, asked);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string once = scrubber.scrub(text);
  for (const std::string_view spelling : {"203.0.113.77", "203-0-113-77", "77.113.0.203",
                                          "3405803853", "cb00714d", "2001:db8:77::1"}) {
    KUA_CHECK(!stands_alone(once, spelling));
  }
  KUA_CHECK(scrubber.scrub(once) == once);
  if (DomainName::parse(text)) {
    const std::string name = scrubber.scrub_name(text, NameFrom::visitor);
    KUA_CHECK(DomainName::parse(name));
    for (const std::string_view spelling : {"203.0.113.77", "203-0-113-77", "77.113.0.203", "cb00714d"}) {
      KUA_CHECK(!stands_alone(name, spelling));
    }
  }
  return 0;
}
