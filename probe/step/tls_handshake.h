// One TLS client handshake over a connected stream. A certificate we would reject does not end the
// handshake: what the path presented is the evidence, and trust is written down beside it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "measurement/names.h"
#include "measurement/observation.h"
#include "probe/step/tcp_stream.h"
#include "probe/step/timeline.h"

namespace kua::probe {

class TrustStore;

struct TlsOptions {
  StepContext context;  // hop, host and role; the rest is filled in
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::tcp};
  // Sent as SNI and checked against the certificate. An address literal is checked and not sent
  // (RFC 6066 §3).
  std::string server_name;
  std::string alpn = "http/1.1";  // the one protocol that the next step speaks
  MonotonicTime deadline;         // absolute
};

struct TlsResult {
  TlsHandshake observation;            // present whatever happened
  std::unique_ptr<ByteStream> stream;  // null unless a next step can follow; owns the connection
  bool chain_cut = false;              // certificates beyond the limits were left out
  bool other_name = false;             // the leaf is for another name, whoever signed it
  std::optional<Certificate> added_root;  // of a trusted chain: its root, where somebody added it here
};

// Borrows `trust`, which outlives the awaitable. Owns `tcp`.
[[nodiscard]] boost::asio::awaitable<TlsResult> tls_handshake(const TrustStore& trust, Timeline timeline,
                                                              std::unique_ptr<TcpStream> tcp,
                                                              TlsOptions options);

}  // namespace kua::probe
