"""A scenario as values. What the keys mean is told in docs/lab.md; reading them is in parse_*.py."""
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """What a server says to one request."""
    status: int = 200
    location: str | None = None  # may hold {host} and {path}
    title: str | None = None     # None: the host
    body_bytes: int = 1000
    headers: tuple[tuple[str, str], ...] = ()
    body: str = "page"           # page, changing, endless, bomb, garbage
    countdown: bool = False


@dataclass(frozen=True)
class Site:
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    cname: str | None = None
    ports: tuple[int, ...] = (80, 443)
    certificate: str = "valid"
    http: Answer = Answer()
    https: Answer = Answer()
    paths: tuple[tuple[str, Answer], ...] = ()
    quic: bool = False
    proxy: bool = False
    to_control: "Site | None" = None


@dataclass(frozen=True)
class Rule:
    match: dict
    act: dict                    # {"kind": …} as the forwarder reads it; mitm and blockpage as written
    hop: int = 2
    on_path: bool = False
    probability: float = 1.0
    residual_seconds: float = 0.0
    from_seconds: float = 0.0
    until_seconds: float | None = None
    line: int = 0                # where it stands, for messages


@dataclass(frozen=True)
class Line:
    loss: float = 0.0
    delay_ms: float = 0.0
    rate_kbps: int = 0
    ipv6: str = "working"
    captive: bool = False
    resolver: str = "working"
    clock_skew_seconds: int = 0
    down: tuple[float, float | None] | None = None
    vpn: bool = False
    nat64: bool = False
    filter: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """A network with one probe in it."""
    name: str
    prefix: str
    asn: int
    country: str
    network_type: str


@dataclass(frozen=True)
class Task:
    """What the probes do: a check of targets, or a run for some seconds."""
    check: tuple[str, ...] = ()
    run_seconds: float | None = None
    raw_sockets: bool = False


@dataclass(frozen=True)
class Expectation:
    host: str | None = None      # None: the checked host
    family: str | None = None
    state: tuple[str, ...] = ()
    mechanism: tuple[str, ...] = ()
    mechanism_also: tuple[str, ...] = ()
    state_not: tuple[str, ...] = ()
    link_state: tuple[str, ...] = ()
    hop: int | None = None


@dataclass(frozen=True)
class EventExpectation:
    """What a detector is to report of a timed run."""
    fields: dict


@dataclass(frozen=True)
class Scenario:
    name: str
    says: str
    sites: tuple[Site, ...]
    task: Task
    resolver: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    censor: tuple[Rule, ...] = ()
    line: Line = Line()
    control: str = "up"
    collector: str = "up"
    probes: tuple[Probe, ...] = ()
    expect: tuple[Expectation, ...] = ()
    expect_events: tuple[EventExpectation, ...] = ()
    file: str = ""
    first_line: int = 1
