#!/usr/bin/python3
"""A real Prometheus beside the lab: it scrapes the collector, its API returns the blocked target's series,
and it answers every query of the Grafana board. The page names the blocked and the open target.

usage: watch.py BUILD_DIRECTORY
"""
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import board_queries

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCKED = "web:https://www.social.example/"
OPEN = "web:https://www.library.example/"
WAIT_SECONDS = 150
SKIPPED = 77


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def start_prometheus(folder: pathlib.Path, port: int, desk_port: int) -> subprocess.Popen:
    """Our own configuration, with the collector's port and a scrape every second."""
    shutil.copytree(ROOT / "dashboards/prometheus", folder / "prometheus")
    config = folder / "prometheus/prometheus.yml"
    text = config.read_text().replace("127.0.0.1:9780", f"127.0.0.1:{desk_port}")
    config.write_text(text.replace("scrape_interval: 15s", "scrape_interval: 1s")
                      .replace("scrape_timeout: 10s", "scrape_timeout: 1s"))
    return subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])


def wait_for(what: str, condition) -> None:
    end = time.monotonic() + WAIT_SECONDS
    problem = None
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (urllib.error.URLError, ConnectionError, ValueError, json.JSONDecodeError) as error:
            problem = error
        time.sleep(0.5)
    raise SystemExit(f"FAIL: {what} did not happen within {WAIT_SECONDS} s ({problem})")


def check(base: str, public_port: int, desk_port: int) -> None:
    blocked = f'kua_target_state{{target="{BLOCKED}", state="blocked"}} == 1'
    wait_for("the blocked target's series in Prometheus", lambda: board_queries.ask(base, blocked))
    print("pass: Prometheus returns", json.dumps(board_queries.ask(base, blocked)[0]["metric"]))
    reachable = f'kua_target_state{{target="{OPEN}", state="ok"}} == 1'
    wait_for("the open target's series in Prometheus", lambda: board_queries.ask(base, reachable))
    board = ROOT / "dashboards/grafana/dashboards/country.json"
    queries = board_queries.of_board(board)
    for where, query in queries:
        board_queries.ask(base, query)
    print(f"pass: {len(queries)} queries of the board are answered")
    timeline = next(query for where, query in queries if where == "Targets by network")
    if not any(float(series["value"][1]) == 5 for series in board_queries.ask(base, timeline)):
        raise SystemExit("FAIL: the board's timeline shows nothing blocked")
    page = fetch(f"http://127.0.0.1:{public_port}/")
    for text in ("www.social.example", "www.library.example", "local instance"):
        if text not in page.lower():
            raise SystemExit(f"FAIL: the page does not say {text!r}")
    print("pass: the page shows a blocked and an open target")
    metrics = fetch(f"http://127.0.0.1:{desk_port}/metrics")
    said = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True)
    if said.returncode != 0 or said.stdout or said.stderr:
        raise SystemExit(f"FAIL: promtool check metrics says {said.stdout}{said.stderr}")
    print("pass: promtool check metrics is silent")


def main() -> int:
    for tool in ("prometheus", "promtool"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            return SKIPPED
    public_port, desk_port, prometheus_port = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="kua-watch-") as folder:
        lab = subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests/lab/up"), "--build", sys.argv[1],
                                "--public-port", str(public_port), "--desk-port", str(desk_port)])
        prometheus = start_prometheus(pathlib.Path(folder), prometheus_port, desk_port)
        try:
            time.sleep(1)
            if lab.poll() == SKIPPED:
                return SKIPPED
            check(f"http://127.0.0.1:{prometheus_port}", public_port, desk_port)
        finally:
            prometheus.terminate()
            if lab.poll() is None:
                lab.send_signal(signal.SIGINT)
            prometheus.wait(timeout=30)
            lab.wait(timeout=60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
