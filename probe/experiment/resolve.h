// Looking a host up: at the system's resolvers, at trusted ones, and where nobody should answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "probe/experiment/run.h"

namespace kua::probe {

// What one resolver, or one after another, said of a name.
struct Answers {
  std::vector<IpAddress> addresses;  // that may be contacted; in order, each once
  bool answered = false;             // some reply came
  bool failed = false;               // a query failed otherwise than by "no such record"
  bool barred = false;               // an address was among them that must not be contacted
};

struct LookupPlan {
  std::uint32_t hop = 0;
  std::string host;  // judged under; also the name asked for, unless `name` is set
  std::string name;
  StepRole role = StepRole::main;
  MonotonicTime latest = MonotonicTime::max();
  std::shared_ptr<WireTally> tally;  // what it costs is added here; nullptr: to the run's own
};

// Each configured resolver in order until one answers.
[[nodiscard]] boost::asio::awaitable<Answers> ask_system(std::shared_ptr<Run> run, LookupPlan plan);
// In role trusted: one trusted resolver over UDP and one over DoH, drawn by the run's dice, side by side. DoH's answers
// count alone where there are any: UDP to a trusted resolver can be forged on the way.
[[nodiscard]] boost::asio::awaitable<Answers> ask_trusted(std::shared_ptr<Run> run, LookupPlan plan);
// An address of the list that runs no resolver: any answer comes from the path.
[[nodiscard]] boost::asio::awaitable<Answers> ask_nobody(std::shared_ptr<Run> run, LookupPlan plan);

}  // namespace kua::probe
