"""Translates a scenario into the forwarder's plan."""
from __future__ import annotations

import html
import pathlib
from http import HTTPStatus

from . import addresses as places
from . import netns
from .hosting import Hosting
from .scenario import Line, Rule, Scenario

INTERCEPTOR_FIRST_PORT = 7000


def home_name(index: int) -> str:
    return f"home{index}"


def block_page(act: dict) -> str:
    """The whole HTTP answer of a box that writes like one."""
    body = act["body"]
    if body is None:
        title = html.escape(act["title"])
        body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    try:
        reason = HTTPStatus(act["status"]).phrase
    except ValueError:
        reason = "Blocked"
    location = f"Location: {act['location']}\r\n" if act["location"] else ""
    return (f"HTTP/1.1 {act['status']} {reason}\r\nContent-Type: text/html\r\n{location}"
            f"Content-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}")


def rule(number: int, given: Rule) -> dict:
    act = dict(given.act)
    if act["kind"] == "blockpage":
        act = {"kind": "blockpage", "response": block_page(act)}
    elif act["kind"] == "mitm":
        act = {"kind": "mitm", "helpers": list(places.INTERCEPTOR), "port": INTERCEPTOR_FIRST_PORT + number}
    out = {"match": given.match, "act": act, "hop": given.hop, "on_path": given.on_path,
           "probability": given.probability, "residual_seconds": given.residual_seconds,
           "from_seconds": given.from_seconds}
    if given.until_seconds is not None:
        out["until_seconds"] = given.until_seconds
    return out


def line(given: Line) -> dict:
    out = {"loss": given.loss, "delay_seconds": given.delay_ms / 1000, "rate_kbps": given.rate_kbps,
           "ipv6_broken": given.ipv6 == "broken", "captive": given.captive,
           "resolver_dead": given.resolver == "dead", "nat64": given.nat64, "filter": list(given.filter)}
    if given.down:
        out["down_from_seconds"] = given.down[0]
        if given.down[1] is not None:
            out["down_until_seconds"] = given.down[1]
    return out


def end(namespace: str, device: str, capture: pathlib.Path | None) -> dict:
    return {"netns": netns.path_of(namespace), "device": device, "capture": str(capture) if capture else ""}


def home(index: int, scenario: Scenario, directory: pathlib.Path) -> dict:
    given = scenario.probes[index]
    inside6, gateway6 = places.home_address6(index)
    out = {"end": end(home_name(index), "wan0", directory / f"{given.name}.pcap"),
           "public4": places.home_address(given.prefix), "gateway4": places.GATEWAY4}
    if not scenario.line.nat64:
        out["inside4"] = places.INSIDE4
    if scenario.line.ipv6 != "absent":
        out |= {"inside6": inside6, "gateway6": gateway6}
    if scenario.line.vpn:
        out |= {"tunnel": end(home_name(index), "wg0", directory / f"{given.name}-vpn.pcap"),
                "tunnel4": places.tunnel_address(index)}
    return out


def build(scenario: Scenario, hosting: Hosting, directory: pathlib.Path) -> dict:
    aliases = dict(hosting.aliases)
    if hosting.names_differ:
        for (_, _, asked), answered_by in zip(places.TRUSTED, places.TRUSTED_FOR_CONTROL):
            aliases |= dict(zip(asked, answered_by))
    return {
        "homes": [home(index, scenario, directory) for index in range(len(scenario.probes))],
        "control": {"end": end("control", "wan0", directory / "control.pcap"), "addresses": list(places.CONTROL),
                    "aliases": [{"asked": asked, "answered_by": by} for asked, by in aliases.items()]},
        "world": end("world", "net0", None),
        "hops": [{"addresses": list(pair)} for pair in places.HOPS],
        "line": line(scenario.line),
        "rules": [rule(number, given) for number, given in enumerate(scenario.censor)],
        "resolvers": list(places.RESOLVER),
        "collectors": list(places.COLLECTOR),
        "quic": [{"asked": asked, "answered_by": by} for asked, by in hosting.quic_aliases.items()],
        "portal": places.PORTAL, "portal_port": places.PORTAL_PORT,
        "collector_blocked": scenario.collector == "blocked",
        "control_uploads_blocked": scenario.control == "blocked",
    }
