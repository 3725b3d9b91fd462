// Whether a file of the record log says what its probes signed: for whoever holds the file, without a
// collector, its keys or its index.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "collector/store/store_files.h"
#include "measurement/error.h"

namespace kua::collector {

struct LogCheck {
  std::uint64_t records = 0;
  std::uint64_t signed_batches = 0;    // whose signature fits their bytes, their key and every record's probe
  std::uint64_t forged_batches = 0;    // whose signature does not
  std::uint64_t unsigned_batches = 0;  // compressed by the collector: nothing can be said
  std::uint64_t damaged_bytes = 0;     // in which no batch could be read
  std::uint64_t unreadable_lines = 0;

  // Nothing contradicts the signatures, and everything could be read.
  [[nodiscard]] bool is_clean() const noexcept {
    return forged_batches == 0 && damaged_bytes == 0 && unreadable_lines == 0;
  }
};

// `path` is a day file by any name. `progress` is told how many bytes are done. Errors: not_found, io.
[[nodiscard]] Expected<LogCheck> check_log(StoreFiles& files, const std::string& path,
                                           const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace kua::collector
