// The outside of a signed list, before anybody believes it.
#pragma once

#include <optional>
#include <string_view>

#include "platform/crypto/crypto.h"

namespace kua::collector {

// Who says that he signed it; nothing is checked. nullopt: no envelope.
[[nodiscard]] std::optional<platform::PublicKey> claimed_list_key(std::string_view envelope);

}  // namespace kua::collector
