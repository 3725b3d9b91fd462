#!/usr/bin/python3
"""Somebody else stands where the collector should be: `kua-probe run` sends nothing there, says so, goes on
spooling, and delivers all of it once the collector is back.

usage: probe_wrong_pin.py KUA_PROBE KUA_COLLECTOR       exit 77: no namespaces here
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from collector import Collector  # noqa: E402

PORT = 9779
WAIT_SECONDS = 60
TIME_SCALE = 60     # a look at the line every second, a report likewise
SAYS = "another key than the collector's was presented, nothing was sent"


def in_namespace() -> bool:
    """Goes on where there is no network but loopback; False where that is not to be had."""
    if os.environ.get("KUA_WRONG_PIN_INSIDE"):
        return True
    # An ordinary user, as a volunteer is: as root the probe would change to one that does not exist here.
    alone = ["unshare", "--user", "--net", "--map-user=1000", "--map-group=1000", "--keep-caps"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        return False
    os.environ["KUA_WRONG_PIN_INSIDE"] = "yes"
    os.execvp("unshare", [*alone, "sh", "-c", 'ip link set lo up && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"',
                          "sh", sys.executable, *sys.argv])


class Probe:
    def __init__(self, program: str, directory: pathlib.Path):
        self.program, self.directory = program, directory
        self.process = None
        self.log_path = directory / "probe.log"
        (directory / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (directory / "probe.yaml").write_text(
            f"state_dir: {directory}/state\nlanguage: en\n"
            f"vantage: {{country: KZ, asn: 64500, network_type: fixed}}\n"
            f"resolver: {{resolv_conf: {directory}/resolv.conf}}\n"
            f"lab: {{time_scale: {TIME_SCALE}, record_rounding: 100ms}}\n")

    def command(self, *arguments: str) -> list[str]:
        return [self.program, "--config", str(self.directory / "probe.yaml"), *arguments]

    def call(self, *arguments: str) -> str:
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command("run"), stdout=log, stderr=log)

    def status(self) -> dict:
        done = subprocess.run(self.command("status", "--json"), capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def log(self) -> str:
        return self.log_path.read_text()


def wait_for(what: str, condition, probe: Probe) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if condition():
            return
        assert probe.process.poll() is None, f"the probe ended: {probe.log()}"
        time.sleep(0.2)
    raise SystemExit(f"FAIL: not within {WAIT_SECONDS} s: {what}\n{probe.status()}\n{probe.log()[-3000:]}")


def fix_port(collector: Collector) -> None:
    """Both stand at the same place, one after the other."""
    text = collector.config.read_text()
    collector.config.write_text(text.replace('probes: {address: "127.0.0.1:0"', f'probes: {{address: "127.0.0.1:{PORT}"'))


def join_link(collector: Collector) -> str:
    """With a list of one target, which nothing here can reach."""
    folder = collector.directory
    (folder / "targets.csv").write_text("url,category_code,tier\nhttps://www.example.com/,NEWS,key\n")

    def call(*arguments: str) -> str:
        return subprocess.run([collector.program, *arguments], check=True, capture_output=True, text=True).stdout

    call("lists", "keygen", "--out", str(folder / "list.key"))
    call("lists", "sign", "--key", str(folder / "list.key"), "--targets", str(folder / "targets.csv"), "--out",
         str(folder / "list.json"))
    (collector.config.parent / "lists").mkdir(exist_ok=True)
    shutil.copy(folder / "list.json", collector.config.parent / "lists/targets.json")
    out = call("link", "--dir", str(collector.config.parent), "--name", "Test", "--endpoint", f"127.0.0.1:{PORT}",
               "--list-key", str(folder / "list.key.pub"), "--list", str(folder / "list.json"))
    return next(word for word in out.split() if word.startswith("kua://"))


def play(probe: Probe, ours: Collector, stranger: Collector) -> None:
    link = join_link(ours)
    ours.start()
    probe.call("consent", "accept", "--level", "basic", "--yes")
    probe.call("join", link)
    ours.stop()
    stranger.start()
    probe.start()
    wait_for("the strange key is counted", lambda: probe.status().get("reports", {}).get("wrong_pins", 0) >= 2, probe)
    assert SAYS in probe.log(), probe.log()
    assert "a wrong key was presented" in probe.call("status"), probe.call("status")
    waiting = probe.status()["spool"]["records"]
    wait_for("spooling goes on", lambda: probe.status()["spool"]["records"] > waiting, probe)
    seen = probe.status()
    assert seen["reports"]["accepted"] == 0, seen
    assert stranger.stored_ids() == [], "records went to a stranger"
    stranger.stop()
    ours.start()
    wait_for("the spool is delivered to the collector", lambda: probe.status()["reports"]["accepted"] >= waiting, probe)
    assert len(ours.stored_ids()) >= waiting
    print(f"pass: a wrong key seen {seen['reports']['wrong_pins']} times, nothing sent; "
          f"{len(ours.stored_ids())} records delivered afterwards")


def main() -> int:
    probe_program, collector_program = sys.argv[1:3]
    if not in_namespace():
        print("SKIPPED: no user and network namespaces here")
        return 77
    with tempfile.TemporaryDirectory(prefix="kua-pin-") as name:
        folders = [pathlib.Path(name) / part for part in ("ours", "stranger", "probe")]
        for folder in folders:
            folder.mkdir()
        ours, stranger = Collector(collector_program, folders[0]), Collector(collector_program, folders[1])
        fix_port(ours)
        fix_port(stranger)
        probe = Probe(probe_program, folders[2])
        try:
            play(probe, ours, stranger)
        finally:
            for process in (probe.process, ours.process, stranger.process):
                if process and process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
