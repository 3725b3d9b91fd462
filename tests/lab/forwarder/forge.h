// The packets a censor makes up. All of them carry a hop limit and an IP identification that the true
// peer would not have used, as real injectors do.
#pragma once

#include <string_view>
#include <vector>

#include "tests/lab/forwarder/matcher.h"
#include "tests/lab/forwarder/rule.h"
#include "tests/lab/forwarder/sight.h"

namespace kua::lab {

struct Injection {
  wire::Bytes packet;
  Toward toward = Toward::probe;
};

// What happens to the packet that caused a forgery: the sequence numbers of what is forged in its name
// depend on whether the far end got it.
enum class Original : std::uint8_t { swallowed, passed };

// Marks of the box: initial hop limit and IP identification.
struct ForgerMark {
  std::uint8_t hop_limit = 128;
  std::uint16_t identification = 0;
};

// Each of these takes a TCP packet.
[[nodiscard]] std::vector<Injection> forge_resets(const Sight& seen, Original original, ForgerMark mark);
[[nodiscard]] Injection forge_refusal(const Sight& seen, ForgerMark mark);
// Bytes in the server's name, in as many segments as they need, ended by a FIN. `payload` may be empty.
[[nodiscard]] std::vector<Injection> forge_ending(const Sight& seen, wire::BytesView payload,
                                                  ForgerMark mark);
// A reset that closes the server's side quietly after the client was answered in its name.
[[nodiscard]] Injection forge_hang_up(const Sight& seen, Original original, ForgerMark mark);

// nullopt where the question is for another type than A or AAAA, which injectors leave alone.
[[nodiscard]] std::optional<Injection> forge_dns_answer(const Sight& seen, const wire::DnsMessage& query,
                                                        const ForgeDns& act, ForgerMark mark);

}  // namespace kua::lab
