// The listeners' counters as metrics. prometheus-cpp stays inside the .cc.
#pragma once

#include <memory>
#include <vector>

#include "collector/http/http.h"

namespace prometheus {
class Registry;
}

namespace kua::collector {

class ListenerMetrics {
 public:
  // Registers its families. Borrows `registry`.
  explicit ListenerMetrics(prometheus::Registry& registry);
  ~ListenerMetrics();
  // Called before each exposition, on the state thread.
  void refresh(const std::vector<const HttpServer*>& servers);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::collector
