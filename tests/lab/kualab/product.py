"""The programs under test inside a world: the collector, its keys and list, and probes that join it."""
from __future__ import annotations

import http.client
import json
import pathlib
import subprocess
import time
from dataclasses import dataclass, field

import yaml

from . import addresses as places
from . import build, lists, netns, plan
from .scenario import Probe
from .world import World

# Divides every cadence and rest of the programs.
TIME_SCALE = 20
# A check's rests are divided by more: nothing but the collector's idea of a fresh control depends on the other.
REST_SCALE = 40
# In timed runs more: a key round every 2.5 s, so that a few seconds hold several.
RUN_TIME_SCALE = 120
COMMAND_SECONDS = 60
CHECK_SECONDS = 120


class ProductError(Exception):
    """A program under test did not do what its contract says; the text is what it said."""


@dataclass
class Checked:
    """What one `check` of one target brought."""
    record: dict
    verdicts: list[dict]           # the collector's where it judged, else the probe's provisional ones
    judged_by: str = "probe"
    input: str = ""


@dataclass
class Outcome:
    """What a probe said in all."""
    checks: list[Checked] = field(default_factory=list)
    exit_code: int = 0

    def in_doubt(self) -> bool:
        """Whether anything was not plainly reached."""
        return any(verdict["state"] != "ok" for checked in self.checks for verdict in checked.verdicts)


class Product:
    def __init__(self, world: World, build_directory: pathlib.Path, time_scale: int = TIME_SCALE):
        self.world, self.scenario, self.time_scale = world, world.scenario, time_scale
        self.directory = world.directory
        self.probe_program = build.need(build_directory, build.PROBE)
        self.collector_program = build.need(build_directory, build.COLLECTOR)
        self.skew_library = build_directory / build.SKEW
        self.join_link = ""

    def run(self, command: list[str], log: str, seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise ProductError(f"{log} took over {seconds} s") from error
        with (self.directory / f"{log}.log").open("a") as file:
            file.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}[exit {done.returncode}]\n")
        return done

    def _collector_command(self, arguments: list[str]) -> str:
        done = self.run([str(self.collector_program)] + arguments, "collector-setup")
        if done.returncode != 0:
            raise ProductError(f"kua-collector {' '.join(arguments[:2])}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    # The collector.

    def sign_list(self) -> None:
        lists.write_targets(self.directory / "targets.csv", self.scenario)
        lists.write_roots(self.directory / "roots.csv", self.scenario, self.world.certificates)
        lists.write_extra(self.directory / "extra.yaml", self.directory / "roots.csv")
        lists.write_networks(self.directory / "networks.csv", self.scenario)
        self._collector_command(["lists", "keygen", "--out", str(self.directory / "list.key")])
        self._collector_command(["lists", "sign", "--key", str(self.directory / "list.key"), "--targets",
                                 str(self.directory / "targets.csv"), "--extra", str(self.directory / "extra.yaml"),
                                 "--out", str(self.directory / "list.json")])

    def endpoint(self) -> str:
        four, six = places.COLLECTOR
        host = f"[{six}]" if self.scenario.line.nat64 else four
        return f"{host}:{places.COLLECTOR_PROBES_PORT}"

    def start_collector(self) -> None:
        home = self.directory / "collector"
        output = self._collector_command([
            "init", "--dir", str(home), "--name", "Lab", "--endpoint", self.endpoint(), "--list-key",
            str(self.directory / "list.key.pub"), "--list", str(self.directory / "list.json"), "--min-clusters", "1",
            "--network-database", str(self.directory / "networks.csv")])
        self.join_link = next((word for word in output.split() if word.startswith("kua://")), "")
        if not self.join_link:
            raise ProductError(f"kua-collector init printed no join link: {output.strip()}")
        self._change_config(home / "collector.yaml")
        self.world.spawn("collector", netns.inside("world") + netns.WITHOUT_CAPABILITIES + [
            str(self.collector_program), "serve", "--config", str(home / "collector.yaml")])
        self.world.wait_for("collector.log", time.monotonic() + 20,
                            lambda: self.world.accepts("127.0.0.1", places.COLLECTOR_DESK_PORT))

    def _change_config(self, path: pathlib.Path) -> None:
        config = yaml.safe_load(path.read_text()) or {}
        listeners = config.setdefault("listeners", {})
        listeners.setdefault("probes", {})["address"] = f"[::]:{places.COLLECTOR_PROBES_PORT}"
        listeners.setdefault("public", {})["address"] = f"127.0.0.1:{places.COLLECTOR_PUBLIC_PORT}"
        listeners.setdefault("desk", {})["address"] = f"127.0.0.1:{places.COLLECTOR_DESK_PORT}"
        config["lab"] = {"time_scale": self.time_scale}
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    def ask_desk(self, path: str) -> tuple[int, str]:
        def ask() -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", places.COLLECTOR_DESK_PORT, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        return self.world.loop.call(ask)

    def all_records(self) -> list[dict]:
        """Everything the collector has, with its verdicts."""
        entries, after = [], ""
        while True:
            status, text = self.ask_desk(f"/api/v1/records?limit=200{after}")
            if status != 200:
                raise ProductError(f"the desk answered {status} to a question for records")
            page = json.loads(text)
            entries += page["records"]
            if not page["next"]:
                return entries
            after = f"&after={page['next']}"

    def verdicts_of(self, record_id: str) -> list[dict] | None:
        """The collector's, or None where it does not have the record."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            status, text = self.ask_desk(f"/api/v1/records/{record_id}")
            if status == 200:
                return json.loads(text)["verdicts"]
            time.sleep(0.05)
        return None

    # Probes.

    def vantages(self) -> list["Vantage"]:
        return [Vantage(self, probe.name, plan.home_name(index), probe) for index, probe in
                enumerate(self.scenario.probes)]

    def control(self) -> "Vantage":
        outside = Probe("control", "", places.CONTROL_ASN, places.CONTROL_COUNTRY, "hosting")
        return Vantage(self, "control", "control", outside, role="control")


class Vantage:
    """One kua-probe: its configuration, and how it is called."""

    def __init__(self, product: Product, name: str, namespace: str, probe: Probe, role: str = "probe"):
        self.product, self.name, self.namespace, self.probe, self.role = product, name, namespace, probe, role
        self.directory = product.directory / f"probe-{name}"
        self.directory.mkdir()
        self.config = self.directory / "probe.yaml"
        self._write()

    def _resolver(self) -> str:
        line = self.product.scenario.line
        if self.role == "control":
            return places.CONTROL_RESOLVER[0]
        if line.filter:
            return places.GATEWAY4
        return places.RESOLVER[1] if line.nat64 else places.RESOLVER[0]

    def rest_scale(self) -> int:
        return REST_SCALE if self.product.scenario.task.check else 1

    def _write(self) -> None:
        resolv_conf = self.directory / "resolv.conf"
        resolv_conf.write_text(f"nameserver {self._resolver()}\n")
        self.config.write_text(yaml.safe_dump({
            "state_dir": str(self.directory / "state"), "role": self.role, "language": "en",
            "vantage": {"country": self.probe.country, "asn": self.probe.asn,
                        "network_type": self.probe.network_type},
            "resolver": {"resolv_conf": str(resolv_conf)},
            "trust": {"ca_file": str(self.product.world.trusted_root())},
            "schedule": {"profile": "home"},
            "lab": {"time_scale": max(self.product.time_scale, self.rest_scale()), "record_rounding": "100ms"}}, sort_keys=False))

    def command(self, arguments: list[str]) -> list[str]:
        raw_sockets = self.product.scenario.task.raw_sockets and self.role == "probe"
        environment = []
        skew = self.product.scenario.line.clock_skew_seconds
        if skew and self.role == "probe":
            environment = ["env", f"LD_PRELOAD={self.product.skew_library}", f"KUA_LAB_CLOCK_SKEW_SECONDS={skew}"]
        return (netns.inside(self.namespace) + ([] if raw_sockets else netns.WITHOUT_CAPABILITIES) + environment +
                [str(self.product.probe_program), "--config", str(self.config)] + arguments)

    def run(self, arguments: list[str], seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess:
        return self.product.run(self.command(arguments), f"probe-{self.name}", seconds)

    def enter_service(self) -> None:
        """Consent of the level the scenario needs, and the join link."""
        level = "expert" if self.product.scenario.task.raw_sockets else "basic"
        for arguments in (["consent", "accept", "--level", level, "--yes"], ["join", self.product.join_link]):
            done = self.run(arguments)
            if done.returncode != 0:
                raise ProductError(f"kua-probe {arguments[0]} ({self.name}): {done.stderr.strip() or done.stdout.strip()}")

    def check(self, targets: list[str], upload: bool, deep: bool) -> Outcome:
        flags = ["--json", "--yes"] + (["--deep"] if deep else []) + (["--upload"] if upload else [])
        done = self.run(["check"] + targets + flags, CHECK_SECONDS)
        if done.returncode not in (0, 1):
            raise ProductError(f"kua-probe check ({self.name}) ended with {done.returncode}: "
                               f"{(done.stderr.strip() or done.stdout.strip())[-600:]}")
        outcome = Outcome(exit_code=done.returncode)
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                parsed = json.loads(line)
                outcome.checks.append(Checked(parsed["record"], parsed["verdicts"]))
        for checked, target in zip(outcome.checks, targets):
            checked.input = target
        return outcome
