#include "collector/serve/answer.h"

#include <utility>

namespace kua::collector {
namespace {

boost::asio::awaitable<HttpResponse> at_once(HttpResponse response) { co_return response; }

}  // namespace

HttpHandler answering(std::function<HttpResponse(const HttpRequest&)> answer) {
  // Not a coroutine itself: the answer is made before one begins.
  return [answer = std::move(answer)](HttpRequest request) { return at_once(answer(request)); };
}

}  // namespace kua::collector
