#include "probe/step/quic_client.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "platform/crypto/crypto.h"

namespace kua::probe {
namespace {

// TLS 1.3 and what RFC 9001 §5.3 allows; no middlebox compatibility (§8.4).
constexpr char kPriority[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE";
// Silence is told from loss by copies of the first datagram: at 0, 0.45, 1.35, 3.15 and 6.75 s.
constexpr ngtcp2_duration kInitialRtt = 150 * NGTCP2_MILLISECONDS;
constexpr std::size_t kConnectionIdBytes = 8;
constexpr std::uint64_t kH3NoError = 0x100;  // RFC 9114 §8.1

ngtcp2_tstamp to_ngtcp2(MonotonicTime instant) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(instant.time_since_epoch());
  return static_cast<ngtcp2_tstamp>(since.count());
}

ngtcp2_cid random_id() {
  ngtcp2_cid id{};
  id.datalen = kConnectionIdBytes;
  platform::random_bytes(std::span(id.data).first(kConnectionIdBytes));
  return id;
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

ngtcp2_callbacks callbacks() {
  ngtcp2_callbacks out{};
  out.client_initial = ngtcp2_crypto_client_initial_cb;
  out.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  out.encrypt = ngtcp2_crypto_encrypt_cb;
  out.decrypt = ngtcp2_crypto_decrypt_cb;
  out.hp_mask = ngtcp2_crypto_hp_mask_cb;
  out.recv_retry = ngtcp2_crypto_recv_retry_cb;
  out.rand = give_random;
  out.get_new_connection_id = give_connection_id;
  out.update_key = ngtcp2_crypto_update_key_cb;
  out.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  out.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  out.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  out.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  return out;
}

struct Delete {
  void operator()(gnutls_certificate_credentials_st* p) const { gnutls_certificate_free_credentials(p); }
  void operator()(gnutls_session_int* p) const { gnutls_deinit(p); }
  void operator()(ngtcp2_conn* p) const { ngtcp2_conn_del(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Delete>;

}  // namespace

struct QuicClient::Impl {
  Owned<gnutls_certificate_credentials_st> credentials;
  Owned<gnutls_session_int> session;
  Owned<ngtcp2_conn> connection;  // goes first: it reads the session
  ngtcp2_crypto_conn_ref reference{};
  Phase phase = Phase::shaking;
  int problem = 0;  // ngtcp2's number behind Phase::failed

  [[nodiscard]] std::optional<Error> open_session(const std::string& server_name);
  [[nodiscard]] std::optional<Error> open_connection(const SocketAddress& local, const SocketAddress& remote, MonotonicTime now);
  void conclude(int result);
};

std::optional<Error> QuicClient::Impl::open_session(const std::string& server_name) {
  const auto refused = [](int code) { return Error{ErrorKind::unavailable, gnutls_strerror(code), "preparing QUIC"}; };
  gnutls_certificate_credentials_t none = nullptr;
  if (const int code = gnutls_certificate_allocate_credentials(&none); code < 0) return refused(code);
  credentials.reset(none);
  gnutls_session_t made = nullptr;
  if (const int code = gnutls_init(&made, GNUTLS_CLIENT); code < 0) return refused(code);
  session.reset(made);
  if (const int code = gnutls_priority_set_direct(made, kPriority, nullptr); code < 0) return refused(code);
  if (ngtcp2_crypto_gnutls_configure_client_session(made) != 0) return refused(GNUTLS_E_INTERNAL_ERROR);
  if (const int code = gnutls_credentials_set(made, GNUTLS_CRD_CERTIFICATE, none); code < 0) return refused(code);
  std::uint8_t protocol[] = {'h', '3'};
  const gnutls_datum_t alpn{protocol, sizeof protocol};
  if (const int code = gnutls_alpn_set_protocols(made, &alpn, 1, 0); code < 0) return refused(code);
  if (!server_name.empty()) {
    const int set = gnutls_server_name_set(made, GNUTLS_NAME_DNS, server_name.data(), server_name.size());
    if (set != GNUTLS_E_SUCCESS) phase = Phase::failed;  // a name from the network that GnuTLS will not have
  }
  reference.user_data = this;
  reference.get_conn = [](ngtcp2_crypto_conn_ref* of) {
    return static_cast<Impl*>(of->user_data)->connection.get();
  };
  gnutls_session_set_ptr(made, &reference);
  return std::nullopt;
}

std::optional<Error> QuicClient::Impl::open_connection(const SocketAddress& local, const SocketAddress& remote,
                                                       MonotonicTime now) {
  const auto address = [](const SocketAddress& of) {  // read only
    return ngtcp2_addr{const_cast<sockaddr*>(of.get()), of.length};
  };
  const ngtcp2_path path{address(local), address(remote), nullptr};
  const ngtcp2_callbacks calls = callbacks();
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = to_ngtcp2(now);
  settings.initial_rtt = kInitialRtt;
  settings.handshake_timeout = UINT64_MAX;  // the step has a deadline
  settings.no_pmtud = 1;  // what a handshake needs fits; probes would cost a volunteer bytes
  ngtcp2_transport_params parameters;
  ngtcp2_transport_params_default(&parameters);
  parameters.max_idle_timeout = 30 * NGTCP2_SECONDS;
  // What an HTTP/3 client offers (RFC 9114 §6.2): servers that see less may refuse.
  parameters.initial_max_streams_uni = 3;
  parameters.initial_max_stream_data_bidi_local = 64 * 1024;
  parameters.initial_max_stream_data_uni = 64 * 1024;
  parameters.initial_max_data = 256 * 1024;
  const ngtcp2_cid destination = random_id();
  const ngtcp2_cid source = random_id();
  ngtcp2_conn* made = nullptr;
  const int code = ngtcp2_conn_client_new(&made, &destination, &source, &path, NGTCP2_PROTO_VER_V1, &calls, &settings,
                                          &parameters, nullptr, this);
  if (code != 0) return Error{ErrorKind::unavailable, ngtcp2_strerror(code), "preparing QUIC"};
  connection.reset(made);
  ngtcp2_conn_set_tls_native_handle(made, session.get());
  return std::nullopt;
}

void QuicClient::Impl::conclude(int result) {
  if (phase != Phase::shaking) return;
  if (result == NGTCP2_ERR_DRAINING) {
    phase = Phase::closed;
  } else if (result == NGTCP2_ERR_RECV_VERSION_NEGOTIATION) {
    phase = Phase::other_version;
  } else if (result < 0) {
    phase = Phase::failed;
    problem = result;
  } else if (ngtcp2_conn_get_handshake_completed(connection.get()) != 0) {
    phase = Phase::done;
  }
}

std::expected<QuicClient, Error> QuicClient::open(const SocketAddress& local, const SocketAddress& remote,
                                                  const std::string& server_name, MonotonicTime now) {
  auto impl = std::make_unique<Impl>();
  if (auto error = impl->open_session(server_name)) return std::unexpected(std::move(*error));
  if (auto error = impl->open_connection(local, remote, now)) return std::unexpected(std::move(*error));
  return QuicClient(std::move(impl));
}

QuicClient::QuicClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QuicClient::QuicClient(QuicClient&&) noexcept = default;
QuicClient::~QuicClient() = default;

QuicClient::Phase QuicClient::phase() const noexcept { return impl_->phase; }

std::size_t QuicClient::write(std::span<std::uint8_t> into, MonotonicTime now) {
  if (impl_->phase != Phase::shaking && impl_->phase != Phase::done) return 0;
  const ngtcp2_ssize size = ngtcp2_conn_write_pkt(impl_->connection.get(), nullptr, nullptr, into.data(),
                                                  into.size(), to_ngtcp2(now));
  impl_->conclude(static_cast<int>(std::min<ngtcp2_ssize>(size, 0)));
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::size_t QuicClient::write_close(std::span<std::uint8_t> into, MonotonicTime now) {
  ngtcp2_connection_close_error reason;
  ngtcp2_connection_close_error_default(&reason);
  if (impl_->phase == Phase::done) {
    ngtcp2_connection_close_error_set_application_error(&reason, kH3NoError, nullptr, 0);
  } else if (impl_->phase == Phase::failed && impl_->problem == NGTCP2_ERR_CRYPTO) {
    ngtcp2_connection_close_error_set_transport_error_tls_alert(
        &reason, ngtcp2_conn_get_tls_alert(impl_->connection.get()), nullptr, 0);
  } else if (impl_->phase == Phase::failed) {
    ngtcp2_connection_close_error_set_transport_error_liberr(&reason, impl_->problem, nullptr, 0);
  } else {
    return 0;
  }
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
      impl_->connection.get(), nullptr, nullptr, into.data(), into.size(), &reason, to_ngtcp2(now));
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

void QuicClient::receive(std::span<const std::uint8_t> datagram, MonotonicTime now) {
  if (impl_->phase != Phase::shaking || datagram.empty()) return;
  ngtcp2_conn* const connection = impl_->connection.get();
  const ngtcp2_pkt_info info{};
  const int result = ngtcp2_conn_read_pkt(connection, ngtcp2_conn_get_path(connection), &info, datagram.data(),
                                          datagram.size(), to_ngtcp2(now));
  impl_->conclude(result);
}

MonotonicTime QuicClient::next_tick() const {
  const ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(impl_->connection.get());
  constexpr auto kNever = static_cast<ngtcp2_tstamp>(std::numeric_limits<std::int64_t>::max());
  if (expiry >= kNever) return MonotonicTime::max();
  const std::chrono::nanoseconds since(static_cast<std::int64_t>(expiry));
  return MonotonicTime(std::chrono::ceil<Microseconds>(since));
}

void QuicClient::tick(MonotonicTime now) {
  if (impl_->phase != Phase::shaking || next_tick() > now) return;
  impl_->conclude(ngtcp2_conn_handle_expiry(impl_->connection.get(), to_ngtcp2(now)));
}

std::string QuicClient::version() const {
  switch (ngtcp2_conn_get_negotiated_version(impl_->connection.get())) {  // a registry, not an enum of ours
    case NGTCP2_PROTO_VER_V1: return "QUICv1";
    case NGTCP2_PROTO_VER_V2_DRAFT: return "QUICv2";
    default: return "";
  }
}

std::string QuicClient::cipher() const {
  const char* const name = gnutls_ciphersuite_get(impl_->session.get());
  return name == nullptr ? "" : name;
}

std::string QuicClient::alpn() const {
  gnutls_datum_t selected{};
  if (gnutls_alpn_get_selected_protocol(impl_->session.get(), &selected) != GNUTLS_E_SUCCESS) return "";
  return {reinterpret_cast<const char*>(selected.data), selected.size};
}

std::optional<std::uint64_t> QuicClient::close_code() const {
  if (impl_->phase != Phase::closed) return std::nullopt;
  ngtcp2_connection_close_error reason{};
  ngtcp2_conn_get_connection_close_error(impl_->connection.get(), &reason);
  return reason.error_code;
}

std::vector<std::string> QuicClient::chain() const {
  unsigned count = 0;
  const gnutls_datum_t* const certificates = gnutls_certificate_get_peers(impl_->session.get(), &count);
  std::vector<std::string> out;
  for (unsigned i = 0; certificates != nullptr && i < count; ++i) {
    out.emplace_back(reinterpret_cast<const char*>(certificates[i].data), certificates[i].size);
  }
  return out;
}

}  // namespace kua::probe
