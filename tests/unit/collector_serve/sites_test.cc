#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include "collector/serve/serve.h"
#include "tests/unit/collector_judge/world.h"

namespace kua::collector::test {
namespace {

using verdict::test::kReset;
using verdict::test::kTrue;
using verdict::test::resolved;
using verdict::test::well;

// The whole serving half behind its two routers.
class SitesTest : public ::testing::Test {
 protected:
  SitesTest() {
    serve.add_desk_routes(desk);
    serve.add_public_routes(open);
  }
  static ServeOptions options() {
    ServeOptions options;
    options.operator_name = "Example Foundation";
    options.build = {"0.1.0", "abc", "g++"};
    return options;
  }
  void take(Measurement measurement) {
    measurement.header.vantage.asn = Asn{9198};
    measurement.header.vantage.network_type = NetworkType::fixed;
    const ReceivedRecord record = received(std::move(measurement));
    clock.wall = std::max(clock.wall, record.facts.received);
    archive.keep(record);
    serve.sink().on_record(record);
  }
  static HttpResponse ask(const Router& router, const std::string& path,
                          std::map<std::string, std::string> query = {},
                          std::map<std::string, std::string> headers = {}) {
    boost::asio::io_context context;
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    request.headers = std::move(headers);
    HttpResponse answer;
    boost::asio::co_spawn(context, router.dispatch(std::move(request)),
                          [&](const std::exception_ptr& error, HttpResponse response) {
                            ASSERT_FALSE(error);
                            answer = std::move(response);
                          });
    context.run();
    return answer;
  }
  static std::string header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  StillClock clock;
  prometheus::Registry registry;
  MemoryArchive archive;
  Serve serve{options(), registry, archive, clock};
  Router desk;
  Router open;
};

TEST_F(SitesTest, TheDeskGivesARecordWithItsVerdicts) {
  take(control(well(), 90, 0));
  const Measurement seen = measured(resolved().cut(kTrue, kReset), 1, 2);
  take(seen);
  const HttpResponse response = ask(desk, "/api/v1/records/" + seen.header.id.text());
  ASSERT_EQ(response.status, 200u) << response.body;
  const auto answer = boost::json::parse(response.body).as_object();
  EXPECT_EQ(answer.at("record").as_object().at("id").as_string(), seen.header.id.text());
  EXPECT_EQ(answer.at("received").as_object().at("asn").to_number<int>(), 9198);
  bool likely = false;
  for (const auto& verdict : answer.at("verdicts").as_array()) {
    likely = likely || verdict.as_object().at("state").as_string() == "likely_blocked";
  }
  EXPECT_TRUE(likely) << response.body;
}

TEST_F(SitesTest, TheDeskPagesThroughRecordsNewestFirst) {
  for (int minute = 0; minute < 5; ++minute) take(measured(well(), 1, minute));
  const auto first =
      boost::json::parse(ask(desk, "/api/v1/records", {{"limit", "3"}}).body).as_object();
  ASSERT_EQ(first.at("records").as_array().size(), 3u);
  const std::string next(first.at("next").as_string());
  const auto rest =
      boost::json::parse(ask(desk, "/api/v1/records", {{"limit", "3"}, {"after", next}}).body)
          .as_object();
  EXPECT_EQ(rest.at("records").as_array().size(), 2u);
  EXPECT_TRUE(rest.at("next").is_null());
}

TEST_F(SitesTest, AWrongParameterIsNamed) {
  struct Case {
    std::string claim;
    std::map<std::string, std::string> query;
    std::string named;
  };
  const Case cases[] = {
      {"a misspelt one is not ignored", {{"contry", "KZ"}}, "contry"},
      {"a country is two capitals", {{"country", "kazakhstan"}}, "country"},
      {"a network is a number", {{"network", "AS-1"}}, "network"},
      {"a time is RFC 3339", {{"since", "yesterday"}}, "since"},
      {"a page has its bounds", {{"limit", "100000"}}, "limit"},
      {"no page is empty on purpose", {{"limit", "0"}}, "limit"},
  };
  for (const Case& row : cases) {
    const HttpResponse response = ask(desk, "/api/v1/records", row.query);
    EXPECT_EQ(response.status, 400u) << row.claim;
    EXPECT_NE(response.body.find(row.named), std::string::npos)
        << row.claim << ": " << response.body;
  }
  EXPECT_EQ(ask(desk, "/api/v1/records/not-an-id").status, 400u);
  EXPECT_EQ(ask(desk, "/api/v1/records/01234567-89ab-7def-8123-456789abcdef").status, 404u);
}

TEST_F(SitesTest, ADamagedArchiveIsOurFailureNotAnEmptyPage) {
  archive.failure = Error{ErrorKind::io, "a frame is damaged", "reading the record log"};
  EXPECT_EQ(ask(desk, "/api/v1/records").status, 500u);
}

TEST_F(SitesTest, TheDeskGivesCellsByLayer) {
  take(measured(well(), 1, 0));
  const auto answer =
      boost::json::parse(
          ask(desk, "/api/v1/cells", {{"country", "KZ"}, {"network", "AS9198"}}).body)
          .as_object();
  ASSERT_EQ(answer.at("targets").as_array().size(), 1u);
  EXPECT_EQ(answer.at("targets").as_array()[0].as_object().at("state").as_string(), "ok");
  EXPECT_GE(answer.at("cells").as_array().size(), 3u);
  EXPECT_TRUE(boost::json::parse(ask(desk, "/api/v1/cells", {{"country", "KG"}}).body)
                  .as_object()
                  .at("targets")
                  .as_array()
                  .empty());
}

TEST_F(SitesTest, AReplayMakesCellsAndMovesNoCounter) {
  const auto says = [&](const char* line) {
    return ask(desk, "/metrics").body.find(line) != std::string::npos;
  };
  take(control(well(), 90, 0));
  take(measured(well(), 1, 1));
  EXPECT_TRUE(says("kua_cells_open 1"));
  serve.live();
  constexpr const char* kSeries =
      "kua_measurements_total{category=\"NEWS\",country=\"KZ\",network=\"AS9198\",state=\"ok\"} ";
  EXPECT_TRUE(says((std::string(kSeries) + "0").c_str())) << "a rate begins at a zero";
  EXPECT_TRUE(says("kua_judge_controls_total 0"));
  EXPECT_TRUE(says("kua_judge_duration_seconds_count 0"));
  EXPECT_TRUE(
      says("kua_step_duration_seconds_count{country=\"KZ\",layer=\"tls\",network=\"AS9198\"} 0"));
  take(measured(well(), 2, 2));
  take(control(well(), 90, 3));
  EXPECT_TRUE(says((std::string(kSeries) + "1").c_str()));
  EXPECT_TRUE(says("kua_judge_controls_total 1"));
  EXPECT_TRUE(says("kua_judge_duration_seconds_count 1"));
}

TEST_F(SitesTest, OneProbeIsOnTheDeskAndNowhereInPublic) {
  take(measured(resolved().cut(kTrue, kReset).as(StepRole::same_address).shakes(kTrue), 1, 0));
  EXPECT_NE(ask(desk, "/metrics").body.find("www.example.com"), std::string::npos);
  for (const char* path : {"/", "/api/v1/cells", "/metrics"}) {
    const HttpResponse response = ask(open, path);
    EXPECT_EQ(response.status, 200u) << path;
    EXPECT_EQ(response.body.find("www.example.com"), std::string::npos) << path;
    EXPECT_EQ(response.body.find("9198"), std::string::npos) << path;
  }
  EXPECT_EQ(ask(open, "/api/v1/records").status, 404u) << "the public listener has no records";
}

TEST_F(SitesTest, FiveWitnessesMakeItPublic) {
  for (unsigned probe = 1; probe <= 5; ++probe) take(measured(well(), probe, 0));
  EXPECT_NE(ask(open, "/").body.find("AS9198"), std::string::npos);
  const auto answer = boost::json::parse(ask(open, "/api/v1/cells").body).as_object();
  ASSERT_EQ(answer.at("targets").as_array().size(), 1u);
  const auto& target = answer.at("targets").as_array()[0].as_object();
  EXPECT_EQ(target.at("witnesses").as_object().at("at_least").to_number<int>(), 5);
  EXPECT_EQ(target.at("witnesses").as_object().at("at_most").to_number<int>(), 9);
  EXPECT_FALSE(target.contains("probes"));
}

TEST_F(SitesTest, AReaderWhoHasThePageIsTold) {
  const HttpResponse first = ask(open, "/");
  const std::string tag = header(first, "ETag");
  ASSERT_FALSE(tag.empty());
  const HttpResponse again = ask(open, "/", {}, {{"if-none-match", tag}});
  EXPECT_EQ(again.status, 304u);
  EXPECT_TRUE(again.body.empty());
  clock.wall += std::chrono::minutes(2);
  EXPECT_EQ(ask(open, "/", {}, {{"if-none-match", tag}}).status, 200u) << "its time is another";
}

TEST_F(SitesTest, ThePageIsClosedToEverythingButItself) {
  const HttpResponse page = ask(open, "/");
  EXPECT_NE(header(page, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(header(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
}

TEST_F(SitesTest, MetricsComeInTheFormThatWasAskedFor) {
  EXPECT_EQ(ask(desk, "/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  const HttpResponse open_metrics =
      ask(desk, "/metrics", {}, {{"accept", "application/openmetrics-text;version=1.0.0"}});
  EXPECT_EQ(open_metrics.content_type,
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(open_metrics.body.ends_with("# EOF\n"));
}

TEST_F(SitesTest, ASeriesThatNobodyMeasuresIsGoneFromTheNextScrape) {
  take(measured(well(), 1, 0));
  EXPECT_NE(ask(desk, "/metrics").body.find("kua_target_state{"), std::string::npos);
  clock.wall = at(31);
  const std::string later = ask(desk, "/metrics").body;
  EXPECT_EQ(later.find("kua_target_state{"), std::string::npos)
      << "absence never reads as reachable";
  EXPECT_NE(later.find("kua_network_last_heard_timestamp_seconds{"), std::string::npos);
}

}  // namespace
}  // namespace kua::collector::test
