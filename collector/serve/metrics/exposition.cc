#include "collector/serve/metrics/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>

namespace kua::collector {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts the part before `separator` off `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return trimmed(part);
}

// One media range of an Accept value: what we would answer it with, and how much it is wanted.
struct Range {
  std::optional<Exposition> answer;
  double quality = 1;
};

Range parse_range(std::string_view item) {
  const std::string_view type = take_until(item, ';');
  std::string_view version;
  Range range;
  while (!item.empty()) {
    const std::string_view parameter = take_until(item, ';');
    if (parameter.starts_with("q=")) {
      const std::string_view value = parameter.substr(2);
      if (std::from_chars(value.data(), value.data() + value.size(), range.quality).ec !=
          std::errc()) {
        range.quality = 0;
      }
    } else if (parameter.starts_with("version=")) {
      version = parameter.substr(8);
    }
  }
  if (type == "application/openmetrics-text") {
    if (version.empty() || version == "1.0.0" || version == "0.0.1") {
      range.answer = Exposition::openmetrics_1_0;
    }
  } else if (type == "text/plain") {
    if (version.empty() || version == "0.0.4") range.answer = Exposition::text_0_0_4;
  } else if (type == "*/*" || type == "text/*") {
    range.answer = Exposition::text_0_0_4;
  }
  return range;
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char buffer[32];
    const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value).ptr;
    out.append(buffer, end);
  }
}

void append_number(std::string& out, std::uint64_t value) { out += std::to_string(value); }

// Canonical in both forms, so that a scraper that changes the form sees the same series.
void append_le(std::string& out, double bound) {
  if (std::isinf(bound)) {
    out += "+Inf";
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), bound).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

// A sample's name and labels, up to the value.
void append_head(std::string& out, std::string_view name, std::string_view suffix,
                 const std::vector<ClientMetric::Label>& labels, std::string_view extra_name = {},
                 double extra_value = 0) {
  out += name;
  out += suffix;
  if (!labels.empty() || !extra_name.empty()) {
    char separator = '{';
    for (const ClientMetric::Label& label : labels) {
      out += separator;
      out += label.name;
      out += "=\"";
      append_escaped(out, label.value, true);
      out += '"';
      separator = ',';
    }
    if (!extra_name.empty()) {
      out += separator;
      out += extra_name;
      out += "=\"";
      append_le(out, extra_value);
      out += '"';
    }
    out += '}';
  }
  out += ' ';
}

void append_histogram(std::string& out, std::string_view name, const ClientMetric& metric) {
  const ClientMetric::Histogram& histogram = metric.histogram;
  bool closed = false;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    append_head(out, name, "_bucket", metric.label, "le", bucket.upper_bound);
    append_number(out, bucket.cumulative_count);
    out += '\n';
    closed = closed || std::isinf(bucket.upper_bound);
  }
  if (!closed) {
    append_head(out, name, "_bucket", metric.label, "le", INFINITY);
    append_number(out, histogram.sample_count);
    out += '\n';
  }
  append_head(out, name, "_sum", metric.label);
  append_number(out, histogram.sample_sum);
  out += '\n';
  append_head(out, name, "_count", metric.label);
  append_number(out, histogram.sample_count);
  out += '\n';
}

std::string_view type_word(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Untyped:
      return "untyped";
    case MetricType::Histogram:
      return "histogram";
  }
  return "untyped";
}

void append_line(std::string& out, std::string_view keyword, std::string_view name,
                 std::string_view text) {
  out += "# ";
  out += keyword;
  out += ' ';
  out += name;
  out += ' ';
  out += text;
  out += '\n';
}

// What OpenMetrics calls the family: a counter without its _total, an info without its _info.
struct OpenName {
  std::string_view family;
  std::string_view type;
  std::string_view suffix;  // of the samples
};

OpenName open_name(const MetricFamily& family) {
  const std::string_view name = family.name;
  if (family.type == MetricType::Counter && name.ends_with("_total")) {
    return {name.substr(0, name.size() - 6), "counter", "_total"};
  }
  if (family.type == MetricType::Gauge && name.ends_with("_info")) {
    return {name.substr(0, name.size() - 5), "info", "_info"};
  }
  if (family.type == MetricType::Untyped) return {name, "unknown", ""};
  return {name, type_word(family.type), ""};
}

std::string_view unit_of(std::string_view family) {
  for (const std::string_view unit : {"seconds", "bytes", "ratio"}) {
    if (family.ends_with(unit) && family.size() > unit.size() &&
        family[family.size() - unit.size() - 1] == '_') {
      return unit;
    }
  }
  return {};
}

void append_preamble(std::string& out, const MetricFamily& family, Exposition exposition) {
  std::string help;
  if (exposition == Exposition::text_0_0_4) {
    append_escaped(help, family.help, false);
    append_line(out, "HELP", family.name, help);
    append_line(out, "TYPE", family.name, type_word(family.type));
    return;
  }
  const OpenName name = open_name(family);
  append_line(out, "TYPE", name.family, name.type);
  const std::string_view unit = unit_of(name.family);
  if (!unit.empty()) append_line(out, "UNIT", name.family, unit);
  append_escaped(help, family.help, true);
  append_line(out, "HELP", name.family, help);
}

void append_samples(std::string& out, const MetricFamily& family, Exposition exposition) {
  std::string_view name = family.name;
  std::string_view suffix;
  if (exposition == Exposition::openmetrics_1_0) {
    const OpenName open = open_name(family);
    name = open.family;
    suffix = open.suffix;
  }
  for (const ClientMetric& metric : family.metric) {
    if (family.type == MetricType::Histogram) {
      append_histogram(out, name, metric);
      continue;
    }
    append_head(out, name, suffix, metric.label);
    append_number(out, family.type == MetricType::Counter ? metric.counter.value
                       : family.type == MetricType::Gauge ? metric.gauge.value
                                                          : metric.untyped.value);
    out += '\n';
  }
}

}  // namespace

Exposition negotiate(std::string_view accept) {
  Range best;
  best.quality = 0;
  while (!accept.empty()) {
    const Range range = parse_range(take_until(accept, ','));
    if (!range.answer || range.quality <= 0) continue;
    const bool ties = range.quality == best.quality;
    if (range.quality > best.quality || (ties && range.answer == Exposition::openmetrics_1_0)) {
      best = range;
    }
  }
  return best.answer.value_or(Exposition::text_0_0_4);
}

const char* content_type(Exposition exposition) noexcept {
  switch (exposition) {
    case Exposition::text_0_0_4:
      return "text/plain; version=0.0.4; charset=utf-8";
    case Exposition::openmetrics_1_0:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
  }
  return "text/plain; version=0.0.4; charset=utf-8";
}

std::string expose(std::vector<MetricFamily> families, Exposition exposition) {
  std::ranges::stable_sort(families, {}, &MetricFamily::name);
  std::string out;
  const std::string* previous = nullptr;
  for (const MetricFamily& family : families) {
    if (family.metric.empty() && exposition == Exposition::text_0_0_4) continue;
    if (previous == nullptr || *previous != family.name) append_preamble(out, family, exposition);
    append_samples(out, family, exposition);
    previous = &family.name;
  }
  if (exposition == Exposition::openmetrics_1_0) out += "# EOF\n";
  return out;
}

}  // namespace kua::collector
