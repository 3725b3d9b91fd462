// Reads one JSON object of a plan. Like a configuration file's, every member must be asked for; the
// first problem is kept and named by finish().
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/time.h"

namespace kua::lab {

class PlanReader {
 public:
  // Borrows both. `where` names the object in messages; `problem` collects the first one.
  PlanReader(const boost::json::object& object, std::string where, std::string& problem)
      : object_(object), where_(std::move(where)), problem_(problem) {}
  // Complains about members that nobody asked for.
  void finish();

  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] std::string text_or_empty(std::string_view key);
  [[nodiscard]] bool flag(std::string_view key);  // absent: false
  [[nodiscard]] double number(std::string_view key, double fallback);
  [[nodiscard]] Microseconds seconds(std::string_view key);  // absent: 0
  [[nodiscard]] std::optional<Microseconds> maybe_seconds(std::string_view key);
  [[nodiscard]] std::optional<IpAddress> maybe_address(std::string_view key);
  [[nodiscard]] IpAddress address(std::string_view key);
  [[nodiscard]] std::vector<IpAddress> addresses(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  // nullptr when absent.
  [[nodiscard]] const boost::json::object* object(std::string_view key);
  [[nodiscard]] std::vector<const boost::json::object*> objects(std::string_view key);
  [[nodiscard]] const boost::json::value* value(std::string_view key);
  void complain(std::string_view key, std::string_view what);
  [[nodiscard]] std::string& problem() { return problem_; }

 private:
  const boost::json::object& object_;
  std::string where_;
  std::string& problem_;
  std::vector<std::string> asked_;
};

}  // namespace kua::lab
