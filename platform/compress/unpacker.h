// A stream that may be packed, unpacked piece by piece: memory stays the same whatever a file
// claims to hold. How much may come out in all is the caller's to bound.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "measurement/error.h"

namespace kua::platform {

enum class Packing { plain, gzip, zstd };

// By the first bytes of a file (four suffice): RFC 1952 §2.3.1, RFC 8878 §3.1.1.
[[nodiscard]] Packing packing_of(std::string_view begin) noexcept;

// Several gzip members or zstd frames one after another are one stream.
class Unpacker {
 public:
  explicit Unpacker(Packing packing);
  Unpacker(Unpacker&&) noexcept;
  Unpacker& operator=(Unpacker&&) noexcept;
  ~Unpacker();

  // Takes bytes off the front of `in` and returns what they unpack to, at most kStepBytes; borrowed
  // until the next call, of `in` itself where nothing is packed. Empty: give more. Errors:
  // invalid_input for damaged bytes; nothing may be asked after one.
  [[nodiscard]] Expected<std::string_view> next(std::string_view& in);
  // Whether the stream may end here: nothing begun is left unfinished.
  [[nodiscard]] bool is_whole() const noexcept;

  static constexpr std::size_t kStepBytes = 128 * 1024;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::platform
