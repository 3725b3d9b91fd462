"""Which part of the tree may use which: by #include and by target_link_libraries.

The direction is docs/decisions/001's: measurement <- wire, verdict; measurement <- platform <- protocol
<- probe, collector. Probe and collector never meet.
"""
import pathlib
import re

BELOW = {
    "measurement": set(),
    "wire": {"measurement"},
    "verdict": {"measurement"},
    "platform": {"measurement"},
    "protocol": {"measurement", "platform"},
    "probe": {"measurement", "wire", "verdict", "platform", "protocol"},
    "collector": {"measurement", "wire", "verdict", "platform", "protocol"},
}
# Values in, values out: only these parts of the project, only these headers of the standard library.
PURE = {
    "measurement": set(),
    "wire": {"measurement"},
    "verdict": {"measurement"},
    "collector/detect": {"measurement", "verdict"},
}
PURE_HEADERS = set(
    "algorithm array bit bitset cctype charconv chrono climits cmath compare concepts cstddef cstdint cstring deque "
    "expected functional initializer_list iterator limits list map memory numbers numeric optional queue ranges "
    "ratio set span stack string string_view tuple type_traits unordered_map unordered_set utility variant vector "
    "version".split())
IMPURE_CALLS = re.compile(
    r"\bnow\s*\(|\btime\s*\(\s*(?:nullptr|NULL|0|&)|\bgettimeofday\b|\bclock_gettime\b|\bgetenv\b|\brandom_device\b"
    r"|\b(?:f?open|socket|connect|sendto|recv|printf)\s*\(")
# Third-party headers and the only places that may see them. Tests may use what they test against.
WRAPPED = [
    (r"boost/(asio|beast)", ["probe/", "collector/", "cmake/"]),
    (r"boost/json", ["protocol/", "collector/", "probe/"]),
    (r"boost/url", ["protocol/", "probe/step/"]),
    (r"simdjson", ["protocol/"]),
    (r"openssl/", ["platform/crypto/", "probe/step/", "probe/uplink/", "collector/http/"]),
    (r"ares", ["probe/step/"]),
    (r"nghttp2/", ["probe/step/"]),
    (r"(ngtcp2|gnutls)/", ["probe/step/"]),
    (r"yaml-cpp/", ["platform/config/"]),
    (r"sqlite3\.h", ["platform/sqlite/"]),
    (r"zstd", ["platform/compress/"]),
    (r"zlib\.h", ["platform/compress/", "probe/step/", "collector/http/"]),
    (r"idn2\.h", ["protocol/", "platform/"]),
    (r"maxminddb\.h", ["collector/"]),
    (r"prometheus/", ["collector/"]),
    (r"CLI/", ["probe/", "collector/"]),
    (r"spdlog/", ["platform/log/"]),
    (r"fmt/", ["platform/log/", "probe/", "collector/"]),
]
_INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def part_of(path: str) -> str:
    return path.split("/", 1)[0]


def pure_part(path: str) -> str | None:
    return next((pure for pure in PURE if path.startswith(pure + "/")), None)


def includes(source: str):
    """(line, name, whether in quotes)"""
    for found in _INCLUDE.finditer(source):
        yield source.count("\n", 0, found.start(1 if found.group(1) else 2)) + 1, found.group(1) or found.group(2), \
            found.group(1) is not None


def include_problems(path: str, source: str, exists):
    """(line, message) for one file; `exists` answers for paths from the root."""
    part, pure = part_of(path), pure_part(path)
    for line, name, quoted in includes(source):
        if quoted and not exists(name):
            yield line, f'"{name}" is not a file counted from the root'
        used = part_of(name)
        if part in BELOW and quoted and used != part and used not in BELOW[part]:
            yield line, f"{part} must not include {used}"
        if pure and quoted and used not in PURE[pure] and not name.startswith(pure + "/"):
            yield line, f"{pure} is pure and must not include {name}"
        if pure and not quoted and name not in PURE_HEADERS:
            yield line, f"{pure} is pure and must not include <{name}>"
        if part != "tests":
            for pattern, homes in WRAPPED:
                if re.match(pattern, name) and not any(path.startswith(home) for home in homes):
                    yield line, f"<{name}> belongs into {' or '.join(homes)}"


def purity_problems(path: str, blanked: str):
    if pure_part(path):
        for found in IMPURE_CALLS.finditer(blanked):
            yield blanked.count("\n", 0, found.start()) + 1, f"a pure part calls {found.group(0).strip()}"


class Build:
    """The CMakeLists.txt files that the root reaches, and the targets they define."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.lists = {}  # folder from the root, "" for the root itself -> text without comments
        self._read("")
        self.home = {}  # kua::name -> folder
        for folder, text in self.lists.items():
            for alias in re.findall(r"add_library\(\s*(kua::\w+)\s+ALIAS", text):
                self.home[alias] = folder

    def _read(self, folder: str):
        path = self.root / folder / "CMakeLists.txt"
        if folder in self.lists or not path.is_file():
            return
        self.lists[folder] = self._text(path)
        for module in re.findall(r"\binclude\(\s*(\w+)\s*\)", self.lists[folder]):
            own = self.root / "cmake" / f"{module}.cmake"
            if own.is_file():
                self.lists[folder] += self._text(own)
        for included in re.findall(r"\binclude\(\s*([\w./-]+\.cmake)\s*\)", self.lists[folder]):
            own = self.root / folder / included
            if own.is_file():
                self.lists[folder] += self._text(own)
        # The file of a fuzz target is named after it.
        for target in re.findall(r"kua_add_fuzz_target\(\s*(\w+)", self.lists[folder]):
            self.lists[folder] += f"\n{target}.cc\n"
        for child in re.findall(r"add_subdirectory\(\s*([\w./-]+)", self.lists[folder]):
            self._read(str(pathlib.PurePosixPath(folder) / child))

    @staticmethod
    def _text(path: pathlib.Path) -> str:
        return re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))

    def builds(self, path: str) -> bool:
        """Whether a reached CMakeLists.txt beside or above the file names it."""
        here = pathlib.PurePosixPath(path)
        for folder in here.parents:
            text = self.lists.get("" if str(folder) == "." else str(folder))
            if text and re.search(rf"(?<![\w-]){re.escape(str(here.relative_to(folder)))}(?![\w-])", text):
                return True
        return False

    def link_problems(self):
        """(path, message)"""
        for folder, text in self.lists.items():
            part, pure = part_of(folder), pure_part(folder + "/")
            if part not in BELOW:
                continue
            for call in re.findall(r"target_link_libraries\(([^)]*)\)", text):
                for name in call.split()[1:]:
                    if name in ("PUBLIC", "PRIVATE", "INTERFACE", "kua::compile_policy"):
                        continue
                    yield from self._link(folder, part, pure, name)

    def _link(self, folder: str, part: str, pure: str | None, name: str):
        used = self.home.get(name)
        path = f"{folder}/CMakeLists.txt"
        if not name.startswith("kua::"):
            if pure:
                yield path, f"{pure} is pure and must not link {name}"
            return
        if used is None:
            yield path, f"{name} is defined nowhere"
            return
        if used == "":  # of cmake/: a third-party library of ours to build
            if pure:
                yield path, f"{pure} is pure and must not link {name}"
            return
        if part_of(used) != part and part_of(used) not in BELOW[part]:
            yield path, f"{part} must not link {name} of {used}"
        if pure and used != pure and part_of(used) not in PURE[pure]:
            yield path, f"{pure} is pure and must not link {name} of {used}"
