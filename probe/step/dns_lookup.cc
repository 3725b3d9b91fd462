#include "probe/step/dns_lookup.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <utility>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "probe/limits.h"
#include "probe/step/dns_channel.h"
#include "probe/step/dns_reply.h"
#include "probe/step/lookup_slots.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kDatagramBytesMax = 65535;

// Further replies on the socket of an answered channel.
class Listener final : public LateReplies {
 public:
  Listener(Timeline timeline, const DnsChannel& channel, std::vector<QueryType> types,
           std::unique_ptr<UdpSocket> socket, Family family, std::shared_ptr<WireTally> tally,
           Microseconds wait)
      : state_(std::make_shared<State>(timeline, std::move(socket), family, std::move(tally))),
        until_(timeline.now() + wait) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      const ChannelQuery& query = channel.queries()[i];
      state_->heard.push_back(
          {types[i], query, read_reply(query.query, query.reply, query.ended), {}, 1});
    }
    State::listen(state_);
  }
  ~Listener() override { stop(); }

  [[nodiscard]] MonotonicTime until() const override { return until_; }

  [[nodiscard]] std::vector<DnsReply> take(QueryType type) override {
    stop();
    for (Heard& heard : state_->heard) {
      if (heard.type != type || heard.replies <= heard.query.copies_sent) continue;
      return std::exchange(heard.late, {});
    }
    return {};
  }

 private:
  struct Heard {
    QueryType type;
    ChannelQuery query;
    std::optional<DnsReply> first;
    std::vector<DnsReply> late;
    std::uint32_t replies;
  };
  struct State {
    State(Timeline timeline_in, std::unique_ptr<UdpSocket> socket_in, Family family_in,
          std::shared_ptr<WireTally> tally_in)
        : timeline(timeline_in),
          socket(std::move(socket_in)),
          family(family_in),
          tally(std::move(tally_in)) {}

    static void listen(const std::shared_ptr<State>& state) {
      state->socket->async_wait(UdpSocket::wait_read, [state](const boost::system::error_code& problem) {
        if (problem || state->socket == nullptr) return;
        state->drain();
        listen(state);
      });
    }

    void drain() {
      std::array<char, kDatagramBytesMax> buffer;
      while (true) {
        const ssize_t got = ::recv(socket->native_handle(), buffer.data(), buffer.size(), 0);
        if (got < 0) return;  // nothing left; an ICMP error is no reply
        add_datagram(*tally, Direction::received, family, static_cast<std::size_t>(got));
        hear({buffer.data(), static_cast<std::size_t>(got)});
      }
    }

    void hear(std::string_view bytes) {
      for (Heard& one : heard) {
        std::optional<DnsReply> reply = read_reply(one.query.query, bytes, timeline.offset());
        if (!reply) continue;
        ++one.replies;
        const auto same = [&](const DnsReply& known) { return !differ(known, *reply); };
        const bool known = (one.first && same(*one.first)) || std::ranges::any_of(one.late, same);
        if (!known && one.late.size() < kLateRepliesMax) one.late.push_back(std::move(*reply));
        return;
      }
    }

    Timeline timeline;
    std::unique_ptr<UdpSocket> socket;
    Family family;
    std::shared_ptr<WireTally> tally;
    std::vector<Heard> heard;
  };

  void stop() {
    if (state_->socket == nullptr) return;
    state_->drain();  // what came while other steps kept the loop busy
    state_->socket.reset();
  }

  std::shared_ptr<State> state_;
  MonotonicTime until_;
};

std::vector<wire::DnsQuery> make_queries(const LookupOptions& options) {
  std::vector<wire::DnsQuery> queries;
  std::uint16_t previous = 0;
  for (const QueryType type : options.types) {
    wire::DnsQuery query;
    do {
      query.id = static_cast<std::uint16_t>(platform::random_u64());
    } while (query.id == previous);  // two queries on one channel are told apart by it
    previous = query.id;
    query.name = options.name;
    query.type = wire::dns_type_of(type);
    queries.push_back(std::move(query));
  }
  return queries;
}

FailureCode failure_without_reply(const ChannelQuery& query, int socket_error) {
  if (query.over && query.status == ARES_ECONNREFUSED && socket_error != 0) {
    return failure_from_errno(socket_error);
  }
  return query.reply.empty() ? FailureCode::generic_timeout_error : FailureCode::dns_server_misbehaving;
}

Lookup observe(const LookupOptions& options, const DnsChannel& channel, std::size_t index,
               Microseconds begin, Microseconds end) {
  const ChannelQuery& query = channel.queries()[index];
  Lookup out;
  static_cast<StepContext&>(out) = options.context;
  out.engine = options.engine;
  out.resolver = options.resolver_text;
  out.name = options.name;
  out.type = options.types[index];
  out.offset = begin;
  out.duration = (query.over ? query.ended : end) - begin;
  out.reply = read_reply(query.query, query.reply, query.ended);
  if (out.reply) {
    out.failure = failure_of(*out.reply);
  } else {
    out.failure = Failure{failure_without_reply(query, channel.socket_error()), Operation::resolve};
  }
  return out;
}

}  // namespace

asio::awaitable<LookupResult> dns_lookup(Timeline timeline, std::shared_ptr<WireTally> tally,
                                         LookupOptions options) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const Microseconds called = timeline.offset();
  auto& slots = asio::use_service<LookupSlots>(asio::query(executor, asio::execution::context));
  co_await slots.wait_for_place();
  const LookupSlots::Slot slot(slots);
  const Microseconds begin = timeline.offset();
  LookupResult out;
  if (begin - called > kStepLagMax) {  // what is left of the deadline would be too little, and ours the fault
    out.instrument = Error{ErrorKind::limit, "too many lookups at once", "waiting to ask a resolver"};
    co_return out;
  }
  const auto channel = std::make_shared<DnsChannel>(executor, timeline, options.resolver, tally);
  std::vector<wire::DnsQuery> queries = make_queries(options);
  co_await channel->run(std::move(queries), options.deadline);

  out.instrument = channel->instrument();
  if (channel->queries().size() != options.types.size()) co_return out;  // the channel never opened
  const Microseconds end = timeline.offset();
  for (std::size_t i = 0; i < options.types.size(); ++i) {
    out.observations.push_back(observe(options, *channel, i, begin, end));
  }
  std::unique_ptr<UdpSocket> socket = channel->take_socket();
  const auto answered = [](const Lookup& lookup) { return lookup.reply.has_value(); };
  if (options.late_wait > Microseconds(0) && socket != nullptr &&
      std::ranges::any_of(out.observations, answered)) {
    out.late = std::make_shared<Listener>(timeline, *channel, options.types, std::move(socket),
                                          options.resolver.address.family(), tally, options.late_wait);
  }
  co_return out;
}

}  // namespace kua::probe
