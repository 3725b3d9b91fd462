"""Plays one scenario. Runs as the first process of namespaces of its own: when it ends, all that it
started is gone."""
from __future__ import annotations

import json
import os
import pathlib
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field

from . import judge, lists, netns
from .certificates import Certificates
from .judge import Evidence
from .product import RUN_TIME_SCALE, TIME_SCALE, Product, Vantage
from .scenario import Scenario
from .world import World


@dataclass
class Result:
    name: str
    passed: bool = False
    seconds: float = 0.0
    expected: str = ""
    seen: str = ""
    problems: list[str] = field(default_factory=list)
    verdicts: list[dict] = field(default_factory=list)
    observations: list[dict] = field(default_factory=list)
    records: list[dict] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)  # seconds of each part of the play
    folder: str = ""
    skipped: str = ""


class Play:
    def __init__(self, scenario: Scenario, directory: pathlib.Path, build_directory: pathlib.Path,
                 forwarder: pathlib.Path, cache: pathlib.Path):
        self.scenario = scenario
        self.result = Result(scenario.name, expected=judge.wanted(scenario.expect))
        self.world = World(scenario, directory, Certificates(cache), forwarder)
        time_scale = RUN_TIME_SCALE if scenario.task.run_seconds else TIME_SCALE
        self.product = Product(self.world, build_directory, time_scale)
        self.mark = time.monotonic()

    def part(self, name: str) -> None:
        """Notes how long the part took that just ended."""
        now = time.monotonic()
        self.result.parts[name] = round(now - self.mark, 2)
        self.mark = now

    def set_up(self) -> list[Vantage]:
        """World, collector and probes that have joined it; the control vantage has measured."""
        self.product.sign_list()
        self.world.start()
        self.part("world")
        self.product.start_collector()
        vantages = self.product.vantages()
        for vantage in vantages:
            vantage.enter_service()
        self.part("programs")
        return vantages

    def targets(self) -> list[str]:
        return [lists.check_url(check) if lists.is_url(check) else check for check in self.scenario.task.check]

    def measure_control(self) -> None:
        """A lone control may say `down` only of what failed twice, so it looks again where it failed."""
        if self.scenario.control == "absent":
            return
        control = self.product.control()
        control.enter_service()
        if self.scenario.control == "blocked":
            return  # nothing it could say would arrive
        if control.check(self.targets(), upload=True, deep=False).in_doubt():
            control.check(self.targets(), upload=True, deep=False)
        self.part("control")

    def check(self, vantages: list[Vantage]) -> list[Evidence]:
        upload = self.scenario.collector == "up"
        self.world.start_run()
        outcomes: dict[str, object] = {}

        def work(vantage: Vantage) -> None:
            try:
                outcomes[vantage.name] = vantage.check(self.targets(), upload, deep=True)
            except Exception as error:  # noqa: BLE001 - told below, in the main thread
                outcomes[vantage.name] = error

        threads = [threading.Thread(target=work, args=(vantage,)) for vantage in vantages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.part("check")
        evidence = []
        for vantage in vantages:
            outcome = outcomes[vantage.name]
            if isinstance(outcome, Exception):
                raise outcome
            for checked in outcome.checks:
                if upload:
                    judged = self.product.verdicts_of(checked.record["id"])
                    if judged is None:
                        self.result.problems.append(f"the collector has no record {checked.record['id']}")
                    else:
                        checked.verdicts, checked.judged_by = judged, "collector"
                evidence.append(evidence_of(checked.input, checked.record, checked.verdicts))
                self.result.records.append(checked.record)
        self.part("judge")
        return evidence

    def run_for_a_while(self, vantages: list[Vantage]) -> list[Evidence]:
        """A timed run: probes measure by their own schedule, and everything they uploaded counts."""
        controls = [self.product.control()] if self.scenario.control != "absent" else []
        for control in controls:
            control.enter_service()
            self.world.spawn("run-control", control.command(["run"]))
        self.world.start_run()
        programs = [self.world.spawn(f"run-{vantage.name}", vantage.command(["run"])) for vantage in vantages]
        time.sleep(self.scenario.task.run_seconds)
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(timeout=20)
        self.part("run")
        entries = self.product.all_records()
        (self.world.directory / "metrics.txt").write_text(self.product.ask_desk("/metrics")[1])
        evidence = []
        for entry in entries:
            record = entry["record"]
            if record.get("role") == "probe" and record.get("experiment") != "link_state" and "observations" in record:
                evidence.append(evidence_of(record["input"], record, entry["verdicts"]))
                self.result.records.append(record)
        return evidence

    def play(self) -> None:
        vantages = self.set_up()
        if self.scenario.task.check:
            self.measure_control()
            evidence = self.check(vantages)
        else:
            evidence = self.run_for_a_while(vantages)
        self.result.verdicts = [verdict for entry in evidence for verdict in entry.verdicts]
        self.result.observations = [seen for entry in evidence for seen in entry.observations]
        self.result.seen = judge.seen(evidence)
        self.result.problems += judge.problems(self.scenario.expect, evidence)
        if self.scenario.expect_events:
            self.result.problems.append("events are not judged by this collector")
        self.result.problems += [f"a program did not stay: {died}" for died in self.world.died()
                                 if "run" not in died.split()[0]]


def evidence_of(check: str, record: dict, verdicts: list[dict]) -> Evidence:
    return Evidence(check, record.get("link_state", "unknown"), tuple(verdicts), tuple(record.get("observations", ())))


def perform(scenario: Scenario, directory: pathlib.Path, build_directory: pathlib.Path, forwarder: pathlib.Path,
            cache: pathlib.Path) -> None:
    """Plays and leaves result.json in `directory`. Never returns: the stage ends with it."""
    begun = time.monotonic()
    result = Result(scenario.name, expected=judge.wanted(scenario.expect))
    try:
        netns.prepare_stage()
        play = Play(scenario, directory, build_directory, forwarder, cache)
        result = play.result
        play.play()
        result.passed = not result.problems
    except Exception as error:  # noqa: BLE001 - whatever broke, the scenario has failed
        result.problems.append(f"{type(error).__name__}: {error}")
        (directory / "stage.log").write_text(traceback.format_exc())
    result.seconds = round(time.monotonic() - begun, 2)
    (directory / "result.json").write_text(json.dumps(asdict(result)))
    os._exit(0)  # the loop of the world needs no farewell
