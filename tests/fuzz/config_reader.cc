// A YAML file that a person wrote, or that somebody mangled: every getter over every shape, and an
// answer that is either values or one error that names the place.
#include "platform/config/config_reader.h"

#include <string_view>

#include "measurement/check.h"

using namespace kua;

namespace {

constexpr Microseconds kNone{0};
constexpr Microseconds kDay{86'400'000'000};

void ask(platform::ConfigSection section, int depth) {
  constexpr std::string_view kWords[] = {"low", "home", "wide"};
  static_cast<void>(section.text("name", ""));
  static_cast<void>(section.one_of("profile", "home", kWords));
  static_cast<void>(section.flag("enabled", false));
  const std::int64_t count = section.integer("count", 5, 1, 10);
  KUA_CHECK(count >= 1 && count <= 10);
  const double share = section.real("share", 0.5, 0.0, 1.0);
  KUA_CHECK(share >= 0.0 && share <= 1.0);
  const Microseconds every = section.duration("every", kNone, kNone, kDay);
  KUA_CHECK(every >= kNone && every <= kDay);
  KUA_CHECK(section.bytes("bytes", 1, 0, 1 << 20) <= 1 << 20);
  static_cast<void>(section.texts("list"));
  if (section.has("odd")) section.reject("odd", "nothing");
  if (depth == 0) return;
  ask(section.section("part"), depth - 1);
  for (const auto& item : section.sections("parts")) ask(item, depth - 1);
  for (const auto& key : section.remaining_keys()) static_cast<void>(section.text(key, ""));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto reader = platform::ConfigReader::parse(text, "fuzz.yaml");
  if (!reader) {
    KUA_CHECK(reader.error().text().find("fuzz.yaml") != std::string::npos);
    return 0;
  }
  ask(reader->root(), 3);
  const Expected<void> done = reader->finish();
  if (!done) KUA_CHECK(done.error().text().find("fuzz.yaml") != std::string::npos);
  return 0;
}
