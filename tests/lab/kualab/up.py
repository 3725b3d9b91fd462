"""The command `tests/lab/up`: a world that stays, for people to look at."""
from __future__ import annotations

import argparse
import asyncio
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

from . import addresses as places
from . import build, netns
from .certificates import Certificates
from .parse import read_file
from .product import Product
from .relay_ports import from_port_to_socket, from_socket_to_port
from .source import ScenarioError
from .world import World

TIME_SCALE = 20     # a key round every quarter of a minute instead of every five
STOP_SECONDS = 15


def socket_path(directory: pathlib.Path, name: str) -> pathlib.Path:
    return directory / f"{name}.sock"


# Inside the namespaces.


def stop(programs: list[subprocess.Popen]) -> None:
    """In order: a probe's last records still find the collector."""
    for program in programs:
        if program.poll() is None:
            program.terminate()
            try:
                program.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()


def stay(directory: pathlib.Path, scenario_file: str, build_directory: pathlib.Path) -> None:
    """Brings everything up and stays until the input ends, which it does with whoever started us."""
    netns.prepare_stage()
    scenario = read_file(scenario_file)[0]
    world = World(scenario, directory, Certificates(build.cache_directory()),
                  build.need(build_directory, build.FORWARDER))
    product = Product(world, build_directory, TIME_SCALE)
    product.sign_list()
    world.start()
    product.start_collector()
    for name, port in (("public", places.COLLECTOR_PUBLIC_PORT), ("desk", places.COLLECTOR_DESK_PORT)):
        world.loop.run(from_socket_to_port(socket_path(directory, name), "127.0.0.1", port))
    collector = world.processes[-1]
    controls = [] if scenario.control == "absent" else [product.control()]
    vantages = product.vantages()
    for vantage in controls + vantages:
        vantage.enter_service()
    programs = [world.spawn("run-control", control.command(["run"])) for control in controls]
    print("up", flush=True)
    world.start_run()
    show = {"stdout": None}  # what the probe shows is what people came for
    programs = [world.spawn(f"run-{vantage.name}", vantage.command(["run", "--show"]), **show)
                for vantage in vantages] + programs
    while sys.stdin.readline():
        pass
    stop(programs + [collector])
    os._exit(0)


# Outside.


def tell(name: str, port: int) -> str:
    return f"{name:<11} http://127.0.0.1:{port}/"


async def serve(directory: pathlib.Path, ports: dict[str, int], stage: asyncio.subprocess.Process) -> None:
    """Relays the ports and passes on what the stage says, until it ends or somebody stops us."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    async def listen() -> None:
        while line := await stage.stdout.readline():
            if line == b"up\n":
                for name, port in ports.items():
                    await from_port_to_socket(port, socket_path(directory, name))
                print("\n" + tell("Page:", ports["public"]) + "\n" + tell("Desk:", ports["desk"]) + "metrics\n" +
                      f"Logs:       {directory}\nStop with Ctrl-C.\n", flush=True)
            else:
                sys.stdout.buffer.write(line)
                sys.stdout.flush()

    listening = asyncio.create_task(listen())
    await asyncio.wait([listening, asyncio.create_task(stopped.wait())], return_when=asyncio.FIRST_COMPLETED)
    stage.stdin.close()
    try:
        await asyncio.wait_for(stage.wait(), 3 * STOP_SECONDS)
    except asyncio.TimeoutError:
        stage.kill()
    listening.cancel()


async def run(given: argparse.Namespace, directory: pathlib.Path) -> int:
    program = [sys.executable, str(build.SOURCE / "tests/lab/up"), "--stage", str(directory), "--build",
               str(given.build), given.scenario]
    # A session of its own: Ctrl-C is for us alone, who then stop everything in order.
    stage = await asyncio.create_subprocess_exec(*netns.UNSHARE, *program, stdin=subprocess.PIPE,
                                                 stdout=subprocess.PIPE, start_new_session=True)
    await serve(directory, {"public": given.public_port, "desk": given.desk_port}, stage)
    return 0 if stage.returncode == 0 else 1


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/lab/up", description="A small internet with a censor at work, a collector and a probe in it, "
        "until Ctrl-C. The collector's page is on loopback.",
        epilog="Exit status: 0 stopped, 1 something broke, 2 an argument is wrong, 77 no namespaces here.")
    parser.add_argument("scenario", nargs="?", default=str(build.SOURCE / "tests/lab/up.yaml"), metavar="FILE.yaml")
    parser.add_argument("--build", type=pathlib.Path, default=None, metavar="DIR")
    parser.add_argument("--public-port", type=int, default=9778, metavar="PORT", help="of the pages")
    parser.add_argument("--desk-port", type=int, default=9780, metavar="PORT", help="of metrics and the full view")
    parser.add_argument("--stage", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    given.build = (given.build or build.default_directory()).resolve()
    return given


def main(arguments: list[str]) -> int:
    given = parse_arguments(arguments)
    if given.stage:
        try:
            stay(given.stage, given.scenario, given.build)
        except Exception:  # noqa: BLE001 - told to whoever looks, then the stage ends
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    try:
        read_file(given.scenario)
        for program in (build.FORWARDER, build.PROBE, build.COLLECTOR):
            build.need(given.build, program)
    except (ScenarioError, build.NotBuilt) as error:
        print(f"tests/lab/up: {error}", file=sys.stderr)
        return 2
    if reason := netns.why_impossible():
        print(f"skipped: {reason}")
        return 77
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kua-lab-up-"))
    code = asyncio.run(run(given, directory))
    if code == 0:
        shutil.rmtree(directory, ignore_errors=True)
    return code
