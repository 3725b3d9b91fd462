#include "tests/support/loopback/dns_server.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <span>

namespace kua::test {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
}

struct DnsServer::State {
  State(Loop& loop, Answer answer_in, const std::string& address, std::uint16_t port)
      : answer(std::move(answer_in)),
        socket(loop.context(), udp::endpoint(asio::ip::make_address(address), port)) {}

  static asio::awaitable<void> reply(std::shared_ptr<State> state, TimedReply reply, udp::endpoint to) {
    if (reply.after.count() > 0) {
      asio::steady_timer timer(state->socket.get_executor(), reply.after);
      const auto [problem] = co_await timer.async_wait(kTuple);
      if (problem) co_return;
    }
    const auto bytes = wire::encode_dns(reply.message);
    if (!bytes || !state->socket.is_open()) co_return;
    const asio::const_buffer out = asio::buffer(*bytes);
    const auto [problem, sent] = co_await state->socket.async_send_to(out, to, kTuple);
    (void)problem;
    (void)sent;
  }

  static asio::awaitable<void> serve(std::shared_ptr<State> state) {
    std::array<std::uint8_t, 4096> buffer;
    while (state->socket.is_open()) {
      udp::endpoint from;
      const asio::mutable_buffer into = asio::buffer(buffer);
      const auto [problem, bytes] = co_await state->socket.async_receive_from(into, from, kTuple);
      if (problem) co_return;
      ++state->queries;
      const auto query = wire::decode_dns(std::span(buffer).first(bytes));
      if (!query) continue;
      for (TimedReply& reply_out : state->answer(*query)) {
        asio::co_spawn(state->socket.get_executor(), reply(state, std::move(reply_out), from),
                       asio::detached);
      }
    }
  }

  Answer answer;
  udp::socket socket;
  int queries = 0;
};

DnsServer::DnsServer(Loop& loop, Answer answer, const std::string& address, std::uint16_t port)
    : state_(std::make_shared<State>(loop, std::move(answer), address, port)) {
  asio::co_spawn(loop.context(), State::serve(state_), asio::detached);
}

DnsServer::~DnsServer() {
  boost::system::error_code ignored;
  state_->socket.close(ignored);
}

Endpoint DnsServer::endpoint() const {
  const udp::endpoint local = state_->socket.local_endpoint();
  return {*IpAddress::parse(local.address().to_string()), local.port(), Transport::udp};
}

int DnsServer::queries() const { return state_->queries; }

wire::DnsMessage addresses_reply(const wire::DnsMessage& query, const std::vector<std::string>& addresses) {
  wire::DnsMessage out = wire::reply_to(query, wire::kDnsNoError);
  const wire::DnsQuestion& question = query.questions.at(0);
  for (const std::string& text : addresses) {
    const auto address = IpAddress::parse(text);
    const std::uint16_t type =
        address->family() == Family::ip4 ? wire::kDnsTypeA : wire::kDnsTypeAaaa;
    if (type != question.type) continue;
    wire::DnsRecord record;
    record.name = question.name;
    record.type = type;
    record.ttl_seconds = 60;
    record.data = *address;
    out.answers.push_back(std::move(record));
  }
  return out;
}

DnsServer::Answer zone(const std::string& name, std::vector<std::string> addresses) {
  return [name, addresses = std::move(addresses)](const wire::DnsMessage& query) {
    std::vector<TimedReply> replies;
    if (query.questions.at(0).name == name) {
      replies.push_back({addresses_reply(query, addresses)});
    } else {
      replies.push_back({wire::reply_to(query, wire::kDnsNxDomain)});
    }
    return replies;
  };
}

}  // namespace kua::test
