#include "probe/cli/reporting.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "probe/cli/report.h"
#include "probe/cli/terminal.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

asio::awaitable<Expected<void>> enrol_and_fetch(Setup& setup, Uplink& uplink, const platform::Clock& clock) {
  if (auto enrolled = co_await enrol(setup, uplink); !enrolled) co_return enrolled;
  const auto newer = co_await refresh_list(setup, uplink, clock);
  if (!newer) co_return std::unexpected(newer.error());
  co_return Expected<void>();
}

// Runs one coroutine to its end on a loop of its own.
Expected<void> run_alone(asio::io_context& context, asio::awaitable<Expected<void>> work) {
  Expected<void> result = fail(ErrorKind::internal, "an exception ended it", "talking to the collector");
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr broken, Expected<void> done) {
    if (!broken) result = std::move(done);
  });
  context.run();
  return result;
}

}  // namespace

Uplink make_uplink(const Setup& setup, asio::any_io_executor executor, const platform::Clock& clock) {
  Uplink::Options options{
      .endpoints = setup.membership->link.endpoints,
      .pins = setup.membership->link.pins,
      .batch_records_max = setup.config.uplink.batch_records_max,
      .batch_bytes_max = setup.config.uplink.batch_bytes_max,
      .heartbeat_sequence = static_cast<std::uint64_t>(
          std::chrono::floor<std::chrono::milliseconds>(clock.wall_now()).time_since_epoch().count())};
  if (!setup.config.uplink.socks5.empty()) {
    for (auto& endpoint : options.endpoints) endpoint.socks5 = setup.config.uplink.socks5;
  }
  return Uplink(std::move(executor), clock, setup.identity.key, std::move(options));
}

asio::awaitable<Expected<void>> enrol(Setup& setup, Uplink& uplink) {
  protocol::Enrolment enrolment;
  enrolment.public_key = platform::to_text(setup.identity.key.public_key());
  enrolment.country = setup.config.vantage.country.value_or(enrolment.country);
  enrolment.asn = setup.config.vantage.asn.value_or(Asn{});
  enrolment.network_type = setup.config.vantage.network_type.value_or(NetworkType::unknown);
  enrolment.role = setup.config.role;
  enrolment.invitation = setup.membership->link.invitation;
  enrolment.software = kSoftware;
  auto answer = co_await uplink.enrol(std::move(enrolment));
  if (!answer) co_return std::unexpected(answer.error());
  setup.membership->network = std::move(*answer);
  refresh_vantage(setup);
  co_return write_membership(setup.state, *setup.membership);
}

asio::awaitable<Expected<bool>> refresh_list(Setup& setup, Uplink& uplink, const platform::Clock& clock) {
  auto fetched = co_await uplink.fetch_list(setup.vantage.country);
  if (!fetched) co_return std::unexpected(fetched.error());
  if (!*fetched) co_return false;
  const std::string& envelope = **fetched;
  if (!setup.lists.has_minimum()) {
    // The first list an operator hands out is usually the one the link names; any other is refused here.
    (void)setup.lists.offer_minimum(envelope);
  }
  co_return setup.lists.offer(envelope, clock.wall_now());
}

ExitCode join(const ProbeConfig& config, const std::string& text) {
  auto link = protocol::read_join_link(text);
  if (!link) return give_up(link.error());
  auto setup = Setup::make(config);
  if (!setup) return give_up(setup.error());
  const platform::SystemClock clock;
  setup->membership = Membership{.link_text = text,
                                 .link = *link,
                                 .joined = std::chrono::floor<std::chrono::seconds>(clock.wall_now()),
                                 .network = std::nullopt};
  if (auto written = write_membership(setup->state, *setup->membership); !written) {
    return give_up(written.error());
  }
  setup->lists = ListStore::open(setup->state, *link);
  fmt::print("Joined {}. Reports go to {} endpoint{} and are trusted by {} pin{}; probe id {}.\n",
             printable(link->operator_name, 100), link->endpoints.size(), link->endpoints.size() == 1 ? "" : "s",
             link->pins.size(), link->pins.size() == 1 ? "" : "s", setup->identity.id.text());
  if (!config.uplink.enabled) {
    fmt::print("The uplink is switched off in the configuration: nothing will be sent.\n");
    return ExitCode::ok;
  }
  asio::io_context context(1);
  Uplink uplink = make_uplink(*setup, context.get_executor(), clock);
  const auto enrolled = run_alone(context, enrol_and_fetch(*setup, uplink, clock));
  if (enrolled) {
    fmt::print("Enrolled. The collector places this line in {}, AS{}.\n", setup->vantage.country.text(),
               setup->vantage.asn.number);
    return ExitCode::ok;
  }
  complain(enrolled.error());
  if (enrolled.error().kind == ErrorKind::unavailable) {
    fmt::print("The collector could not be reached now; `kua-probe run` tries again.\n");
    return ExitCode::ok;
  }
  return ExitCode::failure;
}

}  // namespace kua::probe
