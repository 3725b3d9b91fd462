"""Which server answers where: the sites of a scenario, the lab's own sites, and the twins that the
control vantage meets, as a table of listeners."""
from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace

from . import addresses as places
from .names import is_ip4
from .scenario import Answer, Scenario, Site

HTTP_PORTS = (80, 8000, 8080)


@dataclass(frozen=True)
class VirtualHost:
    key: str          # what the origin server looks its answers up by
    site: Site


@dataclass
class Listener:
    """One address and TCP port; the first virtual host also answers for unknown names."""
    address: str
    port: int
    hosts: list[VirtualHost] = field(default_factory=list)

    @property
    def tls(self) -> bool:
        return self.port not in HTTP_PORTS

    @property
    def ours(self) -> bool:
        """Served by the lab's own server: nginx would not do what is asked."""
        first = self.hosts[0].site
        return first.proxy or (first.https if self.tls else first.http).body == "garbage"


@dataclass
class Hosting:
    listeners: dict[tuple[str, int], Listener] = field(default_factory=dict)
    hosts: dict[str, VirtualHost] = field(default_factory=dict)
    quic: list[tuple[str, VirtualHost]] = field(default_factory=list)  # first HTTP/3 host of an address
    quic_aliases: dict[str, str] = field(default_factory=dict)         # where its UDP 443 really is
    addresses: set[str] = field(default_factory=set)                   # to be configured
    aliases: dict[str, str] = field(default_factory=dict)              # for the control vantage
    sites: list[Site] = field(default_factory=list)
    control_sites: list[Site] = field(default_factory=list)            # as its resolvers tell them

    @property
    def names_differ(self) -> bool:
        """Whether the control vantage is told other addresses than the probes."""
        return any(one.addresses != other.addresses for one, other in zip(self.sites, self.control_sites))

    def add(self, address: str, host: VirtualHost) -> None:
        if ipaddress.ip_address(address).is_loopback or ipaddress.ip_address(address).is_unspecified:
            return  # answered by resolvers, served by nobody
        self.hosts[host.key] = host
        self.addresses.add(address)
        for port in host.site.ports:
            self.listeners.setdefault((address, port), Listener(address, port)).hosts.append(host)
        if host.site.quic and address not in (known for known, _ in self.quic):
            self.quic.append((address, host))


def simple_site(host: str, addresses: tuple[str, ...], **more) -> Site:
    return Site(hosts=(host,), addresses=addresses, **more)


def lab_sites(scenario: Scenario) -> list[Site]:
    """Control targets, witnesses and the harmless name, unless the scenario describes them itself."""
    described = {host for site in scenario.sites for host in site.hosts}
    page = Answer(body_bytes=400)
    # Like real ones they send plain requests on to themselves: whatever else answers is a portal.
    onward = Answer(status=301, location="https://{host}{path}", body_bytes=0)
    sites = [simple_site(host, pair, http=onward, https=page) for host, pair in places.NATIONAL + places.INTERNATIONAL]
    witness_addresses = tuple(address for pair in places.WITNESSES for address in pair)
    # Where nothing speaks HTTP/3 witnesses need not either: caddy takes a second to start.
    quic = any(site.quic for site in scenario.sites)
    sites.append(Site(hosts=("witness.example", places.HARMLESS_NAME), addresses=witness_addresses, https=page,
                      quic=quic))
    return [site for site in sites if not described.intersection(site.hosts)]


def portal_site() -> Site:
    """What everybody meets behind a captive portal."""
    login = Answer(title="Log in to the network", body_bytes=600)
    away = Answer(status=302, location="http://login.portal.example/", body_bytes=0)
    return Site(hosts=("login.portal.example",), addresses=(places.PORTAL,), ports=(places.PORTAL_PORT,),
                http=login, paths=(("/*", away),))


def build(scenario: Scenario) -> Hosting:
    hosting = Hosting()
    sites = list(scenario.sites) + lab_sites(scenario)
    twins4 = ipaddress.ip_network(places.TWIN4).hosts()
    twins6 = ipaddress.ip_network(places.TWIN6).hosts()
    for number, site in enumerate(sites):
        host = VirtualHost(f"site{number}", replace(site, to_control=None))
        hosting.sites.append(host.site)
        for address in site.addresses:
            hosting.add(address, host)
    hosting.add(places.PORTAL, VirtualHost("portal", portal_site()))
    told_apart = {address for site in sites if site.to_control for address in site.addresses
                  if site.to_control.addresses == site.addresses}
    for address in sorted(told_apart):
        hosting.aliases[address] = str(next(twins4 if is_ip4(address) else twins6))
    for number, site in enumerate(sites):
        seen = site.to_control or site
        host = VirtualHost(f"control{number}", replace(seen, to_control=None))
        hosting.control_sites.append(host.site)
        for address in seen.addresses:
            if address in hosting.aliases:
                hosting.add(hosting.aliases[address], host)
            elif site.to_control and address not in site.addresses:
                hosting.add(address, host)
    for address, _ in hosting.quic:
        hosting.quic_aliases[address] = str(next(twins4 if is_ip4(address) else twins6))
    return hosting
