// Who may look at the desk: bearers of a token, each with a role, and callers on this machine where
// the operator allows that. Tokens are kept and compared as SHA-256 digests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/http/http.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {

// Each may do what the one before may.
enum class Role : std::uint8_t { reader = 0, analyst = 1, reviewer = 2 };
[[nodiscard]] const char* to_string(Role role) noexcept;
[[nodiscard]] std::optional<Role> parse_role(std::string_view text) noexcept;

enum class LoopbackAccess : std::uint8_t { token_needed, free_to_read };

class DeskAccess {
 public:
  explicit DeskAccess(LoopbackAccess loopback) : loopback_(loopback) {}

  void add_token(std::string_view token, Role role);
  // The role of the caller; nullopt: none.
  [[nodiscard]] std::optional<Role> role_of(const HttpRequest& request) const;
  // For Router::set_gate: 401 for whom we do not know. Copies this.
  [[nodiscard]] HttpGate gate() const;

 private:
  struct Token {
    platform::Digest digest;
    Role role;
  };
  LoopbackAccess loopback_;
  std::vector<Token> tokens_;
};

}  // namespace kua::collector
