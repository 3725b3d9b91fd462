"""Where the programs are that a build made."""
from __future__ import annotations

import os
import pathlib

SOURCE = pathlib.Path(__file__).resolve().parents[3]
FORWARDER = "tests/lab/forwarder/kua-lab-forwarder"
SKEW = "tests/lab/clock_skew/libkua_lab_clock_skew.so"
PROBE = "probe/kua-probe"
COLLECTOR = "collector/kua-collector"


class NotBuilt(Exception):
    """A program is missing; the text says which and how to build it."""


def default_directory() -> pathlib.Path:
    """The build whose probe, or else whose forwarder, is the newest."""
    found = [(path.stat().st_mtime, directory) for directory in (SOURCE / "build").glob("*")
             for name in (PROBE, FORWARDER) if (path := directory / name).exists()]
    return max(found)[1] if found else SOURCE / "build" / "dev"


def need(directory: pathlib.Path, name: str) -> pathlib.Path:
    path = directory / name
    if not path.exists():
        target = pathlib.Path(name).name
        raise NotBuilt(f"{path} is missing: cmake --build {directory} --target {target}")
    return path


def cache_directory() -> pathlib.Path:
    """Keys and certificates that scenarios share; of this user alone."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base) / "kua-lab" / "certificates-1"
