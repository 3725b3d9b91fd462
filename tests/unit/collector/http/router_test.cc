#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "collector/http/http.h"

namespace kua::collector {
namespace {

boost::asio::awaitable<HttpResponse> answer_with(std::string text) {
  HttpResponse response;
  response.body = std::move(text);
  co_return response;
}

HttpHandler says(std::string text) {
  return [text](HttpRequest) { return answer_with(text); };
}

HttpResponse ask(const Router& router, std::string method, std::string path) {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  boost::asio::io_context context;
  HttpResponse out;
  boost::asio::co_spawn(context, router.dispatch(std::move(request)),
                        [&out](std::exception_ptr problem, HttpResponse response) {
                          ASSERT_FALSE(problem);
                          out = std::move(response);
                        });
  context.run();
  return out;
}

Router example() {
  Router router;
  router.add("GET", "/api/v1/records", says("list"));
  router.add("GET", "/api/v1/records/{}", says("one"));
  router.add("POST", "/v1/records", says("stored"));
  return router;
}

TEST(Router, EveryPathFindsItsHandler) {
  struct Case {
    const char* claim;
    const char* method;
    const char* path;
    unsigned status;
    const char* body;
  };
  const Case cases[] = {
      {"an exact path", "GET", "/api/v1/records", 200, "list"},
      {"any last component", "GET", "/api/v1/records/abc", 200, "one"},
      {"HEAD is answered by GET's handler", "HEAD", "/api/v1/records/abc", 200, "one"},
      {"an empty last component is no component", "GET", "/api/v1/records/", 404, nullptr},
      {"two components are not one", "GET", "/api/v1/records/a/b", 404, nullptr},
      {"a prefix of a path is not the path", "GET", "/api/v1", 404, nullptr},
      {"a known path with another method", "DELETE", "/api/v1/records", 405, nullptr},
      {"HEAD does not reach a POST", "HEAD", "/v1/records", 405, nullptr},
  };
  const Router router = example();
  for (const Case& c : cases) {
    const HttpResponse response = ask(router, c.method, c.path);
    EXPECT_EQ(response.status, c.status) << c.claim;
    if (c.body != nullptr) {
      EXPECT_EQ(response.body, c.body) << c.claim;
    }
  }
}

TEST(Router, AMethodThatIsMissingNamesTheOnesThatAreThere) {
  const HttpResponse response = ask(example(), "PUT", "/api/v1/records");
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].first, "Allow");
  EXPECT_EQ(response.headers[0].second, "GET, HEAD");
}

TEST(Router, TheGateSeesARequestBeforeAnyHandler) {
  Router router = example();
  router.set_gate([](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.path.ends_with("abc")) return error_response(403, "forbidden", "not \"you\"");
    return std::nullopt;
  });
  EXPECT_EQ(ask(router, "GET", "/api/v1/records").status, 200u);
  const HttpResponse refused = ask(router, "GET", "/api/v1/records/abc");
  EXPECT_EQ(refused.status, 403u);
  EXPECT_EQ(refused.body, "{\"error\":\"forbidden\",\"message\":\"not \\\"you\\\"\"}\n");
}

}  // namespace
}  // namespace kua::collector
