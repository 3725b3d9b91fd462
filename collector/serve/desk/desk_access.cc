#include "collector/serve/desk/desk_access.h"

#include <algorithm>

namespace kua::collector {
namespace {

bool is_loopback(const IpAddress& address) {
  static const Prefix kFour = *Prefix::parse("127.0.0.0/8");
  static const Prefix kSix = *Prefix::parse("::1/128");
  return kFour.contains(address) || kSix.contains(address);
}

// Takes the same time wherever the digests differ.
bool same(const platform::Digest& one, const platform::Digest& other) noexcept {
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    difference |= unsigned{one[i]} ^ unsigned { other[i] };
  return difference == 0;
}

}  // namespace

const char* to_string(Role role) noexcept {
  switch (role) {
    case Role::reader:
      return "reader";
    case Role::analyst:
      return "analyst";
    case Role::reviewer:
      return "reviewer";
  }
  return "reader";
}

std::optional<Role> parse_role(std::string_view text) noexcept {
  for (const Role role : {Role::reader, Role::analyst, Role::reviewer}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

void DeskAccess::add_token(std::string_view token, Role role) {
  tokens_.push_back({platform::sha256(token), role});
}

std::optional<Role> DeskAccess::role_of(const HttpRequest& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.header("authorization");
  if (authorization.starts_with(kBearer)) {
    const platform::Digest digest = platform::sha256(authorization.substr(kBearer.size()));
    std::optional<Role> role;
    for (const Token& token : tokens_) {
      if (same(token.digest, digest)) role = role ? std::max(*role, token.role) : token.role;
    }
    return role;  // a token that is wrong is not made good by where it comes from
  }
  if (loopback_ == LoopbackAccess::free_to_read && is_loopback(request.peer)) return Role::reader;
  return std::nullopt;
}

HttpGate DeskAccess::gate() const {
  return [access = *this](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (access.role_of(request)) return std::nullopt;
    HttpResponse response = error_response(401, "unauthorized", "a desk token is needed here");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"kua desk\"");
    return response;
  };
}

}  // namespace kua::collector
