// Where a scrape's samples come from beside the registry: families made anew each time, because
// their label values come and go (a series that is gone must be gone from the next scrape), or
// because somebody else keeps the number.
#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace kua::collector {

using Families = std::vector<prometheus::MetricFamily>;
// Adds its families; called once a scrape on the state thread.
using MetricSource = std::function<void(Families&)>;

using LabelPairs = std::initializer_list<std::pair<const char*, std::string>>;

// Opens a family at the end of `families`. The reference holds until the next one is opened.
[[nodiscard]] prometheus::MetricFamily& open_family(Families& families, std::string name,
                                                    std::string help, prometheus::MetricType type);
void add_sample(prometheus::MetricFamily& family, double value, LabelPairs labels = {});

}  // namespace kua::collector
