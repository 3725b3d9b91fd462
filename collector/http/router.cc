#include <algorithm>

#include "collector/http/http.h"

namespace kua::collector {
namespace {

bool matches(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kAny = "/{}";
  if (!pattern.ends_with(kAny)) return pattern == path;
  const std::string_view stem = pattern.substr(0, pattern.size() - 2);  // keeps its slash
  if (!path.starts_with(stem)) return false;
  const std::string_view last = path.substr(stem.size());
  return !last.empty() && last.find('/') == std::string_view::npos;
}

// Quotes, backslashes and control characters would end the string they stand in.
std::string json_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
  const auto found = headers.find(std::string(lower_case_name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

HttpResponse error_response(unsigned status, std::string_view error, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = R"({"error":")" + json_text(error) + R"(","message":")" + json_text(message) + "\"}\n";
  return response;
}

const char* to_string(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::too_many_connections: return "too_many_connections";
    case DropReason::tls_handshake: return "tls_handshake";
    case DropReason::timeout: return "timeout";
    case DropReason::malformed: return "malformed";
    case DropReason::too_large: return "too_large";
    case DropReason::disconnected: return "disconnected";
    case DropReason::internal: return "internal";
  }
  return "internal";
}

void Router::add(std::string method, std::string pattern, HttpHandler handler) {
  routes_.push_back({std::move(method), std::move(pattern), std::move(handler)});
}

void Router::set_gate(HttpGate gate) { gate_ = std::move(gate); }

boost::asio::awaitable<HttpResponse> Router::dispatch(HttpRequest request) const {
  if (gate_) {
    std::optional<HttpResponse> answer = gate_(request);
    if (answer) co_return std::move(*answer);
  }
  const std::string method = request.method == "HEAD" ? std::string("GET") : request.method;
  std::string allowed;
  for (const Route& route : routes_) {
    if (!matches(route.pattern, request.path)) continue;
    if (route.method == method) {
      boost::asio::awaitable<HttpResponse> answering = route.handler(std::move(request));
      HttpResponse response = co_await std::move(answering);
      co_return response;
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (allowed.empty()) {
    HttpResponse response = error_response(404, "not_found", "nothing is here");
    co_return response;
  }
  HttpResponse response = error_response(405, "method_not_allowed", "another method is needed here");
  response.headers.emplace_back("Allow", allowed);
  co_return response;
}

}  // namespace kua::collector
