#!/usr/bin/python3
"""The page in a real browser: its policy stands in the way of nothing of its own, no script is needed, and
a collector without data says so instead of looking well.

usage: page_in_browser.py KUA_COLLECTOR [DIRECTORY FOR PICTURES]
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from collector import Collector  # noqa: E402


def browse(browser: str, url: str, profile: pathlib.Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
         "--hide-scrollbars", "--enable-logging=stderr", f"--user-data-dir={profile}", "--timeout=20000", *options, url],
        capture_output=True, text=True, timeout=120)


def main() -> int:
    program = sys.argv[1]
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        print("skipped: chromium is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="kua-page-") as name:
        directory = pathlib.Path(name)
        pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else directory
        collector = Collector(program, directory)
        collector.start()
        try:
            url = f"http://127.0.0.1:{collector.ports['public']}/"
            page = browse(browser, url, directory / "profile", "--dump-dom")
            shots = [browse(browser, url, directory / "profile", f"--screenshot={pictures}/page-{label}.png",
                            f"--window-size={size}", *more)
                     for label, size, more in (("desktop", "1280,1400", ()),
                                               ("phone", "500,1800", ()),
                                               ("dark", "1280,1400", ("--blink-settings=preferredColorScheme=0",)))]
        finally:
            assert collector.stop() == 0
        problems = []
        for run in (page, *shots):
            if run.returncode != 0:
                problems.append(f"the browser ended with {run.returncode}: {run.stderr[-500:]}")
            problems += [line for line in run.stderr.splitlines()
                         if "Content Security Policy" in line or "CONSOLE" in line]
        for words in ("Nothing is known right now", "not a sign that everything works", "What the words mean"):
            if words not in page.stdout:
                problems.append(f"the page does not say: {words}")
        for word in ("No blocking seen", "<script"):
            if word in page.stdout:
                problems.append(f"the page says: {word}")
        sizes = [file.stat().st_size for file in sorted(pictures.glob("page-*.png"))]
        if len(sizes) != 3 or min(sizes) < 20_000:
            problems.append(f"pictures of {sizes} bytes hold no page")
        print(*(problems or [f"page of {len(page.stdout)} bytes, pictures of {sizes} bytes"]), sep="\n")
        return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
