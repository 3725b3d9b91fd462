#include "collector/ooni/import_control.h"

#include <algorithm>

#include "collector/limits.h"
#include "collector/ooni/flows.h"
#include "collector/ooni/words.h"
#include "protocol/record_limits.h"

namespace kua::collector::ooni {
namespace {

constexpr std::size_t kEndpointsMax = 64;  // the helper itself tests about a dozen

std::string_view without_www(std::string_view host) {
  return host.starts_with("www.") ? host.substr(4) : host;
}

class ControlImport {
 public:
  ControlImport(const json::object& control, const protocol::TargetUrl& input)
      : control_(control), input_(input) {}

  std::vector<Observation> run(const std::vector<protocol::TargetUrl>& pages) {
    if (!input_.address()) take_dns();
    each("tcp_connect", [this](const Endpoint& endpoint, const json::object& result) {
      take_connect(endpoint, result);
    });
    each("tls_handshake", [this](const Endpoint& endpoint, const json::object& result) {
      take_handshake(endpoint, result);
    });
    if (const json::object* request = object_of(control_, "http_request"))
      take_page(*request, page_of(pages));
    return std::move(out_);
  }

 private:
  template <typename Visit>
  void each(std::string_view key, Visit visit) {
    const json::object* map = object_of(control_, key);
    if (map == nullptr) return;
    std::size_t taken = 0;
    for (const auto& [name, value] : *map) {
      const auto endpoint = endpoint_of({name.data(), name.size()});
      const json::object* result = value.if_object();
      if (endpoint && result != nullptr && taken++ < kEndpointsMax) visit(*endpoint, *result);
    }
  }

  template <typename Step>
  Step begin(std::string_view host) const {
    Step step;
    step.host = host;
    return step;
  }

  static void set_failure(StepContext& step, const json::object& result, Operation operation) {
    const std::string_view failure = text_of(result, "failure");
    if (!failure.empty()) step.failure = Failure{failure_code(failure), operation};
  }

  void take_dns() {
    const json::object* dns = object_of(control_, "dns");
    const auto name = DomainName::parse(input_.host);
    if (dns == nullptr || !name) return;
    Lookup four = begin<Lookup>(input_.host);
    four.name = *name;
    four.reply.emplace();
    Lookup six = four;
    six.type = QueryType::aaaa;
    if (const json::array* addresses = list_of(*dns, "addrs")) {
      for (const json::value& item : *addresses) {
        const auto address = IpAddress::parse(view_of(item));
        if (!address) continue;
        Lookup& step = address->family() == Family::ip6 ? six : four;
        if (step.reply->addresses.size() < protocol::kReplyAddressesMax)
          step.reply->addresses.push_back(*address);
      }
    }
    const bool has_six = !six.reply->addresses.empty();
    set_failure(four, *dns, Operation::resolve);
    if (four.failure) four.reply.reset();
    if (four.failure || !has_six || !four.reply->addresses.empty()) out_.push_back(std::move(four));
    if (has_six) out_.push_back(std::move(six));
  }

  void take_connect(const Endpoint& endpoint, const json::object& result) {
    Connect step = begin<Connect>(input_.host);
    step.endpoint = endpoint;
    set_failure(step, result, Operation::connect);
    if (!step.failure && !flag_of(result, "status"))
      step.failure = Failure{FailureCode::unknown_failure, Operation::connect};
    out_.push_back(std::move(step));
  }

  void take_handshake(const Endpoint& endpoint, const json::object& result) {
    const auto host = host_of(text_of(result, "server_name"));
    TlsHandshake step = begin<TlsHandshake>(host.value_or(input_.host));
    step.endpoint = endpoint;
    step.server_name = step.host;
    step.client_hello_sent = true;
    const std::string_view failure = text_of(result, "failure");
    if (flag_of(result, "status") && failure.empty()) {
      step.trust = ChainTrust::trusted;
    } else if (is_trust_failure(failure)) {
      step.trust = failure == "ssl_invalid_hostname"    ? ChainTrust::wrong_host
                   : failure == "ssl_unknown_authority" ? ChainTrust::unknown_authority
                                                        : ChainTrust::invalid;
    } else {
      step.failure = Failure{failure_code(failure), Operation::tls_handshake};
    }
    out_.push_back(std::move(step));
  }

  const protocol::TargetUrl& page_of(const std::vector<protocol::TargetUrl>& pages) const {
    const auto own =
        std::ranges::find_if(pages.rbegin(), pages.rend(), [this](const protocol::TargetUrl& url) {
          return without_www(url.host) == without_www(input_.host);
        });
    return own == pages.rend() ? input_ : *own;
  }

  // Where the page was fetched from is not told: the first address that the helper reached will do.
  std::optional<IpAddress> any_address() const {
    std::optional<IpAddress> out = input_.address();
    for (const Observation& one : out_) {
      if (const auto* connect = std::get_if<Connect>(&one);
          connect != nullptr && !connect->failure) {
        return connect->endpoint.address;
      }
      const auto* lookup = std::get_if<Lookup>(&one);
      if (!out && lookup != nullptr && lookup->reply && !lookup->reply->addresses.empty()) {
        out = lookup->reply->addresses.front();
      }
    }
    return out;
  }

  void take_page(const json::object& request, const protocol::TargetUrl& url) {
    const auto address = any_address();
    const auto status = integer_of(request, "status_code");
    if (!address) return;
    HttpRoundTrip step = begin<HttpRoundTrip>(url.host);
    step.endpoint = {*address, url.port, Transport::tcp};
    step.url = url.text();
    step.over_tls = url.scheme == protocol::UrlScheme::https;
    step.request_sent = true;
    set_failure(step, request, Operation::http_round_trip);
    if (!step.failure && (!status || *status < 100 || *status > 999))
      return;  // no page and no reason
    if (!step.failure) {
      step.status = static_cast<std::uint16_t>(*status);
      step.title = text_of(request, "title").substr(0, limits::kOoniTitleBytesMax);
      const auto length = integer_of(request, "body_length").value_or(0);
      step.body_bytes = length > 0 ? static_cast<std::uint64_t>(length) : 0;
      step.bytes_received = step.body_bytes;
      read_headers(request, step);
    }
    out_.push_back(std::move(step));
  }

  static void read_headers(const json::object& request, HttpRoundTrip& step) {
    const json::object* headers = object_of(request, "headers");
    if (headers == nullptr) return;
    for (const auto& [name, value] : *headers) {
      const std::string_view text = view_of(value);
      if (name.empty() || name.size() > protocol::kHeaderNameBytesMax ||
          text.size() > limits::kOoniHeaderValueBytesMax ||
          step.headers.size() >= protocol::kHeadersMax) {
        continue;
      }
      step.headers.emplace_back(std::string(name.data(), name.size()), text);
    }
  }

  const json::object& control_;
  const protocol::TargetUrl& input_;
  std::vector<Observation> out_;
};

}  // namespace

std::vector<Observation> import_control(const json::object& control,
                                        const protocol::TargetUrl& input,
                                        const std::vector<protocol::TargetUrl>& pages) {
  return ControlImport(control, input).run(pages);
}

}  // namespace kua::collector::ooni
