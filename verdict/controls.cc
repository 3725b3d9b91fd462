#include "verdict/controls.h"

#include <algorithm>

#include "verdict/outcome.h"
#include "verdict/scene.h"

namespace kua::verdict {
namespace {

using Host = ControlFacts::Host;

void note(Opinion& opinion, bool passed) {
  if (opinion != Opinion::passed) opinion = passed ? Opinion::passed : Opinion::failed;
}

template <typename T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

// A control's records may be at fault like anyone's; then they have no opinion.
bool may_speak(const Measurement& control) noexcept {
  const bool line_works =
      control.link_state == LinkState::online || control.link_state == LinkState::unknown;
  return control.validity == Validity::ok && line_works && !control.header.vantage.faults.clock_wrong &&
         !control.header.vantage.faults.tls_inspected;
}

void take_lookup(Host& host, const Lookup& step) {
  switch (answer_of(step)) {
    case Answer::addresses:
      note(host.dns, true);
      for (const IpAddress& address : step.reply->addresses) add_once(host.addresses, address);
      return;
    case Answer::empty:  // the other type may have addresses
    case Answer::nxdomain:
    case Answer::servfail:
    case Answer::refused:
    case Answer::timeout: note(host.dns, false); return;
    case Answer::not_asked:
    case Answer::unusable: return;
  }
}

void take_connect(Host::Port& port, const Connect& step, const Vantage& vantage) {
  const bool ip6 = step.endpoint.address.family() == Family::ip6;
  const How how = how_failed(step);
  if (how == How::here || (ip6 && vantage.faults.ipv6_broken)) return;
  note(ip6 ? port.tcp6 : port.tcp4, how == How::none);
  add_once(how == How::none ? port.reached : port.unreached, step.endpoint.address);
}

void take_handshake(Host::Port& port, const TlsHandshake& step) {
  if (how_failed(step) == How::here) return;
  note(port.tls, is_trusted(step));
  for (std::size_t i = 0; i < step.chain.size(); ++i) {
    if (!step.chain[i].spki_sha256.empty()) {
      add_once(i == 0 ? port.leaf_keys : port.issuer_keys, step.chain[i].spki_sha256);
    }
  }
}

void take_quic(Host::Port& port, const QuicHandshake& step, const Vantage& vantage) {
  const bool broken = step.endpoint.address.family() == Family::ip6 && vantage.faults.ipv6_broken;
  const How how = how_failed(step);
  if (broken || how == How::here) return;
  note(port.quic, how == How::none && step.trust == ChainTrust::trusted);
}

void take_round_trip(Host::Port& port, const HttpRoundTrip& step, const Measurement& control,
                     std::uint32_t last_hop) {
  if (how_failed(step) == How::here) return;
  const bool answered = is_answered(step);
  if (answered || port.page.status == 0) port.page = Page(step, control.limits);
  const Opinion opinion = answered && *step.status < 500 ? Opinion::passed : Opinion::failed;
  // The last round trip speaks: an earlier redirect of the same host says nothing of the page.
  if (answered || port.http != Opinion::passed) port.http = opinion;
  port.unfollowed_redirect = answered && is_redirect(*step.status) && step.hop == last_hop;
}

Opinion tcp_of(const Host& host, std::uint16_t port, Family family) noexcept {
  if (host.dns == Opinion::failed) return Opinion::failed;
  const Host::Port* facts = host.at(port);
  if (facts == nullptr) return Opinion::none;
  return family == Family::ip6 ? facts->tcp6 : facts->tcp4;
}

Opinion reached_of(const Host& host, std::uint16_t port) noexcept {
  const Opinion four = tcp_of(host, port, Family::ip4);
  const Opinion six = tcp_of(host, port, Family::ip6);
  if (four == Opinion::passed || six == Opinion::passed) return Opinion::passed;
  return four == Opinion::failed || six == Opinion::failed ? Opinion::failed : Opinion::none;
}

Opinion tls_of(const Host& host, std::uint16_t port) noexcept {
  const Host::Port* facts = host.at(port);
  if (facts != nullptr && facts->tls != Opinion::none) return facts->tls;
  return reached_of(host, port) == Opinion::failed ? Opinion::failed : Opinion::none;
}

Opinion http_of(const Host& host, std::uint16_t port) noexcept {
  const Host::Port* facts = host.at(port);
  if (facts != nullptr && facts->http != Opinion::none) return facts->http;
  if (facts != nullptr && facts->tls == Opinion::failed) return Opinion::failed;
  return reached_of(host, port) == Opinion::failed ? Opinion::failed : Opinion::none;
}

}  // namespace

struct ControlFacts::Impl {
  WallTime time;
  std::vector<Host> hosts;

  Host& host_for(std::string_view name) {
    for (Host& host : hosts) {
      if (host.name == name) return host;
    }
    hosts.emplace_back().name = std::string(name);
    return hosts.back();
  }
};

const Host::Port* Host::at(std::uint16_t wanted) const noexcept {
  const auto found = std::ranges::find(ports, wanted, &Port::port);
  return found == ports.end() ? nullptr : &*found;
}

ControlFacts::ControlFacts(const Measurement& control) : impl_(std::make_unique<Impl>()) {
  impl_->time = control.header.time;
  if (!may_speak(control)) return;
  std::uint32_t last_hop = 0;
  for (const Observation& observation : control.observations) {
    if (const StepContext* step = context_of(observation)) last_hop = std::max(last_hop, step->hop);
  }
  const auto port_for = [this](const StepContext& step, std::uint16_t number) -> Host::Port& {
    Host& host = impl_->host_for(step.host);
    const auto found = std::ranges::find(host.ports, number, &Host::Port::port);
    if (found != host.ports.end()) return *found;
    host.ports.emplace_back().port = number;
    return host.ports.back();
  };
  for (const Observation& observation : control.observations) {
    const StepContext* context = context_of(observation);
    if (context == nullptr || !is_own(context->role)) continue;
    if (const auto* lookup = std::get_if<Lookup>(&observation)) {
      take_lookup(impl_->host_for(lookup->host), *lookup);
    } else if (const auto* connect = std::get_if<Connect>(&observation)) {
      take_connect(port_for(*connect, connect->endpoint.port), *connect, control.header.vantage);
    } else if (const auto* handshake = std::get_if<TlsHandshake>(&observation)) {
      take_handshake(port_for(*handshake, handshake->endpoint.port), *handshake);
    } else if (const auto* round_trip = std::get_if<HttpRoundTrip>(&observation)) {
      take_round_trip(port_for(*round_trip, round_trip->endpoint.port), *round_trip, control, last_hop);
    } else if (const auto* quic = std::get_if<QuicHandshake>(&observation)) {
      take_quic(port_for(*quic, quic->endpoint.port), *quic, control.header.vantage);
    }
  }
}

ControlFacts::ControlFacts(ControlFacts&&) noexcept = default;
ControlFacts& ControlFacts::operator=(ControlFacts&&) noexcept = default;
ControlFacts::~ControlFacts() = default;
WallTime ControlFacts::time() const noexcept { return impl_->time; }

const Host* ControlFacts::find(std::string_view name) const noexcept {
  for (const Host& host : impl_->hosts) {
    if (host.name == name) return &host;
  }
  return nullptr;
}

Witnesses::Witnesses(std::span<const ControlView> controls, std::string_view name) {
  statements_.reserve(controls.size());
  for (const ControlView& view : controls) {
    const Host* newest = view.newest == nullptr ? nullptr : view.newest->find(name);
    if (newest == nullptr) continue;
    statements_.push_back({newest, view.before == nullptr ? nullptr : view.before->find(name)});
  }
}

template <typename Ask>
Says Witnesses::poll(Ask ask) const {
  int passed = 0;
  int failed = 0;
  const Host* before = nullptr;  // of the last control that speaks
  for (const Statement& statement : statements_) {
    const Opinion opinion = ask(*statement.newest);
    if (opinion == Opinion::none) continue;
    before = statement.before;
    ++(opinion == Opinion::passed ? passed : failed);
  }
  if (passed + failed == 0) return Says::nothing;
  if (passed + failed == 1) {
    if (passed == 1) return Says::up;
    return before != nullptr && ask(*before) == Opinion::failed ? Says::down : Says::disputed;
  }
  if (failed >= 2 && failed * 5 >= (passed + failed) * 2) return Says::down;
  return passed > failed ? Says::up : Says::disputed;
}

Says Witnesses::dns() const {
  return poll([](const Host& host) { return host.dns; });
}
Says Witnesses::tcp(std::uint16_t port, Family family) const {
  return poll([port, family](const Host& host) { return tcp_of(host, port, family); });
}
Says Witnesses::tls(std::uint16_t port) const {
  return poll([port](const Host& host) { return tls_of(host, port); });
}
Says Witnesses::http(std::uint16_t port) const {
  return poll([port](const Host& host) { return http_of(host, port); });
}

Says Witnesses::quic(std::uint16_t port) const {
  return poll([port](const Host& host) {
    const Host::Port* facts = host.at(port);
    return facts == nullptr ? Opinion::none : facts->quic;
  });
}

bool Witnesses::could_not_reach(std::uint16_t port, const IpAddress& address) const {
  const auto holds = [&](const std::vector<IpAddress>& list) {
    return std::ranges::find(list, address) != list.end();
  };
  return any_port(port, [&](const Host::Port& facts) { return holds(facts.unreached); }) &&
         !any_port(port, [&](const Host::Port& facts) { return holds(facts.reached); });
}

bool Witnesses::saw_leaf(std::uint16_t port, std::string_view key) const {
  return any_port(port, [&](const Host::Port& facts) {
    return std::ranges::find(facts.leaf_keys, key) != facts.leaf_keys.end();
  });
}

bool Witnesses::saw_issuer(std::uint16_t port, std::string_view key) const {
  return any_port(port, [&](const Host::Port& facts) {
    return std::ranges::find(facts.issuer_keys, key) != facts.issuer_keys.end();
  });
}

}  // namespace kua::verdict
