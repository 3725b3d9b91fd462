#include "measurement/verdict.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kua {
namespace {

Verdict at(std::string host, Layer layer, State state, std::optional<Family> family = {}) {
  Verdict verdict;
  verdict.host = std::move(host);
  verdict.layer = layer;
  verdict.state = state;
  verdict.family = family;
  return verdict;
}

struct Case {
  std::string claim;
  std::vector<Verdict> verdicts;
  State summary;
};

TEST(Summarize, Table) {
  const std::vector<Case> cases = {
      {"nothing judged says nothing", {}, State::insufficient},
      {"a host that is ok at its deepest layer is ok",
       {at("a", Layer::dns, State::ok), at("a", Layer::http, State::ok)},
       State::ok},
      {"a valid certificate stands although the lookup alone proved nothing",
       {at("a", Layer::dns, State::insufficient), at("a", Layer::tls, State::ok)},
       State::ok},
      {"an answered lookup before an unexplained timeout is no success",
       {at("a", Layer::dns, State::ok), at("a", Layer::tls, State::insufficient)},
       State::insufficient},
      {"one family that works suffices",
       {at("a", Layer::tcp, State::insufficient, Family::ip6),
        at("a", Layer::tcp, State::ok, Family::ip4)},
       State::ok},
      {"a redirect to a host nobody could judge is no success",
       {at("a", Layer::http, State::ok), at("b", Layer::tls, State::insufficient)},
       State::insufficient},
      {"a blocked second host blocks the target",
       {at("a", Layer::http, State::ok), at("b", Layer::tls, State::blocked)},
       State::blocked},
      {"an artifact outweighs a site that is down elsewhere in the chain",
       {at("a", Layer::http, State::down), at("b", Layer::dns, State::blocked)},
       State::blocked},
      {"blocked QUIC alone leaves the target ok",
       {at("a", Layer::tls, State::ok), at("a", Layer::quic, State::blocked)},
       State::ok},
      {"QUIC alone says nothing about the target",
       {at("a", Layer::quic, State::ok)},
       State::insufficient},
  };
  for (const Case& row : cases) EXPECT_EQ(summarize(row.verdicts), row.summary) << row.claim;
}

}  // namespace
}  // namespace kua
