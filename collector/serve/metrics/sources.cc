#include "collector/serve/metrics/sources.h"

namespace kua::collector {

prometheus::MetricFamily& open_family(Families& families, std::string name, std::string help,
                                      prometheus::MetricType type) {
  prometheus::MetricFamily& family = families.emplace_back();
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void add_sample(prometheus::MetricFamily& family, double value, LabelPairs labels) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

}  // namespace kua::collector
