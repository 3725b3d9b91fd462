#include "probe/uplink/socks5.h"

#include <array>

#include "measurement/address.h"
#include "measurement/check.h"

namespace kua::probe {
namespace {

constexpr std::string_view kDoing = "asking the SOCKS5 proxy";
enum AddressType : unsigned char { kIp4 = 1, kDomain = 3, kIp6 = 4 };

std::string bytes_of(const IpAddress& address) {
  const auto bytes = address.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string socks_connect_request(const std::string& host, std::uint16_t port) {
  KUA_CHECK(host.size() <= 255);
  std::string out("\x05\x01\x00", 3);
  if (const auto address = IpAddress::parse(host)) {
    out.push_back(address->family() == Family::ip4 ? kIp4 : kIp6);
    out += bytes_of(*address);
  } else {
    out.push_back(kDomain);
    out.push_back(static_cast<char>(host.size()));
    out += host;
  }
  out.push_back(static_cast<char>(port >> 8));
  out.push_back(static_cast<char>(port & 0xff));
  return out;
}

Expected<void> check_socks_greeting(std::string_view answer) {
  KUA_CHECK(answer.size() == kSocksGreetingAnswerBytes);
  if (answer[0] != 5) return fail(ErrorKind::unavailable, "it does not speak SOCKS5", std::string(kDoing));
  if (answer[1] != 0) return fail(ErrorKind::unavailable, "it wants a password", std::string(kDoing));
  return {};
}

Expected<std::size_t> socks_reply_rest(std::string_view head) {
  KUA_CHECK(head.size() == kSocksReplyHeadBytes);
  static constexpr std::array<const char*, 9> kReplies = {
      "",                  "general failure",     "connection not allowed", "network unreachable",
      "host unreachable",  "connection refused",  "time to live expired",   "command not supported",
      "address type not supported"};
  const auto reply = static_cast<unsigned char>(head[1]);
  if (head[0] != 5) return fail(ErrorKind::unavailable, "it does not speak SOCKS5", std::string(kDoing));
  if (reply != 0) {
    return fail(ErrorKind::unavailable, reply < kReplies.size() ? kReplies[reply] : "unknown reply",
                std::string(kDoing));
  }
  constexpr std::size_t kPortBytes = 2;
  switch (head[3]) {  // of the wire, not an enum of ours
    case kIp4: return 4 - 1 + kPortBytes;
    case kIp6: return 16 - 1 + kPortBytes;
    case kDomain: return static_cast<unsigned char>(head[4]) + kPortBytes;
    default: return fail(ErrorKind::unavailable, "its answer has no address", std::string(kDoing));
  }
}

}  // namespace kua::probe
