"""What the lab's operator signs: targets, places to compare with, and known signs."""
from __future__ import annotations

import csv
import pathlib
import urllib.parse

import yaml

from . import addresses as places
from .build import SOURCE
from .certificates import Certificates
from .names import to_ascii
from .scenario import Scenario

COLUMNS = ("url", "category_code", "category_description", "date_added", "source", "notes", "tier", "scope",
           "country", "service", "endpoints", "rule")


def check_url(text: str) -> str:
    """A check's URL with its host as A-labels and at least a path."""
    parts = urllib.parse.urlsplit(text)
    host = to_ascii(parts.hostname)
    port = f":{parts.port}" if parts.port else ""
    return urllib.parse.urlunsplit((parts.scheme, host + port, parts.path or "/", parts.query, ""))


def is_url(check: str) -> bool:
    return "://" in check


def service_rows() -> dict[str, dict[str, str]]:
    """The services of the project's own target lists, by name."""
    rows = {}
    for path in sorted((SOURCE / "config/targets").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            rows |= {row["service"]: row for row in csv.DictReader(file) if row.get("service")}
    return rows


def row(url: str, tier: str, **more: str) -> dict[str, str]:
    return {column: "" for column in COLUMNS} | {
        "url": url, "category_code": "NEWS", "date_added": "2026-01-01", "source": "lab", "tier": tier} | more


def target_rows(scenario: Scenario) -> list[dict[str, str]]:
    urls: list[str] = [check_url(check) for check in scenario.task.check if is_url(check)]
    for site in scenario.sites:
        scheme = "https" if 443 in site.ports else "http"
        if not site.proxy and {80, 443} & set(site.ports):
            urls += [f"{scheme}://{host}/" for host in site.hosts]
    rows = [row(url, "key") for url in dict.fromkeys(urls)]
    services = service_rows()
    rows += [services[check] for check in scenario.task.check if check in services]
    for scope, group in (("national", places.NATIONAL), ("international", places.INTERNATIONAL)):
        rows += [row(f"https://{host}/", "control", scope=scope, category_code="CTRL",
                     country="KZ" if scope == "national" else "") for host, _ in group]
    return rows


def write_targets(path: pathlib.Path, scenario: Scenario) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(target_rows(scenario))


def write_roots(path: pathlib.Path, scenario: Scenario, certificates: Certificates) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "spki_sha256", "subject"))
        for root in sorted({rule.act["root"] for rule in scenario.censor if rule.act.get("listed")}):
            writer.writerow((root, certificates.spki_sha256(certificates.root(root)), f"CN={root}"))


def write_extra(path: pathlib.Path, roots: pathlib.Path) -> None:
    def endpoint(address: str) -> str:
        return f"[{address}]:443" if ":" in address else f"{address}:443"

    path.write_text(yaml.safe_dump({
        "harmless_name": places.HARMLESS_NAME,
        "witnesses": [endpoint(address) for pair in places.WITNESSES for address in pair],
        "no_resolvers": [address for pair in places.NO_RESOLVERS for address in pair],
        "trusted_resolvers": [
            {"name": name, "doh_url": f"https://{host}/dns-query", "addresses": list(pair), "udp": True}
            for name, host, pair in places.TRUSTED],
        "fingerprints": [str(SOURCE / "config/fingerprints/block_pages.csv")],
        "interception_roots": [str(roots), str(SOURCE / "config/fingerprints/interception_roots.csv")],
        "routable": list(places.ROUTABLE)}))


def write_networks(path: pathlib.Path, scenario: Scenario) -> None:
    """The collector's table of networks."""
    rows = [(probe.prefix, probe.asn, probe.country, probe.network_type) for probe in scenario.probes]
    for index, probe in enumerate(scenario.probes):
        machine, _ = places.home_address6(index)
        rows.append((machine.removesuffix("::2") + "::/48", probe.asn, probe.country, probe.network_type))
    for address, length in zip(places.CONTROL, (24, 48)):
        prefix = address.rsplit(".", 1)[0] + ".0" if length == 24 else address.removesuffix("2")
        rows.append((f"{prefix}/{length}", places.CONTROL_ASN, places.CONTROL_COUNTRY, "hosting"))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("prefix", "asn", "country", "network_type"))
        writer.writerows(rows)
