#include "collector/serve/public/public_site.h"

#include <utility>

#include "collector/serve/answer.h"
#include "collector/serve/page/style.h"
#include "collector/serve/public/public_json.h"
#include "collector/serve/public/public_source.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {
namespace {

// Half a minute: a reload after that shows the next minute.
constexpr const char* kCacheControl = "public, max-age=30";

// Weak: the server may compress the body on its way out.
std::string entity_tag(std::string_view body) {
  const platform::Digest digest = platform::sha256(body);
  return "W/\"" + platform::to_hex(std::span(digest).first(12)) + "\"";
}

// With an entity tag; 304 when the reader has it already.
HttpResponse cacheable(const HttpRequest& request, const std::string& body,
                       std::string content_type) {
  HttpResponse response;
  const std::string tag = entity_tag(body);
  response.content_type = std::move(content_type);
  response.headers = {{"ETag", tag}, {"Cache-Control", kCacheControl}};
  if (request.header("if-none-match").find(tag) != std::string_view::npos) {
    response.status = 304;
  } else {
    response.body = body;
  }
  return response;
}

}  // namespace

PublicSite::PublicSite(Options options, std::function<Overview()> look,
                       std::function<WallTime()> now)
    : options_(std::move(options)),
      look_(std::move(look)),
      now_(std::move(now)),
      publisher_(options_.rule),
      metrics_(nullptr) {
  metrics_.add_source([this](Families& families) {
    add_public_overview(families, overview());
    add_build_info(families, options_.build);
  });
}

const PublicOverview& PublicSite::overview() {
  const WallTime now = now_();
  if (!overview_ || now - overview_->now >= options_.keep || now < overview_->now) {
    overview_ = publisher_.publish(look_());
    page_.clear();
    cells_.clear();
  }
  return *overview_;
}

void PublicSite::tick() { (void)overview(); }

HttpResponse PublicSite::page(const HttpRequest& request) {
  const PublicOverview& shown = overview();
  if (page_.empty()) page_ = render_page(shown, options_.page);
  HttpResponse response = cacheable(request, page_, "text/html; charset=utf-8");
  response.headers.emplace_back("Content-Security-Policy", content_security_policy());
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

HttpResponse PublicSite::cells(const HttpRequest& request) {
  const PublicOverview& shown = overview();
  if (cells_.empty()) cells_ = write_public_overview(shown);
  HttpResponse response = cacheable(request, cells_, "application/json");
  // Public data: any site may read it.
  response.headers.emplace_back("Access-Control-Allow-Origin", "*");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

HttpResponse PublicSite::metrics(const HttpRequest& request) { return metrics_.answer(request); }

void PublicSite::add_routes(Router& router) {
  router.add("GET", "/", answering([this](const HttpRequest& request) { return page(request); }));
  router.add("GET", "/api/v1/cells",
             answering([this](const HttpRequest& request) { return cells(request); }));
  router.add("GET", "/metrics",
             answering([this](const HttpRequest& request) { return metrics(request); }));
}

}  // namespace kua::collector
