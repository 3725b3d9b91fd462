"""Reads scenario files: the one way from text to a Scenario."""
from __future__ import annotations

import ipaddress
import pathlib
import re
import urllib.parse
from dataclasses import replace

from . import names, parse_rules, parse_sites
from .addresses import DEFAULT_PROBE
from .scenario import EventExpectation, Expectation, Line, Probe, Scenario, Task
from .source import Mapping, ScenarioError, Value, read_documents

STATES = ("ok", "down", "blocked", "likely_blocked", "impaired", "insufficient")
LINK_STATES = ("unknown", "online", "captive", "dns_broken", "international_cut", "offline")
EVENT_KINDS = ("service_blocking", "dns_tampering", "tls_interception", "throttling", "mobile_cut",
               "network_cut", "international_cut", "total_cut")
NETWORK_TYPES = ("fixed", "mobile", "hosting")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
MECHANISM = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*\Z")


def words(value: Value, allowed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(entry.one_of(*allowed) for entry in value.entries_or_self())


def mechanisms(value: Value) -> tuple[str, ...]:
    for entry in value.entries_or_self():
        if not MECHANISM.match(entry.text()):
            raise entry.complain(f"{entry.text()!r} is not a dotted mechanism")
    return tuple(entry.text() for entry in value.entries_or_self())


def read_resolver(value: Value | None) -> dict:
    answers: dict = {}
    for key, answer in value.mapping().items() if value else []:
        host = names.name(key)
        if answer.is_text():
            answers[host] = answer.one_of("nxdomain", "refused", "servfail", "silent")
        else:
            answers[host] = tuple(names.addresses(answer))
    return answers


def read_down(value: Value) -> tuple[float, float | None]:
    keys = value.mapping()
    begin, end = keys.get("from_seconds"), keys.get("until_seconds")
    keys.finish()
    window = (begin.number() if begin else 0.0, end.number() if end else None)
    if window[1] is not None and window[1] <= window[0]:
        raise value.complain("until_seconds is not after from_seconds")
    return window


def read_line(value: Value | None) -> Line:
    if value is None:
        return Line()
    keys = value.mapping()
    line = Line()
    for key, reader in (
            ("loss", lambda v: v.number(0, 1)), ("delay_ms", lambda v: v.number(0, 60_000)),
            ("rate_kbps", lambda v: v.integer(0, 10_000_000)),
            ("ipv6", lambda v: v.one_of("working", "broken", "absent")),
            ("captive", Value.flag), ("resolver", lambda v: v.one_of("working", "dead")),
            ("clock_skew_seconds", lambda v: v.integer(-2**31, 2**31)),
            ("down", read_down), ("vpn", Value.flag), ("nat64", Value.flag),
            ("filter", lambda v: tuple(names.name(entry) for entry in v.entries()))):
        if entry := keys.get(key):
            line = replace(line, **{key: reader(entry)})
    keys.finish()
    if line.nat64 and line.ipv6 != "working":
        raise value.complain("NAT64 needs working IPv6")
    return line


def read_probe_network(value: Value) -> Probe:
    keys = value.mapping()
    name = keys.need("name")
    if not NAME.match(name.text()):
        raise name.complain("a name is letters, digits, '.', '_' and '-'")
    prefix = keys.need("prefix")
    network = ipaddress.ip_network(names.prefix(prefix))
    if network.version != 4 or network.prefixlen > 29 or not network.subnet_of(
            ipaddress.ip_network("198.18.0.0/15")):
        raise prefix.complain("a probe's prefix is an IPv4 block of at least eight addresses in 198.18.0.0/15")
    country = keys.get("country")
    if country and not re.match(r"[A-Z]{2}\Z", country.text()):
        raise country.complain("a country is two capitals")
    asn, network_type = keys.need("asn"), keys.get("network_type")
    probe = Probe(name.text(), str(network), asn.integer(1, 2**32 - 1), country.text() if country else "KZ",
                  network_type.one_of(*NETWORK_TYPES) if network_type else "fixed")
    keys.finish()
    return probe


def read_probes(value: Value | None) -> tuple[Probe, ...]:
    if value is None:
        return (DEFAULT_PROBE,)
    probes = tuple(read_probe_network(entry) for entry in value.entries())
    for key in ("name", "prefix"):
        seen = [getattr(probe, key) for probe in probes]
        if len(set(seen)) != len(seen):
            raise value.complain(f"two probes have one {key}")
    if not probes:
        raise value.complain("at least one probe is needed")
    return probes


def read_task(value: Value) -> Task:
    keys = value.mapping("check or run_seconds, raw_sockets")
    check, run_seconds, raw_sockets = keys.get("check"), keys.get("run_seconds"), keys.get("raw_sockets")
    keys.finish()
    targets = []
    for entry in check.entries_or_self() if check else []:
        text = entry.text()
        if "://" in text:
            parts = urllib.parse.urlsplit(text)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise entry.complain("a check is a http or https URL, or the name of a service")
        targets.append(text)
    if not targets and run_seconds is None:
        raise value.complain("a probe needs `check` or `run_seconds`")
    return Task(tuple(targets), run_seconds.number(1, 3600) if run_seconds else None,
                raw_sockets.flag() if raw_sockets else False)


def read_expectation(value: Value) -> Expectation:
    keys = value.mapping()
    given = {}
    for key, reader in (
            ("host", names.name), ("family", lambda v: v.one_of("ip4", "ip6")),
            ("state", lambda v: words(v, STATES)), ("state_not", lambda v: words(v, STATES)),
            ("link_state", lambda v: words(v, LINK_STATES)), ("mechanism", mechanisms),
            ("mechanism_also", mechanisms), ("hop", lambda v: v.integer(1, 4))):
        if entry := keys.get(key):
            given[key] = reader(entry)
    keys.finish()
    if not set(given) - {"host", "family"}:
        raise value.complain("an expectation without anything expected")
    return Expectation(**given)


def read_event(value: Value) -> EventExpectation:
    keys = value.mapping()
    event = {"kind": keys.need("kind").one_of(*EVENT_KINDS)}
    for key in ("target", "network", "country", "level"):
        if entry := keys.get(key):
            event[key] = entry.text()
    for key in ("begin_after_s", "begin_before_s", "end_after_s", "end_before_s"):
        if entry := keys.get(key):
            event[key] = entry.number()
    if ended := keys.get("ended"):
        event["ended"] = ended.flag()
    keys.finish()
    return EventExpectation(event)


def read_scenario(value: Value) -> Scenario:
    keys: Mapping = value.mapping("a scenario with name, sites, probe, expect")
    name = keys.need("name")
    if not NAME.match(name.text()):
        raise name.complain("a scenario's name is letters, digits, '.', '_' and '-'")
    says, control, collector = keys.get("says"), keys.get("control"), keys.get("collector")
    expect, expect_events = keys.get("expect"), keys.get("expect_events")
    scenario = Scenario(
        name=name.text(),
        says=says.text() if says else "",
        sites=parse_sites.read_sites(keys.get("sites")),
        resolver=read_resolver(keys.get("resolver")),
        censor=parse_rules.read_rules(keys.get("censor")),
        line=read_line(keys.get("line")),
        control=control.one_of("up", "blocked", "absent") if control else "up",
        collector=collector.one_of("up", "blocked") if collector else "up",
        probes=read_probes(keys.get("probes")),
        task=read_task(keys.need("probe")),
        expect=tuple(read_expectation(entry) for entry in expect.entries_or_self()) if expect else (),
        expect_events=tuple(read_event(entry) for entry in expect_events.entries_or_self())
        if expect_events else (),
        file=value.file,
        first_line=value.node.start_mark.line + 1)
    keys.finish()
    if not scenario.expect and not scenario.expect_events:
        raise value.complain("a scenario without anything expected could never fail")
    return scenario


def read_file(path: str) -> list[Scenario]:
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from None
    return [read_scenario(value) for value in read_documents(text, path)]
