"""Domain names as A-labels, and addresses and prefixes as their canonical text."""
from __future__ import annotations

import ipaddress
import re

from .source import Value

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")


def to_ascii(name: str) -> str:
    """The name as it goes over the wire: lower case, A-labels, no trailing dot. ValueError if it is none."""
    labels = []
    for label in name.rstrip(".").lower().split("."):
        if not label.isascii():
            label = "xn--" + label.encode("punycode").decode()
        if not LABEL.match(label):
            raise ValueError(label)
        labels.append(label)
    ascii_name = ".".join(labels)
    if len(ascii_name) > 253:
        raise ValueError(name)
    return ascii_name


def name(value: Value) -> str:
    try:
        return to_ascii(value.text())
    except ValueError:
        raise value.complain(f"{value.text()!r} is not a domain name") from None


def name_pattern(value: Value) -> str:
    """A name, or *.name for everything below it."""
    text = value.text()
    prefix = "*." if text.startswith("*.") else ""
    try:
        return prefix + to_ascii(text.removeprefix("*."))
    except ValueError:
        raise value.complain(f"{text!r} is neither a domain name nor *.name") from None


def address(value: Value) -> str:
    try:
        return str(ipaddress.ip_address(value.text()))
    except ValueError:
        raise value.complain(f"{value.text()!r} is not an IP address") from None


def addresses(value: Value) -> list[str]:
    found = [address(entry) for entry in value.entries()]
    if len(set(found)) != len(found):
        raise value.complain("an address is there twice")
    return found


def prefix(value: Value) -> str:
    try:
        return str(ipaddress.ip_network(value.text(), strict=False))
    except ValueError:
        raise value.complain(f"{value.text()!r} is neither an address nor a prefix") from None


def is_ip4(text: str) -> bool:
    return ":" not in text
