#include "tests/unit/probe_step/quic_server.h"

#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <chrono>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"

namespace kua::test {
namespace {

ngtcp2_tstamp now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<ngtcp2_tstamp>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

void give_random(std::uint8_t* into, std::size_t count, const ngtcp2_rand_ctx* /*unused*/) {
  platform::random_bytes({into, count});
}

int give_connection_id(ngtcp2_conn* /*connection*/, ngtcp2_cid* id, std::uint8_t* token, std::size_t length,
                       void* /*unused*/) {
  id->datalen = length;
  platform::random_bytes({id->data, length});
  platform::random_bytes({token, NGTCP2_STATELESS_RESET_TOKENLEN});
  return 0;
}

}  // namespace

struct QuicServer::Impl {
  gnutls_certificate_credentials_t credentials = nullptr;
  gnutls_session_t session = nullptr;
  ngtcp2_conn* connection = nullptr;
  ngtcp2_crypto_conn_ref reference{};
  std::string alpn;
  bool closed = false;
  // It has no socket: one made-up path serves.
  sockaddr_in address{};

  void accept(const wire::Bytes& datagram);
  void write(std::vector<wire::Bytes>& out);
};

QuicServer::QuicServer(const Identity& identity, std::string alpn) : impl_(std::make_unique<Impl>()) {
  impl_->alpn = std::move(alpn);
  impl_->address.sin_family = AF_INET;
  KUA_CHECK(gnutls_certificate_allocate_credentials(&impl_->credentials) == GNUTLS_E_SUCCESS);
  const auto datum = [](const std::string& text) {  // read only
    auto* const bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
    return gnutls_datum_t{bytes, static_cast<unsigned>(text.size())};
  };
  const gnutls_datum_t chain = datum(identity.chain_pem);
  const gnutls_datum_t key = datum(identity.key_pem);
  KUA_CHECK(gnutls_certificate_set_x509_key_mem(impl_->credentials, &chain, &key, GNUTLS_X509_FMT_PEM) >= 0);
}

QuicServer::~QuicServer() {
  if (impl_->connection != nullptr) ngtcp2_conn_del(impl_->connection);
  if (impl_->session != nullptr) gnutls_deinit(impl_->session);
  gnutls_certificate_free_credentials(impl_->credentials);
}

void QuicServer::Impl::accept(const wire::Bytes& datagram) {
  ngtcp2_pkt_hd header{};
  if (ngtcp2_accept(&header, datagram.data(), datagram.size()) != 0) return;
  KUA_CHECK(gnutls_init(&session, GNUTLS_SERVER) == GNUTLS_E_SUCCESS);
  KUA_CHECK(gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE", nullptr) ==
            GNUTLS_E_SUCCESS);
  KUA_CHECK(ngtcp2_crypto_gnutls_configure_server_session(session) == 0);
  KUA_CHECK(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) == GNUTLS_E_SUCCESS);
  const gnutls_datum_t protocol{reinterpret_cast<unsigned char*>(alpn.data()), static_cast<unsigned>(alpn.size())};
  KUA_CHECK(gnutls_alpn_set_protocols(session, &protocol, 1, GNUTLS_ALPN_MANDATORY) == GNUTLS_E_SUCCESS);
  reference.user_data = this;
  reference.get_conn = [](ngtcp2_crypto_conn_ref* of) { return static_cast<Impl*>(of->user_data)->connection; };
  gnutls_session_set_ptr(session, &reference);

  ngtcp2_callbacks calls{};
  calls.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  calls.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  calls.encrypt = ngtcp2_crypto_encrypt_cb;
  calls.decrypt = ngtcp2_crypto_decrypt_cb;
  calls.hp_mask = ngtcp2_crypto_hp_mask_cb;
  calls.rand = give_random;
  calls.get_new_connection_id = give_connection_id;
  calls.update_key = ngtcp2_crypto_update_key_cb;
  calls.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  calls.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  calls.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  calls.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = now();
  ngtcp2_transport_params parameters;
  ngtcp2_transport_params_default(&parameters);
  parameters.original_dcid = header.dcid;
  ngtcp2_cid source{};
  source.datalen = 8;
  platform::random_bytes(std::span(source.data).first(source.datalen));
  const ngtcp2_addr end{reinterpret_cast<sockaddr*>(&address), sizeof address};
  const ngtcp2_path path{end, end, nullptr};
  KUA_CHECK(ngtcp2_conn_server_new(&connection, &header.scid, &source, &path, header.version, &calls, &settings,
                                   &parameters, nullptr, this) == 0);
  ngtcp2_conn_set_tls_native_handle(connection, session);
}

void QuicServer::Impl::write(std::vector<wire::Bytes>& out) {
  std::array<std::uint8_t, 1500> buffer{};
  while (true) {
    const ngtcp2_ssize size = ngtcp2_conn_write_pkt(connection, nullptr, nullptr, buffer.data(), buffer.size(), now());
    if (size <= 0) return;
    out.emplace_back(buffer.begin(), buffer.begin() + size);
  }
}

std::vector<wire::Bytes> QuicServer::answer(const wire::Bytes& datagram) {
  std::vector<wire::Bytes> out;
  if (impl_->connection == nullptr) impl_->accept(datagram);
  if (impl_->connection == nullptr || impl_->closed) return out;
  const ngtcp2_pkt_info info{};
  const int result = ngtcp2_conn_read_pkt(impl_->connection, ngtcp2_conn_get_path(impl_->connection), &info,
                                          datagram.data(), datagram.size(), now());
  if (result == NGTCP2_ERR_DRAINING) {
    impl_->closed = true;
  } else if (result == NGTCP2_ERR_CRYPTO) {
    ngtcp2_connection_close_error reason;
    ngtcp2_connection_close_error_default(&reason);
    ngtcp2_connection_close_error_set_transport_error_tls_alert(
        &reason, ngtcp2_conn_get_tls_alert(impl_->connection), nullptr, 0);
    std::array<std::uint8_t, 1500> buffer{};
    const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(impl_->connection, nullptr, nullptr, buffer.data(),
                                                                 buffer.size(), &reason, now());
    if (size > 0) out.emplace_back(buffer.begin(), buffer.begin() + size);
  } else if (result == 0) {
    impl_->write(out);
  }
  return out;
}

bool QuicServer::is_done() const {
  return impl_->connection != nullptr && ngtcp2_conn_get_handshake_completed(impl_->connection) != 0;
}

bool QuicServer::was_closed() const { return impl_->closed; }

}  // namespace kua::test
