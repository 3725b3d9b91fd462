// What each format has no place for travels in the other as one member: facts of OONI's in `ooni`
// of an observation, facts of ours in `x_kua` of an event, which consumers of OONI data pass over.
// Both are small, and read as anybody's claim. Private to this folder.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/ooni/json.h"
#include "measurement/observation.h"

namespace kua::collector::ooni {

inline constexpr std::string_view kOoniMember = "ooni";
inline constexpr std::string_view kKuaMember = "x_kua";

// Puts tags, transaction and the words of `event` that we fold into others behind the step's
// members.
void keep_ooni_members(const json::object& event, UnknownMembers& out);
// What was kept; an empty object where nothing was.
[[nodiscard]] json::object kept_ooni_members(const UnknownMembers& unknown);
[[nodiscard]] std::optional<std::int64_t> ooni_transaction(const UnknownMembers& unknown);

// From `x_kua` of an event that we exported once. A member of another form is passed over.
void read_kua_members(const json::object& event, Lookup& step);
void read_kua_members(const json::object& event, Connect& step);
void read_kua_members(const json::object& event, TlsHandshake& step);
void read_kua_members(const json::object& event, HttpRoundTrip& step);
void read_kua_members(const json::object& event, QuicHandshake& step);

[[nodiscard]] json::object kua_members(const Lookup& step);
[[nodiscard]] json::object kua_members(const Connect& step);
[[nodiscard]] json::object kua_members(const TlsHandshake& step);
[[nodiscard]] json::object kua_members(const HttpRoundTrip& step);
[[nodiscard]] json::object kua_members(const QuicHandshake& step);

}  // namespace kua::collector::ooni
