#include "collector/ingest/cluster_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>

#include "collector/limits.h"

namespace kua::collector {
namespace {

// 56 bits: a million clusters meet by chance once in 140,000 epochs, and the text fits into a string
// object without an allocation for each of its many copies.
constexpr std::size_t kClusterBytes = kClusterDigits / 2;

std::unexpected<Error> failed(std::string doing) {
  const int number = errno;
  return fail(number == ENOSPC ? ErrorKind::no_space : ErrorKind::io, std::generic_category().message(number),
              std::move(doing));
}

Expected<void> write_synced(const std::string& path, const std::string& text, int flags) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0600);
  if (fd < 0) return failed("writing " + path);
  const ssize_t written = ::write(fd, text.data(), text.size());
  const bool good = written == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const auto result = good ? Expected<void>() : Expected<void>(failed("writing " + path));
  ::close(fd);
  return result;
}

// No file: no keys.
Expected<std::map<Epoch, platform::Digest>> read_keys(const std::string& path) {
  std::map<Epoch, platform::Digest> keys;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return keys;
  if ((status.st_mode & 077) != 0) {
    return fail(ErrorKind::permission, "others may read it; chmod 600", "opening cluster keys " + path);
  }
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    Epoch epoch = 0;
    std::string hex;
    words >> epoch >> hex;
    const auto bytes = platform::from_hex(hex);
    platform::Digest key{};
    if (!words || !bytes || bytes->size() != key.size()) {
      return fail(ErrorKind::invalid_input, "a line is not 'epoch key'", "opening cluster keys " + path);
    }
    std::copy(bytes->begin(), bytes->end(), key.begin());
    keys[epoch] = key;
  }
  return keys;
}

}  // namespace

Expected<ClusterKeys> ClusterKeys::open(std::string path) {
  ClusterKeys keys(path);
  auto read = read_keys(path);
  if (!read || read->empty()) {
    // A stop in the middle of write() leaves the old file wiped or gone and the new one whole.
    auto fresh = read_keys(path + ".new");
    if (fresh && !fresh->empty()) {
      ::rename((path + ".new").c_str(), path.c_str());
      read = std::move(fresh);
    }
  }
  if (!read) return std::unexpected(read.error());
  keys.keys_ = std::move(*read);
  return keys;
}

Expected<void> ClusterKeys::tend(WallTime now) {
  const Epoch present = epoch_of(now);
  const Epoch oldest = epoch_of(now - limits::kClusterOverlap);
  bool changed = std::erase_if(keys_, [oldest](const auto& entry) { return entry.first < oldest; }) > 0;
  // The next one too: a probe's clock may run ahead across the border.
  for (const Epoch epoch : {present, present + 1}) {
    const auto [key, is_new] = keys_.try_emplace(epoch);
    if (!is_new) continue;
    platform::random_bytes(key->second);
    changed = true;
  }
  return changed ? write() : Expected<void>();
}

Expected<void> ClusterKeys::write() const {
  std::string text;
  for (const auto& [epoch, key] : keys_) text += std::to_string(epoch) + " " + platform::to_hex(key) + "\n";
  const std::string fresh = path_ + ".new";
  if (const auto made = write_synced(fresh, text, O_CREAT | O_TRUNC); !made) return made;
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0) {
    // Renaming alone would leave the old keys' blocks as they are.
    const std::string zeros(static_cast<std::size_t>(status.st_size), '0');
    if (const auto wiped = write_synced(path_, zeros, 0); !wiped) return wiped;
    ::unlink(path_.c_str());
  }
  if (::rename(fresh.c_str(), path_.c_str()) != 0) return failed("renaming " + fresh);
  return {};
}

std::string ClusterKeys::cluster_of(const IpAddress& address, Epoch epoch) const {
  const auto key = keys_.find(epoch);
  if (key == keys_.end()) return {};
  const Prefix block = Prefix::of(address, address.family() == Family::ip4 ? 24 : 48);
  const std::string_view secret(reinterpret_cast<const char*>(key->second.data()), key->second.size());
  const platform::Digest digest = platform::hmac_sha256(secret, block.text());
  return platform::to_hex(std::span(digest).first(kClusterBytes));
}

}  // namespace kua::collector
