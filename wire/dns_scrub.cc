#include <algorithm>

#include "wire/dns_message.h"
#include "wire/dns_walk.h"

namespace kua::wire {
namespace {

// Blanks client-subnet options inside one OPT record's data. Returns the payload bytes blanked.
std::size_t blank_client_subnets(std::span<std::uint8_t> data) {
  std::size_t blanked = 0;
  std::size_t at = 0;
  while (at + 4 <= data.size()) {
    const std::uint16_t code = static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
    const std::size_t announced = static_cast<std::size_t>(data[at + 2] << 8 | data[at + 3]);
    // An option that claims to reach beyond its record is blanked as far as it can.
    const std::size_t length = std::min(announced, data.size() - at - 4);
    if (code == kDnsOptionClientSubnet) {
      set_u16(data, at, kDnsOptionPadding);
      std::ranges::fill(data.subspan(at + 4, length), std::uint8_t{0});
      blanked += length;
    }
    at += 4 + length;
  }
  return blanked;
}

}  // namespace

ScrubbedDns scrub_client_subnet(BytesView message) {
  ScrubbedDns out;
  out.bytes.assign(message.begin(), message.end());
  if (message.size() < internal::kDnsHeaderBytes) {
    out.cut_bytes = out.bytes.size();
    out.bytes.clear();
    return out;
  }
  internal::DnsWalk walk(message);
  auto question = walk.question();
  while (question && *question) question = walk.question();
  auto record = question ? walk.record() : std::unexpected(question.error());
  for (; record && *record; record = walk.record()) {
    const auto& raw = **record;
    if (raw.type != kDnsTypeOpt) continue;
    out.blanked_bytes +=
        blank_client_subnets(std::span(out.bytes).subspan(raw.data_at, raw.data_bytes));
  }
  out.cut_bytes = out.bytes.size() - walk.position();
  out.bytes.resize(walk.position());
  return out;
}

}  // namespace kua::wire
