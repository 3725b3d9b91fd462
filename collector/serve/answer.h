// Makes a handler of a function that answers at once.
#pragma once

#include <functional>

#include "collector/http/http.h"

namespace kua::collector {

[[nodiscard]] HttpHandler answering(std::function<HttpResponse(const HttpRequest&)> answer);

}  // namespace kua::collector
