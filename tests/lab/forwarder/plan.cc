#include "tests/lab/forwarder/plan.h"

#include <boost/json/parse.hpp>
#include <cmath>

#include "tests/lab/forwarder/plan_reader.h"

namespace kua::lab {
namespace {

namespace json = boost::json;

std::uint16_t read_port(PlanReader& in, std::string_view key) {
  const double number = in.number(key, 0);
  if (number < 1 || number > 65535 || number != std::floor(number)) {
    in.complain(key, "not a port");
    return 0;
  }
  return static_cast<std::uint16_t>(number);
}

double read_share(PlanReader& in, std::string_view key, double fallback) {
  const double share = in.number(key, fallback);
  if (!(share >= 0 && share <= 1)) in.complain(key, "not between 0 and 1");
  return share;
}

EndPlan read_end(const json::object& object, const std::string& where, std::string& problem) {
  PlanReader in(object, where, problem);
  EndPlan end{in.text("netns"), in.text("device"), in.text_or_empty("capture")};
  in.finish();
  return end;
}

EndPlan read_end_member(PlanReader& in, std::string_view key) {
  const json::object* object = in.object(key);
  if (object == nullptr) {
    in.complain(key, "missing");
    return {};
  }
  return read_end(*object, std::string(key), in.problem());
}

HomePlan read_home(const json::object& object, std::string& problem) {
  PlanReader in(object, "home", problem);
  HomePlan home;
  home.end = read_end_member(in, "end");
  home.inside4 = in.maybe_address("inside4");
  home.inside6 = in.maybe_address("inside6");
  home.public4 = in.address("public4");
  home.gateway4 = in.address("gateway4");
  home.gateway6 = in.maybe_address("gateway6");
  if (const json::object* tunnel = in.object("tunnel")) home.tunnel = read_end(*tunnel, "tunnel", problem);
  home.tunnel4 = in.maybe_address("tunnel4");
  in.finish();
  return home;
}

std::vector<Alias> read_aliases(PlanReader& in, std::string_view key) {
  std::vector<Alias> aliases;
  for (const json::object* entry : in.objects(key)) {
    PlanReader alias(*entry, std::string(key), in.problem());
    aliases.push_back({alias.address("asked"), alias.address("answered_by")});
    alias.finish();
  }
  return aliases;
}

ControlPlan read_control(const json::object& object, std::string& problem) {
  PlanReader in(object, "control", problem);
  ControlPlan control;
  control.end = read_end_member(in, "end");
  control.addresses = in.addresses("addresses");
  control.aliases = read_aliases(in, "aliases");
  in.finish();
  return control;
}

LinePlan read_line(const json::object& object, std::string& problem) {
  PlanReader in(object, "line", problem);
  LinePlan line;
  line.loss = read_share(in, "loss", 0);
  line.delay = in.seconds("delay_seconds");
  line.kbps = static_cast<std::uint32_t>(in.number("rate_kbps", 0));
  line.ipv6_broken = in.flag("ipv6_broken");
  line.captive = in.flag("captive");
  line.resolver_dead = in.flag("resolver_dead");
  line.nat64 = in.flag("nat64");
  line.filter = in.texts("filter");
  line.down_from = in.maybe_seconds("down_from_seconds");
  line.down_until = in.maybe_seconds("down_until_seconds");
  in.finish();
  return line;
}

std::optional<NamePattern> read_name(PlanReader& in, std::string_view key) {
  const std::string text = in.text_or_empty(key);
  if (text.empty()) return std::nullopt;
  return NamePattern(text);
}

Match read_match(const json::object& object, std::string& problem) {
  PlanReader in(object, "rule.match", problem);
  Match match;
  match.qname = read_name(in, "qname");
  match.sni = read_name(in, "sni");
  match.quic_sni = read_name(in, "quic_sni");
  match.host = read_name(in, "host");
  if (std::string text = in.text_or_empty("contains"); !text.empty()) match.contains = std::move(text);
  if (const std::string text = in.text_or_empty("address"); !text.empty()) {
    match.address = Prefix::parse(text);
    if (!match.address) in.complain("address", "not a prefix");
  }
  if (in.value("port") != nullptr) match.port = read_port(in, "port");
  const std::string protocol = in.text_or_empty("protocol");
  if (protocol == "tcp") match.protocol = Protocol::tcp;
  else if (protocol == "udp") match.protocol = Protocol::udp;
  else if (protocol == "icmp") match.protocol = Protocol::icmp;
  else if (protocol == "all") match.protocol = Protocol::all;
  else if (!protocol.empty()) in.complain("protocol", "not one of tcp, udp, icmp, all");
  in.finish();
  return match;
}

Act read_act(const json::object& object, std::string& problem) {
  PlanReader in(object, "rule.act", problem);
  const std::string kind = in.text("kind");
  Act act = Drop{};
  if (kind == "drop") act = Drop{};
  else if (kind == "reset") act = Reset{};
  else if (kind == "refuse") act = Refuse{};
  else if (kind == "fin") act = Fin{};
  else if (kind == "alert") act = Alert{};
  else if (kind == "icmp_prohibited") act = IcmpProhibited{};
  else if (kind == "forge_dns") act = ForgeDns{in.flag("nxdomain"), in.addresses("addresses")};
  else if (kind == "blockpage") act = BlockPage{in.text("response")};
  else if (kind == "freeze") act = Freeze{static_cast<std::uint64_t>(in.number("after_bytes", 0))};
  else if (kind == "rate") act = Throttle{static_cast<std::uint32_t>(in.number("kbps", 0))};
  else if (kind == "impair") act = Impair{in.seconds("delay_seconds"), read_share(in, "loss", 0)};
  else if (kind == "mitm") {
    Mitm mitm;
    const std::uint16_t port = read_port(in, "port");
    for (const IpAddress& address : in.addresses("helpers")) {
      mitm.helpers.push_back(Endpoint{address, port, Transport::tcp});
    }
    act = std::move(mitm);
  } else {
    in.complain("kind", "unknown act");
  }
  in.finish();
  return act;
}

Rule read_rule(const json::object& object, std::size_t number, std::string& problem) {
  PlanReader in(object, "rule", problem);
  Rule rule;
  rule.number = number;
  if (const json::object* match = in.object("match")) rule.match = read_match(*match, problem);
  else in.complain("match", "missing");
  if (const json::object* act = in.object("act")) rule.act = read_act(*act, problem);
  else in.complain("act", "missing");
  rule.residual = in.seconds("residual_seconds");
  rule.from = in.seconds("from_seconds");
  rule.until = in.maybe_seconds("until_seconds");
  rule.probability = read_share(in, "probability", 1);
  rule.hop = static_cast<int>(in.number("hop", 2));
  if (rule.hop < 1 || rule.hop > kHops) in.complain("hop", "not a hop");
  rule.on_path = in.flag("on_path");
  in.finish();
  return rule;
}

void read_routers(PlanReader& in, Plan& plan) {
  const auto hops = in.objects("hops");
  if (hops.size() != plan.routers.size()) return in.complain("hops", "not four");
  for (std::size_t i = 0; i < hops.size(); ++i) {
    PlanReader hop(*hops[i], "hop", in.problem());
    plan.routers[i] = hop.addresses("addresses");
    if (plan.routers[i].empty()) hop.complain("addresses", "none");
    hop.finish();
  }
}

}  // namespace

Expected<Plan> read_plan(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) return fail(ErrorKind::invalid_input, "not a JSON object", "reading the plan");
  std::string problem;
  PlanReader in(parsed.get_object(), "plan", problem);
  Plan plan;
  for (const json::object* home : in.objects("homes")) plan.homes.push_back(read_home(*home, problem));
  if (const json::object* control = in.object("control")) plan.control = read_control(*control, problem);
  plan.world = read_end_member(in, "world");
  read_routers(in, plan);
  if (const json::object* line = in.object("line")) plan.line = read_line(*line, problem);
  for (const json::object* rule : in.objects("rules")) {
    plan.rules.push_back(read_rule(*rule, plan.rules.size(), problem));
  }
  plan.resolvers = in.addresses("resolvers");
  plan.collectors = in.addresses("collectors");
  plan.quic = read_aliases(in, "quic");
  plan.portal.address = in.address("portal");
  plan.portal.port = read_port(in, "portal_port");
  plan.collector_blocked = in.flag("collector_blocked");
  plan.control_uploads_blocked = in.flag("control_uploads_blocked");
  in.finish();
  if (!problem.empty()) return fail(ErrorKind::invalid_input, problem, "reading the plan");
  return plan;
}

}  // namespace kua::lab
