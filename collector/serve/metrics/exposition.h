// The text forms of metrics, from what prometheus-cpp collects: its own serializer knows neither
// OpenMetrics nor the Accept header, and names no version in its content type.
//   text 0.0.4:       https://prometheus.io/docs/instrumenting/exposition_formats/
//   OpenMetrics 1.0:  https://prometheus.io/docs/specs/om/open_metrics_spec/
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kua::collector {

enum class Exposition : std::uint8_t { text_0_0_4, openmetrics_1_0 };

// The form an Accept value prefers: the highest q of those we have, OpenMetrics in a tie; text
// 0.0.4 for none, for "*/*" and for what we do not know.
[[nodiscard]] Exposition negotiate(std::string_view accept);
[[nodiscard]] const char* content_type(Exposition exposition) noexcept;

// One block a family, families by name, parts of one family that came from several sources
// together; samples in the order they have.
[[nodiscard]] std::string expose(std::vector<prometheus::MetricFamily> families,
                                 Exposition exposition);

}  // namespace kua::collector
