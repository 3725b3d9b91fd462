"""The worlds of the self-test, and what must be seen in each: (claim, what was seen and what is wanted)."""
from __future__ import annotations

import time

from . import addresses as places

CENSORED = """
sites:
  - {host: www.example.com, addresses: [203.0.113.10, "2001:db8::10"]}
  - {host: [open.example, other.example], addresses: [203.0.113.11], https: {status: 403, title: Denied, headers: {Server: x}}}
  - {host: drop.example, addresses: [203.0.113.12]}
  - {host: fin.example, addresses: [203.0.113.13]}
  - {host: alert.example, addresses: [203.0.113.14]}
  - {host: mitm.example, addresses: [203.0.113.15]}
  - {host: page.example, addresses: [203.0.113.16]}
  - {host: big.example, addresses: [203.0.113.17], https: {body_bytes: 400000}}
  - {host: slow.example, addresses: [203.0.113.18], https: {body_bytes: 40000}}
  - {host: residual.example, addresses: [203.0.113.19]}
  - {host: [sub.wild.example, wild.example], addresses: [203.0.113.20]}
  - {host: quiet.example, addresses: [203.0.113.21]}
  - {host: away.example, addresses: [203.0.113.22]}
  - {host: far.example, addresses: [203.0.113.23]}
  - {host: beside.example, addresses: [203.0.113.24]}
censor:
  - {match: {sni: www.example.com}, act: reset}
  - {match: {sni: drop.example}, act: drop}
  - {match: {sni: fin.example}, act: fin}
  - {match: {sni: alert.example}, act: alert}
  - {match: {sni: mitm.example}, act: {mitm: {root: Forger Root}}}
  - {match: {host: page.example}, act: {blockpage: {status: 451, title: Stop, location: "http://block.example/"}}}
  - {match: {sni: big.example}, act: {freeze_after_bytes: 16000}}
  - {match: {sni: slow.example}, act: {rate_kbps: 400}}
  - {match: {sni: residual.example}, act: reset, residual_seconds: 1}
  - {match: {sni: "*.wild.example"}, act: reset}
  - {match: {address: 203.0.113.21, port: 443}, act: refuse}
  - {match: {address: 203.0.113.21, port: 80}, act: drop}
  - {match: {address: 203.0.113.22}, act: icmp_prohibited}
  - {match: {address: 203.0.113.23}, act: {delay_ms: 200}}
  - {match: {sni: beside.example}, act: reset, on_path: true, hop: 4}
  - {match: {contains: forbidden-word}, act: reset}
  - {match: {qname: forged.example}, act: {forge_dns: [10.10.34.34]}}
  - {match: {qname: gone.example}, act: {forge_dns: nxdomain}}
  - {match: {qname: mute.example}, act: drop}
"""


def timed(seen, low: float, high: float) -> tuple[str, str]:
    inside = low <= seen.seconds <= high
    return (str(seen) if inside else f"{seen} in {seen.seconds:.2f} s"), "ok 200"


def residual(bench) -> tuple[list[str], list[str]]:
    at = "203.0.113.19"
    first = str(bench.https(at, "residual.example"))
    second = str(bench.https(at, "other.example"))
    time.sleep(1.1)
    return [first, second, str(bench.http(at, "other.example"))], ["reset handshake", "refused connect", "ok 200"]


CENSORED_CASES = [
    ("a reset follows the name in the ClientHello",
     lambda b: (str(b.https("203.0.113.10", "www.example.com")), "reset handshake")),
    ("the same holds over IPv6", lambda b: (str(b.https("2001:db8::10", "www.example.com")), "reset handshake")),
    ("another name at the same address gets through as far as its certificate",
     lambda b: (str(b.https("203.0.113.10", "open.example")), "untrusted handshake")),
    ("plain HTTP to the blocked host passes", lambda b: (str(b.http("203.0.113.10", "www.example.com")), "ok 200")),
    ("a site answers as written, under each of its names",
     lambda b: ([str(b.https("203.0.113.11", host)) for host in ("open.example", "other.example")], ["ok 403"] * 2)),
    ("its headers are as written", lambda b: (b"Server: x\r\n" in b.https("203.0.113.11", "open.example").body, True)),
    ("drop is silence after the ClientHello", lambda b: (str(b.https("203.0.113.12", "drop.example")), "timeout handshake")),
    ("fin ends the connection", lambda b: (str(b.https("203.0.113.13", "fin.example")), "eof handshake")),
    ("alert is a TLS alert", lambda b: (str(b.https("203.0.113.14", "alert.example")), "alert handshake")),
    ("a forged chain is not trusted", lambda b: (str(b.https("203.0.113.15", "mitm.example")), "untrusted handshake")),
    ("the forged chain ends in its own root and carries the site's names", lambda b: forged_chain(b)),
    ("a block page replaces the answer", lambda b: (str(b.http("203.0.113.16", "page.example")), "ok 451")),
    ("a block page leads where it says",
     lambda b: (b"Location: http://block.example/" in b.http("203.0.113.16", "page.example").body, True)),
    ("a transfer freezes", lambda b: (str(b.https("203.0.113.17", "big.example")), "timeout answer")),
    ("a rate holds a transfer back", lambda b: timed(b.https("203.0.113.18", "slow.example", seconds=5), 0.6, 4)),
    ("residual blocking fails everything at the address for its time", residual),
    ("a wildcard means what is below", lambda b: (
        [str(b.https("203.0.113.20", host)) for host in ("sub.wild.example", "wild.example")],
        ["reset handshake", "ok 200"])),
    ("refuse answers the SYN", lambda b: (str(b.tcp("203.0.113.21", 443)), "refused")),
    ("drop by address and port is silence", lambda b: (str(b.tcp("203.0.113.21", 80)), "timeout")),
    ("prohibited is an ICMP error", lambda b: (str(b.tcp("203.0.113.22", 443)), "unreachable")),
    ("a delay is added to each round trip", lambda b: timed(b.http("203.0.113.23", "far.example"), 0.35, 0.9)),
    ("a box beside the path resets as well",
     lambda b: (str(b.https("203.0.113.24", "beside.example")), "reset handshake")),
    ("a word in a segment is found", lambda b: (str(b.http("203.0.113.11", "open.example", "/forbidden-word")), "reset answer")),
    ("a forged answer comes first, the true one second",
     lambda b: (b.dns("forged.example"), ["10.10.34.34", "nxdomain"])),
    ("a forged answer hides the other family", lambda b: (b.dns("forged.example", 28), ["empty", "nxdomain"])),
    ("the injector answers for addresses without a resolver",
     lambda b: (b.dns("forged.example", resolver=places.NO_RESOLVERS[0][0])[:1], ["10.10.34.34"])),
    ("other names there meet nobody", lambda b: (b.dns("open.example", resolver=places.NO_RESOLVERS[0][0]), ["timeout"])),
    ("a forged NXDOMAIN", lambda b: (b.dns("gone.example")[0], "nxdomain")),
    ("a dropped question stays unanswered", lambda b: (b.dns("mute.example"), ["timeout"])),
    ("true names resolve in both families", lambda b: (
        b.dns("www.example.com") + b.dns("www.example.com", 28), ["203.0.113.10", "2001:db8::10"])),
    ("trusted resolvers answer over UDP", lambda b: (b.dns("www.example.com", resolver="198.19.53.1"), ["203.0.113.10"])),
    ("a name that is not listed does not exist", lambda b: (b.dns("nowhere.example"), ["nxdomain"])),
    ("the control vantage is not censored",
     lambda b: (str(b.https("203.0.113.10", "www.example.com", where="control")), "ok 200")),
    ("the path has a gateway and four hops with addresses", lambda b: (
        b.trace("203.0.113.10"), [places.GATEWAY4] + [pair[0] for pair in places.HOPS] + ["203.0.113.10"])),
    ("control targets exist without being listed", lambda b: (
        [str(b.https(pair[0], host)) for host, pair in places.NATIONAL + places.INTERNATIONAL], ["ok 200"] * 6)),
    ("a witness speaks TLS under any name",
     lambda b: (str(b.https(places.WITNESSES[0][0], "www.example.org")), "untrusted handshake")),
]


def forged_chain(bench) -> tuple[list[bool], list[bool]]:
    done = bench.run(["openssl", "s_client", "-connect", "203.0.113.15:443", "-servername", "mitm.example"])
    text = done.stdout
    return ["CN = Forger Root" in text or "CN=Forger Root" in text, "CN = mitm.example" in text or "CN=mitm.example" in text], [True, True]


SITES = """
sites:
  - {host: expired.example, addresses: [203.0.113.10], certificate: expired}
  - {host: self.example, addresses: [203.0.113.11], certificate: self_signed}
  - {host: wrong.example, addresses: [203.0.113.12], certificate: wrong_host}
  - {host: root.example, addresses: [203.0.113.13], certificate: untrusted_root}
  - {host: alias.example, cname: real.example, addresses: [203.0.113.14]}
  - {host: closed.example, addresses: [203.0.113.15], ports: [80]}
  - {host: none.example, addresses: []}
  - {host: here.example, addresses: [127.0.0.1]}
  - {host: loop.example, addresses: [203.0.113.16], paths: {"/redirect/*": {countdown: true}, "/short": {status: 302, location: "http://{host}{path}?x"}}}
  - {host: odd.example, addresses: [203.0.113.17], http: {status: 302, location: "http://[bad"}}
  - {host: geo.example, addresses: [203.0.113.18], to_control: {addresses: [203.0.113.19], https: {status: 418}}}
  - {host: two.example, addresses: [203.0.113.20], to_control: {https: {status: 503}}}
  - {host: proxy.isp.example, addresses: [198.18.5.17], proxy: true}
  - {host: endless.example, addresses: [203.0.113.21], body: endless}
  - {host: bomb.example, addresses: [203.0.113.22], body: bomb}
  - {host: garbage.example, addresses: [203.0.113.23], body: garbage}
  - {host: news.example, addresses: [203.0.113.24], body: changing}
  - {host: bücher.example, addresses: [203.0.113.25]}
  - {host: quic.example, addresses: [203.0.113.26], quic: true}
resolver: {nx.example: nxdomain, refused.example: refused, servfail.example: servfail, silent.example: silent,
  loop.example: [198.18.5.17], self.example: nxdomain, none.example: []}
"""

SITE_CASES = [
    ("certificates that fail do", lambda b: (
        [str(b.https(f"203.0.113.{10 + i}", host)) for i, host in
         enumerate(("expired.example", "self.example", "wrong.example", "root.example"))],
        ["untrusted handshake"] * 4)),
    ("an alias leads to its target", lambda b: (b.dns("alias.example") + b.dns("real.example"), ["203.0.113.14"] * 2)),
    ("ports that do not listen refuse", lambda b: (str(b.tcp("203.0.113.15", 443)), "refused")),
    ("a name without an address exists", lambda b: (b.dns("none.example", resolver="198.19.53.1"), ["empty"])),
    ("a loopback address is answered as such", lambda b: (b.dns("here.example"), ["127.0.0.1"])),
    ("a countdown counts down", lambda b: (
        b"Location: /redirect/2\r\n" in b.http("203.0.113.16", "loop.example", "/redirect/3").body
        and b.http("203.0.113.16", "loop.example", "/redirect/0").outcome == "ok", True)),
    ("a location may hold host and path",
     lambda b: (b"Location: http://loop.example/short?x\r\n" in b.http("203.0.113.16", "loop.example", "/short").body, True)),
    ("a malformed location goes out as it is",
     lambda b: (b"Location: http://[bad\r\n" in b.http("203.0.113.17", "odd.example").body, True)),
    ("the control vantage is told other addresses", lambda b: (
        [b.dns("geo.example", resolver="198.19.53.1"), b.dns("geo.example", resolver="198.19.53.1", where="control")],
        [["203.0.113.18"], ["203.0.113.19"]])),
    ("and meets another server there", lambda b: (str(b.https("203.0.113.19", "geo.example", where="control")), "ok 418")),
    ("a site may answer the control vantage differently under one address", lambda b: (
        [str(b.https("203.0.113.20", "two.example", where=where)) for where in ("home", "control")],
        ["ok 200", "ok 503"])),
    ("a proxy passes TLS through to the true site", lambda b: (str(b.https("198.18.5.17", "loop.example")), "ok 200")),
    ("a proxy passes HTTP through by host", lambda b: (str(b.http("198.18.5.17", "odd.example")), "ok 302")),
    ("an endless body does not end", lambda b: (
        len(b.https("203.0.113.21", "endless.example", bytes_max=2_000_000).body) >= 2_000_000, True)),
    ("a bomb is small on the wire and says gzip", lambda b: bomb(b)),
    ("garbage is no HTTP", lambda b: (
        [b.https("203.0.113.23", "garbage.example").body[:5] == b"HTTP/",
         b.http("203.0.113.23", "garbage.example").body[:5] == b"HTTP/"], [False, False])),
    ("a site with HTTP/3 also answers over TLS", lambda b: (str(b.https("203.0.113.26", "quic.example")), "ok 200")),
    ("and says so", lambda b: (b'h3=":443"' in b.https("203.0.113.26", "quic.example").body, True)),
    ("a changing page changes", lambda b: (
        b.https("203.0.113.24", "news.example").body == b.https("203.0.113.24", "news.example").body, False)),
    ("an international name is served under its A-label", lambda b: (
        b.dns("xn--bcher-kva.example") + [str(b.https("203.0.113.25", "xn--bcher-kva.example"))],
        ["203.0.113.25", "ok 200"])),
    ("the network's resolver says what it is told to", lambda b: (
        [b.dns(name)[0] for name in ("nx.example", "refused.example", "servfail.example", "silent.example",
                                     "loop.example", "self.example", "none.example")],
        ["nxdomain", "refused", "servfail", "timeout", "198.18.5.17", "nxdomain", "empty"])),
    ("the others stay true", lambda b: (b.dns("self.example", resolver="198.19.53.2"), ["203.0.113.11"])),
]


def bomb(bench) -> tuple[list[bool], list[bool]]:
    seen = bench.https("203.0.113.22", "bomb.example", seconds=5)
    return [b"Content-Encoding: gzip" in seen.body, len(seen.body) < 300_000], [True, True]


ONE = 'sites: [{host: www.example.com, addresses: [203.0.113.10, "2001:db8::10"]}]\n'

WORLDS = {
    "censored": (CENSORED, CENSORED_CASES),
    "sites": (SITES, SITE_CASES),
    "captive": (ONE + "line: {captive: true}", [
        ("every name leads to the login page", lambda b: (b.dns("www.example.com"), [places.PORTAL])),
        ("every request is sent to it", lambda b: (str(b.http("203.0.113.10", "www.example.com")), "ok 302")),
        ("the login page is there", lambda b: (str(b.http(places.PORTAL, "login.portal.example")), "ok 302")),
        ("the rest is refused", lambda b: (str(b.tcp("203.0.113.10", 443)), "refused")),
    ]),
    "broken-six": (ONE + "line: {ipv6: broken}", [
        ("nothing comes back over IPv6", lambda b: (str(b.tcp("2001:db8::10", 443)), "timeout")),
        ("IPv4 works", lambda b: (str(b.tcp("203.0.113.10", 443)), "ok")),
    ]),
    "no-six": (ONE + "line: {ipv6: absent}", [
        ("there is no IPv6", lambda b: (str(b.tcp("2001:db8::10", 443)), "unreachable")),
    ]),
    "dead-resolver": (ONE + "line: {resolver: dead}", [
        ("the network's resolver is silent", lambda b: (b.dns("www.example.com"), ["timeout"])),
        ("others answer", lambda b: (b.dns("www.example.com", resolver="198.19.53.1"), ["203.0.113.10"])),
    ]),
    "down": (ONE + "line: {down: {from_seconds: 0}}", [
        ("nothing passes", lambda b: (str(b.tcp("203.0.113.10", 443)), "timeout")),
        ("the gateway answers", lambda b: (str(b.tcp(places.GATEWAY4, 80)), "refused")),
    ]),
    "slow": (ONE + "line: {delay_ms: 300, loss: 0.05, rate_kbps: 2000}", [
        ("everything takes its time", lambda b: timed(b.http("203.0.113.10", "www.example.com", seconds=8), 0.55, 8)),
    ]),
    "filter": (ONE + "line: {filter: [www.example.com]}", [
        ("the home router answers 0.0.0.0",
         lambda b: (b.dns("www.example.com", resolver=places.GATEWAY4), ["0.0.0.0"])),
        ("and asks the provider for the rest",
         lambda b: (b.dns("doh-1.trusted.example", resolver=places.GATEWAY4), ["198.19.53.1"])),
    ]),
    "vpn": (ONE + "line: {vpn: true}\ncensor: [{match: {sni: www.example.com}, act: reset}]", [
        ("what goes through the tunnel is not censored",
         lambda b: (str(b.https("203.0.113.10", "www.example.com")), "ok 200")),
    ]),
    "nat64": (ONE + 'line: {nat64: true}\ncensor: [{match: {sni: blocked.example}, act: reset}]', [
        ("there is no IPv4", lambda b: (str(b.tcp("203.0.113.10", 443)), "unreachable")),
        ("IPv4 is reached under the prefix",
         lambda b: (str(b.https("64:ff9b::203.0.113.10", "www.example.com")), "ok 200")),
        ("the resolver gives such addresses", lambda b: (
            b.dns("bank.national.example", 28, resolver=places.RESOLVER[1]), ["64:ff9b::c612:90a"])),
        ("the censor still sees the name",
         lambda b: (str(b.https("64:ff9b::203.0.113.10", "blocked.example")), "reset handshake")),
        ("ports that do not listen refuse", lambda b: (str(b.tcp("64:ff9b::203.0.113.10", 81)), "refused")),
    ]),
}
