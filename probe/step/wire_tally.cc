#include "probe/step/wire_tally.h"

#include <linux/tcp.h>  // the C library's tcp_info ends before the byte counts
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace kua::probe {
namespace {

constexpr std::uint64_t kEthernetBytes = 14;
constexpr std::uint64_t kUdpBytes = 8;
constexpr std::uint64_t kTcpBytes = 20;
constexpr std::uint64_t kTcpSynOptionBytes = 20;        // MSS, SACK, timestamps, window scale
constexpr std::uint64_t kTcpTimestampOptionBytes = 12;  // on every later segment, where agreed
// enum tcp_state of the kernel, which linux/tcp.h does not carry
constexpr std::uint8_t kEstablished = 1;
constexpr std::uint8_t kFinWait1 = 4;
constexpr std::uint8_t kFinWait2 = 5;
constexpr std::uint8_t kCloseWait = 8;

// Segments that are still to come, each way.
struct Segments {
  std::uint64_t out = 0;
  std::uint64_t in = 0;
};

Segments closing_segments(std::uint8_t state, Closing how) {
  const bool open = state == kEstablished || state == kCloseWait;
  if (how == Closing::by_reset) return {open || state == kFinWait1 || state == kFinWait2 ? 1U : 0U, 0};
  if (state == kEstablished) return {2, 2};  // FIN and the ACK of the other's
  if (state == kCloseWait) return {1, 1};    // the other's is here and acknowledged
  return {};
}

std::uint64_t ip_bytes(Family family) { return family == Family::ip4 ? 20 : 40; }

}  // namespace

void add_datagram(WireTally& tally, Direction direction, Family family, std::size_t payload_bytes) {
  const std::uint64_t bytes = kEthernetBytes + ip_bytes(family) + kUdpBytes + payload_bytes;
  (direction == Direction::sent ? tally.sent : tally.received) += bytes;
}

void add_tcp_socket(WireTally& tally, int socket, Family family, Closing how) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return;
  // A kernel older than 4.19 fills less of the struct; the rest stays zero.
  const bool timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
  const std::uint64_t header =
      kEthernetBytes + ip_bytes(family) + kTcpBytes + (timestamps ? kTcpTimestampOptionBytes : 0);
  const Segments closing = closing_segments(info.tcpi_state, how);
  tally.sent += (info.tcpi_segs_out + closing.out) * header + info.tcpi_bytes_sent;
  tally.received += (info.tcpi_segs_in + closing.in) * header + info.tcpi_bytes_received;
  const std::uint64_t syn_extra = kTcpSynOptionBytes - (timestamps ? kTcpTimestampOptionBytes : 0);
  tally.sent += syn_extra * std::min<std::uint64_t>(info.tcpi_segs_out, 1 + info.tcpi_total_retrans);
  if (timestamps) tally.received += syn_extra;  // agreed on, so there was a SYN-ACK
}

}  // namespace kua::probe
