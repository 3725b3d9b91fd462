// DNS: what the network's resolver said of a name, against trusted resolvers, controls and certificates.
#pragma once

#include <span>
#include <string>

#include "verdict/rule.h"
#include "verdict/scene.h"

namespace kua::verdict {

// Of one host and one family.
struct DnsEvidence {
  Answer system = Answer::not_asked;  // the best that any configured resolver said, repetitions apart
  bool only_on_retry = false;         // the first asking failed, a repetition was answered
  int silences = 0;                   // lookups of the name, of any type, that met silence
  bool other_type_answered = false;   // the system resolver gave addresses of the other family
  bool other_type_exists = false;     // a trusted resolver or a control did
  bool other_names_answered = false;  // the system resolver answers for other names

  // Trusted resolvers, by how many lookups said so; DoH apart since nobody on the path can forge it.
  int trusted_addresses = 0;
  int trusted_no_such_name = 0;  // NXDOMAIN or no record
  int trusted_failed = 0;        // SERVFAIL, REFUSED
  bool doh_no_such_name = false;
  bool truth_is_public = false;  // a trusted resolver or a control gave a routable address
  Says control = Says::nothing;

  // The addresses the system resolver gave.
  bool agrees = false;           // one of them is also DoH's or a control's
  bool agrees_with_udp = false;  // … or only that of a trusted resolver over UDP
  bool proven = false;           // a chain valid for the name was presented at one of them
  bool page_fits = false;        // plain HTTP: the control's page was served at one of them
  bool bogon = false;            // none of them is routable
  // Of those that nobody else gave:
  bool misfit = false;           // a chain that does not fit was presented, and not to controls
  bool misfit_here_only = false; // … while controls got one that fits
  bool dead = false;             // nothing answered at any of them
  bool other_page = false;       // plain HTTP: another page than the control's
  bool proxied = false;          // it passes other names through as well, which the true address does not
  bool blocker = false;          // the address, or the page there, is a known blocker's
  bool blocker_everywhere = false;  // the known page is served at addresses others gave too
  bool true_address_works = false;  // an address only others gave serves the name

  bool raced = false;            // two contradicting replies to one query, the first one false
  bool answered_by_nobody = false;  // a false answer from an address that runs no resolver
  Answer false_answer = Answer::not_asked;  // of the race or of nobody
  bool false_is_bogon = false;
  // The race's first address came from an address without resolver too, while the reply that came second
  // holds what DoH or a control gives: no resolver's choice of one edge or another.
  bool same_forgery = false;

  std::string detail;
  References references;
  const char* how = "";          // the word for refused, servfail, timeout, empty
};

// Nothing to say of this family: never asked for, or the name has no such record for anybody.
[[nodiscard]] bool is_void(const DnsEvidence& evidence) noexcept;

[[nodiscard]] DnsEvidence extract_dns(const Scene& scene, const Site& site, Family family);
[[nodiscard]] const Rule<DnsEvidence>& judge_dns(const DnsEvidence& evidence);
[[nodiscard]] std::span<const Rule<DnsEvidence>> dns_rules() noexcept;

}  // namespace kua::verdict
