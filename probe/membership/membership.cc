#include "probe/membership/membership.h"

#include <boost/json.hpp>

namespace kua::probe {
namespace {

namespace json = boost::json;

Expected<Membership> parse_membership(std::string_view bytes, const std::string& doing) {
  boost::system::error_code problem;
  const json::value document = json::parse(bytes, problem);
  const json::object* object = problem ? nullptr : document.if_object();
  const json::value* link = object == nullptr ? nullptr : object->if_contains("link");
  const json::value* joined = object == nullptr ? nullptr : object->if_contains("joined");
  if (link == nullptr || !link->is_string() || joined == nullptr || !joined->is_string()) {
    return fail(ErrorKind::invalid_input, "not a join file; give the link again: kua-probe join kua://…",
                doing);
  }
  Membership membership;
  membership.link_text = std::string(link->get_string());
  auto parsed = protocol::read_join_link(membership.link_text);
  if (!parsed) return fail(ErrorKind::invalid_input, parsed.error().text(), doing);
  membership.link = std::move(*parsed);
  membership.joined = parse_rfc3339(joined->get_string()).value_or(WallTime{});
  if (const json::value* network = object->if_contains("network"); network != nullptr) {
    auto answer = protocol::read_enrolment_answer(json::serialize(*network));
    if (answer) membership.network = *answer;
  }
  return membership;
}

}  // namespace

Expected<std::optional<Membership>> read_membership(const StateDirectory& state) {
  const auto bytes = state.read(kJoinFile);
  if (!bytes) {
    if (bytes.error().kind == ErrorKind::not_found) return std::optional<Membership>();
    return std::unexpected(bytes.error());
  }
  auto membership = parse_membership(*bytes, "reading " + state.path_of(kJoinFile));
  if (!membership) return std::unexpected(membership.error());
  return std::optional<Membership>(std::move(*membership));
}

Expected<void> write_membership(const StateDirectory& state, const Membership& membership) {
  json::object object{{"link", membership.link_text}, {"joined", to_rfc3339(membership.joined)}};
  if (membership.network) {
    boost::system::error_code problem;
    object["network"] = json::parse(protocol::write_enrolment_answer(*membership.network), problem);
    if (problem) return fail(ErrorKind::internal, problem.message(), "writing the join file");
  }
  return state.write(kJoinFile, json::serialize(object) + "\n");
}

}  // namespace kua::probe
