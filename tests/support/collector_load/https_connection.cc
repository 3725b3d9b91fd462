#include "tests/support/collector_load/https_connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace kua::load {
namespace {

constexpr int kAnswerSeconds = 120;  // a flooded collector may take its time; a dead one must not hang us

SSL_CTX* shared_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(made, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
    return made;
  }();
  return context;
}

}  // namespace

struct HttpsConnection::Impl {
  int fd = -1;
  SSL* ssl = nullptr;
  std::string unread;

  ~Impl() {
    if (ssl != nullptr) SSL_free(ssl);
    if (fd >= 0) ::close(fd);
  }
};

HttpsConnection::HttpsConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsConnection::HttpsConnection(HttpsConnection&&) noexcept = default;
HttpsConnection& HttpsConnection::operator=(HttpsConnection&&) noexcept = default;
HttpsConnection::~HttpsConnection() = default;

std::optional<HttpsConnection> HttpsConnection::open(const std::string& address, std::uint16_t port) {
  auto impl = std::make_unique<Impl>();
  impl->fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (impl->fd < 0 || ::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return std::nullopt;
  const timeval limit{kAnswerSeconds, 0};
  const int on = 1;
  ::setsockopt(impl->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(impl->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ::setsockopt(impl->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(impl->fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return std::nullopt;
  impl->ssl = SSL_new(shared_context());
  SSL_set_fd(impl->ssl, impl->fd);
  if (SSL_connect(impl->ssl) != 1) return std::nullopt;
  return HttpsConnection(std::move(impl));
}

std::optional<HttpAnswer> HttpsConnection::ask(std::string_view request) {
  while (!request.empty()) {
    const int written = SSL_write(impl_->ssl, request.data(), static_cast<int>(request.size()));
    if (written <= 0) return std::nullopt;
    request.remove_prefix(static_cast<std::size_t>(written));
  }
  std::string& unread = impl_->unread;
  while (true) {
    const auto end = unread.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto at = unread.find("Content-Length: ");
      const std::size_t length = at < end ? std::strtoul(unread.c_str() + at + 16, nullptr, 10) : 0;
      if (unread.size() >= end + 4 + length) {
        HttpAnswer answer;
        answer.status = static_cast<unsigned>(std::strtoul(unread.c_str() + 9, nullptr, 10));
        answer.body = unread.substr(end + 4, length);
        unread.erase(0, end + 4 + length);
        return answer;
      }
    }
    char buffer[16 * 1024];
    const int read = SSL_read(impl_->ssl, buffer, sizeof buffer);
    if (read <= 0) return std::nullopt;
    unread.append(buffer, static_cast<std::size_t>(read));
  }
}

}  // namespace kua::load
