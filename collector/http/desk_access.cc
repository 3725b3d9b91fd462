#include "collector/http/desk_access.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "platform/crypto/crypto.h"

namespace kua::collector {
namespace {

bool is_loopback(const IpAddress& address) {
  static const Prefix kLoopback4 = *Prefix::parse("127.0.0.0/8");
  static const Prefix kLoopback6 = *Prefix::parse("::1/128");
  return kLoopback4.contains(address) || kLoopback6.contains(address);
}

// A page that a browser on this machine has open could reach us under a name that it lets resolve to
// 127.0.0.1; then that name stands in Host.
bool names_no_domain(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host == "localhost" || IpAddress::parse(host).has_value();
}

}  // namespace

const char* to_string(DeskRole role) noexcept {
  switch (role) {
    case DeskRole::reader: return "reader";
    case DeskRole::analyst: return "analyst";
    case DeskRole::reviewer: return "reviewer";
  }
  return "reader";
}

std::optional<DeskRole> parse_desk_role(std::string_view text) noexcept {
  for (const DeskRole role : {DeskRole::reader, DeskRole::analyst, DeskRole::reviewer}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

Expected<DeskAccess> DeskAccess::load(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorKind::not_found, "there is no such file", "reading desk tokens " + path);
  }
  if ((status.st_mode & 077) != 0) {
    return fail(ErrorKind::permission, "others may read it; chmod 600", "reading desk tokens " + path);
  }
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return parse(text.str(), path);
}

Expected<DeskAccess> DeskAccess::parse(std::string_view text, const std::string& name) {
  DeskAccess access;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string role_text;
    std::string hash;
    words >> role_text >> hash;
    const auto role = parse_desk_role(role_text);
    const auto bytes = platform::from_hex(hash);
    if (!role || !bytes || bytes->size() != platform::Digest().size()) {
      return fail(ErrorKind::invalid_input, "a line is: reader, analyst or reviewer, then the SHA-256 of the token in hex",
                  "reading " + name + ":" + std::to_string(number));
    }
    access.roles_[*bytes] = *role;
  }
  return access;
}

std::optional<DeskRole> DeskAccess::role_of(const HttpRequest& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view authorization = request.header("authorization");
  if (authorization.empty()) {
    const bool local = is_loopback(request.peer) && names_no_domain(request.header("host"));
    return local ? std::optional(DeskRole::reviewer) : std::nullopt;
  }
  if (!authorization.starts_with(kScheme)) return std::nullopt;
  // Looking up the hash takes no time that depends on how much of the token was right.
  const platform::Digest digest = platform::sha256(authorization.substr(kScheme.size()));
  const auto found = roles_.find(std::string(digest.begin(), digest.end()));
  return found == roles_.end() ? std::nullopt : std::optional(found->second);
}

HttpGate DeskAccess::gate(DeskRole least) const {
  return [access = *this, least](const HttpRequest& request) -> std::optional<HttpResponse> {
    const auto role = access.role_of(request);
    if (role && *role >= least) return std::nullopt;
    if (role) return error_response(403, "forbidden", "this needs the role " + std::string(to_string(least)));
    HttpResponse response = error_response(401, "unauthorized", "a token is needed: Authorization: Bearer TOKEN");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  };
}

}  // namespace kua::collector
