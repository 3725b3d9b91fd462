"""The command `tests/lab/run`."""
from __future__ import annotations

import argparse
import ctypes
import fnmatch
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from . import build, netns
from .parse import read_file
from .scenario import Scenario
from .source import ScenarioError
from .stage import Result, perform

SKIPPED = 77
STAGE_SECONDS = 240  # beyond a scenario's own run_seconds; a stage that takes longer hangs
PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """So that a runner that is killed leaves nothing behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Runner:
    def __init__(self, arguments: argparse.Namespace):
        self.build: pathlib.Path = arguments.build
        self.keep_all: bool = arguments.keep
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kua-lab-"))
        self.results: dict[str, Result] = {}
        self.failures: pathlib.Path | None = None
        self.print_lock = threading.Lock()
        self.stages: set[subprocess.Popen] = set()

    def run_one(self, scenario: Scenario) -> Result:
        directory = self.folder / scenario.name
        directory.mkdir()
        program = [sys.executable, str(build.SOURCE / "tests/lab/run"), "--stage", str(directory), "--build",
                   str(self.build), "--filter", scenario.name, scenario.file]
        with (directory / "unshare.log").open("wb") as log:
            stage = subprocess.Popen(netns.UNSHARE + program, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     preexec_fn=die_with_parent)
        self.stages.add(stage)
        try:
            stage.wait(STAGE_SECONDS + (scenario.task.run_seconds or 0))
        except subprocess.TimeoutExpired:
            stage.kill()
            stage.wait()
        finally:
            self.stages.discard(stage)
        written = directory / "result.json"
        if written.exists():
            return Result(**json.loads(written.read_text()))
        said = (directory / "unshare.log").read_text(errors="replace").strip()[-300:]
        return Result(scenario.name, problems=[f"the stage ended without a result: {said}"])

    def finish(self, scenario: Scenario, result: Result) -> None:
        directory = self.folder / scenario.name
        if result.passed and not self.keep_all:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            result.folder = str(directory)
        self.results[scenario.name] = result
        with self.print_lock:
            print(line_for(result), flush=True)

    def run_all(self, scenarios: list[Scenario], jobs: int) -> None:
        waiting: queue.SimpleQueue = queue.SimpleQueue()
        for scenario in scenarios:
            waiting.put(scenario)

        def work() -> None:
            while True:
                try:
                    scenario = waiting.get_nowait()
                except queue.Empty:
                    return
                self.finish(scenario, self.run_one(scenario))

        workers = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.2)  # so that an interrupt is heard

    def stop(self) -> None:
        for stage in list(self.stages):
            stage.kill()


def line_for(result: Result) -> str:
    head = f"{'pass' if result.passed else 'FAIL'}  {result.name}  {result.seconds:.1f} s"
    if result.passed:
        return f"{head}  {result.seen}"
    reasons = "; ".join(result.problems)
    return f"{head}  expected {result.expected}; {reasons}  [{result.folder}]"


def select(paths: list[str], pattern: str) -> list[Scenario]:
    scenarios: dict[str, Scenario] = {}
    for path in paths:
        for scenario in read_file(path):
            if scenario.name in scenarios:
                other = scenarios[scenario.name]
                raise ScenarioError(f"{path}:{scenario.first_line}: {scenario.name!r} is also the name of a scenario "
                                    f"in {other.file}:{other.first_line}")
            scenarios[scenario.name] = scenario
    return [scenario for scenario in scenarios.values() if fnmatch.fnmatch(scenario.name, pattern)]


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/lab/run", description="Plays scenarios with the real programs in a small internet of namespaces.",
        epilog="Exit status: 0 all passed, 1 some failed, 2 a file or an argument is wrong, 77 skipped.")
    parser.add_argument("files", nargs="+", metavar="FILE.yaml")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), metavar="N",
                        help="scenarios at once (default: one a processor)")
    parser.add_argument("--filter", default="*", metavar="GLOB", help="only scenarios whose name matches")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write verdicts, observations and seconds")
    parser.add_argument("--build", type=pathlib.Path, default=None, metavar="DIR",
                        help="build directory (default: the newest under build/)")
    parser.add_argument("--keep", action="store_true", help="keep the folders of passed scenarios too")
    parser.add_argument("--check", action="store_true", help="only read the files")
    parser.add_argument("--stage", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    given.build = (given.build or build.default_directory()).resolve()
    return given


def main(arguments: list[str]) -> int:
    given = parse_arguments(arguments)
    try:
        scenarios = select(given.files, given.filter)
        if given.stage:
            only = next(scenario for scenario in scenarios if scenario.name == given.filter)
            perform(only, given.stage, given.build, build.need(given.build, build.FORWARDER), build.cache_directory())
        if given.check:
            print(f"{len(scenarios)} scenarios read")
            return 0
        if not scenarios:
            raise ScenarioError(f"no scenario matches {given.filter!r}")
        if reason := netns.why_impossible():
            print(f"skipped: {reason}")
            return SKIPPED
        for program in (build.FORWARDER, build.PROBE, build.COLLECTOR):
            build.need(given.build, program)
    except (ScenarioError, build.NotBuilt) as error:
        print(f"tests/lab/run: {error}", file=sys.stderr)
        return 2
    return play(given, scenarios)


def play(given: argparse.Namespace, scenarios: list[Scenario]) -> int:
    runner = Runner(given)
    begun = time.monotonic()
    try:
        runner.run_all(scenarios, max(1, given.jobs))
    except KeyboardInterrupt:
        runner.stop()
        print("interrupted", file=sys.stderr)
        return 130
    results = [runner.results[scenario.name] for scenario in scenarios]
    if given.json:
        given.json.write_text(json.dumps([vars(result) for result in results], indent=1) + "\n")
    failed = sum(not result.passed for result in results)
    if failed or given.keep:
        print(f"logs and captures: {runner.folder}")
    else:
        shutil.rmtree(runner.folder, ignore_errors=True)
    print(f"{time.monotonic() - begun:.0f} seconds with {given.jobs} at once")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0
