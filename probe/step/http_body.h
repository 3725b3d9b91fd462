// The body of one response as it streams by: inflated within bounds, hashed, its first bytes kept. It
// never holds the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kua::probe {

enum class ContentCoding : std::uint8_t {
  identity,
  gzip,
  deflate,  // zlib-wrapped or, as some servers send it, raw
  unknown,  // one we did not ask for: bytes are taken as they are
};
[[nodiscard]] ContentCoding parse_content_coding(std::string_view header_value) noexcept;

struct BodyLimits {
  std::uint64_t wire_bytes_max;
  std::uint64_t decoded_bytes_max;
};

// Why no more is taken.
enum class BodyEnd : std::uint8_t {
  open,               // more is welcome
  wire_bytes,         // limits
  decoded_bytes,
  compression_ratio,  // a bomb
  broken_coding,      // not the coding that the header promised
};

class HttpBody {
 public:
  explicit HttpBody(BodyLimits limits);
  ~HttpBody();
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;

  // Once, before the first bytes.
  void begin(ContentCoding coding);
  // Takes what the limits allow of the next body bytes.
  void take(std::string_view wire_bytes);

  [[nodiscard]] BodyEnd end() const noexcept { return end_; }
  [[nodiscard]] std::uint64_t decoded_bytes() const noexcept { return decoded_bytes_; }
  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }  // kTitleSearchBytes
  // Lower-case hex; empty when there were no bytes. Once, at the end.
  [[nodiscard]] std::string sha256();

 private:
  struct Inflater;
  void inflate(std::string_view wire_bytes);
  void keep(std::string_view decoded);

  BodyLimits limits_;
  std::unique_ptr<Inflater> inflater_;
  struct Hash;
  std::unique_ptr<Hash> hash_;
  std::uint64_t wire_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
  std::string prefix_;
  BodyEnd end_ = BodyEnd::open;
};

}  // namespace kua::probe
