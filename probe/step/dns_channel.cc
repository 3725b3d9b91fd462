#include "probe/step/dns_channel.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "measurement/check.h"
#include "probe/step/socket_address.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr int kCopies = 3;
constexpr int kCopiesWeight = 7;  // c-ares doubles its wait with every copy: 1 + 2 + 4

void start_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  KUA_CHECK(status == ARES_SUCCESS);
}

}  // namespace

// One socket of the channel and what is awaited on it.
struct DnsChannel::Watch {
  Watch(const asio::any_io_executor& executor, int socket_in, bool datagrams_in)
      : descriptor(std::make_unique<UdpSocket>(executor, socket_in)),
        socket(socket_in),
        datagrams(datagrams_in) {}
  std::unique_ptr<UdpSocket> descriptor;
  int socket;
  bool datagrams;
  bool want_read = false;
  bool want_write = false;
  bool reading = false;  // a wait is under way
  bool writing = false;
  bool can_read = false;
  bool can_write = false;
};

// What c-ares calls; `user` is the channel. None of them runs anything but bookkeeping.
struct DnsChannel::Callbacks {
  static DnsChannel& self(void* user) { return *static_cast<DnsChannel*>(user); }

  static ares_socket_t open(int family, int type, int protocol, void* user) {
    DnsChannel& channel = self(user);
    const int socket = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (socket < 0) {
      const int problem = errno;
      channel.instrument_ = Error{ErrorKind::io, std::strerror(problem), "opening a socket for DNS"};
      errno = problem;
      return ARES_SOCKET_BAD;
    }
    const bool datagrams = (type & SOCK_DGRAM) == SOCK_DGRAM;
    channel.watches_.push_back(std::make_shared<Watch>(channel.executor_, socket, datagrams));
    return socket;
  }

  static int close(ares_socket_t socket, void* user) {
    DnsChannel& channel = self(user);
    const auto watch = channel.find(socket);
    if (watch == nullptr) return -1;
    if (watch->datagrams) {
      boost::system::error_code ignored;  // nothing waits: nothing to cancel
      watch->descriptor->cancel(ignored);
      channel.finished_udp_ = std::move(watch->descriptor);
    } else {
      add_tcp_socket(*channel.tally_, socket, channel.resolver_.address.family(), Closing::in_order);
      watch->descriptor.reset();
    }
    std::erase(channel.watches_, watch);
    return 0;
  }

  static int connect(ares_socket_t socket, const sockaddr* address, ares_socklen_t length, void* user) {
    const int result = ::connect(socket, address, length);
    if (result != 0 && errno != EINPROGRESS) self(user).socket_error_ = errno;
    return result;
  }

  static ares_ssize_t receive(ares_socket_t socket, void* data, std::size_t length, int flags,
                              sockaddr* from, ares_socklen_t* from_length, void* user) {
    const ssize_t got = ::recvfrom(socket, data, length, flags, from, from_length);
    DnsChannel& channel = self(user);
    const auto watch = channel.find(socket);
    if (got < 0 && errno != EAGAIN) channel.socket_error_ = errno;
    if (got >= 0 && watch != nullptr && watch->datagrams) {
      add_datagram(*channel.tally_, Direction::received, channel.resolver_.address.family(),
                   static_cast<std::size_t>(got));
    }
    return got;
  }

  static ares_ssize_t send(ares_socket_t socket, const iovec* parts, int count, void* user) {
    DnsChannel& channel = self(user);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);  // sendmsg reads them only
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t put = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    const auto watch = channel.find(socket);
    if (put < 0) {
      if (errno != EAGAIN) channel.socket_error_ = errno;
    } else if (watch != nullptr && watch->datagrams && count > 0 && parts->iov_len >= 2) {
      const auto* bytes = static_cast<const std::uint8_t*>(parts->iov_base);
      const auto id = static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
      for (ChannelQuery& query : channel.queries_) query.copies_sent += query.query.id == id ? 1 : 0;
      add_datagram(*channel.tally_, Direction::sent, channel.resolver_.address.family(),
                   static_cast<std::size_t>(put));
    }
    return put;
  }

  static void state(void* user, ares_socket_t socket, int readable, int writable) {
    const auto watch = self(user).find(socket);
    if (watch == nullptr) return;
    watch->want_read = readable != 0;
    watch->want_write = writable != 0;
  }

  struct Pending {
    DnsChannel* channel;
    std::size_t index;
  };
  static void answer(void* user, int status, int /*timeouts*/, unsigned char* bytes, int length) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(user));
    ChannelQuery& query = pending->channel->queries_[pending->index];
    query.over = true;
    query.status = status;
    query.ended = pending->channel->timeline_.offset();
    if (bytes != nullptr) {
      query.reply.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
    }
  }
};

DnsChannel::DnsChannel(asio::any_io_executor executor, Timeline timeline, Endpoint resolver,
                       std::shared_ptr<WireTally> tally)
    : executor_(executor),
      timeline_(timeline),
      resolver_(resolver),
      tally_(std::move(tally)),
      wake_(executor_) {}

DnsChannel::~DnsChannel() { close(); }

// Every option that c-ares would else read from resolv.conf, nsswitch.conf or host.conf is given.
void DnsChannel::open(Microseconds budget) {
  start_library();
  ares_options options{};
  // The resolver's own words are the evidence: no search list, no aliases, no second server behind our
  // back (NOCHECKRESP hands on SERVFAIL and REFUSED), EDNS with a fallback when it is not understood.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS;
  options.timeout = static_cast<int>(std::max<std::int64_t>(budget.count() / 1000 / kCopiesWeight, 1));
  options.tries = kCopies;
  options.ndots = 1;
  options.ednspsz = 1232;
  char lookups[] = "b";
  options.lookups = lookups;
  options.sock_state_cb = &Callbacks::state;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                   ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_SERVERS |
                   ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | ARES_OPT_NOROTATE;
  const int status = ares_init_options(&channel_, &options, mask);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
    instrument_ = Error{ErrorKind::internal, ares_strerror(status), "opening a c-ares channel"};
    return;
  }
  static const ares_socket_functions functions{&Callbacks::open, &Callbacks::close, &Callbacks::connect,
                                               &Callbacks::receive, &Callbacks::send};
  ares_set_socket_functions(channel_, &functions, this);
  ares_addr_port_node server{};
  server.family = family_number(resolver_.address.family());
  std::memcpy(&server.addr, resolver_.address.bytes().data(), resolver_.address.bytes().size());
  server.udp_port = resolver_.port;
  server.tcp_port = resolver_.port;
  KUA_CHECK(ares_set_servers_ports(channel_, &server) == ARES_SUCCESS);
}

void DnsChannel::send(std::size_t index) {
  const wire::Bytes bytes = wire::encode_dns_query(queries_[index].query);
  ares_send(channel_, bytes.data(), static_cast<int>(bytes.size()), &Callbacks::answer,
            new Callbacks::Pending{this, index});  // c-ares calls back exactly once
}

void DnsChannel::close() {
  if (channel_ == nullptr) return;
  ares_destroy(std::exchange(channel_, nullptr));  // ends what is pending as cancelled
}

asio::awaitable<void> DnsChannel::run(std::vector<wire::DnsQuery> queries, MonotonicTime deadline) {
  // Waits hold the channel and the channel holds its sockets: whatever ends this, the channel closes.
  const std::shared_ptr<DnsChannel> self = shared_from_this();
  struct CloseAtEnd {
    DnsChannel& channel;
    ~CloseAtEnd() { channel.close(); }
  } const close_at_end{*this};
  open(deadline - timeline_.now());
  if (channel_ == nullptr) co_return;
  queries_.reserve(queries.size());
  for (wire::DnsQuery& query : queries) {
    ChannelQuery entry;
    entry.query = std::move(query);
    queries_.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < queries_.size(); ++i) send(i);
  while (!all_over() && timeline_.now() < deadline) {
    for (const auto& watch : watches_) arm(watch);
    wake_.expires_after(std::min(next_timeout(), deadline - timeline_.now()));
    const auto [woken] = co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    (void)woken;  // ready, timed out or cancelled: the next round finds out
    process();
  }
}

void DnsChannel::arm(const std::shared_ptr<Watch>& watch) {
  const std::shared_ptr<DnsChannel> self = shared_from_this();
  if (watch->want_read && !watch->reading) {
    watch->reading = true;
    watch->descriptor->async_wait(UdpSocket::wait_read, [self, watch](const boost::system::error_code& e) {
      watch->reading = false;
      if (e) return;
      watch->can_read = true;
      self->wake_.cancel();
    });
  }
  if (watch->want_write && !watch->writing) {
    watch->writing = true;
    watch->descriptor->async_wait(UdpSocket::wait_write, [self, watch](const boost::system::error_code& e) {
      watch->writing = false;
      if (e) return;
      watch->can_write = true;
      self->wake_.cancel();
    });
  }
}

void DnsChannel::process() {
  bool nothing_ready = true;
  const std::vector<std::shared_ptr<Watch>> watches = watches_;  // c-ares may open and close some
  for (const auto& watch : watches) {
    const bool can_read = std::exchange(watch->can_read, false);
    const bool can_write = std::exchange(watch->can_write, false);
    if (!can_read && !can_write) continue;
    nothing_ready = false;
    ares_process_fd(channel_, can_read ? watch->socket : ARES_SOCKET_BAD,
                    can_write ? watch->socket : ARES_SOCKET_BAD);
  }
  // A timeout: but what arrived while the machine was too busy to look goes first.
  for (const auto& watch : watches) {
    if (nothing_ready && watch->want_read) ares_process_fd(channel_, watch->socket, ARES_SOCKET_BAD);
  }
  if (nothing_ready) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

bool DnsChannel::all_over() const {
  return std::ranges::all_of(queries_, [](const ChannelQuery& query) { return query.over; });
}

Microseconds DnsChannel::next_timeout() const {
  timeval longest{60, 0};
  timeval storage{};
  const timeval* const next = ares_timeout(channel_, &longest, &storage);
  return std::chrono::seconds(next->tv_sec) + Microseconds(next->tv_usec);
}

std::shared_ptr<DnsChannel::Watch> DnsChannel::find(int socket) const {
  const auto at = std::ranges::find_if(watches_, [&](const auto& watch) { return watch->socket == socket; });
  return at == watches_.end() ? nullptr : *at;
}

}  // namespace kua::probe
