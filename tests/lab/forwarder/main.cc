// kua-lab-forwarder PLAN.json: the wires, the hops and the censor of the lab. It makes a TUN device in
// each end's namespace and says `ready`; a line `start` on its input begins the run, the input's end
// ends it.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "platform/clock/clock.h"
#include "tests/lab/forwarder/capture.h"
#include "tests/lab/forwarder/plan.h"
#include "tests/lab/forwarder/router.h"
#include "tests/lab/forwarder/tun.h"

namespace kua::lab {
namespace {

struct Port {
  End end;
  Tun tun;
  std::optional<Capture> capture;
};

Expected<void> add_port(std::vector<Port>& ports, End end, const EndPlan& plan) {
  auto tun = Tun::make(plan.netns, plan.device);
  if (!tun) return std::unexpected(tun.error());
  std::optional<Capture> capture;
  if (!plan.capture.empty()) {
    auto created = Capture::create(plan.capture);
    if (!created) return std::unexpected(created.error());
    capture.emplace(std::move(*created));
  }
  ports.push_back({end, std::move(*tun), std::move(capture)});
  return {};
}

Expected<std::vector<Port>> open_ports(const Plan& plan) {
  std::vector<Port> ports;
  Expected<void> done = add_port(ports, {EndKind::world, 0}, plan.world);
  if (done && plan.control) done = add_port(ports, {EndKind::control, 0}, plan.control->end);
  for (std::size_t i = 0; done && i < plan.homes.size(); ++i) {
    done = add_port(ports, {EndKind::home, i}, plan.homes[i].end);
    if (done && plan.homes[i].tunnel) done = add_port(ports, {EndKind::tunnel, i}, *plan.homes[i].tunnel);
  }
  if (!done) return std::unexpected(done.error());
  return ports;
}

class Forwarder {
 public:
  Forwarder(const Plan& plan, std::vector<Port> ports) : router_(plan), ports_(std::move(ports)) {}

  int run() {
    std::vector<pollfd> polled;
    for (const Port& port : ports_) polled.push_back({port.tun.descriptor(), POLLIN, 0});
    polled.push_back({STDIN_FILENO, POLLIN, 0});
    while (true) {
      if (::poll(polled.data(), polled.size(), milliseconds_to_wait()) < 0 && errno != EINTR) return 1;
      router_.run_due(clock_.monotonic_now());
      deliver();
      for (std::size_t i = 0; i < ports_.size(); ++i) {
        if ((polled[i].revents & POLLIN) != 0) drain(ports_[i]);
      }
      if (polled.back().revents != 0 && !obey()) return 0;
    }
  }

 private:
  [[nodiscard]] int milliseconds_to_wait() const {
    const auto due = router_.next_due();
    if (!due) return -1;
    const auto rest = *due - clock_.monotonic_now();
    return static_cast<int>(std::clamp<std::int64_t>((rest.count() + 999) / 1000, 0, 1000));
  }

  void drain(Port& port) {
    constexpr int kPacketsPerTurn = 64;  // so that no end starves the others
    for (int i = 0; i < kPacketsPerTurn; ++i) {
      wire::Bytes packet = port.tun.read();
      if (packet.empty()) return;
      if (port.capture) port.capture->add(clock_.wall_now(), packet);
      router_.accept(port.end, std::move(packet), clock_.monotonic_now());
      deliver();
    }
  }

  void deliver() {
    for (const Delivery& delivery : router_.take_deliveries()) {
      const auto port = std::ranges::find(ports_, delivery.end, &Port::end);
      if (port == ports_.end()) continue;
      if (port->capture) port->capture->add(clock_.wall_now(), delivery.packet);
      port->tun.write(delivery.packet);
    }
  }

  // False when whoever started us is gone.
  bool obey() {
    std::array<char, 256> buffer;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) return false;
    orders_.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = orders_.find('\n'); end != std::string::npos; end = orders_.find('\n')) {
      if (orders_.substr(0, end) == "start") router_.start(clock_.monotonic_now());
      orders_.erase(0, end + 1);
    }
    return true;
  }

  platform::SystemClock clock_;
  Router router_;
  std::vector<Port> ports_;
  std::string orders_;
};

int run(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto plan = read_plan(text.str());
  if (!plan) {
    std::cerr << "kua-lab-forwarder: " << plan.error().text() << '\n';
    return 2;
  }
  auto ports = open_ports(*plan);
  if (!ports) {
    std::cerr << "kua-lab-forwarder: " << ports.error().text() << '\n';
    return 1;
  }
  Forwarder forwarder(*plan, std::move(*ports));
  std::cout << "ready" << std::endl;
  return forwarder.run();
}

}  // namespace
}  // namespace kua::lab

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: kua-lab-forwarder PLAN.json\n";
    return 2;
  }
  return kua::lab::run(argv[1]);
}
