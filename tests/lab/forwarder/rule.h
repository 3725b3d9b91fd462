// A rule of the censor: what it looks for, what it does, and when. Values only; scenario files are
// checked by tests/lab/kualab, what arrives here is its translation (plan.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "measurement/address.h"
#include "measurement/time.h"

namespace kua::lab {

// "www.example.com", or "*.example.com", which means any name below example.com and not itself.
class NamePattern {
 public:
  explicit NamePattern(std::string text);
  [[nodiscard]] bool matches(std::string_view name) const;  // letter case does not count

 private:
  std::string name_;  // lower case; of a wildcard the part from the dot on
  bool wildcard_ = false;
};

enum class Protocol : std::uint8_t { tcp, udp, icmp, all };

// Every key that is present must hold. Names and `contains` look at what the probe sends, `address` and
// `port` at the remote end in both directions.
struct Match {
  std::optional<NamePattern> qname;
  std::optional<NamePattern> sni;
  std::optional<NamePattern> quic_sni;
  std::optional<NamePattern> host;
  std::optional<std::string> contains;
  std::optional<Prefix> address;
  std::optional<std::uint16_t> port;
  std::optional<Protocol> protocol;
};

struct Drop {};
struct Reset {};
struct Refuse {};
struct Fin {};
struct Alert {};
struct IcmpProhibited {};
struct ForgeDns {
  bool nxdomain = false;
  std::vector<IpAddress> addresses;  // those of the query's family are answered
};
struct BlockPage {
  std::string response;  // the whole HTTP answer, head and body
};
struct Mitm {
  std::vector<Endpoint> helpers;  // one a family: who terminates the hijacked connections
};
struct Freeze {
  std::uint64_t after_bytes = 0;  // of payload from the server, counted from the flow's begin
};
struct Throttle {
  std::uint32_t kbps = 0;
};
struct Impair {
  Microseconds delay{0};  // added to a round trip
  double loss = 0;        // of every packet, either way
};
using Act = std::variant<Drop, Reset, Refuse, Fin, Alert, IcmpProhibited, ForgeDns, BlockPage, Mitm,
                         Freeze, Throttle, Impair>;

struct Rule {
  std::size_t number = 0;  // place in the file, from 0; enters the seed
  Match match;
  Act act = Drop{};
  Microseconds residual{0};  // for so long everything to the address fails after a match
  Microseconds from{0};      // both since the start of the run
  std::optional<Microseconds> until;
  double probability = 1;  // per flow
  int hop = 2;
  bool on_path = false;  // sees and injects, cannot take a packet away
};

// Whether an act holds for the rest of its flow instead of for one packet.
[[nodiscard]] bool lasts_for_the_flow(const Act& act) noexcept;

}  // namespace kua::lab
