// Which resolvers the system asks, and whose they are: only answers of the network's own resolver can
// accuse the network.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/vantage.h"

namespace kua::probe {

// The `nameserver` lines of resolv.conf(5), in order; zone indices are cut off, what cannot be read is
// skipped. glibc uses three; so do we.
[[nodiscard]] std::vector<Endpoint> read_resolv_conf(std::string_view text);

// The resolvers of the file. Where it names only systemd-resolved's stub, those behind the stub: the
// stub's cache would hide what the network answers. Errors: not_found, io.
[[nodiscard]] Expected<std::vector<Endpoint>> load_system_resolvers(const std::string& resolv_conf);

// What the addresses alone say. `third_party` for the well-known public services and for those in
// `trusted`; `unknown` for a mixture, for none, and for one on the home network, which may forward to
// anybody: resolver_probe.h finds out more about that.
[[nodiscard]] ResolverClass classify_resolvers(std::span<const Endpoint> resolvers,
                                               std::span<const IpAddress> trusted);

}  // namespace kua::probe
