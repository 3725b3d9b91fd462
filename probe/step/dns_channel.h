// One c-ares channel whose sockets are ours (ares_set_socket_functions), so that an answered query's
// socket can go on listening and every byte is counted. c-ares never resumes a coroutine: its callbacks
// write down what happened, and the coroutine that drives the channel looks. For dns_lookup.cc only.
#pragma once

#include <ares.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"
#include "wire/dns_message.h"

namespace kua::probe {

// One query under way on a channel.
struct ChannelQuery {
  wire::DnsQuery query;
  std::uint32_t copies_sent = 0;
  bool over = false;
  int status = ARES_ETIMEOUT;         // of c-ares, once over
  Microseconds ended{0};              // offset in the measurement
  std::string reply;                  // raw bytes; empty when none came
};

// A UDP socket that was used, to be listened on further.
using UdpSocket = boost::asio::posix::stream_descriptor;

class DnsChannel : public std::enable_shared_from_this<DnsChannel> {
 public:
  DnsChannel(boost::asio::any_io_executor executor, Timeline timeline, Endpoint resolver,
             std::shared_ptr<WireTally> tally);
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  // Asks all at once and drives the channel until each query is over or `deadline` has passed. Call once.
  [[nodiscard]] boost::asio::awaitable<void> run(std::vector<wire::DnsQuery> queries,
                                                 MonotonicTime deadline);

  [[nodiscard]] const std::vector<ChannelQuery>& queries() const noexcept { return queries_; }
  [[nodiscard]] const std::optional<Error>& instrument() const noexcept { return instrument_; }
  // errno of the last socket call that failed; 0: none did.
  [[nodiscard]] int socket_error() const noexcept { return socket_error_; }
  // The UDP socket, once the channel is done. Null if c-ares never opened one.
  [[nodiscard]] std::unique_ptr<UdpSocket> take_socket() { return std::move(finished_udp_); }

 private:
  struct Watch;
  struct Callbacks;
  void open(Microseconds budget);
  void send(std::size_t index);
  void close();
  void arm(const std::shared_ptr<Watch>& watch);
  void process();
  [[nodiscard]] bool all_over() const;
  [[nodiscard]] Microseconds next_timeout() const;
  [[nodiscard]] std::shared_ptr<Watch> find(int socket) const;

  boost::asio::any_io_executor executor_;
  Timeline timeline_;
  Endpoint resolver_;
  std::shared_ptr<WireTally> tally_;
  boost::asio::steady_timer wake_;  // the next timeout, or cancelled when a socket is ready
  ares_channel channel_ = nullptr;
  std::vector<std::shared_ptr<Watch>> watches_;
  std::vector<ChannelQuery> queries_;
  std::unique_ptr<UdpSocket> finished_udp_;
  std::optional<Error> instrument_;
  int socket_error_ = 0;
};

}  // namespace kua::probe
