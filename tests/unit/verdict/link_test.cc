#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

enum class Ended { reached, failed, elsewhere };

struct Line {
  Line& check(LinkSubject subject, Ended ended, const char* target = "") {
    LinkCheck step;
    step.subject = subject;
    step.target = target;
    step.reached = ended == Ended::reached;
    if (ended == Ended::failed) step.failure = failure(kSilence, Operation::connect);
    measurement.observations.emplace_back(step);
    return *this;
  }
  Line& gateway(Ended ended) { return check(LinkSubject::gateway, ended); }
  Line& resolver(Ended ended) { return check(LinkSubject::resolver, ended); }
  Line& bogus_resolver() {
    check(LinkSubject::resolver, Ended::failed);
    std::get<LinkCheck>(measurement.observations.back()).failure =
        failure(FailureCode::dns_bogon_error, Operation::resolve);
    return *this;
  }
  Line& national(Ended ended, const char* target = "n1") {
    return check(LinkSubject::national, ended, target);
  }
  Line& abroad(Ended ended, const char* target = "i1") {
    return check(LinkSubject::international, ended, target);
  }
  Line& portal(Ended ended) { return check(LinkSubject::captive_portal, ended); }
  Measurement measurement;
};

TEST(LinkState, Table) {
  using enum Ended;
  struct Row {
    const char* claim;
    Line line;
    LinkState state;
  };
  const Row rows[] = {
      {"nothing looked at says nothing", Line(), LinkState::unknown},
      {"a control abroad that answers: online",
       Line().gateway(reached).resolver(reached).national(reached).abroad(reached), LinkState::online},
      {"a dead national control does not matter then", Line().resolver(reached).national(failed).abroad(reached),
       LinkState::online},
      {"a gateway that answers no ping neither", Line().gateway(failed).resolver(reached).abroad(reached),
       LinkState::online},
      {"all controls abroad fail, national ones work",
       Line().resolver(reached).national(reached).abroad(failed).abroad(failed, "i2"),
       LinkState::international_cut},
      {"one control abroad may be down by itself", Line().resolver(reached).national(reached).abroad(failed),
       LinkState::unknown},
      {"the same one twice is still one",
       Line().resolver(reached).national(reached).abroad(failed).abroad(failed), LinkState::unknown},
      {"a second control abroad that answers clears the first",
       Line().resolver(reached).national(reached).abroad(failed).abroad(reached, "i2"), LinkState::online},
      {"everything fails, the gateway answers",
       Line().gateway(reached).resolver(failed).national(failed).abroad(failed).portal(failed),
       LinkState::offline},
      {"everything fails, the gateway too", Line().gateway(failed).resolver(failed), LinkState::offline},
      {"the network's resolver goes on answering in a total cut",
       Line().gateway(reached).resolver(reached).national(failed).national(failed, "n2").abroad(failed)
           .abroad(failed, "i2"),
       LinkState::offline},
      {"one control each is no cut while the resolver answers",
       Line().gateway(reached).resolver(reached).national(failed).abroad(failed), LinkState::unknown},
      {"the resolver is down, the line is not", Line().gateway(reached).resolver(failed).abroad(reached),
       LinkState::dns_broken},
      {"a portal answers in a stranger's place",
       Line().gateway(reached).resolver(reached).national(failed).abroad(failed).portal(elsewhere),
       LinkState::captive},
      {"a portal that names its own private address for every name",
       Line().gateway(reached).bogus_resolver().national(failed).abroad(failed).portal(failed),
       LinkState::captive},
      {"whoever reaches the near side is behind no portal: a notice in the place of everything abroad is a cut",
       Line().resolver(reached).national(reached).abroad(failed).abroad(failed, "i2").portal(elsewhere),
       LinkState::international_cut},
      {"port 443 is cut abroad and port 80 is not",
       Line().resolver(reached).national(reached).abroad(failed).abroad(failed, "i2").portal(reached),
       LinkState::international_cut},
      {"port 443 is cut everywhere: that port 80 still answers for itself hides no cut",
       Line().resolver(reached).national(failed).national(failed, "n2").abroad(failed).abroad(failed, "i2")
           .portal(reached),
       LinkState::offline},
      {"one control each may be down by itself while port 80 answers",
       Line().resolver(reached).national(failed).abroad(failed).abroad(failed, "i2").portal(reached),
       LinkState::unknown},
      {"a portal on port 80 is one though all of port 443 fails",
       Line().resolver(reached).national(failed).national(failed, "n2").abroad(failed).abroad(failed, "i2")
           .portal(elsewhere),
       LinkState::captive},
      {"a changed page behind a working line is no portal",
       Line().resolver(reached).abroad(reached).portal(elsewhere), LinkState::online},
  };
  for (const Row& row : rows) {
    EXPECT_STREQ(to_string(conclude_link_state(row.line.measurement)), to_string(row.state)) << row.claim;
  }
}

TEST(LinkState, ACutThatSparesClearTextHasAWordOfItsOwn) {
  using enum Ended;
  Line cut = Line().resolver(reached).national(failed).national(failed, "n2").abroad(failed).abroad(failed, "i2");
  cut.measurement.experiment = "link_state";
  EXPECT_EQ(judge(cut.measurement, {}, knowledge()).at(0).rule, "link.offline");
  cut.portal(reached);
  const auto verdicts = judge(cut.measurement, {}, knowledge());
  EXPECT_EQ(verdicts.at(0).rule, "link.offline_but_clear_text");
  EXPECT_EQ(verdicts.at(0).mechanism, "link.offline");
  EXPECT_EQ(verdicts.at(0).state, State::down);
}

TEST(LinkState, ItsVerdictNamesNoHost) {
  Line cut = Line().resolver(Ended::reached).national(Ended::reached).abroad(Ended::failed)
                 .abroad(Ended::failed, "i2");
  cut.measurement.experiment = "link_state";
  const auto verdicts = judge(cut.measurement, {}, knowledge());
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].host, "");
  EXPECT_EQ(verdicts[0].layer, Layer::link);
  EXPECT_EQ(verdicts[0].state, State::impaired);
  EXPECT_EQ(verdicts[0].mechanism, "link.international_cut");
  EXPECT_EQ(verdicts[0].evidence.size(), 4U);
}

}  // namespace
}  // namespace kua::verdict::test
