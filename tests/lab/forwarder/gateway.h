// The box at home between the probe and its provider: translates addresses, answers for itself, and, as
// the scenario wants it, filters names, captures everything until somebody logs in, or carries IPv4 for
// a network without it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tests/lab/forwarder/hijack.h"
#include "tests/lab/forwarder/plan.h"

namespace kua::lab {

class Gateway {
 public:
  // Borrows both, which outlive it.
  Gateway(const HomePlan& home, const Plan& plan);

  struct Outward {
    std::vector<wire::Bytes> to_probe;   // answers of the box itself
    std::optional<wire::Bytes> onward;  // the packet as the provider gets it
  };
  [[nodiscard]] Outward outward(wire::Bytes packet);
  // nullopt: the packet is not for this home, or dies here.
  [[nodiscard]] std::optional<wire::Bytes> inward(wire::Bytes packet);

  [[nodiscard]] const HomePlan& home() const { return home_; }

 private:
  [[nodiscard]] bool is_own(const IpAddress& address) const;
  [[nodiscard]] std::optional<Outward> serve_dns(const Sight& sight, wire::Bytes& packet);
  [[nodiscard]] Outward capture(const Sight& sight, const wire::Bytes& packet);
  [[nodiscard]] std::optional<wire::Bytes> translate_out(wire::Bytes packet) const;
  [[nodiscard]] std::optional<wire::Bytes> translate_in(wire::Bytes packet) const;

  const HomePlan& home_;
  const Plan& plan_;
  std::vector<NamePattern> filter_;
  HijackTable captured_;
};

}  // namespace kua::lab
