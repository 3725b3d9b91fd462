#!/usr/bin/python3
"""What a day of each profile costs, read off the interface's own counters.

In the lab's small internet the real `kua-probe run` lives through a whole day of each profile in DAY_SECONDS:
the lab's time scale divides every cadence and the budget's day. On a second, bad line another probe meets a
censor. Then the interface's counters are compared with the profiles' figures and with what the probes' own
budgets counted; every claim is a line, and one that does not hold ends in exit status 1.

usage: budget_day.py BUILD_DIRECTORY
"""
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lab"))
import yaml  # noqa: E402
from kualab import addresses as places  # noqa: E402
from kualab import build, lists, netns  # noqa: E402
from kualab.certificates import Certificates  # noqa: E402
from kualab.product import Product, Vantage  # noqa: E402
from kualab.scenario import Answer, Line, Probe, Rule, Scenario, Site, Task  # noqa: E402
from kualab.world import World  # noqa: E402

SKIPPED = 77
DAY = 86_400
DAY_SECONDS = 40
ROUGH_SECONDS = 36
# The last hundredth is left out: a probe stops within it, and midnight would begin the count anew. Where a
# day's bytes are tight the budget has kept back what that hundredth will cost.
PLAYED = 0.99
KEYS, CORES = 12, 100
# Further names in a certificate: with them a server's first flight has 2.9 kB, as those of large sites have.
ALIASES = 50
# What an Ethernet interface counts beyond the lab's, which carries bare packets.
ETHERNET_BYTES = 14
# By profile: bytes a day, key measurements a day (DESIGN §4.2).
FIGURES = {"low": (5e6, 288), "home": (25e6, 3456), "wide": (60e6, 3456)}
# How far the budget may be below the interface: measurements under way when the probe stops, neighbour
# discovery, and what a peer sends later than a farewell lasts (probe/schedule keeps 2.5 % back for it). On the
# bad line few measurements take place, and those under way weigh more. And above it: segments that closing needs.
BELOW, BELOW_ON_BAD_LINE, ABOVE = 0.025, 0.05, 0.05
# Share of the planned key measurements without which no day has taken place: this machine was too busy.
TAKEN_PLACE = 0.5


@dataclass(frozen=True)
class Count:
    """What an interface has counted, both directions."""
    bytes: int
    packets: int

    @staticmethod
    def of(namespace: str) -> "Count":
        text = subprocess.run(netns.inside(namespace) + ["cat", "/proc/net/dev"], capture_output=True, text=True,
                              check=True).stdout
        line = next(line for line in text.splitlines() if line.strip().startswith("wan0:"))
        words = [int(word) for word in line.split(":")[1].split()]
        return Count(words[0] + words[8], words[1] + words[9])

    def since(self, before: "Count") -> int:
        """Bytes as an Ethernet interface would have counted them."""
        return self.bytes - before.bytes + ETHERNET_BYTES * (self.packets - before.packets)


def site(name: str, number: int, body_bytes: int) -> Site:
    aliases = tuple(f"alias-{index:02}.of.{name}" for index in range(ALIASES))
    return Site(hosts=(name,) + aliases, addresses=(f"203.0.113.{number}", f"2001:db8::{number:x}"),
                https=Answer(title=name, body_bytes=body_bytes))


KEY_SITES = tuple(site(f"www.key-{i}.example", 10 + i, 20_000) for i in range(KEYS))
CORE_SITES = tuple(site(f"www.core-{i}.example", 30 + i, 90_000) for i in range(CORES))


def quiet_days() -> Scenario:
    probes = tuple(Probe(name, f"198.18.{index}.0/24", 64500 + index, "KZ", "fixed")
                   for index, name in enumerate(FIGURES, start=1))
    return Scenario(name="days", says="", sites=KEY_SITES + CORE_SITES, task=Task(run_seconds=DAY_SECONDS * PLAYED),
                    probes=probes)


def rough_line() -> Scenario:
    """Losses, delays, and a censor. Most of its acts fail at once: what waits for a deadline would still be
    under way, and uncounted, when the probe stops."""
    acts = ("reset", "fin", "alert", "drop")
    rules = [Rule({"sni": KEY_SITES[index].hosts[0]}, {"kind": act}) for index, act in enumerate(acts)]
    rules += [Rule({"address": f"{KEY_SITES[len(acts)].addresses[0]}/32"}, {"kind": "refuse"})]
    return Scenario(name="rough", says="", sites=KEY_SITES + CORE_SITES[:30], task=Task(run_seconds=ROUGH_SECONDS),
                    censor=tuple(rules), line=Line(loss=0.03, delay_ms=20),
                    probes=(Probe("wide", "198.18.1.0/24", 64500, "KZ", "fixed"),))


class TieredProduct(Product):
    """Signs a list with a key and a core tier."""

    def sign_list(self) -> None:
        lists.target_rows = self.rows
        super().sign_list()

    @staticmethod
    def rows(scenario: Scenario) -> list[dict[str, str]]:
        rows = [lists.row(f"https://{one.hosts[0]}/", "key" if one in KEY_SITES else "core")
                for one in scenario.sites]
        for scope, group in (("national", places.NATIONAL), ("international", places.INTERNATIONAL)):
            rows += [lists.row(f"https://{host}/", "control", scope=scope, category_code="CTRL",
                               country="KZ" if scope == "national" else "") for host, _ in group]
        return rows


def live(vantage: Vantage, seconds: float) -> dict:
    """The probe of that home by its schedule, from its first packet to its last."""
    config = yaml.safe_load(vantage.config.read_text())
    config["schedule"]["profile"] = vantage.name
    vantage.config.write_text(yaml.safe_dump(config))
    before = Count.of(vantage.namespace)
    program = vantage.product.world.spawn(f"run-{vantage.name}", vantage.command(["run"]))
    time.sleep(seconds)
    status = json.loads(vantage.run(["status", "--json"]).stdout)
    program.terminate()
    program.wait(timeout=20)
    time.sleep(0.5)  # what was under way arrives
    spent = json.loads((vantage.directory / "state" / "budget.json").read_text())["bytes"]
    return {"wire": Count.of(vantage.namespace).since(before), "budget": sum(spent), "spent": spent,
            "records": status["reports"]["accepted"]}


def play(scenario: Scenario, directory: pathlib.Path, build_directory: pathlib.Path) -> None:
    netns.prepare_stage()
    world = World(scenario, directory, Certificates(build.cache_directory()),
                  build.need(build_directory, build.FORWARDER))
    product = TieredProduct(world, build_directory, DAY / DAY_SECONDS)
    product.sign_list()
    world.start()
    product.start_collector()
    vantages = product.vantages()
    for vantage in vantages:
        vantage.enter_service()
    world.start_run()
    results: dict[str, dict] = {}

    def work(vantage: Vantage) -> None:
        results[vantage.name] = live(vantage, scenario.task.run_seconds)

    threads = [threading.Thread(target=work, args=(vantage,)) for vantage in vantages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (directory / "results.json").write_text(json.dumps(results))


SCENARIOS = {"days": quiet_days, "rough": rough_line}


def claim(holds: bool, text: str) -> bool:
    print(("pass: " if holds else "FAIL: ") + text, flush=True)
    return holds


def judge(days: dict[str, dict], rough: dict[str, dict]) -> bool:
    holds = []
    for name, (bytes_per_day, keys_per_day) in FIGURES.items():
        seen = days[name]
        cost = seen["wire"]
        holds.append(claim(seen["records"] >= TAKEN_PLACE * keys_per_day,
                           f"{name}: {seen['records']} records, {keys_per_day} key measurements planned"))
        holds.append(claim(cost <= bytes_per_day,
                           f"{name}: its day costs {cost / 1e6:.2f} of {bytes_per_day / 1e6:.0f} MB at the interface"))
    for name, below, seen in [(f"{name}, quiet day", BELOW, seen) for name, seen in days.items()] + [
            ("bad line and censor", BELOW_ON_BAD_LINE, seen) for seen in rough.values()]:
        share = seen["budget"] / seen["wire"] - 1
        holds.append(claim(-below <= share <= ABOVE,
                           f"{name}: the budget counted {seen['budget'] / 1e6:.2f} MB, the interface "
                           f"{seen['wire'] / 1e6:.2f} MB ({share:+.1%}); by kind {seen['spent']}"))
    return all(holds)


def stage(name: str, build_directory: pathlib.Path, directory: pathlib.Path) -> None:
    """Inside namespaces of its own; everything ends with this process."""
    try:
        play(SCENARIOS[name](), directory, build_directory)
    except Exception:  # noqa: BLE001 - told to whoever looks, then the stage ends
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(0)


def main() -> int:
    build_directory = pathlib.Path(sys.argv[1]).resolve()
    if len(sys.argv) > 2:
        stage(sys.argv[2], build_directory, pathlib.Path(sys.argv[3]))
    if reason := netns.why_impossible():
        print(f"skipped: {reason}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="kua-budget-") as folder:
        stages, results = [], {}
        for name in SCENARIOS:
            directory = pathlib.Path(folder) / name
            directory.mkdir()
            stages.append(subprocess.Popen(netns.UNSHARE + [sys.executable, __file__, str(build_directory), name,
                                                            str(directory)]))
        for process, name in zip(stages, SCENARIOS):
            process.wait()
            written = pathlib.Path(folder) / name / "results.json"
            if not written.exists():
                print(f"FAIL: {name} did not come to its end")
                return 1
            results[name] = json.loads(written.read_text())
    return 0 if judge(results["days"], results["rough"]) else 1


if __name__ == "__main__":
    sys.exit(main())
