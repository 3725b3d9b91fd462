// The server on loopback against a peer that may send anything. The peer is plain blocking sockets, so
// that what goes over the wire stands in the test as it is.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <thread>

#include "collector/http/http.h"
#include "platform/crypto/crypto.h"
#include "tests/support/collector_load/https_connection.h"

namespace kua::collector {
namespace {

class Peer {
 public:
  explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    // A server that never answers must not hang the test.
    timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(fd_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;  // the server may refuse in the middle
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  // Header and body of one answer; empty when the server closed without one.
  std::string answer() {
    std::string text;
    for (;;) {
      const auto end = text.find("\r\n\r\n");
      if (end != std::string::npos && text.size() >= end + 4 + body_length(text.substr(0, end))) return text;
      char buffer[4096];
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(n));
    }
  }
  bool closed() {
    char byte;
    return ::recv(fd_, &byte, 1, 0) <= 0;
  }
  bool head_request = false;

 private:
  std::size_t body_length(const std::string& header) const {
    const auto at = header.find("Content-Length: ");
    return at == std::string::npos || head_request ? 0 : std::stoul(header.substr(at + 16));
  }
  int fd_;
};

unsigned status_of(const std::string& answer) {
  return answer.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(answer.substr(9, 3)));
}

class ServerTest : public ::testing::Test {
 protected:
  void start(ListenerOptions options) {
    options.name = "test";
    options.endpoint = Endpoint{*IpAddress::parse("127.0.0.1"), 0, Transport::tcp};
    auto server = HttpServer::listen(context_.get_executor(), std::move(options), routes());
    ASSERT_TRUE(server.has_value()) << server.error().text();
    server_ = std::move(*server);
    thread_ = std::thread([this] { context_.run(); });
  }
  static ListenerOptions small() {
    ListenerOptions options;
    options.body_bytes_max = 1000;
    options.header_bytes_max = 2000;
    return options;
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    on_server([this] { server_->stop(); });
    thread_.join();
  }
  // Runs on the server's thread and waits for it.
  void on_server(std::function<void()> what) {
    std::promise<void> done;
    boost::asio::post(context_, [&] { what(); done.set_value(); });
    done.get_future().wait();
  }
  HttpCounters counters() {
    HttpCounters copy;
    on_server([&] { copy = server_->counters(); });
    return copy;
  }
  // A dropped connection is counted by its own coroutine, which may end after the peer saw the end.
  void wait_until(std::function<bool(const HttpCounters&)> condition) {
    while (!condition(counters())) std::this_thread::yield();
  }
  std::uint64_t dropped(DropReason reason) {
    return counters().dropped[static_cast<std::size_t>(reason)];
  }
  std::uint16_t port() const { return server_->port(); }

  boost::asio::io_context context_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::promise<void> entered_;

 private:
  Router routes() {
    Router router;
    router.add("GET", "/hello", [](HttpRequest request) -> boost::asio::awaitable<HttpResponse> {
      HttpResponse response;
      response.content_type = "text/plain";
      response.body = "hello " + request.query["who"];
      co_return response;
    });
    router.add("GET", "/long", [](HttpRequest) -> boost::asio::awaitable<HttpResponse> {
      HttpResponse response;
      response.content_type = "text/html";
      response.body = std::string(50'000, 'x');
      co_return response;
    });
    router.add("POST", "/echo", [](HttpRequest request) -> boost::asio::awaitable<HttpResponse> {
      HttpResponse response;
      response.body = request.body;
      co_return response;
    });
    router.add("GET", "/throw", [](HttpRequest) -> boost::asio::awaitable<HttpResponse> {
      throw std::runtime_error("a handler's library threw");
      co_return HttpResponse{};
    });
    router.add("GET", "/slow", [this](HttpRequest) { return slow(); });
    return router;
  }
  // Answers when the test says so.
  boost::asio::awaitable<HttpResponse> slow() {
    boost::asio::steady_timer never(context_);
    never.expires_at(boost::asio::steady_timer::time_point::max());
    slow_ = &never;
    entered_.set_value();
    try {
      co_await never.async_wait(boost::asio::use_awaitable);
    } catch (const boost::system::system_error&) {
    }
    HttpResponse response;
    response.body = "at last";
    co_return response;
  }

 protected:
  boost::asio::steady_timer* slow_ = nullptr;
};

constexpr std::string_view kHello = "GET /hello?who=you%21 HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTest, OneConnectionServesSeveralRequests) {
  start(small());
  Peer peer(port());
  for (int i = 0; i < 3; ++i) {
    peer.send(kHello);
    const std::string answer = peer.answer();
    EXPECT_EQ(status_of(answer), 200u);
    EXPECT_TRUE(answer.ends_with("hello you!"));
  }
  EXPECT_EQ(counters().connections, 1u);
  EXPECT_EQ(counters().responses[200], 3u);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start(small());
  Peer peer(port());
  peer.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo");
  peer.finish_sending();
  std::string all;
  while (true) {
    const std::string more = peer.answer();
    if (more.empty()) break;
    all += more;
  }
  EXPECT_LT(all.find("one"), all.find("two"));
  EXPECT_NE(all.find("two"), std::string::npos);
}

TEST_F(ServerTest, HeadTellsTheLengthAndSendsNoBody) {
  start(small());
  Peer peer(port());
  peer.head_request = true;
  peer.send("HEAD /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.answer();
  EXPECT_NE(answer.find("Content-Length: 50000"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  EXPECT_TRUE(peer.closed());
}

TEST_F(ServerTest, ABigTextIsCompressedWhereThePeerAllowsIt) {
  start(small());
  Peer peer(port());
  peer.send("GET /long HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
  const std::string packed = peer.answer();
  EXPECT_NE(packed.find("Content-Encoding: gzip"), std::string::npos);
  EXPECT_NE(packed.find("Vary: Accept-Encoding"), std::string::npos);
  EXPECT_LT(packed.size(), 2000u);
  peer.send("GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_GT(peer.answer().size(), 50'000u);
}

TEST_F(ServerTest, AClientThatAsksBeforeSendingIsToldToProceed) {
  start(small());
  Peer peer(port());
  peer.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_of(peer.answer()), 100u);
  peer.send("body");
  EXPECT_TRUE(peer.answer().ends_with("body"));
}

TEST_F(ServerTest, HostileInputIsAnsweredOrClosedAndCounted) {
  struct Case {
    const char* claim;
    std::string bytes;
    unsigned status;  // 0: closed without an answer
    DropReason counted;
  };
  const Case cases[] = {
      {"noise is not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, DropReason::malformed},
      {"an unknown version", "GET / HTTP/3.0\r\n\r\n", 400, DropReason::malformed},
      {"a broken escape in the path", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, DropReason::malformed},
      {"a NUL in the path", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, DropReason::malformed},
      {"a path that is a whole URL", "GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n", 400,
       DropReason::malformed},
      {"a header without end", "GET /hello HTTP/1.1\r\nA: " + std::string(5000, 'a'), 431,
       DropReason::too_large},
      {"a body beyond the limit by its own word",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 413, DropReason::too_large},
      {"a chunked body beyond the limit",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'b'),
       413, DropReason::too_large},
      {"a length that is no number", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", 400,
       DropReason::malformed},
      {"two different lengths",
       "POST /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400,
       DropReason::malformed},
      {"a handler that fails", "GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 500,
       DropReason::internal},
  };
  start(small());
  for (const Case& c : cases) {
    const std::uint64_t before = dropped(c.counted);
    Peer peer(port());
    peer.send(c.bytes);
    EXPECT_EQ(status_of(peer.answer()), c.status) << c.claim;
    peer.finish_sending();
    EXPECT_TRUE(peer.closed()) << c.claim;
    EXPECT_EQ(dropped(c.counted), before + 1) << c.claim;
  }
  Peer peer(port());
  peer.send(kHello);
  EXPECT_EQ(status_of(peer.answer()), 200u) << "the server is none the worse for it";
}

TEST_F(ServerTest, APeerThatLeavesInTheMiddleIsCounted) {
  start(small());
  {
    Peer peer(port());
    peer.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    peer.finish_sending();
    EXPECT_TRUE(peer.closed());
  }
  wait_until([](const HttpCounters& c) {
    return c.dropped[static_cast<std::size_t>(DropReason::disconnected)] == 1;
  });
}

TEST_F(ServerTest, DribbledHeadersAndBodiesRunIntoTheirDeadline) {
  ListenerOptions options = small();
  options.header_max = std::chrono::milliseconds(40);
  options.request_max = std::chrono::milliseconds(80);
  start(std::move(options));
  Peer header(port());
  header.send("GET /hello HTTP/1.1\r\nHo");
  EXPECT_TRUE(header.closed());
  Peer body(port());
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_TRUE(body.closed());
  wait_until([](const HttpCounters& c) {
    return c.dropped[static_cast<std::size_t>(DropReason::timeout)] == 2;
  });
}

TEST_F(ServerTest, ASilentConnectionIsClosedWithoutAWord) {
  ListenerOptions options = small();
  options.idle_max = std::chrono::milliseconds(30);
  start(std::move(options));
  Peer peer(port());
  EXPECT_TRUE(peer.closed());
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitAreClosedAtOnce) {
  ListenerOptions options = small();
  options.connections_max = 2;
  start(std::move(options));
  Peer first(port());
  Peer second(port());
  first.send(kHello);
  second.send(kHello);
  EXPECT_EQ(status_of(first.answer()), 200u);
  EXPECT_EQ(status_of(second.answer()), 200u);
  Peer third(port());
  EXPECT_TRUE(third.closed());
  EXPECT_EQ(dropped(DropReason::too_many_connections), 1u);
}

TEST_F(ServerTest, BodiesBeingReceivedShareOneBudget) {
  ListenerOptions options = small();
  options.pending_body_bytes_max = 1500;
  start(std::move(options));
  Peer first(port());
  first.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_of(first.answer()), 100u);  // its header was read, so its share is taken
  Peer second(port());
  second.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
  const std::string answer = second.answer();
  EXPECT_EQ(status_of(answer), 503u);
  EXPECT_NE(answer.find("Retry-After"), std::string::npos);
  first.send(std::string(900, 'b'));
  EXPECT_EQ(status_of(first.answer()), 200u);
}

TEST_F(ServerTest, StopLetsARunningAnswerEndAndClosesTheRest) {
  start(small());
  Peer idle(port());
  idle.send(kHello);
  EXPECT_EQ(status_of(idle.answer()), 200u);
  Peer busy(port());
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  entered_.get_future().wait();
  on_server([this] { server_->stop(); });
  EXPECT_TRUE(idle.closed());
  on_server([this] { slow_->cancel(); });
  const std::string answer = busy.answer();
  EXPECT_TRUE(answer.ends_with("at last"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(busy.closed());
  thread_.join();  // nothing is left to do: the loop ends by itself
  thread_ = std::thread();
}

TEST_F(ServerTest, OverTlsTheSameIsServedAndNoiseIsDropped) {
  const auto identity = platform::make_tls_identity("collector.example", 1);
  ASSERT_TRUE(identity.has_value());
  ListenerOptions options = small();
  options.certificate_pem = identity->certificate_pem;
  options.key_pem = identity->key_pem;
  start(std::move(options));
  auto connection = load::HttpsConnection::open("127.0.0.1", port());
  ASSERT_TRUE(connection.has_value());
  for (int i = 0; i < 2; ++i) {
    const auto answer = connection->ask(kHello);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200u);
    EXPECT_EQ(answer->body, "hello you!");
  }
  Peer plain(port());
  plain.send(kHello);
  plain.finish_sending();
  while (!plain.answer().empty()) {
  }
  wait_until([](const HttpCounters& c) {
    return c.dropped[static_cast<std::size_t>(DropReason::tls_handshake)] == 1;
  });
}

TEST_F(ServerTest, AHandshakeThatNeverEndsRunsIntoItsDeadline) {
  const auto identity = platform::make_tls_identity("collector.example", 1);
  ListenerOptions options = small();
  options.certificate_pem = identity->certificate_pem;
  options.key_pem = identity->key_pem;
  options.handshake_max = std::chrono::milliseconds(30);
  start(std::move(options));
  Peer silent(port());
  EXPECT_TRUE(silent.closed());
  wait_until([](const HttpCounters& c) {
    return c.dropped[static_cast<std::size_t>(DropReason::tls_handshake)] == 1;
  });
}

TEST_F(ServerTest, ACertificateThatIsNoneIsAConfigurationError) {
  ListenerOptions options = small();
  options.name = "test";
  options.endpoint = Endpoint{*IpAddress::parse("127.0.0.1"), 0, Transport::tcp};
  options.certificate_pem = "not a certificate";
  options.key_pem = "nor a key";
  const auto server = HttpServer::listen(context_.get_executor(), std::move(options), Router());
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().kind, ErrorKind::configuration);
}

}  // namespace
}  // namespace kua::collector
