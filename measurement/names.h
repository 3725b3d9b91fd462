// Strong types for what can be swapped by mistake. Each holds a valid value or does not exist: the
// only way in is parse(), which returns nullopt for anything outside the stated shape.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kua {

// A string that passed `Traits::valid`. Values copy and compare; the text is what is stored.
template <typename Traits>
class CheckedString {
 public:
  [[nodiscard]] static std::optional<CheckedString> parse(std::string_view text) {
    if (!Traits::valid(text)) return std::nullopt;
    return CheckedString(std::string(text));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  friend auto operator<=>(const CheckedString&, const CheckedString&) = default;

 private:
  explicit CheckedString(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct ProbeIdTraits { static bool valid(std::string_view text) noexcept; };
struct TargetIdTraits { static bool valid(std::string_view text) noexcept; };
struct CountryTraits { static bool valid(std::string_view text) noexcept; };
struct RegionTraits { static bool valid(std::string_view text) noexcept; };
struct DomainNameTraits { static bool valid(std::string_view text) noexcept; };

// 32 lower-case hexadecimal digits: the first 16 bytes of SHA-256 of the probe's Ed25519 public key.
using ProbeId = CheckedString<ProbeIdTraits>;
// 1–200 printable ASCII characters without space, quote, '<', '>', '\\': "web:https://www.example.com/"
// or "service:telegram". It is a label value, so it never holds a query string.
using TargetId = CheckedString<TargetIdTraits>;
// ISO 3166-1 alpha-2 in capitals; "ZZ" is unknown.
using CountryCode = CheckedString<CountryTraits>;
// ISO 3166-2: "KZ-75".
using Region = CheckedString<RegionTraits>;
// A-label form, lower case, no trailing dot, 1–253 octets, labels of 1–63 octets of [a-z0-9_-]
// (RFC 1035 §2.3.4, RFC 5890); the underscore is allowed because names in use have it.
using DomainName = CheckedString<DomainNameTraits>;

// Autonomous system number; 0 is unknown.
struct Asn {
  std::uint32_t number = 0;
  friend auto operator<=>(const Asn&, const Asn&) = default;
};

// UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits, so that ids sort
// by time of birth. A record's id is its identity for deduplication.
class RecordId {
 public:
  using Bytes = std::array<std::uint8_t, 16>;
  // `random` supplies the 74 random bits; its other bits are overwritten.
  [[nodiscard]] static RecordId make(std::int64_t unix_milliseconds, Bytes random) noexcept;
  [[nodiscard]] static std::optional<RecordId> parse(std::string_view text);  // 8-4-4-4-12, lower case
  [[nodiscard]] static RecordId from_bytes(const Bytes& bytes) noexcept { return RecordId(bytes); }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::int64_t unix_milliseconds() const noexcept;
  friend auto operator<=>(const RecordId&, const RecordId&) = default;

 private:
  explicit RecordId(const Bytes& bytes) noexcept : bytes_(bytes) {}
  Bytes bytes_{};
};

}  // namespace kua

template <typename Traits>
struct std::hash<kua::CheckedString<Traits>> {
  std::size_t operator()(const kua::CheckedString<Traits>& value) const noexcept {
    return std::hash<std::string>()(value.text());
  }
};
template <>
struct std::hash<kua::Asn> {
  std::size_t operator()(const kua::Asn& asn) const noexcept { return asn.number; }
};
template <>
struct std::hash<kua::RecordId> {
  std::size_t operator()(const kua::RecordId& id) const noexcept;
};
