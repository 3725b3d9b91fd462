#!/usr/bin/python3
"""Prometheus' and Alertmanager's own tools read what we ship for them, and the rules' tests hold."""
import pathlib
import shutil
import subprocess
import sys

DASHBOARDS = pathlib.Path(__file__).resolve().parents[2] / "dashboards"
CHECKS = [
    ["promtool", "check", "config", "prometheus/prometheus.yml"],
    ["promtool", "check", "rules", "--lint=all", "--lint-fatal", "prometheus/rules/kua.rules.yml"],
    ["promtool", "test", "rules", "prometheus/tests/kua_test.yml"],
    ["amtool", "check-config", "alertmanager/alertmanager.yml"],
]


def main() -> int:
    for tool in ("promtool", "amtool"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            return 77
    failed = 0
    for command in CHECKS:
        done = subprocess.run(command, cwd=DASHBOARDS, capture_output=True, text=True)
        print(("pass" if done.returncode == 0 else "FAIL") + ": " + " ".join(command))
        if done.returncode != 0:
            failed += 1
            print(done.stdout + done.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
