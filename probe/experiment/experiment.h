// Experiments: recipes of steps with a question. Each run returns one Measurement, whatever happened
// on the network; dropping the awaitable closes every socket and records nothing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "measurement/record.h"
#include "platform/clock/clock.h"
#include "probe/limits.h"
#include "protocol/target_list.h"

namespace kua::probe {

class TrustStore;  // probe/step/trust_store.h: the CAs that judge a chain

// How long things may take and how long to rest; the lab divides them all.
struct Pacing {
  Microseconds lookup_deadline{5'000'000};
  Microseconds connect_deadline{10'000'000};
  Microseconds handshake_deadline{10'000'000};
  Microseconds round_trip_deadline{15'000'000};
  Microseconds late_reply_wait{500'000};         // for a second, different DNS answer
  Microseconds follow_up_within{10'000'000};     // after the first failure at a site, DESIGN §4.1
  Microseconds immediate_set_deadline{25'000'000};
  Microseconds retry_rest_min{20'000'000};       // deferred set: new source port after 20–60 s
  Microseconds retry_rest_max{60'000'000};
  Microseconds residual_rest{130'000'000};       // S again, residual blocking lasts minutes
  // A page that came slower than 8 Mbit/s is compared with one under another name, on demand.
  double slow_below_bytes_per_second = 1'000'000;
};

// What goes into every record's header besides its id and times.
struct RecordStamp {
  ProbeId probe;
  ProbeRole role = ProbeRole::probe;
  std::string software;
  std::string boot;
  Vantage vantage;
  Microseconds rounding{10'000'000};  // of absolute and monotonic times; offsets stay exact
};

// What an experiment needs of the machine and of the operator. Borrowed; outlives every run.
struct Instrument {
  const platform::Clock& clock;
  const TrustStore& trust;
  const protocol::TargetList& list;
  std::vector<Endpoint> system_resolvers;  // from /etc/resolv.conf, in order
  // Addresses under which others see this probe, where known: scrubbed like those of its own sockets.
  std::vector<IpAddress> own_addresses;
  std::vector<Prefix> own_networks;  // on the line beside this machine: none of them is contacted or told
  bool allow_ipv6 = true;
  Pacing pacing;
  RecordStamp stamp;
  std::string proc_net = "/proc/net";  // where the kernel's route and neighbour tables are read
};

enum class FollowUp {
  none,
  immediate,  // the immediate set, when something failed
  all,        // deferred and rare ones too, at once, with the pacing's rests
};

// Which tier's recipe to run (DESIGN §4.1): `key` is one system lookup, one address, one handshake.
enum class Depth { key, core };

struct ExperimentRequest {
  Target target;
  Depth depth = Depth::core;
  FollowUp follow_up = FollowUp::immediate;
  LinkState link_state = LinkState::unknown;
  std::uint64_t seed = 0;  // of every order and rest; 0: drawn from the system's generator
  // Body bytes read off the wire, headers apart. Scheduled rounds pass kRoundBodyWireBytesMax.
  std::uint64_t body_wire_bytes_max = kBodyWireBytesMax;
  // What is not `main` of all steps may take this much. What does not fit counts as "follow_up_bytes".
  std::uint64_t follow_up_bytes_max = kFollowUpBytesMax;
  // Called after each step, in order of end; for progress on a terminal. May be empty.
  std::function<void(const Observation&)> on_observation;
};

// target.url is http:// or https://. Redirects are followed hop by hop, each under its own host.
[[nodiscard]] boost::asio::awaitable<Measurement> web_reachability(const Instrument& instrument,
                                                                   ExperimentRequest request);
// target.endpoints, each looked up, connected and, where it speaks TLS, shaken hands with.
[[nodiscard]] boost::asio::awaitable<Measurement> service_reachability(const Instrument& instrument,
                                                                       ExperimentRequest request);

// What one look at the line leaves for the next, so that a quiet minute costs under 1 kB. Begins empty;
// one per probe, never stored.
struct LinkMemory {
  std::map<std::string, std::vector<IpAddress>> addresses;  // of controls' hosts, where they were reached
  std::string way_out;     // interface and gateway of the look before; another one is another line
  // Hosts of controls that were not reached while others of their side were, with the turn. For twice
  // kLinkCloseLookTurns, as long as between two close looks at a side, they are asked after the others.
  std::map<std::string, std::uint32_t> dead;
  // Sides of which nothing was reached, or that were never looked at: they are looked at closely.
  bool national_unsettled = true;
  bool international_unsettled = true;
  bool close_wanted = false;  // of the next look that begins; may be set while one is under way
  // Controls abroad that proved themselves last did so under an authority that was added on this machine, or
  // under one that nobody knows while none had a chain of its own.
  bool tls_inspected = false;
};

// Gateway, resolver, one national and one international control (rotating by `turn`), and on doubt the
// captive portal and two more controls of the side that failed. Controls are connected to; every
// kLinkCloseLookTurns turns, and after a doubt, they prove themselves by certificate and give their Date.
// verdict::conclude_link_state reads the answer. Borrows `memory` until the awaitable is done.
[[nodiscard]] boost::asio::awaitable<Measurement> link_state(const Instrument& instrument,
                                                             LinkMemory& memory, std::uint32_t turn);

}  // namespace kua::probe
