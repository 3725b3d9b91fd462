"""Network namespaces of one stage: made, addressed, entered. Everything dies with the stage's own
process namespace, so nothing here cleans up."""
from __future__ import annotations

import asyncio
import ctypes
import json
import os
import subprocess
import threading
from collections.abc import Callable, Coroutine
from typing import Any

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

# What unshare needs for a stage: an unprivileged user (the programs refuse or leave root) who keeps the
# capabilities over the namespaces made here, and a process namespace whose end ends everybody in it.
UNSHARE = ["unshare", "--user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
           "--map-user=1000", "--map-group=1000", "--keep-caps"]

# Leaves the capabilities behind: what a volunteer's probe has.
WITHOUT_CAPABILITIES = ["setpriv", "--ambient-caps=-all", "--inh-caps=-all"]

SETTINGS = {
    "net.ipv4.ping_group_range": "1000 1000",
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv6.icmp.ratelimit": "0",
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv6.conf.all.accept_dad": "0",
    "net.ipv6.conf.default.accept_dad": "0",
}


class NamespaceError(Exception):
    """The machine does not allow what the lab needs."""


def why_impossible() -> str | None:
    """None where stages can be made, else the reason in one line."""
    probe = ["sh", "-c", "mount -t tmpfs none /run && ip netns add t && ip -n t tuntap add dev t0 mode tun"]
    try:
        done = subprocess.run(UNSHARE + probe, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot make namespaces: {error}"
    if done.returncode == 0:
        return None
    message = (done.stderr.strip().splitlines() or ["unshare failed"])[-1]
    return f"cannot make namespaces with TUN devices: {message}"


def path_of(name: str) -> str:
    return f"/run/netns/{name}"


def inside(name: str) -> list[str]:
    """Prefix of a command that is to run in a namespace."""
    return ["nsenter", f"--net={path_of(name)}", "--"]


def prepare_stage() -> None:
    """Once, in the stage's own mount namespace: a place for namespace files that nobody else sees."""
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)


def make(name: str) -> None:
    run_ip(["netns", "add", name])
    script = "".join(f"[ ! -e /proc/sys/{key.replace('.', '/')} ] || echo '{value}' > "
                     f"/proc/sys/{key.replace('.', '/')};" for key, value in SETTINGS.items())
    subprocess.run(inside(name) + ["sh", "-c", script], check=True)
    run_ip(["-n", name, "link", "set", "lo", "up"])


def run_ip(arguments: list[str], lines: list[str] | None = None) -> None:
    done = subprocess.run(["ip"] + arguments, input="\n".join(lines) if lines else None, text=True,
                          capture_output=True)
    if done.returncode != 0:
        raise NamespaceError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def batch(name: str, lines: list[str]) -> None:
    """Runs many ip commands in a namespace at once."""
    run_ip(["-n", name, "-batch", "-"], lines)


def enter(name: str) -> None:
    """Moves the calling thread; its sockets belong there from now on."""
    descriptor = os.open(path_of(name), os.O_RDONLY)
    try:
        if _libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise NamespaceError(f"entering {name}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


class NamespaceLoop:
    """An asyncio loop in a thread that lives in one namespace."""

    def __init__(self, name: str):
        self.name = name
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._problem: Exception | None = None
        threading.Thread(target=self._live, name=f"ns-{name}", daemon=True).start()
        self._ready.wait()
        if self._problem:
            raise self._problem

    def _live(self) -> None:
        try:
            enter(self.name)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._problem = error
            self._ready.set()
            return
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._ready.set)
        self.loop.run_forever()

    def run(self, work: Coroutine[Any, Any, Any], timeout: float = 30) -> Any:
        """Runs a coroutine there and waits for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def call(self, function: Callable[..., Any], *arguments: Any, timeout: float = 60) -> Any:
        """Runs a blocking function in a thread of that namespace."""
        result: dict[str, Any] = {}

        def work() -> None:
            try:
                enter(self.name)
                result["value"] = function(*arguments)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                result["error"] = error

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(timeout)
        if thread.is_alive():
            raise TimeoutError(f"{getattr(function, '__name__', function)} in {self.name} took over {timeout} s")
        if "error" in result:
            raise result["error"]
        return result.get("value")


def addresses_in(name: str) -> list[str]:
    done = subprocess.run(["ip", "-n", name, "-j", "addr"], capture_output=True, text=True, check=True)
    return [entry["local"] for link in json.loads(done.stdout) for entry in link["addr_info"]]
