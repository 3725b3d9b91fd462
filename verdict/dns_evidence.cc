#include <algorithm>

#include "verdict/dns_rules.h"
#include "verdict/page.h"

namespace kua::verdict {
namespace {

QueryType type_of(Family family) noexcept {
  return family == Family::ip6 ? QueryType::aaaa : QueryType::a;
}

// The better of two answers of configured resolvers: one that answers makes up for one that does not.
Answer better(Answer a, Answer b) noexcept {
  const auto rank = [](Answer answer) {
    switch (answer) {
      case Answer::not_asked: return 0;
      case Answer::unusable: return 1;
      case Answer::timeout: return 2;
      case Answer::refused: return 3;
      case Answer::servfail: return 4;
      case Answer::empty: return 5;
      case Answer::nxdomain: return 6;
      case Answer::addresses: return 7;
    }
    return 0;
  };
  return rank(a) >= rank(b) ? a : b;
}

bool is_no_such_name(Answer answer) noexcept {
  return answer == Answer::nxdomain || answer == Answer::empty;
}

bool all_unroutable(const Scene& scene, const DnsReply& reply) {
  return !reply.addresses.empty() && std::ranges::none_of(reply.addresses, [&](const IpAddress& address) {
           return scene.is_public(address);
         });
}

bool any_routable(const Scene& scene, const DnsReply& reply) {
  return std::ranges::any_of(reply.addresses,
                             [&](const IpAddress& address) { return scene.is_public(address); });
}

void take_trusted(DnsEvidence& e, const Lookup& step, std::uint32_t index) {
  const bool contested = step.engine == ResolverEngine::udp && !step.late.empty();
  if (contested) return;
  const Answer answer = answer_of(step);
  if (answer == Answer::addresses) {
    ++e.trusted_addresses;
  } else if (is_no_such_name(answer)) {
    ++e.trusted_no_such_name;
    e.doh_no_such_name |= step.engine == ResolverEngine::doh;
  } else if (answer == Answer::servfail || answer == Answer::refused) {
    ++e.trusted_failed;
  } else {
    return;  // a trusted resolver that cannot be reached says nothing about the name
  }
  e.references.add(index, Part::truth);
}

bool share_address(const std::vector<IpAddress>& a, const std::vector<IpAddress>& b) {
  return std::ranges::any_of(
      a, [&](const IpAddress& address) { return std::ranges::find(b, address) != b.end(); });
}

bool any_given_by_others(const Site& site, const DnsReply& reply) {
  return std::ranges::any_of(reply.addresses, [&](const IpAddress& address) {
    const KnownAddress* known = site.find(address);
    return known != nullptr && (known->by_doh || known->by_control);
  });
}

// Addresses that came where no true answer comes from.
struct Forgeries {
  std::vector<IpAddress> raced;      // before a reply that holds what DoH or a control gives
  std::vector<IpAddress> of_nobody;  // from an address that runs no resolver
};

// A race proves a forger only if the first reply is false by itself: two honest answers may differ.
void take_race(DnsEvidence& e, const Scene& scene, const Site& site, const Lookup& step, std::uint32_t index,
               Forgeries& forgeries) {
  if (!step.reply) return;
  const Answer first = answer_of(*step.reply);
  for (const DnsReply& later : step.late) {
    const bool bogon = all_unroutable(scene, *step.reply) && any_routable(scene, later);
    const bool denied = first == Answer::nxdomain && any_routable(scene, later);
    const bool other = first == Answer::addresses && any_routable(scene, later) &&
                       std::ranges::none_of(later.addresses, [&](const IpAddress& address) {
                         return std::ranges::find(step.reply->addresses, address) !=
                                step.reply->addresses.end();
                       });
    if (!bogon && !denied && !other) continue;
    e.raced = true;
    e.false_answer = first;
    e.false_is_bogon |= bogon;
    e.truth_is_public |= bogon || denied;
    e.references.add(index, Part::witness);
    if (other && any_given_by_others(site, later)) {
      forgeries.raced.insert(forgeries.raced.end(), step.reply->addresses.begin(), step.reply->addresses.end());
    }
  }
}

void take_nobody(DnsEvidence& e, const Scene& scene, const Site& site, const Lookup& step,
                 std::uint32_t index, Forgeries& forgeries) {
  if (!step.reply) return;
  const Answer answer = answer_of(*step.reply);
  // The truth from an address without resolver is a transparent proxy's, often the owner's own router.
  const bool true_answer = std::ranges::any_of(step.reply->addresses, [&](const IpAddress& address) {
    return site.is_vouched(address);
  });
  if (true_answer || (answer != Answer::addresses && answer != Answer::nxdomain)) return;
  e.false_is_bogon |= all_unroutable(scene, *step.reply);
  e.answered_by_nobody = true;
  e.false_answer = answer;
  forgeries.of_nobody.insert(forgeries.of_nobody.end(), step.reply->addresses.begin(), step.reply->addresses.end());
  e.references.add(index, Part::witness);
}

void take_lookups(DnsEvidence& e, const Scene& scene, const Site& site, Family family) {
  Answer first = Answer::not_asked;
  Answer repeated = Answer::not_asked;
  Forgeries forgeries;
  scene.each<Lookup>(site, [&](std::uint32_t index, const Lookup& step) {
    const bool system = step.engine == ResolverEngine::system;
    if (step.role == StepRole::same_address) {
      e.other_names_answered |= system && answer_of(step) == Answer::addresses;
      e.references.add(index, Part::pair);
      return;
    }
    e.silences += system && is_own(step.role) && answer_of(step) == Answer::timeout ? 1 : 0;
    if (step.type != type_of(family)) {
      e.other_type_answered |= system && is_own(step.role) && answer_of(step) == Answer::addresses;
      return;
    }
    if (step.role == StepRole::no_resolver) return take_nobody(e, scene, site, step, index, forgeries);
    if (!is_own(step.role)) return;
    take_race(e, scene, site, step, index, forgeries);
    if (!system) return take_trusted(e, step, index);
    Answer& slot = step.role == StepRole::retry ? repeated : first;
    slot = better(slot, answer_of(step));
    e.references.add(index, Part::seen);
  });
  e.same_forgery = share_address(forgeries.raced, forgeries.of_nobody);
  e.system = first;
  if (first != Answer::addresses && repeated == Answer::addresses) {
    e.system = repeated;
    e.only_on_retry = true;
  }
}

// What TLS and HTTP at one address told about it.
struct AtAddress {
  bool tried = false;
  bool reached = false;        // anything answered
  bool misfit = false;
  bool misfit_here_only = false;
  bool other_name_valid = false;  // S: a chain valid for the harmless name
  bool other_name_tried = false;
  bool page_as_control = false;
  bool page_differs = false;
  const Fingerprint* blocker = nullptr;
};

void take_plain_page(AtAddress& out, const Scene& scene, const Site& site, const HttpRoundTrip& step) {
  if (!is_answered(step)) return;
  out.reached = true;
  const Witnesses& controls = scene.witnesses(site);
  const std::uint16_t port = step.endpoint.port;
  using Port = ControlFacts::Host::Port;
  const bool same = controls.any_port(port, [&](const Port& p) { return same_page(step, p.page); });
  out.page_as_control |= same;
  // One client at two addresses: what another server says at the answered one is not the site's choice.
  out.page_differs |=
      !same && controls.any_port(port, [&](const Port& p) { return is_other_page(step, p.page); });
  if (!same && out.blocker == nullptr) out.blocker = find_in_page(scene.signs(), step);
}

// A chain that controls saw too, or that nobody gets a better one than, is the site's own.
void weigh_chain(AtAddress& out, const Scene& scene, const Site& site, const TlsHandshake& step) {
  const Witnesses& controls = scene.witnesses(site);
  const Says says = controls.tls(step.endpoint.port);
  const bool known = !step.chain.empty() && controls.saw_leaf(step.endpoint.port, step.chain[0].spki_sha256);
  if (known || says == Says::down || says == Says::disputed) return;
  out.misfit = true;
  out.misfit_here_only |= says == Says::up;
}

AtAddress look_at(const Scene& scene, const Site& site, const IpAddress& address, References& references,
                  Part part) {
  AtAddress out;
  scene.each<Connect>(site, [&](std::uint32_t index, const Connect& step) {
    if (step.endpoint.address != address || !is_own(step.role)) return;
    out.tried |= how_failed(step) != How::here;
    references.add(index, part);
  });
  scene.each<TlsHandshake>(site, [&](std::uint32_t index, const TlsHandshake& step) {
    if (step.endpoint.address != address) return;
    if (step.role == StepRole::same_address) {
      out.other_name_tried |= answered_tls(step);
      out.other_name_valid |= is_trusted(step);
      references.add(index, Part::pair);
    } else if (is_own(step.role)) {
      out.reached |= how_failed(step) == How::none;
      if (is_untrusted(step) && step.trust != ChainTrust::expired) weigh_chain(out, scene, site, step);
      references.add(index, part);
    }
  });
  scene.each<HttpRoundTrip>(site, [&](std::uint32_t index, const HttpRoundTrip& step) {
    if (step.endpoint.address != address || !is_own(step.role)) return;
    take_plain_page(out, scene, site, step);
    references.add(index, part);
  });
  return out;
}

// The addresses of the system resolver that nobody else gave, and those that others gave.
void weigh_addresses(DnsEvidence& e, const Scene& scene, const Site& site, Family family) {
  bool any_foreign_tried = false;
  bool any_foreign_reached = false;
  bool foreign_passes_others = false;
  bool true_refuses_others = false;
  for (const KnownAddress& known : site.addresses) {
    if (known.address.family() != family) continue;
    const bool vouched = site.is_vouched(known.address);
    if (!known.by_system) {
      if (!vouched) continue;
      const AtAddress at = look_at(scene, site, known.address, e.references, Part::truth);
      e.true_address_works |= known.proven || at.page_as_control;
      true_refuses_others |= at.other_name_tried && !at.other_name_valid;
      e.blocker_everywhere |= at.blocker != nullptr;
      continue;
    }
    const bool named_by_others = vouched && (known.by_doh || known.by_control || known.by_udp);
    if (named_by_others && !known.proven) continue;
    const AtAddress at = look_at(scene, site, known.address, e.references, Part::seen);
    if (known.proven) {
      foreign_passes_others |= !named_by_others && at.other_name_valid;
      continue;
    }
    any_foreign_tried |= at.tried;
    any_foreign_reached |= at.reached;
    e.misfit |= at.misfit;
    e.misfit_here_only |= at.misfit_here_only;
    e.page_fits |= at.page_as_control;
    e.other_page |= at.page_differs;
    if (at.blocker != nullptr) {
      e.blocker = true;
      e.detail = at.blocker->name;
    }
  }
  e.dead = any_foreign_tried && !any_foreign_reached;
  e.proxied = foreign_passes_others && true_refuses_others;
}

bool has_name(const DnsReply& reply, std::string_view name) {
  return std::ranges::any_of(reply.cnames,
                             [&](const std::string& cname) { return same_host(cname, name); });
}

// A known blocker's name in a chain of CNAMEs that no trusted resolver gave, on the way to addresses that
// nobody else gave either.
void weigh_names(DnsEvidence& e, const Scene& scene, const Site& site, Family family) {
  const auto trusted_gives = [&](std::string_view name) {
    bool gives = false;
    scene.each<Lookup>(site, [&](std::uint32_t, const Lookup& step) {
      gives |= step.engine == ResolverEngine::doh && step.reply && has_name(*step.reply, name);
    });
    return gives;
  };
  scene.each<Lookup>(site, [&](std::uint32_t, const Lookup& step) {
    if (step.engine != ResolverEngine::system || !is_own(step.role) || step.type != type_of(family)) return;
    if (!step.reply || any_given_by_others(site, *step.reply)) return;
    for (const std::string& name : step.reply->cnames) {
      const Fingerprint* blocker = find_cname(scene.signs(), name);
      if (blocker == nullptr || trusted_gives(name)) continue;
      if (!site.has_truth() && !scene.signs().are_local(*blocker)) continue;
      e.blocker = true;
      e.detail = blocker->name;
    }
  });
}

// What the addresses are by themselves, whoever answers there.
void weigh_answers(DnsEvidence& e, const Scene& scene, const Site& site, Family family) {
  bool any_public = false;
  bool any_system = false;
  for (const KnownAddress& known : site.addresses) {
    if (known.address.family() != family) continue;
    const bool by_others = known.by_doh || known.by_udp || known.by_control;
    if (!by_others && !known.by_system) continue;
    const bool is_public = scene.is_public(known.address);
    e.truth_is_public |= by_others && is_public;
    any_system |= known.by_system;
    any_public |= known.by_system && is_public;
    if (!known.by_system || known.by_doh || known.by_control) continue;
    const Fingerprint* blocker = find_address(scene.signs(), known.address);
    // Against other answers also another country's list counts.
    if (blocker != nullptr && (site.has_truth() || scene.signs().are_local(*blocker))) {
      e.blocker = true;
      e.detail = blocker->name;
    }
  }
  // Synthesised IPv6 addresses take many shapes (RFC 6052, RFC 8215): where NAT64 is, none accuses.
  const bool synthesised = family == Family::ip6 && scene.measurement().header.vantage.faults.nat64;
  e.bogon = any_system && !any_public && !synthesised;
}

bool answers_for_others(const Scene& scene, const Site& site) {
  if (scene.measurement().link_state == LinkState::online) return true;
  return std::ranges::any_of(scene.sites(), [&](const Site& other) {
    return &other != &site && std::ranges::any_of(other.addresses, &KnownAddress::by_system);
  });
}

}  // namespace

DnsEvidence extract_dns(const Scene& scene, const Site& site, Family family) {
  DnsEvidence e;
  take_lookups(e, scene, site, family);
  bool named_by_all = true;  // DoH or a control gave each of them too
  for (const KnownAddress& known : site.addresses) {
    e.other_type_exists |=
        known.address.family() != family && (known.by_doh || known.by_udp || known.by_control);
    if (!known.by_system || known.address.family() != family) continue;
    const bool by_others = known.by_doh || known.by_control;
    e.agrees |= by_others;
    e.agrees_with_udp |= known.by_udp && !site.doh_answered;  // else one forger may have answered both
    e.proven |= known.proven;
    named_by_all &= by_others;
  }
  e.how = to_string(e.system);
  // An ordinary answer needs no second look.
  const bool ordinary = e.system == Answer::addresses && e.proven && named_by_all;
  if (ordinary || e.system == Answer::not_asked) return e;
  e.control = scene.witnesses(site).dns();
  e.other_names_answered |= answers_for_others(scene, site);
  weigh_answers(e, scene, site, family);
  weigh_names(e, scene, site, family);
  if (e.system == Answer::addresses && !named_by_all && site.has_truth()) {
    weigh_addresses(e, scene, site, family);
  }
  return e;
}

bool is_void(const DnsEvidence& e) noexcept {
  const bool nobody_has_one = is_no_such_name(e.system) && e.trusted_addresses == 0 && !e.truth_is_public;
  const bool other_type_speaks =
      e.system == Answer::empty ? e.other_type_answered : e.other_type_exists && e.trusted_no_such_name > 0;
  return !e.answered_by_nobody && !e.raced &&
         (e.system == Answer::not_asked || (nobody_has_one && other_type_speaks));
}

}  // namespace kua::verdict
