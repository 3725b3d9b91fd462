#include "measurement/verdict.h"

#include <algorithm>
#include <array>

namespace kua {

const char* to_string(State state) noexcept {
  switch (state) {
    case State::insufficient:
      return "insufficient";
    case State::ok:
      return "ok";
    case State::impaired:
      return "impaired";
    case State::down:
      return "down";
    case State::likely_blocked:
      return "likely_blocked";
    case State::blocked:
      return "blocked";
  }
  return "insufficient";
}

const char* to_string(Layer layer) noexcept {
  switch (layer) {
    case Layer::dns:
      return "dns";
    case Layer::tcp:
      return "tcp";
    case Layer::tls:
      return "tls";
    case Layer::http:
      return "http";
    case Layer::quic:
      return "quic";
    case Layer::link:
      return "link";
  }
  return "link";
}

std::optional<State> parse_state(std::string_view text) noexcept {
  for (int value = 0; value <= static_cast<int>(State::blocked); ++value) {
    if (text == to_string(static_cast<State>(value))) return static_cast<State>(value);
  }
  return std::nullopt;
}

std::optional<Layer> parse_layer(std::string_view text) noexcept {
  for (int value = 0; value <= static_cast<int>(Layer::link); ++value) {
    if (text == to_string(static_cast<Layer>(value))) return static_cast<Layer>(value);
  }
  return std::nullopt;
}

namespace {

// Whether `host` is ok at the deepest layer that was judged for it.
bool host_is_ok(const std::vector<Verdict>& verdicts, const std::string& host) noexcept {
  Layer deepest = Layer::dns;
  bool ok = false;
  for (const Verdict& verdict : verdicts) {
    if (verdict.host != host || verdict.layer == Layer::quic || verdict.layer < deepest) continue;
    if (verdict.layer > deepest) ok = false;
    deepest = verdict.layer;
    ok = ok || verdict.state == State::ok;
  }
  return ok;
}

}  // namespace

State summarize(const std::vector<Verdict>& verdicts) noexcept {
  constexpr std::array kOrder = {State::blocked, State::likely_blocked, State::down,
                                 State::impaired};
  for (const State state : kOrder) {
    if (std::ranges::any_of(verdicts, [state](const Verdict& verdict) {
          return verdict.state == state && verdict.layer != Layer::quic;
        })) {
      return state;
    }
  }
  bool judged = false;
  for (const Verdict& verdict : verdicts) {
    if (verdict.layer == Layer::quic) continue;
    judged = true;
    if (!host_is_ok(verdicts, verdict.host)) return State::insufficient;
  }
  return judged ? State::ok : State::insufficient;
}

}  // namespace kua
