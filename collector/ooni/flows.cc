#include "collector/ooni/flows.h"

#include <algorithm>
#include <charconv>

#include "collector/ooni/words.h"
#include "measurement/names.h"

namespace kua::collector::ooni {
namespace {

template <typename Visit>
void each(const json::object& object, std::string_view key, Visit visit) {
  const json::array* list = list_of(object, key);
  if (list == nullptr) return;
  for (const json::value& item : *list) {
    if (const json::object* event = item.if_object()) visit(*event);
  }
}

std::optional<std::uint32_t> tagged_depth(const json::object& event) {
  const json::array* tags = list_of(event, "tags");
  if (tags == nullptr) return std::nullopt;
  constexpr std::string_view kDepth = "depth=";
  for (const json::value& tag : *tags) {
    const std::string_view text = view_of(tag);
    std::uint32_t depth = 0;
    if (!text.starts_with(kDepth)) continue;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + kDepth.size(), end, depth);
    if (read.ec == std::errc() && read.ptr == end && depth < 100) return depth;
  }
  return std::nullopt;
}

std::optional<Endpoint> endpoint_of_connect(const json::object& event) {
  const auto address = IpAddress::parse(text_of(event, "ip"));
  const auto port = integer_of(event, "port");
  if (!address || !port || *port < 1 || *port > 65'535) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*port), Transport::tcp};
}

}  // namespace

std::optional<std::int64_t> transaction_of(const json::object& event) {
  const auto id = integer_of(event, "transaction_id");
  return id && *id != 0 ? id : std::nullopt;
}

std::optional<Endpoint> endpoint_of(std::string_view text) {
  return Endpoint::parse(text, Transport::tcp);
}

std::optional<std::string> host_of(std::string_view text) {
  std::string host(text);
  std::ranges::transform(host, host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (host.ends_with('.')) host.pop_back();
  if (const auto address = IpAddress::parse(host)) return address->text();
  if (!DomainName::parse(host)) return std::nullopt;
  return host;
}

Flows::Flows(const json::object& test_keys, const protocol::TargetUrl& input)
    : input_host_(input.host) {
  read_queries(test_keys);
  read_connects(test_keys);
  read_handshakes(test_keys);
  read_requests(test_keys);
  read_network_events(test_keys);
}

Flow& Flows::flow(const json::object& event, const std::optional<Endpoint>& endpoint) {
  if (const auto id = transaction_of(event)) {
    Flow& found = by_transaction_[*id];
    if (endpoint && !found.endpoint) found.endpoint = endpoint;
    return found;
  }
  Flow& found =
      by_endpoint_[endpoint.value_or(Endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::tcp})];
  found.endpoint = endpoint;
  return found;
}

void Flows::read_queries(const json::object& test_keys) {
  const auto take = [this](const json::object& query) {
    const auto host = host_of(text_of(query, "hostname"));
    const bool system = engine_of(text_of(query, "engine")) == ResolverEngine::system;
    each(query, "answers", [&](const json::object& answer) {
      for (const char* key : {"ipv4", "ipv6"}) {
        const auto address = IpAddress::parse(text_of(answer, key));
        if (!address) continue;
        if (host) names_.try_emplace(*address, *host);
        from_system_[*address] |= system;
      }
    });
  };
  each(test_keys, "queries", take);
  if (const json::object* doh = object_of(test_keys, "x_doh")) each(*doh, "queries", take);
}

void Flows::read_connects(const json::object& test_keys) {
  each(test_keys, "tcp_connect", [this](const json::object& event) {
    const auto endpoint = endpoint_of_connect(event);
    const json::object* status = object_of(event, "status");
    if (!endpoint) return;
    Flow& found = flow(event, endpoint);
    found.connected |= status != nullptr && flag_of(*status, "success");
  });
}

void Flows::read_handshakes(const json::object& test_keys) {
  each(test_keys, "tls_handshakes", [this](const json::object& event) {
    const auto endpoint = endpoint_of(text_of(event, "address"));
    // Without a transaction QUIC's would pass for the connection to the same port.
    if (!endpoint || (text_of(event, "network") == "udp" && !transaction_of(event))) return;
    Flow& found = flow(event, endpoint);
    const std::string_view failure = text_of(event, "failure");
    const bool done = failure.empty() || is_trust_failure(failure);
    found.shaken |= done;
    found.connected = true;
    if (const auto host = host_of(text_of(event, "server_name"))) found.host = *host;
  });
}

void Flows::read_requests(const json::object& test_keys) {
  each(test_keys, "requests", [this](const json::object& event) { requests_.push_back(&event); });
  std::ranges::reverse(requests_);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const json::object* request = object_of(*requests_[i], "request");
    if (request == nullptr) continue;
    const auto url = protocol::parse_target_url(text_of(*request, "url"));
    if (!url) continue;
    const auto depth = tagged_depth(*requests_[i]).value_or(static_cast<std::uint32_t>(i));
    depths_.try_emplace(url->host, depth);
    if (transaction_of(*requests_[i])) {
      Flow& found = flow(*requests_[i], endpoint_of(text_of(*requests_[i], "address")));
      if (found.host.empty()) found.host = url->host;
    }
  }
}

void Flows::read_network_events(const json::object& test_keys) {
  each(test_keys, "network_events", [this](const json::object& event) {
    const auto id = transaction_of(event);
    const auto known = id ? by_transaction_.find(*id) : by_transaction_.end();
    if (known == by_transaction_.end()) return;
    Flow& found = known->second;
    const std::string_view operation = text_of(event, "operation");
    found.watched = true;
    const auto size = integer_of(event, "num_bytes").value_or(0);
    if (operation == "write") found.written |= size > 0;
    if (operation == "tls_handshake_done") found.handshake_bytes = found.bytes;
    if (operation == "read" && size > 0 && size < 1'000'000'000)
      found.bytes += static_cast<std::uint64_t>(size);
  });
}

std::uint32_t Flows::depth_of(const json::object& event, std::string_view host) const {
  if (const auto depth = tagged_depth(event)) return *depth;
  if (const auto known = depths_.find(host); known != depths_.end()) return known->second;
  return 0;
}

const Flow* Flows::of(const json::object& event) const {
  const auto id = transaction_of(event);
  const auto known = id ? by_transaction_.find(*id) : by_transaction_.end();
  return known == by_transaction_.end() ? nullptr : &known->second;
}

std::string Flows::host_at(const json::object& event, const IpAddress& address) const {
  if (const Flow* flow = of(event); flow != nullptr && !flow->host.empty()) return flow->host;
  if (const auto named = names_.find(address); named != names_.end()) return named->second;
  return input_host_;
}

const Flow* Flows::flow_for(std::string_view host, std::uint16_t port) const {
  const Flow* best = nullptr;
  for (const auto& [endpoint, flow] : by_endpoint_) {
    if (endpoint.port != port || !flow.connected) continue;
    const auto named = names_.find(endpoint.address);
    const std::string_view name = !flow.host.empty()      ? std::string_view(flow.host)
                                  : named != names_.end() ? std::string_view(named->second)
                                                          : std::string_view(input_host_);
    if (name == host && (best == nullptr || (flow.shaken && !best->shaken))) best = &flow;
  }
  return best;
}

bool Flows::is_from_system(const IpAddress& address) const {
  const auto found = from_system_.find(address);
  return found != from_system_.end() && found->second;
}

}  // namespace kua::collector::ooni
