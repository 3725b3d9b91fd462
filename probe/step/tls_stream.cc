#include "probe/step/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "measurement/check.h"

namespace kua::probe {
namespace {

TlsTransport& transport_of(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

int bio_write(BIO* bio, const char* data, std::size_t length, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  TlsTransport& transport = transport_of(bio);
  const IoResult put = transport.tcp->write_some({data, length});
  if (put.kind == IoResult::Kind::done) {
    transport.sent += put.bytes;
    *written = put.bytes;
    return 1;
  }
  if (put.kind == IoResult::Kind::want_write) {
    BIO_set_retry_write(bio);
  } else {
    transport.failed = put.code;
  }
  return 0;
}

int bio_read(BIO* bio, char* data, std::size_t length, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  TlsTransport& transport = transport_of(bio);
  const IoResult read = transport.tcp->read_some({data, length});
  switch (read.kind) {
    case IoResult::Kind::done:
      transport.received += read.bytes;
      *got = read.bytes;
      return 1;
    case IoResult::Kind::want_read:
    case IoResult::Kind::want_write:
      BIO_set_retry_read(bio);
      return 0;
    case IoResult::Kind::closed:
      transport.closed = true;
      return 0;
    case IoResult::Kind::failed:
      transport.failed = read.code;
      return 0;
  }
  return 0;
}

long bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return transport_of(bio).closed ? 1 : 0;
  return 0;
}

const BIO_METHOD* transport_method() {
  static const OpensslPtr<BIO_METHOD> method = [] {
    OpensslPtr<BIO_METHOD> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kua transport"));
    KUA_CHECK(made != nullptr);
    BIO_meth_set_write_ex(made.get(), &bio_write);
    BIO_meth_set_read_ex(made.get(), &bio_read);
    BIO_meth_set_ctrl(made.get(), &bio_control);
    return made;
  }();
  return method.get();
}

}  // namespace

TlsStream::TlsStream(SSL_CTX* context, std::unique_ptr<TcpStream> tcp)
    : transport_(std::make_unique<TlsTransport>()), ssl_(SSL_new(context)) {
  transport_->tcp = std::move(tcp);
  BIO* const bio = BIO_new(transport_method());
  KUA_CHECK(ssl_ != nullptr && bio != nullptr);
  BIO_set_data(bio, transport_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes it
  SSL_set_connect_state(ssl_.get());
}

IoResult TlsStream::explain(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {IoResult::Kind::want_read};
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::Kind::want_write};
    case SSL_ERROR_ZERO_RETURN:
      return {IoResult::Kind::closed};
    default:  // SSL_ERROR_SYSCALL, SSL_ERROR_SSL
      ERR_clear_error();
      if (transport_->failed) return {IoResult::Kind::failed, 0, *transport_->failed};
      if (transport_->closed) return {IoResult::Kind::closed};
      return {IoResult::Kind::failed, 0, FailureCode::ssl_failed_handshake};
  }
}

IoResult TlsStream::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return {IoResult::Kind::done};
  return explain(result);
}

IoResult TlsStream::read_some(std::span<char> into) {
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  if (result == 1) return {IoResult::Kind::done, got};
  return explain(result);
}

IoResult TlsStream::write_some(std::string_view bytes) {
  ERR_clear_error();
  std::size_t put = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &put);
  if (result == 1) return {IoResult::Kind::done, put};
  return explain(result);
}

}  // namespace kua::probe
