"""Reads the censor's rules."""
from __future__ import annotations

from . import names
from .scenario import Rule
from .source import Value

WORDS = ("drop", "reset", "refuse", "fin", "alert", "icmp_prohibited")
MAPS = ("forge_dns", "blockpage", "mitm", "freeze_after_bytes", "rate_kbps", "delay_ms", "loss")
NAMES = ("qname", "sni", "quic_sni", "host")
# What needs to take packets away, and so cannot be done by a box beside the path.
IN_PATH_ONLY = ("drop", "freeze", "rate", "impair", "mitm")


def read_match(value: Value) -> dict:
    keys = value.mapping()
    match: dict = {}
    for key in NAMES:
        if entry := keys.get(key):
            match[key] = names.name_pattern(entry)
    if contains := keys.get("contains"):
        match["contains"] = contains.text()
    if address := keys.get("address"):
        match["address"] = names.prefix(address)
    if port := keys.get("port"):
        match["port"] = port.integer(1, 65535)
    if protocol := keys.get("protocol"):
        match["protocol"] = protocol.one_of("tcp", "udp", "icmp", "all")
    keys.finish()
    if not match:
        raise value.complain("a rule that matches everything says `protocol: all`")
    return match


def read_block_page(value: Value) -> dict:
    keys = value.mapping()
    page = {"kind": "blockpage", "status": None, "title": "Blocked", "body": None, "location": None}
    if status := keys.get("status"):
        page["status"] = status.integer(200, 599)
    for key in ("title", "body", "location"):
        if entry := keys.get(key):
            page[key] = entry.text()
    keys.finish()
    if page["status"] is None:
        page["status"] = 302 if page["location"] else 200
    return page


def read_mitm(value: Value) -> dict:
    keys = value.mapping()
    mitm = {"kind": "mitm", "root": keys.need("root").text(), "listed": False}
    if listed := keys.get("listed"):
        mitm["listed"] = listed.flag()
    keys.finish()
    return mitm


def read_forgery(value: Value) -> dict:
    if value.is_text():
        value.one_of("nxdomain")
        return {"kind": "forge_dns", "nxdomain": True}
    return {"kind": "forge_dns", "addresses": names.addresses(value)}


def read_act(value: Value) -> dict:
    if value.is_text():
        return {"kind": value.one_of(*WORDS)}
    keys = value.mapping()
    present = {key: keys.get(key) for key in MAPS}
    given = [key for key, entry in present.items() if entry]
    keys.finish()
    if not given or (len(given) > 1 and set(given) != {"delay_ms", "loss"}):
        raise value.complain(f"an act is one of {', '.join(WORDS)} or has one key of {', '.join(MAPS)}")
    entry = present[given[0]]
    match given[0]:
        case "forge_dns":
            return read_forgery(entry)
        case "blockpage":
            return read_block_page(entry)
        case "mitm":
            return read_mitm(entry)
        case "freeze_after_bytes":
            return {"kind": "freeze", "after_bytes": entry.integer()}
        case "rate_kbps":
            return {"kind": "rate", "kbps": entry.integer(1)}
        case _:
            delay, loss = present["delay_ms"], present["loss"]
            return {"kind": "impair", "delay_seconds": delay.number() / 1000 if delay else 0,
                    "loss": loss.number(0, 1) if loss else 0}


def read_rule(value: Value) -> Rule:
    keys = value.mapping()
    given = {"match": read_match(keys.need("match")), "act": read_act(keys.need("act")),
             "line": value.node.start_mark.line + 1}
    if hop := keys.get("hop"):
        given["hop"] = hop.integer(1, 4)
    if on_path := keys.get("on_path"):
        given["on_path"] = on_path.flag()
    if probability := keys.get("probability"):
        given["probability"] = probability.number(0, 1)
    for key in ("residual_seconds", "from_seconds", "until_seconds"):
        if entry := keys.get(key):
            given[key] = entry.number()
    keys.finish()
    rule = Rule(**given)
    if rule.on_path and rule.act["kind"] in IN_PATH_ONLY:
        raise value.complain(f"{rule.act['kind']} cannot be done by a box beside the path (on_path)")
    if rule.until_seconds is not None and rule.until_seconds <= rule.from_seconds:
        raise value.complain("until_seconds is not after from_seconds")
    return rule


def read_rules(value: Value | None) -> tuple[Rule, ...]:
    return tuple(read_rule(entry) for entry in value.entries()) if value else ()
