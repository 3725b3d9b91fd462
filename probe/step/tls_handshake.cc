#include "probe/step/tls_handshake.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "measurement/check.h"
#include "probe/step/tls_stream.h"
#include "probe/step/trust_store_impl.h"
#include "probe/step/verify_chain.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

// SSL's application data during the handshake.
struct Alerts {
  std::optional<std::uint8_t> fatal;
};

void on_info(const SSL* ssl, int where, int value) {
  constexpr int kFatal = 2;
  if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || value >> 8 != kFatal) return;
  auto* alerts = static_cast<Alerts*>(SSL_get_app_data(ssl));
  if (alerts != nullptr) alerts->fatal = static_cast<std::uint8_t>(value & 0xff);
}

// Says whether `name` goes out as SNI: an address literal does not.
bool set_name(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  if (name.empty()) return false;
  if (IpAddress::parse(name)) {
    KUA_CHECK(X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1);
    return false;
  }
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  KUA_CHECK(SSL_set1_host(ssl, name.c_str()) == 1);
  KUA_CHECK(SSL_set_tlsext_host_name(ssl, name.c_str()) == 1);
  return true;
}

void set_alpn(SSL* ssl, const std::string& protocol) {
  std::string list(1, static_cast<char>(protocol.size()));
  list += protocol;
  KUA_CHECK(SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                                static_cast<unsigned>(list.size())) == 0);
}

void describe(const TlsStream& stream, const Alerts& alerts, TlsHandshake& observation) {
  SSL* const ssl = stream.ssl();
  observation.client_hello_sent = stream.transport().sent > 0;
  observation.bytes_received = stream.transport().received;
  observation.alert = alerts.fatal;
  const bool done = SSL_is_init_finished(ssl) == 1;
  const SSL_CIPHER* const cipher = done ? SSL_get_current_cipher(ssl) : SSL_get_pending_cipher(ssl);
  if (cipher == nullptr) return;  // no ServerHello was understood
  observation.version = SSL_get_version(ssl);
  observation.cipher = SSL_CIPHER_get_name(cipher);
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &length);
  if (length > 0) observation.alpn.assign(reinterpret_cast<const char*>(protocol), length);
}

// How the handshake failed, from the last attempt and what was seen before it.
FailureCode failure_of(const IoResult& last, const Alerts& alerts) {
  if (alerts.fatal) return FailureCode::ssl_failed_handshake;
  return last.kind == IoResult::Kind::closed ? FailureCode::eof_error : last.code;
}

asio::awaitable<IoResult> drive(TlsStream& stream, MonotonicTime deadline) {
  Ready ready = Ready::yes;
  while (true) {
    const IoResult attempt = stream.shake_hands();
    const bool reads = attempt.kind == IoResult::Kind::want_read;
    if (!reads && attempt.kind != IoResult::Kind::want_write) co_return attempt;
    // As read() does: one last attempt after the deadline.
    if (ready == Ready::expired) co_return IoResult{IoResult::Kind::failed, 0, FailureCode::generic_timeout_error};
    ready = co_await stream.tcp().wait(reads ? WaitFor::readable : WaitFor::writable, deadline);
  }
}

}  // namespace

asio::awaitable<TlsResult> tls_handshake(const TrustStore& trust, Timeline timeline,
                                         std::unique_ptr<TcpStream> tcp, TlsOptions options) {
  TlsResult out;
  TlsHandshake& observation = out.observation;
  static_cast<StepContext&>(observation) = std::move(options.context);
  observation.endpoint = options.endpoint;
  observation.offset = timeline.offset();

  auto stream = std::make_unique<TlsStream>(trust.impl().context.get(), std::move(tcp));
  SSL* const ssl = stream->ssl();
  ChainVerdict verdict;
  verdict.now = timeline.clock->wall_now();
  verdict.added_roots = &trust.impl().added_roots;
  attach_verdict(ssl, &verdict);
  Alerts alerts;
  SSL_set_app_data(ssl, &alerts);
  SSL_set_info_callback(ssl, &on_info);
  if (set_name(ssl, options.server_name)) observation.server_name = options.server_name;
  set_alpn(ssl, options.alpn);

  const IoResult last = co_await drive(*stream, options.deadline);
  observation.duration = timeline.offset() - observation.offset;
  describe(*stream, alerts, observation);
  observation.trust = verdict.trust;
  observation.chain = std::move(verdict.chain);
  out.chain_cut = verdict.cut;
  out.other_name = verdict.other_name;
  out.added_root = std::move(verdict.added_root);
  // The callbacks read locals of this frame; what follows the handshake must not reach them.
  attach_verdict(ssl, nullptr);
  SSL_set_app_data(ssl, nullptr);
  SSL_set_info_callback(ssl, nullptr);
  if (last.kind == IoResult::Kind::done) {
    out.stream = std::move(stream);
  } else {
    observation.failure = Failure{failure_of(last, alerts), Operation::tls_handshake};
  }
  co_return out;
}

}  // namespace kua::probe
