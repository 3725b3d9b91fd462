// A small world for experiments: one authority, one resolver, an instrument whose list declares loopback
// routable, and short rests.
#pragma once

#include <fstream>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/clock/clock.h"
#include "probe/experiment/experiment.h"
#include "probe/step/trust_store.h"
#include "tests/support/loopback/authority.h"
#include "tests/support/loopback/dns_server.h"
#include "tests/support/loopback/loop.h"
#include "tests/support/loopback/server.h"
#include "tests/support/temp_directory.h"

namespace kua::test {

inline probe::TrustStore trust_in(const Authority& authority) {
  const TempDirectory directory;
  const std::string path = directory.file("ca.pem");
  std::ofstream(path) << authority.pem();
  return std::move(*probe::TrustStore::from_file(path));
}

inline probe::RecordStamp stamp() {
  return {*ProbeId::parse(std::string(32, 'a')), ProbeRole::probe, "kua-probe/test", "0123456789abcdef", {},
          std::chrono::seconds(10)};
}

struct World {
  Loop loop;
  Authority authority{"Test Root"};
  platform::SystemClock clock;
  probe::TrustStore trust = trust_in(authority);
  protocol::TargetList list;
  TempDirectory proc_net;  // a line of its own, whose gateway is loopback
  probe::Instrument instrument{clock, trust, list, {}, {}, {}, true, {}, stamp(), proc_net.path()};

  std::uint64_t follow_up_bytes_max = probe::kFollowUpBytesMax;  // of check()

  World() {
    std::ofstream(proc_net.file("route"))
        << "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        << "lo 00000000 0100007F 0003 0 0 0 00000000 0 0 0\n";
    list.routable = {*Prefix::parse("127.0.0.0/8"), *Prefix::parse("::1/128")};
    list.harmless_name = "harmless.example";
    using std::chrono::milliseconds;
    instrument.pacing.lookup_deadline = milliseconds(700);
    instrument.pacing.connect_deadline = milliseconds(400);
    instrument.pacing.handshake_deadline = milliseconds(400);
    instrument.pacing.round_trip_deadline = milliseconds(400);
    instrument.pacing.late_reply_wait = milliseconds(60);
    instrument.pacing.follow_up_within = milliseconds(400);
    instrument.pacing.immediate_set_deadline = milliseconds(2000);
    instrument.pacing.retry_rest_min = milliseconds(5);
    instrument.pacing.retry_rest_max = milliseconds(10);
    instrument.pacing.residual_rest = milliseconds(20);
  }

  Measurement check(const std::string& url, probe::FollowUp follow_up = probe::FollowUp::none,
                    probe::Depth depth = probe::Depth::core) {
    probe::ExperimentRequest request{Target{*TargetId::parse("web:test"), url, {}, {}, "NEWS", {}, {}, {}},
                                     depth, follow_up, {}, 1, probe::kBodyWireBytesMax, follow_up_bytes_max, {}};
    return loop.run(probe::web_reachability(instrument, std::move(request)));
  }
};

template <typename Step>
std::vector<Step> steps_of(const Measurement& measurement, StepRole role = StepRole::main) {
  std::vector<Step> out;
  for (const Observation& observation : measurement.observations) {
    const auto* step = std::get_if<Step>(&observation);
    if (step != nullptr && step->role == role) out.push_back(*step);
  }
  return out;
}

inline std::string at(const char* scheme, const char* host, std::uint16_t port, const char* path = "/") {
  return std::string(scheme) + "://" + host + ":" + std::to_string(port) + path;
}

inline std::string redirect(const std::string& location) {
  return "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n";
}

inline ServerOptions secure(const World& world, std::vector<std::string> names) {
  ServerOptions options;
  LeafOptions leaf;
  leaf.names = std::move(names);
  options.identity = world.authority.issue(leaf);
  options.respond = [](std::string_view) { return Reply{page("A page", 50'000)}; };
  return options;
}

inline bool names(std::string_view client_hello, std::string_view host) {
  return client_hello.find(host) != std::string_view::npos;
}

}  // namespace kua::test
