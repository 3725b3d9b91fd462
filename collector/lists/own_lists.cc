#include "collector/lists/own_lists.h"

#include <algorithm>
#include <filesystem>

#include "collector/lists/envelope.h"
#include "collector/setup/text_file.h"

namespace kua::collector {
namespace {

std::vector<std::string> list_files(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("targets") && name.ends_with(".json")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Expected<protocol::TargetList> read_own_list(const std::string& path) {
  const auto envelope = read_text_file(path);
  if (!envelope) return std::unexpected(envelope.error());
  const auto key = claimed_list_key(*envelope);
  if (!key) return fail(ErrorKind::invalid_input, "it is no signed list", "reading " + path);
  // Before its begin no list has expired.
  auto list = protocol::open_target_list(*envelope, {*key}, WallTime(), 0);
  if (!list) list.error().doing = "reading " + path;
  return list;
}

std::string OwnLists::fingerprint() const {
  std::string out;
  for (const std::string& path : list_files(directory_)) {
    std::error_code error;
    const auto written = std::filesystem::last_write_time(path, error);
    out += path + " " + std::to_string(written.time_since_epoch().count()) + " " +
           std::to_string(std::filesystem::file_size(path, error)) + "\n";
  }
  return out;
}

bool OwnLists::changed() const { return fingerprint() != loaded_; }

OwnLists::Loaded OwnLists::load() {
  loaded_ = fingerprint();
  Loaded out;
  for (const std::string& path : list_files(directory_)) {
    auto list = read_own_list(path);
    if (list) {
      out.lists.push_back(std::move(*list));
    } else {
      out.errors.push_back(std::move(list.error()));
    }
  }
  return out;
}

}  // namespace kua::collector
