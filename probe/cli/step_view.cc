#include "probe/cli/step_view.h"

#include <fmt/format.h>

#include <algorithm>

namespace kua::probe {
namespace {

constexpr std::size_t kShownBytesMax = 60;

std::string joined(const std::vector<IpAddress>& addresses) {
  std::string out;
  std::size_t shown = 0;
  for (const IpAddress& address : addresses) {
    if (shown == 3) return out + fmt::format(" and {} more", addresses.size() - shown);
    out += (shown++ == 0 ? "" : " ") + address.text();
  }
  return out;
}

const char* role_heading(StepRole role) {
  switch (role) {
    case StepRole::main: return "";
    case StepRole::same_address: return "the same address under a harmless name";
    case StepRole::witness: return "the name at an address known to answer";
    case StepRole::no_resolver: return "the name asked of an address that runs no resolver";
    case StepRole::retry: return "once more from a new source port";
    case StepRole::trusted: return "by trusted resolvers";
    case StepRole::residual: return "the harmless name again after a rest";
  }
  return "";
}

const char* engine_text(ResolverEngine engine) {
  switch (engine) {
    case ResolverEngine::system: return "own resolver";
    case ResolverEngine::udp: return "trusted, UDP";
    case ResolverEngine::doh: return "trusted, DoH";
  }
  return "";
}

const char* trust_text(ChainTrust trust) {
  switch (trust) {
    case ChainTrust::not_presented: return "no certificate";
    case ChainTrust::trusted: return "certificate valid";
    case ChainTrust::expired: return "certificate outside its dates";
    case ChainTrust::wrong_host: return "certificate for another name";
    case ChainTrust::self_signed: return "certificate self-signed";
    case ChainTrust::unknown_authority: return "certificate of an unknown authority";
    case ChainTrust::invalid: return "certificate broken";
  }
  return "";
}

struct Words {
  std::string kind;  // "dns"
  std::string what;  // "AAAA, own resolver"
  std::string seen;  // "203.0.113.10"
};

Words words_of(const Lookup& step) {
  Words words{"dns", fmt::format("{} {}", to_string(step.type), engine_text(step.engine)), ""};
  if (step.reply) words.seen = joined(step.reply->addresses);
  if (!step.late.empty()) words.seen += fmt::format(", then another answer: {}", joined(step.late.front().addresses));
  return words;
}

Words words_of(const Connect& step) {
  return {"tcp", step.endpoint.text(), step.failure ? "" : "connected"};
}

template <typename Handshake>  // over TCP or QUIC
std::string handshake_text(const Handshake& step) {
  std::string seen = step.version;
  if (step.trust != ChainTrust::not_presented) {
    seen += (seen.empty() ? "" : ", ") + std::string(trust_text(step.trust));
  }
  if (step.trust == ChainTrust::unknown_authority && !step.chain.empty()) {
    seen += " (" + printable(step.chain.back().issuer, kShownBytesMax) + ")";
  }
  return seen;
}

Words words_of(const TlsHandshake& step) {
  return {"tls", step.server_name.value_or("no name"), handshake_text(step)};
}

Words words_of(const QuicHandshake& step) {
  return {"quic", step.server_name.value_or("no name"), handshake_text(step)};
}

Words words_of(const QuicPing& step) {
  return {"quic", step.endpoint.text(), step.failure ? "" : "speaks QUIC"};
}

Words words_of(const HttpRoundTrip& step) {
  std::string seen;
  if (step.status) {
    seen = fmt::format("{}, {} bytes", *step.status, step.body_bytes);
    if (!step.title.empty()) seen += ", “" + printable(step.title, kShownBytesMax) + "”";
  }
  return {"http", step.method + " " + printable(step.url, kShownBytesMax), seen};
}

Words words_of(const LinkCheck& step) {
  return {"link", std::string(to_string(step.subject)) + (step.target.empty() ? "" : " " + step.target),
          step.reached ? "reached" : ""};
}

Words words_of(const UnknownObservation&) { return {}; }

}  // namespace

std::string duration_text(Microseconds duration) {
  const double milliseconds = static_cast<double>(duration.count()) / 1000.0;
  if (milliseconds >= 1000.0) return fmt::format("{:.2f} s", milliseconds / 1000.0);
  return fmt::format("{:.1f} ms", milliseconds);
}

std::string failure_text(const Failure& failure) {
  std::string text = to_string(failure.code);
  for (const std::string_view ending : {"_error", "_failure"}) {
    if (text.ends_with(ending)) text.resize(text.size() - ending.size());
  }
  std::ranges::replace(text, '_', ' ');
  return text == "generic timeout" ? "no answer in time" : text;
}

std::string StepView::heading(const StepContext& context) {
  std::string out;
  if (!begun_ || context.host != host_) {
    const std::string arrow = begun_ && context.hop > 0 ? "→ " : "";
    if (context.role == StepRole::main) out += "  " + arrow + terminal_.paint(Paint::strong, printable(context.host, 80)) + "\n";
  }
  if (context.role != role_ && context.role != StepRole::main) {
    out += terminal_.paint(Paint::faint, fmt::format("    {}:", role_heading(context.role))) + "\n";
  }
  if (context.role == StepRole::main) host_ = context.host;
  role_ = context.role;
  begun_ = true;
  return out;
}

std::string StepView::line(const Observation& observation) {
  const StepContext* context = context_of(observation);
  if (context == nullptr) return "";
  const Words words = std::visit([](const auto& step) { return words_of(step); }, observation);
  // Looks at the line belong to no host: each names its subject.
  std::string out = std::holds_alternative<LinkCheck>(observation) ? "" : heading(*context);
  const std::string indent = context->role == StepRole::main ? "    " : "      ";
  std::string seen = words.seen;
  if (context->failure) {
    const std::string failure = terminal_.paint(Paint::bad, failure_text(*context->failure));
    seen = seen.empty() ? failure : failure + ", " + seen;
  } else {
    seen = terminal_.paint(Paint::good, "✓") + " " + seen;
  }
  return out + fmt::format("{}{:<5}{:<44}{:>10}  {}\n", indent, words.kind, words.what,
                           duration_text(context->duration), seen);
}

std::string state_word(const Terminal& terminal, State state) {
  std::string word = to_string(state);
  std::ranges::replace(word, '_', ' ');
  switch (state) {
    case State::ok: return terminal.paint(Paint::good, word);
    case State::blocked: return terminal.paint(Paint::bad, word);
    case State::likely_blocked:
    case State::down:
    case State::impaired: return terminal.paint(Paint::doubtful, word);
    case State::insufficient: return terminal.paint(Paint::faint, word);
  }
  return word;
}

}  // namespace kua::probe
