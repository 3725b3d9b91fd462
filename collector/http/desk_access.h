// Who may use the desk listener: whoever comes from this machine, or has a token with a role. Tokens are
// kept as SHA-256 only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collector/http/http.h"
#include "measurement/error.h"

namespace kua::collector {

// Each role may do what the one before it may, and more.
enum class DeskRole : std::uint8_t { reader = 0, analyst = 1, reviewer = 2 };
[[nodiscard]] const char* to_string(DeskRole role) noexcept;
[[nodiscard]] std::optional<DeskRole> parse_desk_role(std::string_view text) noexcept;

class DeskAccess {
 public:
  // Lines of `role sha256-hex`; '#' begins a comment. Errors: invalid_input with the line, permission
  // when others may read the file, not_found.
  [[nodiscard]] static Expected<DeskAccess> load(const std::string& path);
  [[nodiscard]] static Expected<DeskAccess> parse(std::string_view text, const std::string& name);

  // The role of a request; nullopt: none. From a loopback address without a token: reviewer, since
  // whoever is on this machine can read the files anyway.
  [[nodiscard]] std::optional<DeskRole> role_of(const HttpRequest& request) const;
  // Lets `least` and above pass; answers 401 to the others, 403 to a role that is too low.
  [[nodiscard]] HttpGate gate(DeskRole least) const;

 private:
  std::map<std::string, DeskRole> roles_;  // by the bytes of the token's SHA-256
};

}  // namespace kua::collector
