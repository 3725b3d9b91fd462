// TLS over a TcpStream, and the BIO that carries it: OpenSSL's own socket BIO raises SIGPIPE and keeps
// neither errno nor a count. For the files of this folder only.
#pragma once

#include <memory>

#include "probe/step/openssl_ptr.h"
#include "probe/step/tcp_stream.h"

namespace kua::probe {

// What went through the BIO, and how the socket failed last.
struct TlsTransport {
  std::unique_ptr<TcpStream> tcp;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool closed = false;                // the peer ended the TCP stream
  std::optional<FailureCode> failed;  // a socket error
};

class TlsStream final : public ByteStream {
 public:
  TlsStream(SSL_CTX* context, std::unique_ptr<TcpStream> tcp);

  // As SSL_do_handshake; kinds as for reading, `done` with no bytes when it is complete.
  [[nodiscard]] IoResult shake_hands();
  [[nodiscard]] IoResult read_some(std::span<char> into) override;
  [[nodiscard]] IoResult write_some(std::string_view bytes) override;
  [[nodiscard]] TcpStream& tcp() override { return *transport_->tcp; }

  [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
  [[nodiscard]] const TlsTransport& transport() const noexcept { return *transport_; }

 private:
  [[nodiscard]] IoResult explain(int result);
  std::unique_ptr<TlsTransport> transport_;  // the BIO points to it
  OpensslPtr<SSL> ssl_;
};

}  // namespace kua::probe
