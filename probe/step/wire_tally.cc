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
constexpr std::uint8_t kCloseWait = 8;
constexpr std::uint64_t kClosingSegments = 2;           // FIN and the ACK of the other's, each way

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
  const bool open = info.tcpi_state == kEstablished || info.tcpi_state == kCloseWait;
  const bool timestamps = (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
  const std::uint64_t header =
      kEthernetBytes + ip_bytes(family) + kTcpBytes + (timestamps ? kTcpTimestampOptionBytes : 0);
  const bool in_order = how == Closing::in_order;
  const std::uint64_t closing_out = !open ? 0 : in_order ? kClosingSegments : 1;
  const std::uint64_t closing_in = open && in_order ? kClosingSegments : 0;
  tally.sent += (info.tcpi_segs_out + closing_out) * header + info.tcpi_bytes_sent;
  tally.received += (info.tcpi_segs_in + closing_in) * header + info.tcpi_bytes_received;
  const std::uint64_t syn_extra = kTcpSynOptionBytes - (timestamps ? kTcpTimestampOptionBytes : 0);
  tally.sent += syn_extra * std::min<std::uint64_t>(info.tcpi_segs_out, 1 + info.tcpi_total_retrans);
  if (timestamps) tally.received += syn_extra;  // agreed on, so there was a SYN-ACK
}

}  // namespace kua::probe
