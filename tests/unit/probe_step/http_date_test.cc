#include "probe/step/http_date.h"

#include <gtest/gtest.h>

namespace kua::probe {
namespace {

TEST(HttpDate, ReadsThePreferredForm) {
  EXPECT_EQ(parse_http_date("Tue, 04 Jan 2022 16:45:00 GMT"), parse_rfc3339("2022-01-04T16:45:00Z"));
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT"), parse_rfc3339("2024-02-29T23:59:59Z"));
}

class BadDate : public ::testing::TestWithParam<const char*> {};
TEST_P(BadDate, GivesNothing) { EXPECT_FALSE(parse_http_date(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Texts, BadDate,
                         ::testing::Values("", "Tue, 04 Jan 2022 16:45:00", "Tuesday, 04-Jan-22 16:45:00 GMT",
                                           "Tue Jan  4 16:45:00 2022", "Tue, 31 Feb 2022 16:45:00 GMT",
                                           "Tue, 04 Jam 2022 16:45:00 GMT", "Tue, 04 Jan 2022 24:45:00 GMT",
                                           "Tue, 04 Jan 20x2 16:45:00 GMT", "Tue, 04 Jan 2022 16:45:00 EST"));

}  // namespace
}  // namespace kua::probe
