#!/usr/bin/python3
"""Holds the tree to what a machine can hold: layers, sizes, co_await shapes, forgotten files.

Usage: tidy.py [ROOT]. Prints path:line: problem, exits 1 if there is any. A breach that has a reason
stands in allowed.txt; an entry there that excuses nothing is a problem too.
"""
import ast
import os
import pathlib
import re
import sys
import typing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cpp_text import CppText  # noqa: E402
import layers  # noqa: E402

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
CORPUS_BYTES_MAX = 600_000
PROSE_LETTERS_MIN = 30
CODE = {".h", ".cc", ".py", ".js"}
TEXT = CODE | {".cmake", ".txt", ".sh", ".yaml", ".yml", ".html", ".css", ".conf", ".md", ".sql"}
SKIPPED_FOLDERS = {"build", ".git", ".ci", "node_modules", "__pycache__", "run.state", ".cache"}
SHAPELESS = {"common", "util", "utils", "helper", "helpers", "misc"}
# Written apart, so that this file does not find itself.
UNFINISHED = re.compile("|".join([r"\bTO" r"DO\b", r"\bFIX" r"ME\b", r"\bXX" r"X\b", r"\bplace" r"holder\b(?!=)",
                                  r"\bnot (?:yet )?imple" r"mented\b"]), re.IGNORECASE)
SLEEP = re.compile(r"\bsleep_for\b|\bsleep_until\b|\bu?sleep\s*\(|\bnanosleep\b")
BOOL_PARAMETER = re.compile(r"[(,]\s*(?:const\s+)?bool\s+\w+\s*(?:=[^,;(){}]*)?[,)]")


class Problem(typing.NamedTuple):
    check: str
    path: str
    line: int
    message: str


def tree_files(root: pathlib.Path) -> list[str]:
    out = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS and not n.startswith("build"))
        out += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(files)]
    return out


def size_problems(path: str, source: str):
    lines = source.count("\n")
    if lines > FILE_LINES_MAX:
        yield Problem("file_size", path, lines, f"{lines} lines; at {FILE_LINES_MAX} look for the missing type")


def cpp_problems(path: str, source: str, exists):
    code = CppText(source)
    for name, line, count in code.functions():
        if count > FUNCTION_LINES_MAX:
            yield Problem("function_size", path, line, f"{name} has {count} lines; at most {FUNCTION_LINES_MAX}")
    for line, message in code.await_problems():
        yield Problem("co_await", path, line, message)
    for line, message in code.lambda_problems():
        yield Problem("lambda", path, line, message)
    for line, message in code.switch_problems():
        yield Problem("switch_default", path, line, message)
    for line, message in layers.include_problems(path, source, exists):
        yield Problem("layer", path, line, message)
    for line, message in layers.purity_problems(path, code.text):
        yield Problem("layer", path, line, message)
    if layers.part_of(path) in layers.BELOW:
        yield from taste_problems(path, code)
    if path.startswith("tests/unit/"):
        for found in SLEEP.finditer(code.text):
            yield Problem("sleep", path, code.line(found.start()), "a unit test sleeps")


def taste_problems(path: str, code: CppText):
    for found in re.finditer(r"\bthrow\b", code.text):
        yield Problem("throw", path, code.line(found.start()), "errors of ours are Expected<T>")
    if not path.endswith(".h"):
        return
    for found in BOOL_PARAMETER.finditer(code.text):
        yield Problem("bool_parameter", path, code.line(found.start()), "name both ways with an enum class")
    for found in re.finditer(r"\busing\s+namespace\b", code.text):
        yield Problem("using_namespace", path, code.line(found.start()), "in a header it reaches everybody")


def header_problems(path: str, source: str):
    prose = re.match(r"(?://[^\n]*\n)+", source)
    letters = len(re.sub(r"[/\s]", "", prose.group(0))) if prose else 0
    if letters < PROSE_LETTERS_MIN:
        yield Problem("header_prose", path, 1, "a header opens with what this is and its posture")
    if "#pragma once" not in source:
        yield Problem("header_prose", path, 1, "#pragma once is missing")


def python_problems(path: str, source: str):
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            count = node.end_lineno - node.lineno + 1
            if count > FUNCTION_LINES_MAX:
                yield Problem("function_size", path, node.lineno,
                              f"{node.name} has {count} lines; at most {FUNCTION_LINES_MAX}")


def text_problems(path: str, source: str):
    for found in UNFINISHED.finditer(source):
        yield Problem("unfinished", path, source.count("\n", 0, found.start()) + 1, f"'{found.group(0)}'")


def name_problems(files: list[str]):
    for path in files:
        *folders, name = path.split("/")
        for part in folders + [name.split(".")[0]]:
            if part in SHAPELESS:
                yield Problem("shapeless_name", path, 1, f"'{part}' says nothing about its one reason to change")


def build_problems(root: pathlib.Path, files: list[str]):
    build = layers.Build(root)
    for path, message in build.link_problems():
        yield Problem("layer", path, 1, message)
    for path in files:
        source = path.endswith(".cc") or (path.startswith("tests/") and path.endswith("_test.py"))
        if source and not build.builds(path):
            yield Problem("not_built", path, 1, "no CMakeLists.txt of the build names it")


def fuzz_problems(root: pathlib.Path, files: list[str]):
    targets = {pathlib.PurePosixPath(path).stem for path in files
               if re.fullmatch(r"tests/fuzz/\w+\.cc", path) and not path.endswith("_main.cc")}
    corpora: dict[str, int] = {}
    for path in files:
        parts = path.split("/")
        if parts[:3] == ["tests", "fuzz", "corpus"] and len(parts) == 5:
            corpora[parts[3]] = corpora.get(parts[3], 0) + (root / path).stat().st_size
    for name in sorted(targets - corpora.keys()):
        yield Problem("corpus", f"tests/fuzz/{name}.cc", 1, f"tests/fuzz/corpus/{name} holds no file")
    for name in sorted(corpora.keys() - targets):
        yield Problem("corpus", f"tests/fuzz/corpus/{name}", 1, "no target of that name")
    if sum(corpora.values()) > CORPUS_BYTES_MAX:
        yield Problem("corpus", "tests/fuzz/corpus", 1, f"more than {CORPUS_BYTES_MAX} bytes in all")


def file_problems(root: pathlib.Path, path: str, exists):
    kind = pathlib.PurePosixPath(path).suffix
    if kind not in TEXT or path.startswith(("tests/vectors/", "tests/fuzz/corpus/")):
        return
    source = (root / path).read_text(encoding="utf-8")
    if kind in CODE:
        yield from size_problems(path, source)
    if kind in (".h", ".cc"):
        yield from cpp_problems(path, source, exists)
    if kind == ".h":
        yield from header_problems(path, source)
    if kind == ".py":
        yield from python_problems(path, source)
    if not path.startswith("tests/tidy/"):
        yield from text_problems(path, source)


def read_allowed(path: pathlib.Path) -> dict[tuple[str, str], str]:
    """(check, path) -> reason"""
    out = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        if line and not line.startswith("#"):
            check, where, reason = line.split(maxsplit=2)
            out[check, where] = reason
    return out


def check_tree(root: pathlib.Path) -> list[Problem]:
    files = tree_files(root)
    known = set(files)
    problems = []
    for path in files:
        problems += file_problems(root, path, known.__contains__)
    problems += name_problems(files)
    problems += build_problems(root, files)
    problems += fuzz_problems(root, files)
    allowed = read_allowed(root / "tests/tidy/allowed.txt")
    excused = {(p.check, p.path) for p in problems} & allowed.keys()
    kept = [p for p in problems if (p.check, p.path) not in allowed]
    for check, path in sorted(allowed.keys() - excused):
        kept.append(Problem("allowed", "tests/tidy/allowed.txt", 1, f"'{check} {path}' excuses nothing"))
    return kept


def main() -> int:
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    problems = check_tree(root)
    for p in problems:
        print(f"{p.path}:{p.line}: {p.check}: {p.message}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
