"""The lab's own places in 198.18.0.0/15, 203.0.113.0/24 and 2001:db8::/32. Scenarios have the rest."""
from __future__ import annotations

import ipaddress

from .scenario import Probe

# Declared routable by the lab's signed list; everything else about bogons stays on.
ROUTABLE = ("198.18.0.0/15", "203.0.113.0/24", "2001:db8::/32")

DEFAULT_PROBE = Probe("p1", "198.18.1.0/24", 64500, "KZ", "fixed")

# The home network, the same in every home.
INSIDE4, GATEWAY4, INSIDE4_LENGTH = "192.168.1.2", "192.168.1.1", 24
TUNNELS = "198.19.70.0/24"   # where the traffic of VPNs comes out

HOPS = tuple((f"198.18.254.{i}", f"2001:db8:fe::{i}") for i in range(1, 5))

RESOLVER = ("198.18.0.53", "2001:db8:0:53::1")           # the network's own
CONTROL = ("198.19.20.2", "2001:db8:20::2")              # the control vantage
CONTROL_ASN, CONTROL_COUNTRY = 64999, "DE"
CONTROL_RESOLVER = ("198.19.20.53", "2001:db8:20::53")
PORTAL = "198.18.0.80"
PORTAL_PORT = 80
COLLECTOR = ("198.19.80.1", "2001:db8:80::1")
COLLECTOR_PROBES_PORT, COLLECTOR_PUBLIC_PORT, COLLECTOR_DESK_PORT = 9779, 9778, 9780
WITNESSES = (("198.19.90.1", "2001:db8:90::1"), ("198.19.90.2", "2001:db8:90::2"))
NO_RESOLVERS = (("198.19.91.1", "2001:db8:91::1"), ("198.19.91.2", "2001:db8:91::2"))
INTERCEPTOR = ("198.19.66.1", "2001:db8:66::1")          # ends hijacked connections

# Trusted resolvers: (name, DoH host, addresses). What the control vantage asks of them is answered by
# the addresses beside, which may tell it something else.
TRUSTED = (
    ("trusted-1", "doh-1.trusted.example", ("198.19.53.1", "2001:db8:53::1")),
    ("trusted-2", "doh-2.trusted.example", ("198.19.53.2", "2001:db8:53::2")),
)
TRUSTED_FOR_CONTROL = (("198.19.54.1", "2001:db8:54::1"), ("198.19.54.2", "2001:db8:54::2"))

HARMLESS_NAME = "harmless.example"

# Control targets of link_state; (host, addresses).
NATIONAL = tuple((f"{name}.national.example", (f"198.18.9.{10 + i}",))
                 for i, name in enumerate(("bank", "gov", "post")))
INTERNATIONAL = tuple((f"control-{i}.example", (f"203.0.113.{248 + i}",)) for i in range(1, 4))

# Twins of sites that answer the control vantage differently live here, one address after the other.
TWIN4, TWIN6 = "198.19.128.0/17", "2001:db8:7700::/48"


def _reserved() -> list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]]:
    own = [("home network", INSIDE4), ("gateway", GATEWAY4), ("tunnels", TUNNELS), ("portal", PORTAL)]
    for owner, group in (("hops", HOPS), ("witnesses", WITNESSES), ("addresses without a resolver", NO_RESOLVERS),
                         ("trusted resolvers", TRUSTED_FOR_CONTROL), ("collector", (COLLECTOR,)),
                         ("resolver", (RESOLVER, CONTROL_RESOLVER)), ("control vantage", (CONTROL,)),
                         ("interceptor", (INTERCEPTOR,))):
        own += [(owner, address) for pair in group for address in pair]
    own += [("trusted resolvers", address) for _, _, pair in TRUSTED for address in pair]
    own += [("twins of sites", TWIN4), ("twins of sites", TWIN6)]
    return [(ipaddress.ip_network(address), owner) for owner, address in own]


RESERVED = _reserved()


def reserved_for(address: str) -> str | None:
    """Whose address it is, where it is one of the lab's own."""
    wanted = ipaddress.ip_address(address)
    for network, owner in RESERVED:
        if wanted.version == network.version and wanted in network:
            return owner
    return None


def home_address(prefix: str) -> str:
    """The public address of the home in a probe's prefix."""
    return str(ipaddress.ip_network(prefix)[2])


def tunnel_address(index: int) -> str:
    """Where the VPN of home number `index` comes out."""
    return str(ipaddress.ip_network(TUNNELS)[2 + index])


def home_address6(index: int) -> tuple[str, str]:
    """(machine, gateway) of home number `index`."""
    return f"2001:db8:{0x100 + index:x}::2", f"2001:db8:{0x100 + index:x}::1"
