// An IP address and an endpoint as values. Special-purpose ranges are told apart here because rules,
// scrubbing and the "never contact a private address for a public name" guard must agree on them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kua {

enum class Family : std::uint8_t { ip4 = 4, ip6 = 6 };
[[nodiscard]] const char* to_string(Family family) noexcept;

class IpAddress {
 public:
  // Dotted quad or RFC 4291 text without zone or brackets; nullopt otherwise.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  // `bytes` in network order, 4 or 16 of them; nullopt for another length.
  [[nodiscard]] static std::optional<IpAddress> from_bytes(std::span<const std::uint8_t> bytes);

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return std::span(bytes_).first(family_ == Family::ip4 ? 4 : 16);
  }
  [[nodiscard]] std::string text() const;  // RFC 5952 form
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::ip4;
  std::array<std::uint8_t, 16> bytes_{};
};

// A CIDR block. `length` is at most 32 or 128; the bits behind it are zero.
class Prefix {
 public:
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);  // "198.18.0.0/15"
  [[nodiscard]] static Prefix of(const IpAddress& address, int length);     // clears the host bits
  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
  [[nodiscard]] const IpAddress& base() const noexcept { return base_; }
  [[nodiscard]] int length() const noexcept { return length_; }
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  Prefix(IpAddress base, int length) : base_(base), length_(length) {}
  IpAddress base_;
  int length_;
};

// True unless the address lies in a block that is not globally reachable (IANA special-purpose
// registries, RFC 6890): private, loopback, link-local, shared, documentation, benchmarking,
// multicast, reserved, unspecified, IPv4-mapped. 64:ff9b::/96 (NAT64) counts as routable when the
// address inside it is.
[[nodiscard]] bool is_globally_routable(const IpAddress& address) noexcept;
// The same with further blocks that count as public, also inside NAT64 addresses: the lab's.
[[nodiscard]] bool is_public(const IpAddress& address, std::span<const Prefix> routable) noexcept;

enum class Transport : std::uint8_t { tcp, udp };
[[nodiscard]] const char* to_string(Transport transport) noexcept;

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  Transport transport = Transport::tcp;
  [[nodiscard]] std::string text() const;  // "203.0.113.10:443", "[2001:db8::10]:443"
  // The form above; the transport is given, since text does not carry it.
  [[nodiscard]] static std::optional<Endpoint> parse(std::string_view text, Transport transport);
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace kua
