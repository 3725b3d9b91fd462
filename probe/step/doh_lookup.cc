#include "probe/step/doh_lookup.h"

#include <utility>

#include "platform/crypto/crypto.h"
#include "probe/step/dns_lookup.h"
#include "probe/step/dns_reply.h"
#include "probe/step/h2_client.h"
#include "probe/step/tcp_connect.h"
#include "probe/step/tls_handshake.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::string_view kMediaType = "application/dns-message";

wire::DnsQuery query_of(const DohOptions& options, QueryType type) {
  wire::DnsQuery query;
  query.id = 0;  // RFC 8484 §4.1: equal questions are equal URLs
  query.name = options.name;
  query.type = wire::dns_type_of(type);
  return query;
}

FailureCode code_of(ChainTrust trust) {
  switch (trust) {
    case ChainTrust::trusted:
    case ChainTrust::not_presented:
      break;
    case ChainTrust::expired:
    case ChainTrust::invalid:
      return FailureCode::ssl_invalid_certificate;
    case ChainTrust::wrong_host:
      return FailureCode::ssl_invalid_hostname;
    case ChainTrust::self_signed:
    case ChainTrust::unknown_authority:
      return FailureCode::ssl_unknown_authority;
  }
  return FailureCode::ssl_failed_handshake;
}

// The connection to the resolver, ready to be asked.
struct Line {
  std::unique_ptr<ByteStream> stream;
  std::optional<Failure> failure;
  std::optional<Error> instrument;
};

asio::awaitable<Line> open_line(const TrustStore& trust, Timeline timeline, std::shared_ptr<WireTally> tally,
                                const DohOptions& options) {
  Line line;
  ConnectOptions connect_options;
  connect_options.endpoint = options.endpoint;
  connect_options.deadline = options.deadline;
  ConnectResult connected = co_await tcp_connect(timeline, std::move(tally), std::move(connect_options));
  line.instrument = std::move(connected.instrument);
  line.failure = connected.observation.failure;
  if (connected.stream == nullptr) co_return line;

  TlsOptions tls_options;
  tls_options.endpoint = options.endpoint;
  tls_options.server_name = options.server_name;
  tls_options.alpn = "h2";
  tls_options.deadline = options.deadline;
  TlsResult shaken =
      co_await tls_handshake(trust, timeline, std::move(connected.stream), std::move(tls_options));
  line.failure = shaken.observation.failure;
  if (line.failure) co_return line;
  if (shaken.observation.trust != ChainTrust::trusted) {
    line.failure = Failure{code_of(shaken.observation.trust), Operation::tls_handshake};
  } else if (shaken.observation.alpn != "h2") {
    line.failure = Failure{FailureCode::http_request_failed, Operation::tls_handshake};
  } else {
    line.stream = std::move(shaken.stream);
  }
  co_return line;
}

Lookup begin_lookup(const DohOptions& options, QueryType type, Microseconds begin) {
  Lookup lookup;
  static_cast<StepContext&>(lookup) = options.context;
  lookup.engine = ResolverEngine::doh;
  lookup.resolver = options.url;
  lookup.name = options.name;
  lookup.type = type;
  lookup.offset = begin;
  return lookup;
}

std::optional<Failure> read_response(const DohOptions& options, const H2Response& response,
                                     const std::optional<FailureCode>& broken, Lookup& lookup) {
  if (!response.complete) {
    return Failure{broken.value_or(FailureCode::http_request_failed), Operation::http_round_trip};
  }
  if (response.status != 200) return Failure{FailureCode::http_unexpected_status_code, Operation::http_round_trip};
  const auto query = query_of(options, lookup.type);
  if (response.content_type == kMediaType && !response.truncated) {
    lookup.reply = read_reply(query, response.body, response.ended);
  }
  if (!lookup.reply) return Failure{FailureCode::dns_server_misbehaving, Operation::resolve};
  return failure_of(*lookup.reply);
}

}  // namespace

asio::awaitable<DohResult> doh_lookup(const TrustStore& trust, Timeline timeline,
                                      std::shared_ptr<WireTally> tally, DohOptions options) {
  const Microseconds begin = timeline.offset();
  DohResult out;
  for (const QueryType type : options.types) out.observations.push_back(begin_lookup(options, type, begin));

  Line line = co_await open_line(trust, timeline, std::move(tally), options);
  out.instrument = std::move(line.instrument);
  if (line.stream == nullptr) {
    for (Lookup& lookup : out.observations) {
      lookup.failure = line.failure;
      lookup.duration = timeline.offset() - begin;
    }
    co_return out;
  }
  std::vector<H2Request> requests;
  for (const QueryType type : options.types) {
    const wire::Bytes query = wire::encode_dns_query(query_of(options, type));
    const std::string encoded = platform::to_base64url(wire::as_text(query));
    requests.push_back({options.authority, options.path + "?dns=" + encoded, std::string(kMediaType)});
  }
  const H2Result result = co_await h2_get(timeline, *line.stream, std::move(requests), options.deadline);
  for (std::size_t i = 0; i < out.observations.size(); ++i) {
    Lookup& lookup = out.observations[i];
    const H2Response& response = result.responses[i];
    lookup.duration = (response.complete ? response.ended : timeline.offset()) - begin;
    lookup.failure = read_response(options, response, result.failure, lookup);
  }
  co_return out;
}

}  // namespace kua::probe
