// What controls saw of a host, asked by quorum. A control may have no opinion: it never met the host, or
// was itself at fault.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/observation.h"
#include "verdict/judge.h"
#include "verdict/page.h"

namespace kua::verdict {

enum class Opinion : std::uint8_t { none, passed, failed };

struct ControlFacts::Host {
  struct Port {
    std::uint16_t port = 0;
    Opinion tcp4 = Opinion::none;
    Opinion tcp6 = Opinion::none;
    std::vector<IpAddress> reached;    // by a TCP connection
    std::vector<IpAddress> unreached;
    Opinion tls = Opinion::none;       // passed: a chain valid for the name
    std::vector<std::string> leaf_keys;    // SPKI hashes
    std::vector<std::string> issuer_keys;  // of the certificates above the leaves
    Opinion http = Opinion::none;      // failed: no answer, or 5xx
    Opinion quic = Opinion::none;      // passed: a handshake under a chain valid for the name
    Page page;                         // of the last round trip
    bool unfollowed_redirect = false;  // the chain ended in one
  };

  std::string name;
  Opinion dns = Opinion::none;
  std::vector<IpAddress> addresses;
  std::vector<Port> ports;
  [[nodiscard]] const Port* at(std::uint16_t port) const noexcept;
};

enum class Says : std::uint8_t {
  nothing,   // no control has an opinion
  up,
  down,
  disputed,  // controls disagree, or a lone one failed once
};

// The controls' say about one host, layer by layer: what failed at a layer failed at those above it.
// Two of five say down (at least two, at least 40 %); up is a majority; a lone control may say up, and
// down only when its last two measurements failed.
class Witnesses {
 public:
  Witnesses() = default;
  Witnesses(std::span<const ControlView> controls, std::string_view host);
  [[nodiscard]] Says dns() const;
  [[nodiscard]] Says tcp(std::uint16_t port, Family family) const;
  [[nodiscard]] Says tls(std::uint16_t port) const;
  [[nodiscard]] Says http(std::uint16_t port) const;
  // Controls that never tried QUIC there have no opinion, whatever else failed.
  [[nodiscard]] Says quic(std::uint16_t port) const;

  // Of any control's newest measurement.
  // Some control tried the address and none got through.
  [[nodiscard]] bool could_not_reach(std::uint16_t port, const IpAddress& address) const;
  [[nodiscard]] bool saw_leaf(std::uint16_t port, std::string_view key) const;
  [[nodiscard]] bool saw_issuer(std::uint16_t port, std::string_view key) const;
  template <typename Visit>  // void(const IpAddress&)
  void each_address(Visit visit) const {
    for (const Statement& statement : statements_) {
      for (const IpAddress& address : statement.newest->addresses) visit(address);
    }
  }
  template <typename Matches>  // bool(const ControlFacts::Host::Port&)
  [[nodiscard]] bool any_port(std::uint16_t port, Matches matches) const {
    for (const Statement& statement : statements_) {
      const auto* facts = statement.newest->at(port);
      if (facts != nullptr && matches(*facts)) return true;
    }
    return false;
  }

 private:
  template <typename Ask>
  [[nodiscard]] Says poll(Ask ask) const;
  // Of each control that met the host; `before` may be absent.
  struct Statement {
    const ControlFacts::Host* newest;
    const ControlFacts::Host* before;
  };
  std::vector<Statement> statements_;
};

}  // namespace kua::verdict
