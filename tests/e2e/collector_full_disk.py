#!/usr/bin/python3
"""A full disk is refused cleanly and survived: the state on a tmpfs of 12 MB inside a mount namespace.

usage: collector_full_disk.py KUA_COLLECTOR KUA_COLLECTOR_LOAD       exit 77: no namespaces here
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from collector import Collector  # noqa: E402

DISK_MB = 12


def in_namespace() -> bool:
    """Goes on inside a user and mount namespace; False where that is not to be had."""
    if os.environ.get("KUA_FULL_DISK_INSIDE"):
        return True
    if subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode != 0:
        return False
    os.environ["KUA_FULL_DISK_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-Urm", sys.executable, *sys.argv])


def send(load: str, port: int, acknowledged: pathlib.Path, seed: int, batches: int) -> dict:
    result = subprocess.run(
        [load, "records", "--port", str(port), "--probes", "10", "--batches", str(batches), "--records", "100",
         "--threads", "2", "--seconds", "60", "--seed", str(seed), "--acknowledged", str(acknowledged)],
        capture_output=True, text=True)
    if not result.stdout:
        return {"acknowledged": 0, "refused": -1, "says": result.stderr}
    return json.loads(result.stdout)


def main() -> int:
    program, load = sys.argv[1:3]
    if not in_namespace():
        print("SKIPPED: no user and mount namespaces here (unshare -Urm)")
        return 77
    with tempfile.TemporaryDirectory(prefix="kua-full-") as name:
        directory = pathlib.Path(name)
        collector = Collector(program, directory, "store: {free_bytes_min: 0B}\n")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(collector.state)], check=True)
        try:
            return fill(collector, load, directory)
        finally:
            if collector.process and collector.process.poll() is None:
                collector.kill()
            subprocess.run(["umount", str(collector.state)], check=True)


def fill(collector: Collector, load: str, directory: pathlib.Path) -> int:
    collector.start()
    # Room that an operator will make later on.
    ballast = collector.state / "ballast"
    ballast.write_bytes(bytes(6 * 1024 * 1024))
    named: list[str] = []
    full = {}
    for turn in range(40):
        full = send(load, collector.ports["probes"], directory / "acknowledged", turn, 30)
        named += (directory / "acknowledged").read_text().split()
        if full["refused"]:
            break
    print(f"full after {len(named)} records: {full}")
    assert full["refused"], "the disk never filled"
    assert collector.process.poll() is None, "a full disk must not end the collector"
    assert set(named) <= set(collector.stored_ids()), "an acknowledged record is not in the log"

    collector.kill()
    collector.start()  # while it is still full
    assert set(named) <= set(collector.stored_ids())
    ballast.unlink()
    after = send(load, collector.ports["probes"], directory / "acknowledged", 1000, 10)
    named += (directory / "acknowledged").read_text().split()
    print(f"with room again: {after}")
    assert after["acknowledged"] == 1000, "with room again everything is taken"
    assert collector.stop() == 0
    stored = collector.stored_ids()
    lost = set(named) - set(stored)
    print(f"acknowledged {len(set(named))}, in the log {len(set(stored))}, lost {len(lost)}, "
          f"stored twice {len(stored) - len(set(stored))}")
    return 1 if lost or len(stored) != len(set(stored)) else 0


if __name__ == "__main__":
    sys.exit(main())
