// The judge: one measurement, what controls saw of the same target, and what is known beforehand, to
// verdicts, one or more a host and layer. Pure and total: every measurement gets an answer, and the
// same input gives the same answer for ever under the same rule ids.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "measurement/address.h"
#include "measurement/fingerprint.h"
#include "measurement/record.h"
#include "measurement/verdict.h"

namespace kua::verdict {

// What stands for the list an operator signed. Borrowed; outlives the call.
struct Knowledge {
  std::span<const Fingerprint> fingerprints;
  std::span<const InterceptionRoot> interception_roots;
  std::span<const Prefix> routable;  // blocks to be treated as public although they are not: the lab's
};

// What one control measurement says of each host it met, extracted once and kept while it is fresh.
class ControlFacts {
 public:
  explicit ControlFacts(const Measurement& control);
  ControlFacts(ControlFacts&&) noexcept;
  ControlFacts& operator=(ControlFacts&&) noexcept;
  ~ControlFacts();
  struct Host;
  [[nodiscard]] const Host* find(std::string_view host) const noexcept;
  [[nodiscard]] WallTime time() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One control vantage. `newest` is its latest fresh measurement of the target; `before` the one before
// it, or nullptr: a lone control may say `down` only if it failed twice.
struct ControlView {
  const ControlFacts* newest = nullptr;
  const ControlFacts* before = nullptr;
};

// Of a host whose way ended in a failure that nothing explains, the layers passed before are not told as
// ok: an answered lookup alone is no success. Only fresh controls are passed in (younger than three of their own intervals); none is allowed.
[[nodiscard]] std::vector<Verdict> judge(const Measurement& measurement,
                                         std::span<const ControlView> controls,
                                         const Knowledge& knowledge);

// Which link state the checks of one `link_state` measurement support.
[[nodiscard]] LinkState conclude_link_state(const Measurement& measurement);
// Whether it is `offline` although controls answer on port 80: then the ports that matter were cut.
[[nodiscard]] bool passes_clear_text_only(const Measurement& measurement);

}  // namespace kua::verdict
