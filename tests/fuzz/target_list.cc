// A target list from anywhere. As JSON: what is read is written and read again the same. As an
// envelope: the input is an edit script (offset, byte) over one that was signed; whatever still
// opens is the list that was signed, since nothing else may send a probe anywhere.
#include "protocol/target_list.h"

#include <string_view>

#include "measurement/check.h"

using namespace kua;
using namespace kua::protocol;

namespace {

void json_round_trips(std::string_view json) {
  const Expected<TargetList> list = read_target_list(json);
  if (!list) return;
  const std::string written = write_target_list(*list);
  const Expected<TargetList> again = read_target_list(written);
  KUA_CHECK(again.has_value() && *again == *list);
  KUA_CHECK(write_target_list(*again) == written);
}

struct Signed {
  platform::SigningKey key = platform::SigningKey::generate();
  TargetList list;
  std::string envelope;
};

Signed signed_once() {
  Signed out;
  out.list.serial = 7;
  out.list.issued = WallTime{std::chrono::seconds(1'780'000'000)};
  out.list.expires = out.list.issued + std::chrono::days(14);
  out.list.harmless_name = "www.example.com";
  auto envelope = sign_target_list(out.list, out.key);
  KUA_CHECK(envelope.has_value());
  out.envelope = *envelope;
  return out;
}

void edits_do_not_open(std::string_view script) {
  static const Signed original = signed_once();
  std::string envelope = original.envelope;
  for (; script.size() >= 3; script.remove_prefix(3)) {
    const std::size_t at = static_cast<std::size_t>(static_cast<std::uint8_t>(script[0])) << 8 |
                           static_cast<std::uint8_t>(script[1]);
    envelope[at % envelope.size()] = script[2];
  }
  const WallTime now = original.list.issued + std::chrono::hours(1);
  const auto opened = open_target_list(envelope, {original.key.public_key()}, now, 7);
  KUA_CHECK(!opened || *opened == original.list);
  KUA_CHECK(envelope != original.envelope || opened.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  json_round_trips(input);
  if (size < 64) edits_do_not_open(input);
  static const Signed other = signed_once();
  KUA_CHECK(!open_target_list(input, {other.key.public_key()}, other.list.issued, 0));
  return 0;
}
