"""What resolvers say: zone files and configurations for unbound. Each resolver is a process of its own
that is authoritative for the whole small internet, so that no question ever leaves it."""
from __future__ import annotations

import pathlib

from . import addresses as places
from .names import is_ip4
from .nat64 import nat64_address
from .scenario import Site

HEAD = """$TTL 60
. IN SOA ns.lab. admin.lab. 1 3600 600 86400 60
. IN NS ns.lab.
ns.lab. IN TXT "the lab"
"""

CONFIG = """server:
  directory: "{directory}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-daemonize: no
  use-systemd: no
  num-threads: 1
  msg-cache-size: 64k
  rrset-cache-size: 64k
  module-config: "iterator"
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  do-not-query-localhost: no
  aggressive-nsec: no
  minimal-responses: yes
  local-zone: "localhost." nodefault
{interfaces}{doh}{local}
auth-zone:
  name: "."
  zonefile: "{zone}"
  for-downstream: yes
  for-upstream: yes
  fallback-enabled: no
{broken}remote-control:
  control-enable: no
"""

# A zone whose only source is a port where nobody listens: the resolver has no data and says SERVFAIL.
BROKEN_ZONE = """auth-zone:
  name: "{name}."
  zonefile: "{zone}.none"
  primary: 127.0.0.1@1
  for-downstream: yes
  fallback-enabled: no
"""


def records(name: str, addresses: tuple[str, ...]) -> list[str]:
    lines = [f"{name}. IN {'A' if is_ip4(address) else 'AAAA'} {address}" for address in addresses]
    return lines or [f'{name}. IN TXT "no address"']


def true_data(sites: list[Site]) -> dict[str, list[str]]:
    """Zone lines by name."""
    data: dict[str, list[str]] = {}
    for site in sites:
        for host in site.hosts:
            if site.cname:
                data[host] = [f"{host}. IN CNAME {site.cname}."]
                data[site.cname] = records(site.cname, site.addresses)
            else:
                data[host] = records(host, site.addresses)
    for _, host, pair in places.TRUSTED:
        data.setdefault(host, records(host, pair))
    return data


def with_nat64(data: dict[str, list[str]]) -> dict[str, list[str]]:
    """DNS64: names without an IPv6 address get one under 64:ff9b::/96."""
    out = {}
    for name, lines in data.items():
        has_six = any(" IN AAAA " in line for line in lines)
        made = [f"{name}. IN AAAA {nat64_address(line.split()[-1])}" for line in lines if " IN A " in line]
        out[name] = lines + ([] if has_six else made)
    return out


class Resolver:
    """One unbound: where it listens and what it says."""

    def __init__(self, name: str, addresses: list[str], data: dict[str, list[str]],
                 overrides: dict[str, str | tuple[str, ...]] | None = None,
                 doh: tuple[pathlib.Path, pathlib.Path] | None = None):
        self.name, self.addresses, self.doh = name, addresses, doh
        self.data = dict(data)
        self.local: list[str] = []
        self.broken: list[str] = []
        for host, answer in (overrides or {}).items():
            self._override(host, answer)

    def _override(self, host: str, answer: str | tuple[str, ...]) -> None:
        match answer:
            case "nxdomain":
                self.data.pop(host, None)
                below = [name for name in self.data if name.endswith("." + host)]
                if below:  # otherwise the name would exist as a branch of theirs
                    self._local(host, "always_nxdomain", below)
            case "refused":
                self._local(host, "always_refuse")
            case "silent":
                self._local(host, "deny")
            case "servfail":
                self.broken.append(host)
            case _:
                self.data[host] = records(host, tuple(answer))

    def _local(self, host: str, kind: str, below: list[str] | None = None) -> None:
        self.local.append(f'  local-zone: "{host}." {kind}')
        for name in below if below is not None else [n for n in self.data if n.endswith("." + host)]:
            self.local.append(f'  local-zone: "{name}." always_transparent')

    def write(self, directory: pathlib.Path) -> pathlib.Path:
        """Writes zone and configuration; returns the latter's path."""
        zone = directory / f"{self.name}.zone"
        zone.write_text(HEAD + "\n".join(line for lines in self.data.values() for line in lines) + "\n")
        interfaces = "".join(f"  interface: {address}@53\n" for address in self.addresses)
        doh = ""
        if self.doh:
            interfaces += "".join(f"  interface: {address}@443\n" for address in self.addresses)
            doh = (f'  https-port: 443\n  http-endpoint: "/dns-query"\n  tls-service-pem: "{self.doh[0]}"\n'
                   f'  tls-service-key: "{self.doh[1]}"\n')
        broken = "".join(BROKEN_ZONE.format(name=name, zone=zone) for name in self.broken)
        path = directory / f"{self.name}.conf"
        path.write_text(CONFIG.format(directory=directory, interfaces=interfaces, doh=doh,
                                      local="\n".join(self.local), zone=zone, broken=broken))
        return path
