#include "tests/lab/forwarder/quic_initial.h"

namespace kua::lab {
std::optional<std::string> quic_server_name(wire::BytesView, std::map<std::uint64_t, wire::Bytes>&) {
  return std::nullopt;
}
}  // namespace kua::lab
