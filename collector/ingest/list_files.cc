#include "collector/ingest/list_files.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "collector/limits.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {

const ListFiles::Envelope* ListFiles::find(const CountryCode& country) {
  if (const Envelope* own = load("targets-" + country.text() + ".json")) return own;
  return load("targets.json");
}

const ListFiles::Envelope* ListFiles::load(const std::string& name) {
  const std::string path = directory_ + "/" + name;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || status.st_size <= 0 ||
      static_cast<std::size_t>(status.st_size) > limits::kListBytesMax) {
    cache_.erase(name);
    return nullptr;
  }
  const std::int64_t modified = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (const auto known = cache_.find(name); known != cache_.end() && known->second.modified_ns == modified &&
                                            known->second.bytes == bytes && known->second.inode == status.st_ino) {
    return &known->second.envelope;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return nullptr;
  Cached fresh{modified, bytes, status.st_ino, {text.str(), {}}};
  const platform::Digest digest = platform::sha256(fresh.envelope.bytes);
  fresh.envelope.etag = "\"" + platform::to_hex(digest).substr(0, 32) + "\"";
  return &cache_.insert_or_assign(name, std::move(fresh)).first->second.envelope;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  if (if_none_match == "*") return true;
  for (auto at = if_none_match.find(etag); at != std::string_view::npos; at = if_none_match.find(etag, at + 1)) {
    // Weak tags match too: the comparison of If-None-Match is the weak one.
    const std::string_view before = if_none_match.substr(0, at);
    const std::string_view after = if_none_match.substr(at + etag.size());
    const bool starts = before.empty() || before.ends_with(' ') || before.ends_with(',') || before.ends_with("W/");
    const bool ends = after.empty() || after.starts_with(' ') || after.starts_with(',');
    if (starts && ends) return true;
  }
  return false;
}

}  // namespace kua::collector
