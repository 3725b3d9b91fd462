"""Reads the world of a scenario: its sites and what they answer."""
from __future__ import annotations

import re
from dataclasses import replace

from . import names
from .addresses import reserved_for
from .scenario import Answer, Site
from .source import Mapping, Value

CERTIFICATES = ("valid", "expired", "self_signed", "wrong_host", "untrusted_root")
BODIES = ("page", "changing", "endless", "bomb", "garbage")
BODY_BYTES_MAX = 64 * 1024 * 1024
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


def read_headers(value: Value) -> tuple[tuple[str, str], ...]:
    headers = []
    for key, text in value.mapping().items():
        if not HEADER_NAME.match(key.text()):
            raise key.complain(f"{key.text()!r} is not a header's name")
        for line in text.entries_or_self():
            if "\n" in line.text() or "\r" in line.text():
                raise line.complain("a header's value is one line")
            headers.append((key.text(), line.text()))
    return tuple(headers)


def read_answer(value: Value, default: Answer = Answer()) -> Answer:
    keys = value.mapping("status, location, title, body_bytes, headers, body, countdown")
    answer = default
    if status := keys.get("status"):
        answer = replace(answer, status=status.integer(200, 599))
    if location := keys.get("location"):
        answer = replace(answer, location=location.text())
    if title := keys.get("title"):
        answer = replace(answer, title=title.text())
    if body_bytes := keys.get("body_bytes"):
        answer = replace(answer, body_bytes=body_bytes.integer(0, BODY_BYTES_MAX))
    if headers := keys.get("headers"):
        answer = replace(answer, headers=read_headers(headers))
    if body := keys.get("body"):
        answer = replace(answer, body=body.one_of(*BODIES))
    if countdown := keys.get("countdown"):
        answer = replace(answer, countdown=countdown.flag())
    keys.finish()
    return answer


def read_paths(value: Value) -> tuple[tuple[str, Answer], ...]:
    paths = []
    for key, answer in value.mapping().items():
        if not key.text().startswith("/"):
            raise key.complain("a path begins with /")
        if "*" in key.text()[:-1]:
            raise key.complain("* may only end a path")
        paths.append((key.text(), read_answer(answer)))
    return tuple(paths)


def read_ports(value: Value) -> tuple[int, ...]:
    ports = tuple(entry.integer(1, 65535) for entry in value.entries())
    if 53 in ports:
        raise value.complain("port 53 belongs to resolvers")
    return ports


def read_overrides(keys: Mapping, site: Site) -> Site:
    """The keys that a site has and that `to_control` may override."""
    if addresses := keys.get("addresses"):
        site = replace(site, addresses=tuple(names.addresses(addresses)))
        for address in site.addresses:
            if owner := reserved_for(address):
                raise addresses.complain(f"{address} belongs to the lab's {owner}")
    if ports := keys.get("ports"):
        site = replace(site, ports=read_ports(ports))
    if certificate := keys.get("certificate"):
        site = replace(site, certificate=certificate.one_of(*CERTIFICATES))
    if body := keys.get("body"):
        special = replace(Answer(), body=body.one_of(*BODIES))
        site = replace(site, http=special, https=special)
    if http := keys.get("http"):
        site = replace(site, http=read_answer(http, replace(Answer(), body=site.http.body)))
    if https := keys.get("https"):
        site = replace(site, https=read_answer(https, replace(Answer(), body=site.https.body)))
    if paths := keys.get("paths"):
        site = replace(site, paths=read_paths(paths))
    return site


def read_site(value: Value) -> Site:
    keys = value.mapping()
    hosts = tuple(names.name(entry) for entry in keys.need("host").entries_or_self())
    keys.need("addresses")
    site = read_overrides(keys, Site(hosts=hosts, addresses=()))
    if cname := keys.get("cname"):
        site = replace(site, cname=names.name(cname))
    if quic := keys.get("quic"):
        site = replace(site, quic=quic.flag())
    if proxy := keys.get("proxy"):
        site = replace(site, proxy=proxy.flag())
    if site.proxy and site.quic:
        raise value.complain("a proxy passes TCP only")
    if to_control := keys.get("to_control"):
        inner = to_control.mapping()
        twin = read_overrides(inner, replace(site, quic=False))
        inner.finish()
        site = replace(site, to_control=twin)
    keys.finish()
    return site


def read_sites(value: Value | None) -> tuple[Site, ...]:
    sites = []
    owners: dict[str, str] = {}
    for entry in value.entries() if value else []:
        site = read_site(entry)
        for host in site.hosts + ((site.cname,) if site.cname else ()):
            if host in owners:
                raise entry.complain(f"{host} is described twice")
            owners[host] = host
        sites.append(site)
    return tuple(sites)
