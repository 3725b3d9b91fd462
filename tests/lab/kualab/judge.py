"""Compares what came out with what a scenario expects. Pure; the words are docs/lab.md's."""
from __future__ import annotations

import urllib.parse
from dataclasses import dataclass

from .names import to_ascii
from .scenario import Expectation

# A summary state is the first of these that any verdict has.
ORDER = ("blocked", "likely_blocked", "down", "impaired", "ok", "insufficient")


@dataclass(frozen=True)
class Evidence:
    """One record with its verdicts."""
    input: str               # what was checked: a URL or a service's name
    link_state: str
    verdicts: tuple[dict, ...]
    observations: tuple[dict, ...] = ()


def host_of(check: str) -> str:
    return to_ascii(urllib.parse.urlsplit(check).hostname) if "://" in check else check


def has_prefix(mechanism: str, prefix: str) -> bool:
    """Whether `prefix` is the beginning of a mechanism in whole components."""
    return mechanism == prefix or mechanism.startswith(prefix + ".")


def summarize(verdicts: list[dict]) -> str:
    states = {verdict["state"] for verdict in verdicts if verdict.get("layer") != "quic"}
    return next((state for state in ORDER if state in states), "insufficient")


def about(evidence: list[Evidence], host: str, family: str | None) -> list[dict]:
    """The verdicts on a host; with a family those of it and those that hold for both."""
    return [verdict for record in evidence for verdict in record.verdicts
            if verdict.get("host") == host and (family is None or verdict.get("family") in (None, "", family))]


def describe(verdicts: list[dict]) -> str:
    """All verdicts that say something, in a few words."""
    telling = [verdict for verdict in verdicts if verdict["state"] != "ok" or verdict.get("mechanism")]
    words = [f"{verdict['state']}{':' + verdict['mechanism'] if verdict.get('mechanism') else ''}"
             for verdict in telling]
    return f"{summarize(verdicts)} ({', '.join(dict.fromkeys(words))})" if words else summarize(verdicts)


def problems_of_host(expected: Expectation, host: str, evidence: list[Evidence]) -> list[str]:
    verdicts = about(evidence, host, expected.family)
    label = host + (f" {expected.family}" if expected.family else "")
    mechanisms = [verdict.get("mechanism") or "" for verdict in verdicts]
    problems = []
    if expected.state and summarize(verdicts) not in expected.state:
        problems.append(f"{label} is {describe(verdicts)}, not {' or '.join(expected.state)}")
    if verdicts and summarize(verdicts) in expected.state_not:
        problems.append(f"{label} is {describe(verdicts)}")
    if expected.mechanism and not any(has_prefix(seen, prefix) for seen in mechanisms
                                      for prefix in expected.mechanism):
        problems.append(f"{label} shows {describe(verdicts)}, not {' or '.join(expected.mechanism)}")
    for also in expected.mechanism_also:
        if not any(has_prefix(seen, also) for seen in mechanisms):
            problems.append(f"{label} shows {describe(verdicts)}, without {also}")
    if expected.hop is not None:
        problems.append(f"{label}: no record holds a path trace that could name hop {expected.hop}")
    return problems


def problems(expectations: tuple[Expectation, ...], evidence: list[Evidence]) -> list[str]:
    """What is not as expected, a sentence each; none means passed."""
    found = []
    checked = list(dict.fromkeys(host_of(record.input) for record in evidence))
    for expected in expectations:
        hosts = [expected.host] if expected.host else checked
        if not evidence:
            found.append("no record came out")
            continue
        for record in evidence:
            if expected.link_state and record.link_state not in expected.link_state:
                found.append(f"the link state is {record.link_state}, not {' or '.join(expected.link_state)}")
        only_link = not (expected.state or expected.state_not or expected.mechanism or expected.mechanism_also or
                         expected.hop)
        for host in hosts if not only_link else []:
            found += problems_of_host(expected, host, evidence)
    return list(dict.fromkeys(found))


def seen(evidence: list[Evidence]) -> str:
    """One line: every host and what was concluded of it."""
    hosts = dict.fromkeys([host_of(record.input) for record in evidence] +
                          [verdict["host"] for record in evidence for verdict in record.verdicts
                           if verdict.get("host")])
    words = [f"{host} {describe(about(evidence, host, None))}" for host in hosts]
    states = dict.fromkeys(record.link_state for record in evidence if record.link_state not in ("online", "unknown"))
    return "; ".join(words + [f"line {state}" for state in states])


def wanted(expectations: tuple[Expectation, ...]) -> str:
    words = []
    for expected in expectations:
        parts = [expected.host, expected.family, "|".join(expected.state), "|".join(expected.mechanism),
                 "also " + "|".join(expected.mechanism_also) if expected.mechanism_also else None,
                 "not " + "|".join(expected.state_not) if expected.state_not else None,
                 "line " + "|".join(expected.link_state) if expected.link_state else None,
                 f"hop {expected.hop}" if expected.hop else None]
        words.append(" ".join(part for part in parts if part))
    return "; ".join(words)
