#include "collector/rejudge/rejudge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "collector/rejudge/judge_command.h"
#include "platform/compress/compress.h"
#include "platform/crypto/crypto.h"
#include "protocol/target_list.h"
#include "protocol/verdict_json.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/collector_judge/world.h"

namespace kua::collector::test {
namespace {

using verdict::test::kReset;
using verdict::test::kTrue;
using verdict::test::resolved;
using verdict::test::well;

constexpr unsigned kProbe = 1;
constexpr unsigned kControl = 90;

std::string text_of(std::FILE* file) {
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

class RejudgeTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(directory.file(name), std::ios::binary) << text;
    return directory.file(name);
  }
  // With a list that calls the documentation ranges public, as the lab's does.
  void run(JudgeCommand command) {
    protocol::TargetList list;
    list.issued = kStart;
    list.expires = kStart + protocol::kTargetListLifeMax;
    list.routable = known()->routable;
    list.harmless_name = "harmless.example";
    const auto signed_list = protocol::sign_target_list(list, platform::SigningKey::generate());
    ASSERT_TRUE(signed_list) << signed_list.error().text();
    command.lists = {write("list", *signed_list)};
    std::FILE* to = std::tmpfile();
    std::FILE* errors = std::tmpfile();
    end = judge_files(command, to, errors);
    out = text_of(to);
    err = text_of(errors);
  }
  static std::string line(const Measurement& measurement) {
    return protocol::write_record(measurement) + "\n";
  }
  static std::string logged(const Measurement& measurement) {
    return "{\"record\":" + protocol::write_record(measurement) + ",\"received\":{\"time\":\"x\"}}\n";
  }
  kua::test::TempDirectory directory;
  Expected<ReadThrough> end = ReadThrough::whole;
  std::string out;
  std::string err;
};

Story reset_once() { return resolved().cut(kTrue, kReset); }
Measurement cut() { return measured(reset_once(), kProbe, 2); }
std::string records() {
  return protocol::write_record(cut()) + "\n" + protocol::write_record(control(well(), kControl, 4)) + "\n";
}

TEST_F(RejudgeTest, OneLineAMeasurementWithTheControlsOfTheSameFiles) {
  run({.files = {write("a", line(cut())), write("b", line(control(well(), kControl, 4)))}});
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(*end, ReadThrough::whole);
  EXPECT_EQ(out.substr(0, out.find(" (")),
            "2022-01-05T10:02:00Z KZ AS0 web:https://www.example.com/ likely_blocked tls.reset");
  EXPECT_NE(err.find("1 measurements judged"), std::string::npos) << err;
  EXPECT_NE(err.find("1 controls"), std::string::npos) << err;
}

TEST_F(RejudgeTest, AControlThatNobodyVouchedForSaysNothing) {
  run({.files = {write("a", records())}, .controls = {probe_id(7).text()}});
  EXPECT_NE(out.find(" insufficient "), std::string::npos) << out;
  EXPECT_NE(err.find("1 records of controls that nobody vouched for"), std::string::npos) << err;
}

TEST_F(RejudgeTest, LinesOfTheLogReadLikeRecordsAndItsHeadersArePassedOver) {
  run({.files = {write("a", "{\"batch\":{\"time\":\"x\"}}\n" + logged(cut()) + logged(control(well(), kControl, 1)))}});
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, ReadThrough::whole);
  EXPECT_NE(out.find("likely_blocked"), std::string::npos) << out;
}

TEST_F(RejudgeTest, BadLinesAreNamedAndCountedAndTheRestIsJudged) {
  run({.files = {write("a", "garbage\n" + records() + "{\"format\":\"kua/9\"}\n" + std::string(2'000'000, 'x') + "\n")}});
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, ReadThrough::in_part);
  EXPECT_NE(out.find("likely_blocked"), std::string::npos);
  EXPECT_NE(err.find("/a:1: "), std::string::npos) << err;
  EXPECT_NE(err.find("/a:4: "), std::string::npos) << err;
  EXPECT_NE(err.find("/a:5: "), std::string::npos) << err;
  EXPECT_NE(err.find("2 lines not read: invalid_input"), std::string::npos) << err;
  EXPECT_NE(err.find("1 lines not read: limit"), std::string::npos) << err;
}

TEST_F(RejudgeTest, WhatStandsBeforeACutIsJudgedAndTheCutIsSaid) {
  const std::string frame = platform::zstd_compress(records());
  run({.files = {write("day.zst", frame + frame.substr(0, frame.size() / 2)), write("more", line(cut()))}});
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(*end, ReadThrough::in_part);
  EXPECT_EQ(std::ranges::count(out, '\n'), 2) << "one of the whole frame, one of the file behind: " << out;
  EXPECT_NE(err.find("day.zst: it is cut off; what stands before it was judged"), std::string::npos) << err;
}

TEST_F(RejudgeTest, AgainstItsOwnOutputNothingChanged) {
  const std::string files = write("a", records());
  run({.files = {files}, .json = true});
  const std::string earlier = write("old", out);
  run({.files = {files}, .against = earlier, .changed = true});
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(out, "");
  EXPECT_NE(err.find("1 compared, 0 changed, 0 of them in their state"), std::string::npos) << err;
}

TEST_F(RejudgeTest, WhatAControlAddsShowsAsAChangeByRuleAndState) {
  run({.files = {write("alone", line(cut()))}, .json = true});
  const std::string earlier = write("old", out);
  run({.files = {write("a", records())}, .against = earlier, .changed = true});
  EXPECT_NE(out.find("\n  - www.example.com tls: insufficient ("), std::string::npos) << out;
  EXPECT_NE(out.find("\n  + www.example.com tls: likely_blocked tls.reset"), std::string::npos) << out;
  EXPECT_NE(err.find("1 compared, 1 changed, 1 of them in their state"), std::string::npos) << err;
  run({.files = {write("a", records())}, .against = earlier, .json = true, .changed = true});
  EXPECT_NE(out.find(R"("state":"likely_blocked","state_before":"insufficient","gone":[)"), std::string::npos) << out;
}

TEST_F(RejudgeTest, VerdictsBesideARecordAreComparedWithToo) {
  Verdict old;
  old.host = "www.example.com";
  old.layer = Layer::tls;
  old.state = State::ok;
  old.rule = "tls.of_old";
  const std::string desk = "{\"record\":" + protocol::write_record(cut()) + ",\"received\":{},\"verdicts\":" +
                           protocol::write_verdicts({old}) + "}\n";
  run({.files = {write("a", desk)}, .changed = true});
  EXPECT_NE(out.find("  - www.example.com tls: ok (tls.of_old)"), std::string::npos) << out;
}

TEST_F(RejudgeTest, WithNothingToCompareWithItIsSaid) {
  run({.files = {write("a", records())}, .changed = true});
  EXPECT_EQ(out, "");
  EXPECT_NE(err.find("1 without earlier verdicts"), std::string::npos) << err;
}

TEST_F(RejudgeTest, EarlierVerdictsThatCannotBeReadEndTheRunWithTheLine) {
  run({.files = {write("a", records())}, .against = write("old", "{\"id\":\"nobody\"}\n")});
  ASSERT_FALSE(end);
  EXPECT_NE(end.error().text().find("/old:1"), std::string::npos) << end.error().text();
}

TEST_F(RejudgeTest, TheSummaryCountsStatesAndRules) {
  run({.files = {write("a", records())}, .summary = true});
  EXPECT_NE(out.find("  likely_blocked 1\n"), std::string::npos) << out;
  EXPECT_NE(out.find("  tls."), std::string::npos) << out;
}

TEST_F(RejudgeTest, WhatIsNotThereIsAnError) {
  run({.files = {directory.file("missing")}});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::not_found);
  run({.files = {write("a", records())}, .controls = {"me"}});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ErrorKind::configuration);
}

}  // namespace
}  // namespace kua::collector::test
