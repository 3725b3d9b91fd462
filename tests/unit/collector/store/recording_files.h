// A disk that a test holds in its hand: real files below, every operation written down, and faults on
// demand.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "collector/store/store_files.h"

namespace kua::collector {

class RecordingFiles final : public StoreFiles {
 public:
  // Asked before each append; the bytes that may be written before the disk is full, or npos for all.
  std::function<std::size_t(std::size_t bytes)> room = [](std::size_t) { return std::string::npos; };
  std::function<void()> on_remove = [] {};  // after a file was removed
  bool sync_fails = false;
  bool truncate_fails = false;

  void note(std::string what) {
    const std::lock_guard lock(mutex_);
    journal_.push_back(std::move(what));
  }
  std::vector<std::string> journal() {
    const std::lock_guard lock(mutex_);
    return journal_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    journal_.clear();
  }

  Expected<void> make_directory(const std::string& path) override { return below_->make_directory(path); }
  Expected<std::vector<std::string>> list(const std::string& directory) override { return below_->list(directory); }
  Expected<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    auto file = below_->open_append(path);
    if (!file) return std::unexpected(file.error());
    return std::make_unique<File>(*this, std::move(*file));
  }
  Expected<std::uint64_t> size(const std::string& path) override { return below_->size(path); }
  Expected<std::string> read(const std::string& path, std::uint64_t offset, std::size_t bytes_max) override {
    return below_->read(path, offset, bytes_max);
  }
  Expected<void> remove(const std::string& path) override {
    note("remove");
    auto removed = below_->remove(path);
    on_remove();
    return removed;
  }
  Expected<std::uint64_t> free_bytes(const std::string&) override { return free; }
  std::uint64_t free = 1ull << 40;

 private:
  class File final : public AppendFile {
   public:
    File(RecordingFiles& disk, std::unique_ptr<AppendFile> below) : disk_(disk), below_(std::move(below)) {}
    Expected<void> append(std::string_view bytes) override {
      const std::size_t fits = disk_.room(bytes.size());
      if (fits >= bytes.size()) {
        disk_.note("append");
        return below_->append(bytes);
      }
      disk_.note("append torn");
      (void)below_->append(bytes.substr(0, fits));
      return fail(ErrorKind::no_space, "no space left on device", "appending");
    }
    Expected<void> sync() override {
      disk_.note(disk_.sync_fails ? "sync failed" : "sync");
      if (disk_.sync_fails) return fail(ErrorKind::io, "input/output error", "syncing");
      return below_->sync();
    }
    Expected<void> truncate(std::uint64_t bytes) override {
      disk_.note(disk_.truncate_fails ? "truncate failed" : "truncate");
      if (disk_.truncate_fails) return fail(ErrorKind::io, "input/output error", "truncating");
      return below_->truncate(bytes);
    }

   private:
    RecordingFiles& disk_;
    std::unique_ptr<AppendFile> below_;
  };

  std::unique_ptr<StoreFiles> below_ = system_files();
  std::mutex mutex_;
  std::vector<std::string> journal_;
};

}  // namespace kua::collector
