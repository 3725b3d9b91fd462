#include "probe/daemon/budget_file.h"

#include <boost/json.hpp>

namespace kua::probe {

namespace json = boost::json;

Budget::Day load_budget(const StateDirectory& state) {
  const auto bytes = state.read(kBudgetFile);
  if (!bytes) return {};
  boost::system::error_code problem;
  const json::value document = json::parse(*bytes, problem);
  const json::object* object = problem ? nullptr : document.if_object();
  const json::value* day = object == nullptr ? nullptr : object->if_contains("day");
  const json::value* spent = object == nullptr ? nullptr : object->if_contains("bytes");
  if (day == nullptr || !day->is_int64() || spent == nullptr || !spent->is_array()) return {};
  Budget::Day out{.day = day->get_int64(), .bytes = {}};
  const json::array& values = spent->get_array();
  if (values.size() != out.bytes.size()) return {};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_int64() || values[i].get_int64() < 0) return {};
    out.bytes[i] = static_cast<std::uint64_t>(values[i].get_int64());
  }
  return out;
}

Expected<void> save_budget(const StateDirectory& state, const Budget::Day& day) {
  json::array values;
  for (const std::uint64_t bytes : day.bytes) values.emplace_back(static_cast<std::int64_t>(bytes));
  const json::object object{{"day", day.day}, {"bytes", std::move(values)}};
  return state.write(kBudgetFile, json::serialize(object) + "\n");
}

}  // namespace kua::probe
