"""Each act, modifier and line of the lab, seen with plain sockets: a claim a line."""
from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

from . import addresses as places
from . import build, client, netns
from .certificates import Certificates
from .parse import read_scenario
from .selftest_cases import WORLDS
from .source import read_documents
from .world import World

STAGE = "--inside"


class Bench:
    """What a case may use: a world that is up, and a client at home in it."""

    def __init__(self, world: World):
        self.world = world
        self.root = world.trusted_root()
        self.home = netns.NamespaceLoop("home0")
        self.control = netns.NamespaceLoop("control")

    def tcp(self, address: str, port: int = 443, **more) -> client.Seen:
        return self.home.call(lambda: client.tcp(address, port, **more))

    def https(self, address: str, host: str, path: str = "/", where: str = "home", **more) -> client.Seen:
        loop = self.home if where == "home" else self.control
        return loop.call(lambda: client.fetch(address, 443, host, path, self.root, **more))

    def http(self, address: str, host: str, path: str = "/", where: str = "home", **more) -> client.Seen:
        loop = self.home if where == "home" else self.control
        return loop.call(lambda: client.fetch(address, 80, host, path, **more))

    def dns(self, name: str, kind: int = 1, resolver: str = places.RESOLVER[0], where: str = "home") -> list[str]:
        loop = self.home if where == "home" else self.control
        return loop.call(lambda: client.lookup(resolver, name, kind))

    def trace(self, address: str) -> list[str]:
        return self.home.call(lambda: client.trace(address))

    def run(self, command: list[str]) -> subprocess.CompletedProcess:
        return subprocess.run(netns.inside("home0") + command, capture_output=True, text=True, timeout=20)


def play(name: str, text: str, cases, forwarder: pathlib.Path, directory: pathlib.Path) -> int:
    """Runs the cases of one world; returns how many failed."""
    head = f"name: {name}\nprobe: {{check: 'https://www.example.com/'}}\nexpect: {{state: ok}}\n"
    scenario = read_scenario(read_documents(head + text, name)[0])
    world = World(scenario, directory, Certificates(build.cache_directory()), forwarder)
    world.start()
    world.start_run()
    bench = Bench(world)
    failed = 0
    for claim, check in cases:
        try:
            seen, wanted = check(bench)
        except Exception as error:  # noqa: BLE001 - a case that breaks has failed
            seen, wanted = f"{type(error).__name__}: {error}", "no error"
        good = seen == wanted
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {claim}" + ("" if good else f": {seen!r}, not {wanted!r}"))
    for problem in world.died():
        failed += 1
        print(f"FAIL {name}: {problem}")
    sys.stdout.flush()
    return failed


def run_inside(name: str, build_directory: pathlib.Path) -> None:
    netns.prepare_stage()
    text, cases = WORLDS[name]
    with tempfile.TemporaryDirectory(prefix="kua-lab-") as directory:
        failed = play(name, text, cases, build.need(build_directory, build.FORWARDER), pathlib.Path(directory))
        if failed:
            for log in sorted(pathlib.Path(directory).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-1000:]}")
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # open connections of the world's loop need no farewell


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=build.default_directory())
    parser.add_argument("--only", help="one world by name")
    parser.add_argument(STAGE, dest="inside", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.inside:
        run_inside(given.inside, given.build)
    if reason := netns.why_impossible():
        print(f"skipped: {reason}")
        return 77
    program = [sys.executable, str(build.SOURCE / "tests/lab/selftest"), "--build", str(given.build)]
    failed = 0
    for name in WORLDS:
        if given.only in (None, name):
            failed += subprocess.run(netns.UNSHARE + program + [STAGE, name], timeout=120).returncode != 0
    print(f"{len(WORLDS)} worlds, {failed} failed" if not given.only else "")
    return 1 if failed else 0
