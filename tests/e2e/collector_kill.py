#!/usr/bin/python3
"""kill -9 of the collector under load loses no record that it acknowledged, and leaves a log that fits its
probes' signatures.

usage: collector_kill.py KUA_COLLECTOR KUA_COLLECTOR_LOAD [KILLS]
"""
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from collector import Collector  # noqa: E402


def main() -> int:
    program, load = sys.argv[1:3]
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    seed = int(time.time())
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="kua-kill-") as name:
        directory = pathlib.Path(name)
        collector = Collector(program, directory, "ingest: {batches: {per_minute: 1000000, burst: 1000000}, "
                                                  "enrolments: {per_minute: 1000000, burst: 1000000}}\n")
        collector.start()
        acknowledged = directory / "acknowledged"
        client = subprocess.Popen(
            [load, "stream", "--port", str(collector.ports["probes"]), "--probes", "40", "--records", "20",
             "--threads", "4", "--seconds", str(3 * kills), "--acknowledged", str(acknowledged)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert client.stderr.readline() == "ready\n"
        for _ in range(kills):
            time.sleep(chance.uniform(0.3, 1.2))
            assert client.poll() is None, "the load was over before the kill"
            collector.kill()
            collector.start()
        line, _ = client.communicate(timeout=120)
        assert client.returncode == 0 and line, "the client itself failed"
        assert collector.stop() == 0
        named = acknowledged.read_text().split()
        stored = collector.stored_ids()
        lost = set(named) - set(stored)
        twice = len(stored) - len(set(stored))
        torn = list((collector.state / "log").glob("*.torn-*"))
        print(f"kills {kills}, seed {seed}, client {line.strip()}")
        print(f"acknowledged {len(set(named))}, in the log {len(set(stored))}, lost {len(lost)}, "
              f"stored twice {twice}, torn ends set aside {len(torn)}")
        days = sorted((collector.state / "log").glob("*.ndjson.zst"))
        verified = subprocess.run([program, "verify", *days], capture_output=True, text=True)
        print(verified.stdout.strip())
        missing = subprocess.run([program, "verify", directory / "none"], capture_output=True)
        if verified.returncode != 0 or " 0 signed" in verified.stdout or missing.returncode != 4:
            print("FAILED verify", verified.returncode, missing.returncode, verified.stderr)
            return 1
        if not named or lost or twice:
            print("FAILED", *sorted(lost)[:5])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
