// A UDP peer on loopback: what each datagram is answered with is decided by the test.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "measurement/address.h"
#include "tests/support/loopback/loop.h"
#include "wire/bytes.h"

namespace kua::test {

class UdpPeer {
 public:
  using Answer = std::function<std::vector<wire::Bytes>(const wire::Bytes& datagram)>;
  UdpPeer(Loop& loop, Answer answer, const char* address = "127.0.0.1", std::uint16_t port = 0)
      : state_(std::make_shared<State>(loop, std::move(answer), address, port)) {
    boost::asio::co_spawn(loop.context(), serve(state_), boost::asio::detached);
  }
  ~UdpPeer() { state_->socket.close(); }
  UdpPeer(const UdpPeer&) = delete;
  UdpPeer& operator=(const UdpPeer&) = delete;

  [[nodiscard]] Endpoint endpoint() const {
    const auto own = state_->socket.local_endpoint();
    return {*IpAddress::parse(own.address().to_string()), own.port(), Transport::udp};
  }
  [[nodiscard]] const std::vector<wire::Bytes>& received() const { return state_->received; }

 private:
  struct State {
    State(Loop& loop, Answer answer_in, const char* address, std::uint16_t port)
        : socket(loop.context(), {boost::asio::ip::make_address(address), port}), answer(std::move(answer_in)) {}
    boost::asio::ip::udp::socket socket;
    Answer answer;
    std::vector<wire::Bytes> received;
  };

  static boost::asio::awaitable<void> serve(std::shared_ptr<State> state) {
    std::array<std::uint8_t, 2000> buffer{};
    boost::asio::ip::udp::endpoint from;
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    while (true) {
      const auto into = boost::asio::buffer(buffer);
      const auto [failed, count] = co_await state->socket.async_receive_from(into, from, token);
      if (failed) co_return;
      state->received.emplace_back(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
      for (const wire::Bytes& reply : state->answer(state->received.back())) {
        state->socket.send_to(boost::asio::buffer(reply), from);
      }
    }
  }

  std::shared_ptr<State> state_;
};

// A Version Negotiation packet in answer to a client's long header.
inline wire::Bytes version_negotiation(const wire::Bytes& asked, std::vector<std::uint32_t> versions) {
  wire::ByteReader reader(asked);
  reader.skip(5);
  const wire::BytesView destination = reader.take(reader.u8());
  const wire::BytesView source = reader.take(reader.u8());
  wire::Bytes out{0xca, 0, 0, 0, 0};
  for (const wire::BytesView id : {source, destination}) {
    wire::put_u8(out, static_cast<std::uint8_t>(id.size()));
    wire::put_bytes(out, id);
  }
  for (const std::uint32_t version : versions) wire::put_u32(out, version);
  return out;
}

}  // namespace kua::test
