// Observations as OONI's archival events. Private to this folder.
#pragma once

#include "collector/ooni/json.h"
#include "measurement/record.h"

namespace kua::collector::ooni {

// Adds queries, tcp_connect, tls_handshakes, requests, network_events, x_doh and
// x_dns_duplicate_responses, each a list even where it is empty.
void export_steps(const Measurement& measurement, json::object& test_keys);

// MaybeBinaryData: a text where the bytes are valid UTF-8, else base64.
[[nodiscard]] json::value maybe_binary(std::string_view bytes);

}  // namespace kua::collector::ooni
