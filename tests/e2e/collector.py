"""A real kua-collector in a directory of its own, for tests of the whole program."""
import os
import pathlib
import re
import signal
import subprocess
import time


class Collector:
    """Makes one with `init`; `start`, `kill` and `stop` as often as a test likes. Ports are free ones."""

    def __init__(self, program: str, directory: pathlib.Path, settings: str = ""):
        self.program = program
        self.directory = directory
        self.config = directory / "collector" / "collector.yaml"
        self.log_path = directory / "collector.log"
        self.process = None
        self.ports: dict[str, int] = {}
        subprocess.run([program, "init", "--dir", str(self.config.parent), "--endpoint", "127.0.0.1:9779"],
                       check=True, capture_output=True)
        text = re.sub(r'address: "([0-9.]+):\d+"', r'address: "127.0.0.1:0"', self.config.read_text())
        self.config.write_text(text + settings)

    def start(self) -> None:
        with open(self.log_path, "ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen([self.program, "serve", "--config", str(self.config)],
                                            stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            text = self.log_path.read_bytes()[begin:].decode()
            self.ports = {name: int(port) for name, port in
                          re.findall(r"listening name=(\w+) address=\S*:(\d+)", text)}
            if len(self.ports) == 3:
                self.pin_ports()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("the collector did not start:\n" + self.log_path.read_text())

    def pin_ports(self) -> None:
        """After the first start the ports stay, so that clients find it again."""
        text = self.config.read_text()
        for name, port in self.ports.items():
            text = re.sub(rf'({name}: {{address: "127\.0\.0\.1:)0"', rf'\g<1>{port}"', text)
        self.config.write_text(text)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    @property
    def state(self) -> pathlib.Path:
        return self.config.parent / "state"

    def stored_ids(self) -> list[str]:
        """Every record id in the record log, read with zstd as any operator could."""
        files = sorted((self.state / "log").glob("*.ndjson.zst"))
        if not files:
            return []
        text = subprocess.run(["zstd", "-dcq", *map(str, files)], check=True, capture_output=True).stdout
        ids = []
        for line in text.splitlines():
            if line.startswith(b'{"batch":'):
                continue
            found = re.match(rb'\{.*?"id":"([0-9a-f-]{36})"', line)
            assert found, line[:200]
            ids.append(found[1].decode())
        return ids
