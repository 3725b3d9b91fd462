#include "probe/spool/loss_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "probe/spool/loss_counts.h"

namespace kua::probe {
namespace {

// A block of the disk: all names that there are take a third of it.
constexpr std::size_t kBytes = 4096;

}  // namespace

void LossFile::Close::operator()(const int* descriptor) const noexcept {
  ::close(*descriptor);  // ends the lock
  delete descriptor;
}

LossFile::LossFile(std::string path) : path_(std::move(path)) { (void)is_ours(); }

bool LossFile::is_ours() {
  if (file_ != nullptr) return true;
  const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  std::unique_ptr<int, Close> file(new int(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return false;
  file_ = std::move(file);
  std::array<char, kBytes> block{};
  const ssize_t got = ::pread(descriptor, block.data(), block.size(), 0);
  if (got != static_cast<ssize_t>(block.size())) {
    write({});
    return true;
  }
  const std::string_view all(block.data(), block.size());
  said_ = all.substr(0, all.find('\0'));
  return true;
}

void LossFile::write(const std::string& text) {
  std::string block = text.substr(0, kBytes);
  block.resize(kBytes, '\0');
  if (::pwrite(*file_, block.data(), block.size(), 0) == static_cast<ssize_t>(block.size())) said_ = text;
}

LimitCounts LossFile::take() {
  if (!is_ours()) return {};
  LimitCounts counts = read_counts(said_);
  keep({});
  return counts;
}

void LossFile::keep(const LimitCounts& counts) {
  const std::string text = write_counts(counts);
  if (text.empty() && said_.empty()) return;
  if (is_ours() && text != said_) write(text);
}

}  // namespace kua::probe
