#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "probe/experiment/experiment.h"
#include "probe/experiment/run.h"
#include "probe/experiment/signers.h"
#include "probe/experiment/task_group.h"
#include "probe/limits.h"
#include "probe/step/farewell.h"
#include "probe/step/gateway.h"
#include "probe/step/http_date.h"
#include "probe/step/http_round_trip.h"
#include "probe/step/tcp_connect.h"
#include "probe/step/tls_handshake.h"
#include "protocol/target_url.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::size_t kControlAddresses = 2;     // tried of one control
constexpr std::uint64_t kPortalBodyBytes = 512;  // the status and Location tell; the page is not kept

// How closely a control is looked at.
enum class Look : std::uint8_t {
  connect,  // 0.3 kB
  close,    // certificate and Date, 4.5 kB
};

struct Control {
  const Target* target = nullptr;
  protocol::TargetUrl url;
  LinkSubject subject = LinkSubject::national;
};

// Whether a control was reached, and by whose leave.
enum class Reach : std::uint8_t {
  no,
  opened,  // through somebody who signs for its name
  yes,
};

// One look at the line. Its checks run side by side and hold it.
struct Session {
  std::shared_ptr<Run> run;
  LinkMemory* memory;                  // outlives the awaitable; touched only before it is done
  std::optional<DefaultRoute> route;
  int national_reached = 0;
  int international_reached = 0;
  bool resolver_silent = false;
  bool strange_certificate = false;  // a control presented one that is not its own
  bool portal_shown = false;
  std::vector<std::pair<LinkSubject, std::string>> failed;  // controls that were not reached, by side and host
  Signers signers;
  std::vector<LinkCheck> opened;  // of controls that were reached so; they count when the others were heard
};

// The controls of one side, those of other countries left out, turned so that `turn` begins. Those that were
// found dead while others answered come last for a while: a doubt that is known is not worth 10 kB each time.
std::vector<Control> controls_of(const Run& run, const LinkMemory& memory, ControlScope scope, std::uint32_t turn) {
  std::vector<Control> out;
  const CountryCode country = run.instrument().stamp.vantage.country;
  for (const Target& target : run.list().targets) {
    if (target.tier != Tier::control || target.scope != scope) continue;
    if (target.country && *target.country != country) continue;
    const auto url = protocol::parse_target_url(target.url);
    if (!url) continue;
    out.push_back({&target, *url,
                   scope == ControlScope::national ? LinkSubject::national : LinkSubject::international});
  }
  if (!out.empty()) {
    std::ranges::rotate(out, out.begin() + static_cast<std::ptrdiff_t>(turn % out.size()));
  }
  std::ranges::stable_partition(out, [&](const Control& control) {
    const auto dead = memory.dead.find(control.url.host);
    return dead == memory.dead.end() || turn - dead->second >= 2 * kLinkCloseLookTurns;
  });
  return out;
}

ExperimentRequest link_request() {
  Target target{*TargetId::parse("link"), {}, {}, {}, "CTRL", Tier::control, {}, {}};
  return ExperimentRequest{std::move(target), Depth::key, FollowUp::none, LinkState::unknown, 0,
                           kBodyWireBytesMax, kFollowUpBytesMax, {}};
}

bool are_neighbours(const std::string& a, const std::string& b) {
  return a == b || a.ends_with("." + b) || b.ends_with("." + a);
}

// Whether a redirect stays with the control: no redirect, or to its own name or a neighbouring one.
bool leads_home(const Control& control, const std::string& location) {
  if (location.empty()) return true;
  const auto next = protocol::resolve_reference(control.url, location);
  return next && are_neighbours(control.url.host, next->host);
}

LinkCheck begin_check(const Session& session, LinkSubject subject, const std::string& host) {
  LinkCheck check;
  check.subject = subject;
  check.host = host;
  check.offset = session.run->timeline().offset();
  return check;
}

void count_check(Session& session, LinkCheck check) {
  if (check.reached && check.subject == LinkSubject::national) ++session.national_reached;
  if (check.reached && check.subject == LinkSubject::international) ++session.international_reached;
  session.portal_shown |= check.subject == LinkSubject::captive_portal && !check.reached && !check.failure;
  session.run->record(std::move(check));
}

void end_check(Session& session, LinkCheck check) {
  check.duration = session.run->timeline().offset() - check.offset;
  count_check(session, std::move(check));
}

asio::awaitable<void> check_gateway(std::shared_ptr<Session> session) {
  LinkCheck check = begin_check(*session, LinkSubject::gateway, "");
  if (session->route) {
    const Run& run = *session->run;
    const MonotonicTime latest = run.deadline(run.pacing().lookup_deadline, MonotonicTime::max());
    const GatewayResult result = co_await probe_gateway(run.timeline(), run.tally(), *session->route,
                                                        run.instrument().proc_net, latest);
    check.reached = result.reached;
    if (result.failure) check.failure = Failure{*result.failure, Operation::connect};
  } else {
    check.failure = Failure{FailureCode::network_unreachable, Operation::connect};
  }
  end_check(*session, std::move(check));
}

// Asks the resolvers in order for one record type and remembers nothing.
asio::awaitable<Lookup> ask_one(std::shared_ptr<Session> session, std::string host,
                                std::vector<Endpoint> resolvers) {
  Run& run = *session->run;
  Lookup last;
  last.failure = Failure{FailureCode::dns_non_recoverable_failure, Operation::resolve};
  const auto name = DomainName::parse(host);
  const bool six = session->route && session->route->gateway &&
                   session->route->gateway->family() == Family::ip6;
  const MonotonicTime latest = run.deadline(run.pacing().lookup_deadline, MonotonicTime::max());
  for (std::size_t i = 0; name && i < resolvers.size() && !last.reply; ++i) {
    const Microseconds share =
        (latest - run.timeline().now()) / static_cast<std::int64_t>(resolvers.size() - i);
    LookupOptions options;
    options.resolver = resolvers[i];
    options.name = *name;
    options.types = {six ? QueryType::aaaa : QueryType::a};
    options.deadline = run.timeline().now() + share;
    LookupResult result = co_await dns_lookup(run.timeline(), run.tally(), std::move(options));
    if (result.instrument) run.fail_instrument(*result.instrument);
    if (!result.observations.empty()) last = std::move(result.observations.front());
  }
  co_return last;
}

std::vector<IpAddress> contactable(const Run& run, const Lookup& lookup) {
  std::vector<IpAddress> out;
  if (!lookup.reply) return out;
  for (const IpAddress& address : lookup.reply->addresses) {
    if (run.may_contact(address)) out.push_back(address);
  }
  return out;
}

// The resolver is asked for a control's name; what it says is where the control is looked for.
asio::awaitable<void> check_resolver(std::shared_ptr<Session> session, std::string host) {
  LinkCheck check = begin_check(*session, LinkSubject::resolver, host);
  const Lookup lookup = co_await ask_one(session, host, session->run->instrument().system_resolvers);
  check.failure = lookup.failure;
  check.reached = !lookup.failure;
  session->resolver_silent = !lookup.reply;
  std::vector<IpAddress> addresses = contactable(*session->run, lookup);
  if (check.reached && addresses.empty()) {  // a portal's way, or a filter's, of leading to itself
    check.reached = false;
    check.failure = Failure{FailureCode::dns_bogon_error, Operation::resolve};
  }
  if (!addresses.empty()) session->memory->addresses[host] = std::move(addresses);
  end_check(*session, std::move(check));
}

// Trusted resolvers over UDP: whether the line works where the system's resolver does not.
std::vector<Endpoint> other_resolvers(const Run& run) {
  constexpr std::uint16_t kDnsPort = 53;
  constexpr std::size_t kOtherResolvers = 2;
  std::vector<Endpoint> out;
  for (const auto& resolver : run.list().trusted_resolvers) {
    if (!resolver.udp) continue;
    for (const IpAddress& address : resolver.addresses) {
      const bool usable = address.family() == Family::ip4 || run.ipv6_worth_trying();
      if (!usable || out.size() == kOtherResolvers) continue;
      out.push_back({address, kDnsPort, Transport::udp});
      break;
    }
  }
  return out;
}

// Where the control was found before, or where a resolver says it is.
asio::awaitable<std::vector<IpAddress>> addresses_of(std::shared_ptr<Session> session, Control control) {
  if (const auto literal = control.url.address()) {
    std::vector<IpAddress> only;
    if (session->run->may_contact(*literal)) only.push_back(*literal);
    co_return only;
  }
  const auto known = session->memory->addresses.find(control.url.host);
  if (known != session->memory->addresses.end()) co_return known->second;
  const Run& run = *session->run;
  std::vector<Endpoint> resolvers =
      session->resolver_silent ? other_resolvers(run) : run.instrument().system_resolvers;
  const Lookup lookup = co_await ask_one(session, control.url.host, std::move(resolvers));
  co_return contactable(run, lookup);
}

// Whether a server's Date says that it is our clock that is wrong.
bool clock_is_off(const Run& run, const std::optional<WallTime>& server_date) {
  return server_date &&
         std::chrono::abs(*server_date - run.instrument().clock.wall_now()) > kClockErrorMax;
}

// A portal may sign for every name and answer it like the control would. Where one was shown, and nothing
// abroad proved itself, what was reached through such a signature is the portal.
void count_opened(Session& session) {
  const bool is_portal = session.portal_shown && session.signers.opened() > 0 && session.international_reached == 0;
  for (LinkCheck& check : std::exchange(session.opened, {})) {
    check.reached = !is_portal;
    count_check(session, std::move(check));
  }
  if (is_portal) session.signers.forget_opened();  // no inspector
}

// One control at one address. Why it was not reached, and its Date, go into `check`.
asio::awaitable<Reach> look_at(std::shared_ptr<Session> session, Control control, IpAddress address, Look look,
                               LinkCheck& check) {
  Run& run = *session->run;
  const bool secure = control.url.scheme == protocol::UrlScheme::https;
  ConnectOptions options;
  options.endpoint = {address, control.url.port, Transport::tcp};
  options.deadline = run.deadline(run.pacing().connect_deadline, MonotonicTime::max());
  ConnectResult connected = co_await tcp_connect(run.timeline(), run.tally(), std::move(options));
  if (connected.instrument) run.fail_instrument(*connected.instrument);
  check.failure = connected.observation.failure;
  if (connected.stream == nullptr) co_return Reach::no;
  if (secure && look == Look::connect) {
    connected.stream->close_by_reset();
    co_return Reach::yes;
  }
  std::unique_ptr<ByteStream> stream = std::move(connected.stream);
  bool out_of_date = false;
  bool vouched = false;  // by its certificate, so that no answer can be a stranger's
  Reach reach = Reach::yes;
  if (secure) {
    TlsOptions tls;
    tls.endpoint = {address, control.url.port, Transport::tcp};
    tls.server_name = control.url.host;
    tls.deadline = run.deadline(run.pacing().handshake_deadline, MonotonicTime::max());
    std::unique_ptr<TcpStream> tcp(static_cast<TcpStream*>(stream.release()));
    TlsResult shaken = co_await tls_handshake(run.instrument().trust, run.timeline(), std::move(tcp),
                                              std::move(tls));
    check.failure = shaken.observation.failure;
    // A chain that is sound but for its dates may be our clock's fault: the server's Date will tell.
    out_of_date = shaken.observation.trust == ChainTrust::expired;
    vouched = out_of_date || shaken.observation.trust == ChainTrust::trusted;
    const Signer signer = signer_of(shaken, run.list());
    if (!check.failure && !vouched && signer == Signer::none) {
      check.failure = Failure{FailureCode::ssl_invalid_certificate, Operation::tls_handshake};
      session->strange_certificate = true;
    }
    stream = std::move(shaken.stream);
    if (check.failure) co_return Reach::no;
    if (control.subject == LinkSubject::international) session->signers.note(signer);
    if (signer == Signer::nobody_knows) reach = Reach::opened;
  }
  HttpOptions http;
  http.authority = control.url.authority();
  http.target = control.url.request_target();
  http.method = HttpMethod::head;
  http.deadline = run.deadline(run.pacing().round_trip_deadline, MonotonicTime::max());
  const HttpResult answer = co_await http_round_trip(run.timeline(), *stream, std::move(http));
  check.failure = answer.observation.failure;
  check.server_date = parse_http_date(answer.date);
  if (!check.failure && out_of_date && !clock_is_off(run, check.server_date)) {
    check.failure = Failure{FailureCode::ssl_invalid_certificate, Operation::tls_handshake};
  }
  if (check.failure || (!vouched && !leads_home(control, answer.location))) reach = Reach::no;
  co_return reach;
}

asio::awaitable<void> check_control(std::shared_ptr<Session> session, Control control, Look look) {
  LinkCheck check = begin_check(*session, control.subject, control.url.host);
  check.target = control.target->id.text();
  const std::vector<IpAddress> addresses = co_await addresses_of(session, control);
  if (addresses.empty()) check.failure = Failure{FailureCode::dns_no_answer, Operation::resolve};
  Reach reach = Reach::no;
  for (std::size_t i = 0; i < addresses.size() && i < kControlAddresses && reach == Reach::no; ++i) {
    reach = co_await look_at(session, control, addresses[i], look, check);
    if (reach != Reach::no) session->memory->addresses[control.url.host] = {addresses[i]};
  }
  check.reached = reach != Reach::no;
  if (check.reached) {
    session->memory->dead.erase(control.url.host);
  } else {
    session->memory->addresses.erase(control.url.host);  // to be looked up anew
    session->failed.emplace_back(control.subject, control.url.host);
  }
  if (reach == Reach::opened) {
    check.duration = session->run->timeline().offset() - check.offset;
    session->opened.push_back(std::move(check));
    co_return;
  }
  end_check(*session, std::move(check));
}

// What a control's name answers in clear text.
struct PlainLook {
  enum class Answer : std::uint8_t {
    none,       // nothing came
    home,       // a redirect to the control's own name: nobody else's doing
    page,       // the control's, or something in its place: controls over TLS may serve one here too
    elsewhere,  // what a control does not do: sends away from itself, or asks for a login (RFC 6585 §6)
  };
  LinkCheck check;
  Answer answer = Answer::none;
  HttpRoundTrip seen;
};

asio::awaitable<PlainLook> look_in_clear(std::shared_ptr<Session> session, Control control) {
  constexpr std::uint16_t kLoginRequired = 511;
  Run& run = *session->run;
  PlainLook look;
  look.check = begin_check(*session, LinkSubject::captive_portal, control.url.host);
  look.check.target = control.target->id.text();
  const std::vector<IpAddress> addresses = co_await addresses_of(session, control);
  if (addresses.empty()) {
    look.check.failure = Failure{FailureCode::dns_no_answer, Operation::resolve};
    co_return look;
  }
  ConnectOptions options;
  options.endpoint = {addresses.front(), kHttpPort, Transport::tcp};
  options.deadline = run.deadline(run.pacing().connect_deadline, MonotonicTime::max());
  ConnectResult connected = co_await tcp_connect(run.timeline(), run.tally(), std::move(options));
  look.check.failure = connected.observation.failure;
  if (connected.stream == nullptr) co_return look;
  HttpOptions http;
  http.authority = control.url.host;
  http.target = "/";
  http.body = {kPortalBodyBytes, kPortalBodyBytes};
  http.deadline = run.deadline(run.pacing().round_trip_deadline, MonotonicTime::max());
  HttpResult answer = co_await http_round_trip(run.timeline(), *connected.stream, std::move(http));
  if (!answer.observation.status) {
    look.check.failure = answer.observation.failure;
    co_return look;
  }
  if (!leads_home(control, answer.location) || answer.observation.status == kLoginRequired) {
    look.answer = PlainLook::Answer::elsewhere;
  } else {
    look.answer = answer.location.empty() ? PlainLook::Answer::page : PlainLook::Answer::home;
    look.check.reached = true;
  }
  look.seen = std::move(answer.observation);
  co_return look;
}

// Whether one hand wrote both: places that have nothing to do with each other do not share a page.
bool is_same_page(const PlainLook& a, const PlainLook& b) {
  const auto is_page = [](const PlainLook& look) {
    return look.answer == PlainLook::Answer::page && look.seen.status && *look.seen.status / 100 == 2;
  };
  if (!is_page(a) || !is_page(b)) return false;
  const bool same_body = !a.seen.body_sha256.empty() && a.seen.body_sha256 == b.seen.body_sha256;
  return same_body || (!a.seen.title.empty() && a.seen.title == b.seen.title);
}

// What a portal does: answers in a control's name, over plain HTTP, with something of its own. That must be
// shown. A mere answer on port 80 is what remains of a control where the network cut its port 443.
asio::awaitable<void> check_portal(std::shared_ptr<Session> session, std::vector<Control> controls) {
  const Control& first = controls.front();
  PlainLook look = co_await look_in_clear(session, first);
  const auto other = std::ranges::find_if(controls, [&](const Control& control) {
    return !are_neighbours(control.url.host, first.url.host);
  });
  if (look.answer == PlainLook::Answer::page && session->strange_certificate) {
    look.check.reached = false;  // whoever stands in the control's place does so on both ports
  } else if (look.answer == PlainLook::Answer::page && other != controls.end()) {
    PlainLook second = co_await look_in_clear(session, *other);
    const bool one_hand = is_same_page(look, second);
    look.check.reached = !one_hand;
    second.check.reached &= !one_hand;
    end_check(*session, std::move(second.check));
  }
  end_check(*session, std::move(look.check));
}

Look look_for(bool unsettled, std::uint32_t turn, std::uint32_t phase) {
  return unsettled || turn % (2 * kLinkCloseLookTurns) == phase ? Look::close : Look::connect;
}

std::string text_of(const std::optional<DefaultRoute>& route) {
  if (!route) return "none";
  return route->interface + " " + (route->gateway ? route->gateway->text() : "");
}

// Another way out may lead anywhere: what was known of the line before holds no more.
void notice_line(Session& session) {
  const std::string way_out = text_of(session.route);
  if (way_out == session.memory->way_out) return;
  *session.memory = LinkMemory{};
  session.memory->way_out = way_out;
}

// The others of a side whose first control was not reached, or only through somebody who signs for it. Closely,
// too: where ClientHellos vanish, a connection that comes about would hide it. A control that was dead before is
// no news of a line that worked.
void spawn_more(TaskGroup& group, const std::shared_ptr<Session>& session,
                const std::vector<Control>& controls) {
  if (controls.empty()) return;
  const LinkMemory& memory = *session->memory;
  const Control& first = controls.front();
  const bool national = first.subject == LinkSubject::national;
  const bool unsettled = national ? memory.national_unsettled : memory.international_unsettled;
  const Look look = !unsettled && memory.dead.contains(first.url.host) ? Look::connect : Look::close;
  for (std::size_t i = 1; i < controls.size() && i <= kLinkMoreControls; ++i) {
    group.spawn(check_control(session, controls[i], look));
  }
}

// What the line is to the next look.
void settle(Session& session, std::size_t controls_abroad, std::uint32_t turn) {
  count_opened(session);
  LinkMemory& memory = *session.memory;
  session.signers.conclude(memory.tls_inspected);
  // One control alone behind a stranger's signature, the others silent: the next look may know better.
  const bool lone = session.signers.is_lone() && controls_abroad > 1;
  memory.national_unsettled = session.national_reached == 0;
  memory.international_unsettled = session.international_reached == 0 || lone;
  for (const auto& [side, host] : session.failed) {
    const bool alone = (side == LinkSubject::national ? session.national_reached : session.international_reached) > 0;
    if (alone) memory.dead[host] = turn;
  }
}

}  // namespace

asio::awaitable<Measurement> link_state(const Instrument& instrument, LinkMemory& memory,
                                        std::uint32_t turn) {
  const auto session = std::make_shared<Session>();
  session->run = std::make_shared<Run>(instrument, link_request(), "link_state");
  session->memory = &memory;
  session->route = read_default_route(instrument.proc_net);
  notice_line(*session);
  if (std::exchange(memory.close_wanted, false)) {
    memory.national_unsettled = true;
    memory.international_unsettled = true;
  }
  Run& run = *session->run;
  const std::vector<Control> national = controls_of(run, memory, ControlScope::national, turn);
  const std::vector<Control> international = controls_of(run, memory, ControlScope::international, turn);
  if (national.empty()) run.missing("national_control");
  if (international.empty()) run.missing("international_control");

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup first(executor);
  first.spawn(check_gateway(session));
  // A national name, where there is one: a resolver without the world outside still knows it.
  const std::vector<Control>& named = national.empty() ? international : national;
  if (!named.empty()) co_await check_resolver(session, named.front().url.host);
  if (!national.empty()) {
    const Look look = look_for(memory.national_unsettled, turn, 0);
    first.spawn(check_control(session, national.front(), look));
  }
  if (!international.empty()) {
    const Look look = look_for(memory.international_unsettled, turn, kLinkCloseLookTurns);
    first.spawn(check_control(session, international.front(), look));
  }
  co_await first.join();

  TaskGroup more(executor);
  if (session->national_reached == 0) spawn_more(more, session, national);
  if (session->international_reached == 0) spawn_more(more, session, international);
  co_await more.join();
  const std::vector<Control>& plain = international.empty() ? national : international;
  if (session->international_reached == 0 && !plain.empty()) co_await check_portal(session, plain);
  settle(*session, international.size(), turn);
  if (memory.tls_inspected) run.mark_tls_inspected();
  co_await farewells_said(run.tally());
  co_return run.finish();
}

}  // namespace kua::probe
