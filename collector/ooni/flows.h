// What the events of one OONI measurement say of each other: which redirect depth, name and
// connection an event belongs to, since most of them name only an address or a transaction. Private
// to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/ooni/json.h"
#include "measurement/address.h"
#include "protocol/target_url.h"

namespace kua::collector::ooni {

// One connection, by its transaction (df-008), as far as its events tell.
struct Flow {
  std::optional<Endpoint> endpoint;
  std::string host;
  bool connected = false;
  bool shaken = false;                // a handshake was completed, trusted or not
  bool watched = false;               // network events of it were kept
  bool written = false;               // something was sent
  std::uint64_t handshake_bytes = 0;  // read before the handshake ended
  std::uint64_t bytes = 0;            // read in all
};

class Flows {
 public:
  Flows(const json::object& test_keys, const protocol::TargetUrl& input);

  // Requests in the order in which they were made (OONI's list is in reverse); borrowed.
  [[nodiscard]] const std::vector<const json::object*>& requests() const noexcept {
    return requests_;
  }
  // By the tag depth=N; else by the request at that place, or the name's first depth; else 0.
  [[nodiscard]] std::uint32_t depth_of(const json::object& event, std::string_view host) const;
  // nullptr: the event belongs to no transaction that is known.
  [[nodiscard]] const Flow* of(const json::object& event) const;
  // The name under which an address was met: of its transaction, of the answers, of the input.
  [[nodiscard]] std::string host_at(const json::object& event, const IpAddress& address) const;
  // Where a request without an address of its own must have gone: the first connection to that name
  // and port that fits; nullptr when there was none.
  [[nodiscard]] const Flow* flow_for(std::string_view host, std::uint16_t port) const;
  // Answers of the system resolver.
  [[nodiscard]] bool is_from_system(const IpAddress& address) const;

 private:
  void read_connects(const json::object& test_keys);
  void read_handshakes(const json::object& test_keys);
  void read_requests(const json::object& test_keys);
  void read_queries(const json::object& test_keys);
  void read_network_events(const json::object& test_keys);
  Flow& flow(const json::object& event, const std::optional<Endpoint>& endpoint);

  std::string input_host_;
  std::vector<const json::object*> requests_;
  std::map<std::string, std::uint32_t, std::less<>> depths_;  // first depth of a name
  std::map<std::int64_t, Flow> by_transaction_;
  std::map<Endpoint, Flow> by_endpoint_;  // events without a transaction: version 0.4
  std::map<IpAddress, std::string> names_;
  std::map<IpAddress, bool> from_system_;
};

[[nodiscard]] std::optional<std::int64_t> transaction_of(const json::object& event);
// "ip:port", or nullopt.
[[nodiscard]] std::optional<Endpoint> endpoint_of(std::string_view text);
// A name in the form that records take (lower case, no dot at the end) or an address; else nullopt.
[[nodiscard]] std::optional<std::string> host_of(std::string_view text);

}  // namespace kua::collector::ooni
