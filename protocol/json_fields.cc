#include "protocol/json_fields.h"

#include <algorithm>

#include "platform/crypto/crypto.h"

namespace kua::protocol::json {
namespace {

constexpr std::array<bool, 256> kLowerHex = [] {
  std::array<bool, 256> digits{};
  for (const char c :
       {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'}) {
    digits[static_cast<unsigned char>(c)] = true;
  }
  return digits;
}();

}  // namespace

bool In::refuse(std::string_view what, ErrorKind kind) {
  if (!faulty_) {
    faulty_ = true;
    kind_ = kind;
    what_ = what;
  }
  return false;
}

void In::within(std::string_view name) {
  const bool needs_dot = !path_.empty() && !path_.starts_with('[');
  path_ = std::string(name) + (needs_dot ? "." : "") + path_;
}

void In::within(std::size_t index) {
  const bool needs_dot = !path_.empty() && !path_.starts_with('[');
  path_ = "[" + std::to_string(index) + "]" + (needs_dot ? "." : "") + path_;
}

std::unexpected<Error> In::error(std::string_view doing) const {
  return fail(kind_, path_.empty() ? what_ : path_ + ": " + what_, std::string(doing));
}

bool In::refuse_number(std::uint64_t max) {
  return refuse("not an integer from 0 to " + std::to_string(max));
}

bool In::view(Value value, std::string_view& out, std::size_t bytes_max) {
  if (value.get(out) != simdjson::SUCCESS) return refuse("not a text");
  if (out.size() > bytes_max) {
    return refuse("longer than " + std::to_string(bytes_max) + " bytes", ErrorKind::limit);
  }
  return true;
}

bool In::text(Value value, std::string& out, std::size_t bytes_max) {
  std::string_view seen;
  if (!view(value, seen, bytes_max)) return false;
  out = seen;
  return true;
}

bool In::base64(Value value, std::string& out, std::size_t bytes_max) {
  std::string_view seen;
  if (!view(value, seen, (bytes_max + 2) / 3 * 4)) return false;
  auto bytes = platform::from_base64(seen);
  if (!bytes) return refuse("not base64");
  if (bytes->size() > bytes_max) {
    return refuse("longer than " + std::to_string(bytes_max) + " bytes", ErrorKind::limit);
  }
  out = std::move(*bytes);
  return true;
}

bool In::hex(Value value, std::string& out, std::size_t digits) {
  std::string_view seen;
  if (!view(value, seen, digits)) return false;
  bool hex = seen.size() == digits;
  for (const char c : seen) hex = hex && kLowerHex[static_cast<unsigned char>(c)];
  if (!hex) {
    return refuse("not " + std::to_string(digits) + " lower-case hexadecimal digits");
  }
  out = seen;
  return true;
}

bool In::flag(Value value, bool& out) {
  if (value.get(out) != simdjson::SUCCESS) return refuse("neither true nor false");
  return true;
}

bool In::time(Value value, WallTime& out) {
  std::string_view seen;
  if (!view(value, seen, kWordBytesMax)) return false;
  const auto time = parse_rfc3339(seen);
  if (!time) return refuse("not an RFC 3339 time");
  out = *time;
  return true;
}

bool In::microseconds(Value value, Microseconds& out) {
  std::uint64_t count = 0;
  if (!number(value, count, static_cast<std::uint64_t>(kMicrosecondsMax))) return false;
  out = Microseconds(static_cast<std::int64_t>(count));
  return true;
}

}  // namespace kua::protocol::json
