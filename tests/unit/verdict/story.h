// Small builders, so that a row of a table test reads as the situation it claims something about.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "measurement/record.h"
#include "verdict/judge.h"

namespace kua::verdict::test {

inline constexpr const char* kHost = "www.example.com";
// In documentation ranges, which `knowledge()` declares routable as the lab does.
inline constexpr const char* kTrue = "203.0.113.10";
inline constexpr const char* kTrue6 = "2001:db8::10";
inline constexpr const char* kElsewhere = "203.0.113.20";  // another edge, or a blocker's server
inline constexpr const char* kWitness = "203.0.113.99";
inline constexpr const char* kHarmless = "harmless.example";

inline IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

// What a step failed with, in the words the rules use.
inline Failure failure(FailureCode code, Operation operation) { return Failure{code, operation}; }
inline constexpr FailureCode kReset = FailureCode::connection_reset;
inline constexpr FailureCode kSilence = FailureCode::generic_timeout_error;
inline constexpr FailureCode kClosed = FailureCode::eof_error;
inline constexpr FailureCode kRefused = FailureCode::connection_refused;
inline constexpr FailureCode kTlsFailed = FailureCode::ssl_failed_handshake;

// A measurement of https://www.example.com/ told step by step. Every step goes to the current host, hop
// and role, which the setters change for what follows.
class Story {
 public:
  Story();

  Story& host(const char* name, std::uint32_t hop);
  Story& as(StepRole role) { role_ = role; return *this; }

  // Lookups. An empty list is NOERROR without records.
  Story& answers(ResolverEngine engine, std::vector<const char*> addresses, QueryType type = QueryType::a);
  Story& through(const char* cname);  // the last answer came by this CNAME
  Story& rcode(ResolverEngine engine, std::uint16_t rcode, QueryType type = QueryType::a);
  Story& no_answer(ResolverEngine engine, QueryType type = QueryType::a);
  Story& then_came(std::vector<const char*> addresses);  // a late reply to the last lookup

  Story& connects(const char* address, std::uint16_t port = 443);
  Story& no_connect(const char* address, FailureCode code, std::uint16_t port = 443);
  Story& prohibited(const char* address, IcmpOrigin origin, std::uint16_t port = 443);

  // Handshakes, each over a connection of its own. `key` names the leaf's key, `authority` its signer's.
  Story& shakes(const char* address, const char* key = "site", const char* authority = "ca");
  Story& presents(const char* address, ChainTrust trust, const char* key, const char* authority);
  Story& cut(const char* address, FailureCode code, std::uint64_t bytes = 0);
  Story& alerted(const char* address, std::uint8_t alert = 112);

  // Round trips. `over_tls` ones are on port 443.
  Story& page(const char* address, std::uint16_t status, const char* title, std::uint64_t bytes,
              const char* server = "");
  Story& plain_page(const char* address, std::uint16_t status, const char* title, std::uint64_t bytes,
                    const char* server = "");
  Story& redirects(const char* address, const char* location, std::uint16_t port = 80);
  Story& page_cut(const char* address, FailureCode code, std::uint64_t bytes, std::uint16_t port = 443);
  Story& with_body(const char* sample);
  Story& last_byte_after(int milliseconds, int of_milliseconds = 0);  // the round trip's; 0: it was the end
  Story& ended_early();  // an orderly close before the stated length
  Story& limit(const char* name);

  // QUIC handshakes and pings on port 443.
  Story& speaks_quic(const char* address, ChainTrust trust = ChainTrust::trusted);
  Story& no_quic(const char* address, FailureCode code = kSilence, std::uint32_t replies = 0);
  Story& quic_closed(const char* address, std::uint64_t bytes);  // CONNECTION_CLOSE for the name
  Story& pongs(const char* address);
  Story& no_pong(const char* address, FailureCode code = kSilence);

  Story& resolver(ResolverClass resolver_class);
  Story& link(LinkState state);
  Measurement measurement;  // for what has no word of its own

 private:
  template <typename Step>
  Step& add(Step step);
  StepRole role_ = StepRole::main;
  std::string host_ = kHost;
  std::uint32_t hop_ = 0;
  Microseconds clock_{0};
};

// The plain beginning of most stories: everybody resolves to the true address.
Story resolved();
// A control for which everything went well, over TLS and in clear text.
Story well();
Story plain_well();

// Controls as a judge takes them. Owns the facts.
class Controls {
 public:
  Controls() = default;
  // Each story is one control's newest measurement.
  Controls(std::initializer_list<Story> newest);
  static Controls failed_twice(const Story& story);
  [[nodiscard]] std::span<const ControlView> views() const { return views_; }

 private:
  std::vector<std::shared_ptr<ControlFacts>> facts_;
  std::vector<ControlView> views_;
};

// Fingerprints "blocked by order" (body, KZ only), "Access denied by law" (title), a location an
// address and two CNAMEs; interception root "Qaznet"; the documentation ranges routable.
const Knowledge& knowledge();

}  // namespace kua::verdict::test
