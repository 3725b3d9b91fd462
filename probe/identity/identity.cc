#include "probe/identity/identity.h"

#include <fstream>
#include <span>

namespace kua::probe {

Expected<Identity> load_or_create_identity(const StateDirectory& state) {
  const std::string path = state.path_of(kKeyFile);
  auto key = platform::SigningKey::load(path);
  if (!key) {
    if (key.error().kind != ErrorKind::not_found) return std::unexpected(key.error());
    auto fresh = platform::SigningKey::generate();
    if (auto saved = fresh.save_new(path); !saved) return std::unexpected(saved.error());
    key = std::move(fresh);
  }
  ProbeId id = platform::probe_id_of(key->public_key());
  return Identity{std::move(*key), std::move(id)};
}

Expected<std::string> boot_name(const ProbeId& probe, const std::string& kernel_boot_id_path) {
  std::ifstream file(kernel_boot_id_path);
  std::string kernel_id;
  if (!std::getline(file, kernel_id) || kernel_id.empty()) {
    return fail(ErrorKind::io, "the kernel gives no boot id", "reading " + kernel_boot_id_path);
  }
  const auto digest = platform::sha256("kua boot\n" + probe.text() + "\n" + kernel_id);
  return platform::to_hex(std::span(digest).first(8));
}

}  // namespace kua::probe
