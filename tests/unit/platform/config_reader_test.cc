#include "platform/config/config_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "platform/config/quantity.h"
#include "tests/support/temp_directory.h"

namespace kua::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

ConfigReader parsed(std::string_view text) {
  auto reader = ConfigReader::parse(text, "probe.yaml");
  EXPECT_TRUE(reader) << reader.error().text();
  return std::move(*reader);
}

std::string refusal(std::string_view text) {
  const auto reader = ConfigReader::parse(text, "probe.yaml");
  return reader ? "accepted" : reader.error().message;
}

// What finish() says after `read` looked at the root.
template <typename Read>
std::string problem(std::string_view text, Read read) {
  auto reader = parsed(text);
  read(reader.root());
  const auto finished = reader.finish();
  return finished ? "fine" : finished.error().message;
}

TEST(ConfigReader, ReadsEveryTypeAndFallsBackWhereAKeyIsAbsent) {
  auto reader = parsed(R"(
name: "Куә: probe"   # a comment
port: 8443
share: 0.5
on: true
every: 1.5s
room: 64KiB
profile: home
list: [a, "b c", 3]
schedule:
  key: 5min
endpoints:
  - {host: a, port: 1}
  - host: b
nothing:
)");
  auto& root = reader.root();
  EXPECT_EQ(root.text("name", ""), "Куә: probe");
  EXPECT_EQ(root.integer("port", 0, 1, 65535), 8443);
  EXPECT_EQ(root.real("share", 0, 0, 1), 0.5);
  EXPECT_TRUE(root.flag("on", false));
  EXPECT_EQ(root.duration("every", 0s, 0s, 1h), 1500ms);
  EXPECT_EQ(root.bytes("room", 0, 0, 1 << 20), 65536u);
  constexpr std::array<std::string_view, 2> kProfiles = {"home", "wide"};
  EXPECT_EQ(root.one_of("profile", "wide", kProfiles), "home");
  EXPECT_THAT(root.texts("list"), ElementsAre("a", "b c", "3"));
  EXPECT_EQ(root.section("schedule").duration("key", 0s, 0s, 1h), 5min);
  auto endpoints = root.sections("endpoints");
  ASSERT_EQ(endpoints.size(), 2u);
  EXPECT_EQ(endpoints[0].text("host", ""), "a");
  EXPECT_EQ(endpoints[0].integer("port", 0, 0, 9), 1);
  EXPECT_EQ(endpoints[1].text("host", ""), "b");
  EXPECT_EQ(endpoints[1].integer("port", 7, 0, 9), 7);
  EXPECT_EQ(root.section("nothing").text("x", "default"), "default");
  EXPECT_EQ(root.section("absent").section("deeper").text("x", "default"), "default");
  EXPECT_TRUE(root.texts("absent").empty());
  EXPECT_TRUE(root.sections("absent").empty());
  EXPECT_EQ(root.text("absent", "d"), "d");
  const auto finished = reader.finish();
  EXPECT_TRUE(finished) << finished.error().text();
}

TEST(ConfigReader, QuotesHoldWhatTheyHold) {
  auto reader = parsed(
      "\xef\xbb\xbf"
      R"(a: 'it''s'
b: "say \"x\""
c: |
  two
  lines
'd e': "ә"
)");
  EXPECT_EQ(reader.root().text("a", ""), "it's");
  EXPECT_EQ(reader.root().text("b", ""), "say \"x\"");
  EXPECT_EQ(reader.root().text("c", ""), "two\nlines\n");
  EXPECT_EQ(reader.root().text("d e", ""), "ә");
  EXPECT_TRUE(reader.finish());
}

TEST(ConfigReader, AnEmptyFileIsAllDefaults) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "{}"}) {
    EXPECT_EQ(problem(text, [](ConfigSection& root) { EXPECT_EQ(root.text("x", "d"), "d"); }),
              "fine")
        << text;
  }
}

TEST(ConfigReader, AnUnknownKeyIsNamedWithWhatIsAllowed) {
  EXPECT_EQ(problem("interval: 5\nprofile: home\ninterfal: 6\n",
                    [](ConfigSection& root) {
                      (void)root.text("interval", "");
                      (void)root.text("profile", "");
                    }),
            "probe.yaml:3: unknown key 'interfal' (allowed here: interval, profile)");
  EXPECT_EQ(
      problem("a:\n  b:\n    c: 1\n",
              [](ConfigSection& root) { (void)root.section("a").section("b").text("d", ""); }),
      "probe.yaml:3: unknown key 'a.b.c' (allowed here: d)");
  EXPECT_EQ(problem("a:\n- x: 1\n- y: 1\n",
                    [](ConfigSection& root) {
                      for (auto& entry : root.sections("a")) (void)entry.text("x", "");
                    }),
            "probe.yaml:3: unknown key 'a[1].y' (allowed here: x)");
}

TEST(ConfigReader, WrongValuesNameFileLineKeyAndWhatIsAllowed) {
  using Section = ConfigSection;
  struct Row {
    const char* text;
    void (*read)(Section&);
    const char* problem;
  };
  const Row rows[] = {
      {"\nport: none", [](Section& s) { (void)s.integer("port", 1, 1, 9); },
       "probe.yaml:2: port: 'none' is not allowed (allowed: a whole number from 1 to 9)"},
      {"port: 10", [](Section& s) { (void)s.integer("port", 1, 1, 9); },
       "probe.yaml:1: port: '10' is not allowed (allowed: a whole number from 1 to 9)"},
      {"port: 1.5", [](Section& s) { (void)s.integer("port", 1, 1, 9); },
       "probe.yaml:1: port: '1.5' is not allowed (allowed: a whole number from 1 to 9)"},
      {"port:", [](Section& s) { (void)s.integer("port", 1, 1, 9); },
       "probe.yaml:1: port: no value is not allowed (allowed: a whole number from 1 to 9)"},
      {"share: .nan", [](Section& s) { (void)s.real("share", 0, 0, 1); },
       "probe.yaml:1: share: '.nan' is not allowed (allowed: a number from 0 to 1)"},
      {"share: nan", [](Section& s) { (void)s.real("share", 0, 0, 1); },
       "probe.yaml:1: share: 'nan' is not allowed (allowed: a number from 0 to 1)"},
      {"on: yes", [](Section& s) { (void)s.flag("on", false); },
       "probe.yaml:1: on: 'yes' is not allowed (allowed: true, false)"},
      {"on: \"true\"", [](Section& s) { (void)s.flag("on", false); },
       "probe.yaml:1: on: 'true' is not allowed (allowed: true, false)"},
      {"every: 30", [](Section& s) { (void)s.duration("every", 1s, 1s, 2h); },
       "probe.yaml:1: every: '30' is not allowed (allowed: a number and ms, s, min, h or d, from "
       "1s to 2h)"},
      {"every: 3h", [](Section& s) { (void)s.duration("every", 1s, 1s, 90min); },
       "probe.yaml:1: every: '3h' is not allowed (allowed: a number and ms, s, min, h or d, from "
       "1s to 90min)"},
      {"room: 5mb", [](Section& s) { (void)s.bytes("room", 0, 1000, 50'000'000); },
       "probe.yaml:1: room: '5mb' is not allowed (allowed: a whole number and B, kB, MB, GB, KiB, "
       "MiB or GiB, "
       "from 1kB to 50MB)"},
      {"list: a", [](Section& s) { (void)s.texts("list"); },
       "probe.yaml:1: list: 'a' is not allowed (allowed: a list of texts)"},
      {"list:\n- a\n- [b]", [](Section& s) { (void)s.texts("list"); },
       "probe.yaml:3: list: a list is not allowed (allowed: a list of texts)"},
      {"a: 1", [](Section& s) { (void)s.section("a"); },
       "probe.yaml:1: a: '1' is not allowed (allowed: keys of its own)"},
      {"a:\n  b: [1]", [](Section& s) { (void)s.section("a").text("b", ""); },
       "probe.yaml:2: a.b: a list is not allowed (allowed: a text)"},
      {"a: {b: 1}", [](Section& s) { (void)s.sections("a"); },
       "probe.yaml:1: a: a mapping is not allowed (allowed: a list of entries, each with keys of "
       "its own)"},
  };
  for (const auto& row : rows) EXPECT_EQ(problem(row.text, row.read), row.problem) << row.text;
}

TEST(ConfigReader, TheFirstProblemIsTold) {
  EXPECT_THAT(problem("a: x\nb: y\nc: 1\n",
                      [](ConfigSection& root) {
                        (void)root.integer("b", 0, 0, 9);
                        (void)root.integer("a", 0, 0, 9);
                      }),
              HasSubstr(":2: b:"));
}

TEST(ConfigReader, KeysThatAreData) {
  auto reader = parsed("known: 1\nKZ: 2\nRU: 3\n");
  EXPECT_EQ(reader.root().integer("known", 0, 0, 9), 1);
  EXPECT_TRUE(reader.root().has("KZ"));
  EXPECT_THAT(reader.root().remaining_keys(), ElementsAre("KZ", "RU"));
  for (const auto& key : reader.root().remaining_keys()) (void)reader.root().integer(key, 0, 0, 9);
  EXPECT_TRUE(reader.finish());
}

TEST(ConfigReader, RejectNamesTheLine) {
  EXPECT_EQ(problem("a: 1\nasn: AS9\n",
                    [](ConfigSection& root) {
                      (void)root.text("a", "");
                      if (root.text("asn", "") == "AS9") root.reject("asn", "a number");
                    }),
            "probe.yaml:2: asn: 'AS9' is not allowed (allowed: a number)");
}

TEST(ConfigReader, WhatIsNotForPeopleIsRefused) {
  EXPECT_EQ(refusal("a: &x 1\nb: *x\n"), "probe.yaml:1:4: anchors (&name) are not allowed");
  EXPECT_THAT(refusal("a: *x\n"), HasSubstr("probe.yaml:1"));
  EXPECT_EQ(refusal("a: !python/object 1\n"), "probe.yaml:1:4: tags (!name) are not allowed");
  EXPECT_EQ(refusal("a: 1\na: 2\n"), "probe.yaml:2:1: key 'a' is given twice");
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n"), "probe.yaml:3:1: a second document (---) is not allowed");
  EXPECT_EQ(refusal("- a\n- b\n"), "probe.yaml:1:1: 'key: value' lines are expected");
  EXPECT_EQ(refusal("just words\n"), "probe.yaml:1:1: 'key: value' lines are expected");
  EXPECT_EQ(refusal("[a]: 1\n"), "probe.yaml:1:1: a key must be a plain word");
  EXPECT_EQ(refusal(std::string_view("a: 1\n\0", 6)),
            "probe.yaml:2:1: a zero byte: this is not a text file");
}

TEST(ConfigReader, TextThatIsNotYamlNamesItsPlace) {
  EXPECT_THAT(refusal("a: 1\n\tb: 2\n"), HasSubstr("probe.yaml:2:"));
  EXPECT_THAT(refusal("a: [1, 2\nb: 3\n"), HasSubstr("probe.yaml:"));
  for (const char* text : {"a: \"x\nb: 2\n", "a: 'x\nb: 2\n", "a: 'x''\nb: '2'\n",
                           "\xef\xbb\xbf"
                           "a: \"x\\\"\n"}) {
    EXPECT_THAT(refusal(text), HasSubstr("must end on the line where it begins")) << text;
  }
  EXPECT_THAT(refusal("a: 1\n b: 2\n"), HasSubstr("probe.yaml:2:"));
}

TEST(ConfigReader, HostileTextEndsInAnError) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const char before = static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [*" + before + ",*" + before + ",*" + before + "]\n";
  }
  std::string many_keys;
  for (int i = 0; i < 100'000; ++i) many_keys += "k" + std::to_string(i) + ":\n";
  for (const auto& text :
       {bomb, std::string(100'000, '['), std::string(100'000, '{'), std::string(100'000, '-'),
        "a: " + std::string(100'000, '['), std::string(2 << 20, 'a'), many_keys,
        "a: [" + std::string(1 << 19, ',') + "]", std::string("a: \xff\xfe\n- "),
        std::string("? ? ? ? ?"), std::string("%YAML 9.9\n---\na: 1\n...\n%"),
        std::string("a: \"\\xZZ\"")}) {
    const auto reader = ConfigReader::parse(text, "x");
    EXPECT_FALSE(reader) << text.substr(0, 40);
  }
  EXPECT_EQ(
      ConfigReader::parse("a: " + std::string(17, '[') + std::string(17, ']'), "x").error().kind,
      ErrorKind::limit);
}

TEST(ConfigReader, OpensFiles) {
  const test::TempDirectory directory;
  EXPECT_EQ(ConfigReader::open(directory.file("absent.yaml")).error().kind, ErrorKind::not_found);
  EXPECT_FALSE(ConfigReader::open(directory.path()));
  const auto path = directory.file("probe.yaml");
  std::ofstream(path) << "a: x\n";
  auto reader = ConfigReader::open(path);
  ASSERT_TRUE(reader) << reader.error().text();
  EXPECT_EQ(reader->root().text("a", ""), "x");
  std::ofstream(path) << std::string((1 << 20) + 1, '#');
  EXPECT_EQ(ConfigReader::open(path).error().kind, ErrorKind::limit);
}

TEST(ConfigReader, TheProjectsOwnFilesAreYamlThatItReads) {
  for (const auto& entry : std::filesystem::directory_iterator(KUA_SOURCE_DIR "/config")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto reader = ConfigReader::open(entry.path());
    EXPECT_TRUE(reader) << reader.error().text();
  }
}

TEST(Quantities, OneSpellingANumberAndItsUnit) {
  using internal::parse_bytes;
  using internal::parse_duration;
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("0.000001s"), 1us);
  EXPECT_EQ(parse_duration("0.5d"), 12h);
  EXPECT_EQ(parse_duration("106751991d"), Microseconds(9'223'372'022'400'000'000));
  for (const char* text : {"", "s", "5", "5 s", "-5s", "+5s", "5S", "5m", "1.s", ".5s", "1e3s",
                           "1.0000001s", "106751992d", "99999999999999999999s", "5ss", "0x5s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_bytes("0B"), 0u);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536u);
  EXPECT_EQ(parse_bytes("20MB"), 20'000'000u);
  EXPECT_EQ(parse_bytes("2GiB"), 2'147'483'648u);
  for (const char* text : {"", "B", "5", "5b", "5 MB", "1.5MB", "-1B", "5KB", "99999999999GiB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(Quantities, WhatIsWrittenIsRead) {
  for (const auto duration : {0us, 1'000us, 90'000'000us, 86'400'000'000us, 3'600'000'000us}) {
    EXPECT_EQ(internal::parse_duration(internal::to_text(duration)), duration);
  }
  for (const std::uint64_t bytes :
       {0ull, 1ull, 1'000ull, 1'024ull, 50'000'000ull, 1ull << 30, 3ull << 20}) {
    EXPECT_EQ(internal::parse_bytes(internal::bytes_to_text(bytes)), bytes);
  }
}

}  // namespace
}  // namespace kua::platform
