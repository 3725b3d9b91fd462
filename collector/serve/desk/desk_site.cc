#include "collector/serve/desk/desk_site.h"

#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "collector/limits.h"
#include "collector/serve/answer.h"
#include "collector/serve/desk/desk_json.h"

namespace kua::collector {
namespace {

// Reads a request's parameters one by one; the first that is wrong, or that nobody knows, is the
// answer.
class Parameters {
 public:
  explicit Parameters(const HttpRequest& request) : request_(request) {}

  template <typename T, typename Parse>
  void read(const char* name, std::optional<T>& into, Parse parse, const char* allowed) {
    known_.insert(name);
    const auto found = request_.query.find(name);
    if (found == request_.query.end() || found->second.empty()) return;
    into = parse(found->second);
    if (!into && problem_.empty()) problem_ = std::string(name) + " must be " + allowed;
  }

  [[nodiscard]] std::optional<HttpResponse> refusal() {
    for (const auto& [name, value] : request_.query) {
      if (!known_.contains(name) && problem_.empty()) problem_ = "no parameter is called " + name;
    }
    if (problem_.empty()) return std::nullopt;
    return error_response(400, "malformed", problem_);
  }

 private:
  const HttpRequest& request_;
  std::set<std::string> known_;
  std::string problem_;
};

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "9198" or "AS9198"
std::optional<Asn> parse_asn(std::string_view text) {
  if (text.starts_with("AS")) text.remove_prefix(2);
  const std::optional<std::uint32_t> number = parse_number(text);
  if (!number) return std::nullopt;
  return Asn{*number};
}

HttpResponse json_response(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  response.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  return response;
}

// What went wrong on our side is told to those who run the collector.
HttpResponse our_failure(const Error& error) {
  return error_response(error.kind == ErrorKind::unavailable ? 503 : 500, "internal", error.text());
}

constexpr const char* kCountryShape = "a country code in capitals, KZ";
constexpr const char* kAsnShape = "an AS number, 9198 or AS9198";
constexpr const char* kTargetShape = "a target id, web:https://www.example.com/";
constexpr const char* kTimeShape = "a time, 2022-01-05T10:55:00Z";

}  // namespace

DeskSite::DeskSite(SecondLook& records, const MetricsEndpoint& metrics,
                   std::function<Overview()> look)
    : records_(records), metrics_(metrics), look_(std::move(look)) {}

HttpResponse DeskSite::record(const HttpRequest& request) {
  const std::string_view path = request.path;
  const std::optional<RecordId> id = RecordId::parse(path.substr(path.rfind('/') + 1));
  if (!id) return error_response(400, "malformed", "a record id is a UUID in lower case");
  Expected<std::optional<JudgedRecord>> found = records_.find(*id);
  if (!found) return our_failure(found.error());
  if (!*found) return error_response(404, "not_found", "no such record, or its day is gone");
  return json_response(write_judged_record(**found));
}

HttpResponse DeskSite::list(const HttpRequest& request) {
  RecordQuery query;
  std::optional<std::uint32_t> limit;
  Parameters parameters(request);
  parameters.read("target", query.target, TargetId::parse, kTargetShape);
  parameters.read("country", query.country, CountryCode::parse, kCountryShape);
  parameters.read("network", query.network, parse_asn, kAsnShape);
  parameters.read("probe", query.probe, ProbeId::parse, "a probe id, 32 hexadecimal digits");
  parameters.read("role", query.role, parse_probe_role, "probe or control");
  parameters.read("since", query.since, parse_rfc3339, kTimeShape);
  parameters.read("until", query.until, parse_rfc3339, kTimeShape);
  parameters.read("after", query.after, RecordId::parse, "a record id");
  parameters.read("limit", limit, parse_number, "a number");
  if (std::optional<HttpResponse> refusal = parameters.refusal()) return std::move(*refusal);
  query.limit = limit.value_or(limits::kReadPageDefault);
  if (query.limit == 0 || query.limit > limits::kReadPageMax) {
    return error_response(400, "malformed",
                          "limit must be 1 to " + std::to_string(limits::kReadPageMax));
  }
  const std::size_t wanted = query.limit;
  Expected<std::vector<JudgedRecord>> found = records_.query(query);
  if (!found) return our_failure(found.error());
  std::optional<RecordId> next;
  if (found->size() >= wanted) next = header_of(found->back().record).id;
  return json_response(write_judged_records(*found, next));
}

HttpResponse DeskSite::cells(const HttpRequest& request) {
  CellFilter filter;
  Parameters parameters(request);
  parameters.read("target", filter.target, TargetId::parse, kTargetShape);
  parameters.read("country", filter.country, CountryCode::parse, kCountryShape);
  parameters.read("network", filter.network, parse_asn, kAsnShape);
  if (std::optional<HttpResponse> refusal = parameters.refusal()) return std::move(*refusal);
  return json_response(write_cells(look_(), filter));
}

void DeskSite::add_routes(Router& router) {
  router.add("GET", "/api/v1/records/{}",
             answering([this](const HttpRequest& request) { return record(request); }));
  router.add("GET", "/api/v1/records",
             answering([this](const HttpRequest& request) { return list(request); }));
  router.add("GET", "/api/v1/cells",
             answering([this](const HttpRequest& request) { return cells(request); }));
  router.add("GET", "/metrics",
             answering([this](const HttpRequest& request) { return metrics_.answer(request); }));
}

}  // namespace kua::collector
