"""One small internet, alive: namespaces, forwarder, servers and resolvers of one scenario."""
from __future__ import annotations

import asyncio
import json
import pathlib
import socket
import struct
import subprocess
import time
from collections.abc import Callable

from . import addresses as places
from . import frontends, hosting, netns, plan, zones
from .certificates import TRUSTED_ROOT, Certificates
from .hosting import VirtualHost
from .names import is_ip4
from .origin import Origin
from .relays import Relays
from .scenario import Scenario

READY_SECONDS = 20


class WorldError(Exception):
    """A part of the lab did not come up; the text names the log to read."""


def dns_query(name: str, kind: int = 1, number: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


class World:
    def __init__(self, scenario: Scenario, directory: pathlib.Path, certificates: Certificates,
                 forwarder: pathlib.Path):
        self.scenario, self.directory, self.certificates = scenario, directory, certificates
        self.forwarder_program = forwarder
        self.hosting = hosting.build(scenario)
        self.processes: list[subprocess.Popen] = []
        self.forwarder: subprocess.Popen | None = None
        self.loop: netns.NamespaceLoop | None = None
        self.socket = directory / "origin.sock"

    # Coming up.

    def start(self) -> None:
        homes = [plan.home_name(index) for index in range(len(self.scenario.probes))]
        for name in ["world", "control"] + homes:
            netns.make(name)
        self._start_forwarder()
        self._address_world()
        self._address_end("control", places.CONTROL)
        for index, name in enumerate(homes):
            self._address_home(index, name)
        self.loop = netns.NamespaceLoop("world")
        self._start_servers()
        resolvers = self._start_resolvers()
        self._wait_until_ready(resolvers)

    def start_run(self) -> None:
        """From here rules and outages count their seconds."""
        self.forwarder.stdin.write(b"start\n")
        self.forwarder.stdin.flush()

    def spawn(self, name: str, command: list[str], **more) -> subprocess.Popen:
        """Starts a program whose output goes to a log of its name."""
        with (self.directory / f"{name}.log").open("ab") as log:
            more.setdefault("stdin", subprocess.DEVNULL)
            more.setdefault("stdout", log)
            process = subprocess.Popen(command, stderr=log, **more)
        self.processes.append(process)
        return process

    def _start_forwarder(self) -> None:
        path = self.directory / "plan.json"
        path.write_text(json.dumps(plan.build(self.scenario, self.hosting, self.directory), indent=1))
        self.forwarder = self.spawn("forwarder", [str(self.forwarder_program), str(path)],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.forwarder.stdout.readline() != b"ready\n":
            raise WorldError(f"the forwarder did not start: {(self.directory / 'forwarder.log').read_text()}")

    def _address_world(self) -> None:
        own = list(places.RESOLVER) + list(places.CONTROL_RESOLVER) + list(places.COLLECTOR)
        own += list(places.INTERCEPTOR) + [address for pair in places.NO_RESOLVERS for address in pair]
        own += [address for _, _, pair in places.TRUSTED for address in pair]
        own += [address for pair in places.TRUSTED_FOR_CONTROL for address in pair]
        self._add_addresses("world", "net0", own + sorted(self.hosting.addresses) +
                            sorted(self.hosting.quic_aliases.values()))

    def _address_end(self, namespace: str, addresses: tuple[str, ...]) -> None:
        self._add_addresses(namespace, "wan0", list(addresses))

    @staticmethod
    def _add_addresses(namespace: str, device: str, addresses: list[str]) -> None:
        lines = [f"addr add {address}/{32 if is_ip4(address) else 128} dev {device}" +
                 ("" if is_ip4(address) else " nodad") for address in addresses]
        netns.batch(namespace, lines + [f"link set {device} up", f"route add default dev {device}",
                                        f"route add ::/0 dev {device}"])

    def _address_home(self, index: int, name: str) -> None:
        given = self.scenario.line
        lines = []
        if not given.nat64:
            lines += [f"addr add {places.INSIDE4}/{places.INSIDE4_LENGTH} dev wan0"]
        if given.ipv6 != "absent":
            machine, gateway6 = places.home_address6(index)
            lines += [f"addr add {machine}/64 dev wan0 nodad"]
        lines += ["link set wan0 up"]
        if given.vpn:
            lines += [f"addr add {places.tunnel_address(index)}/32 dev wg0", "link set wg0 up",
                      "route add default dev wg0"]
        else:
            if not given.nat64:
                lines += [f"route add default via {places.GATEWAY4} dev wan0"]
            if given.ipv6 != "absent":
                lines += [f"route add ::/0 via {gateway6} dev wan0"]
        netns.batch(name, lines)

    def certificate_of(self, host: VirtualHost) -> tuple[pathlib.Path, pathlib.Path]:
        return self.certificates.leaf(host.site.hosts, host.site.certificate)

    def where_is(self, host: str) -> str | None:
        """The first true address of a name."""
        for site in self.hosting.sites:
            if host in site.hosts and not site.proxy and site.addresses:
                return site.addresses[0]
        return None

    def _start_servers(self) -> None:
        self.loop.run(Origin(self.hosting.hosts).serve(str(self.socket)))
        self.loop.run(self._keep_silent())
        relays = Relays(self.where_is, self.certificate_of)
        for listener in self.hosting.listeners.values():
            if listener.ours:
                self.loop.run(relays.listen(listener))
        for number, rule in enumerate(self.scenario.censor):
            if rule.act["kind"] == "mitm":
                default = rule.match.get("sni") or next(
                    (site.hosts[0] for site in self.scenario.sites
                     if rule.match.get("address", "/").split("/")[0] in site.addresses), None)
                if default and default.startswith("*."):
                    default = None
                root = rule.act["root"]
                self.loop.run(relays.intercept(places.INTERCEPTOR, plan.INTERCEPTOR_FIRST_PORT + number, default,
                                               lambda name, root=root: self._forge(name, root)))
        nginx = frontends.write_nginx(self.directory, self.hosting, self.certificate_of, self.socket)
        self.spawn("nginx", netns.inside("world") + ["nginx", "-e", str(self.directory / "nginx.error.log"),
                                                     "-p", str(self.directory), "-c", str(nginx)])
        if self.hosting.quic:
            caddy = frontends.write_caddy(self.directory, self.hosting, self.certificate_of, self.socket)
            home = {"HOME": str(self.directory), "PATH": "/usr/bin:/bin"}
            self.spawn("caddy", netns.inside("world") + ["caddy", "run", "--config", str(caddy)], env=home)

    @staticmethod
    async def _keep_silent() -> None:
        """Addresses that run no resolver take questions and never answer: a port that is closed would
        say so at the same moment as an injected answer comes, which no network does."""
        for pair in places.NO_RESOLVERS:
            for address in pair:
                await asyncio.get_running_loop().create_datagram_endpoint(
                    asyncio.DatagramProtocol, local_addr=(address, 53))

    def _forge(self, name: str, root: str) -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate with the names of the true one, under another root."""
        hosts = next((site.hosts for site in self.hosting.sites if name in site.hosts), (name,))
        return self.certificates.leaf(hosts, "valid", root)

    def _start_resolvers(self) -> list[zones.Resolver]:
        true = zones.true_data(self.hosting.sites)
        told = zones.with_nat64(true) if self.scenario.line.nat64 else true
        doh = self.certificates.leaf(tuple(host for _, host, _ in places.TRUSTED), "valid")
        trusted = [address for _, _, pair in places.TRUSTED for address in pair]
        resolvers = [zones.Resolver("resolver", list(places.RESOLVER), told, self.scenario.resolver)]
        if self.hosting.names_differ:
            other = zones.true_data(self.hosting.control_sites)
            control = [address for pair in places.TRUSTED_FOR_CONTROL for address in pair]
            resolvers += [zones.Resolver("trusted", trusted, true, doh=doh),
                          zones.Resolver("control-resolver", control + list(places.CONTROL_RESOLVER), other, doh=doh)]
        else:
            resolvers += [zones.Resolver("trusted", trusted + list(places.CONTROL_RESOLVER), true, doh=doh)]
        for resolver in resolvers:
            path = resolver.write(self.directory)
            self.spawn(resolver.name, netns.inside("world") + ["unbound", "-d", "-p", "-c", str(path)])
        return resolvers

    # Being up.

    def _wait_until_ready(self, resolvers: list[zones.Resolver]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for resolver in resolvers:
            self.wait_for(f"{resolver.name}.log", deadline, lambda address=resolver.addresses[0]: self._answers(address))
        for listener in self.hosting.listeners.values():
            if not listener.ours:
                self.wait_for("nginx.error.log", deadline,
                              lambda where=(listener.address, listener.port): self.accepts(*where))
                break
        if self.hosting.quic:
            self.wait_for("caddy.log", deadline, lambda: "serving initial configuration" in
                          (self.directory / "caddy.log").read_text(errors="replace"))

    def wait_for(self, log: str, deadline: float, ready: Callable[[], bool]) -> None:
        while not ready():
            if time.monotonic() > deadline:
                text = (self.directory / log).read_text(errors="replace") if (self.directory / log).exists() else ""
                raise WorldError(f"a server did not come up, {log} ends with: {text[-500:]}")
            time.sleep(0.02)

    def accepts(self, address: str, port: int, namespace: str = "world") -> bool:
        async def connect() -> bool:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 1)
            except (OSError, asyncio.TimeoutError):
                return False
            writer.close()
            return True
        return self.loop.run(connect())

    def _answers(self, address: str) -> bool:
        def ask() -> bool:
            with socket.socket(socket.AF_INET if is_ip4(address) else socket.AF_INET6, socket.SOCK_DGRAM) as asker:
                asker.settimeout(0.2)
                try:
                    asker.sendto(dns_query("ns.lab", 16), (address, 53))
                    return bool(asker.recv(4096))
                except OSError:
                    return False
        return self.loop.call(ask)

    def trusted_root(self) -> pathlib.Path:
        return self.certificates.root(TRUSTED_ROOT)

    def died(self) -> list[str]:
        """Programs that ended although nobody asked them to."""
        return [f"{process.args[-1]} ended with {process.poll()}" for process in self.processes
                if process.poll() is not None]
