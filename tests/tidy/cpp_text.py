"""What a brace opens, where a function ends, what one full expression holds: C++ as text.

No compiler: these are heuristics that hold for the style of this tree. Comments and literals are blanked
first, so that offsets and line numbers stay those of the file.
"""
import bisect
import functools
import re

_LITERAL = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_SPECIFIERS = re.compile(r"\b(const|noexcept|mutable|override|final|constexpr|static)$|&{1,2}$")
_TRAILING_RETURN = re.compile(r"->\s*[\w:<>,\s&*.\[\]]+$")
_CONTROL = re.compile(r"^(else\b|do\b|try\b|(if|for|while|switch|catch)\b)")
_ACCESS = re.compile(r"\b(public|private|protected)\s*$")
_LABELS = re.compile(r"^(?:(?:case\s+(?:\w+::)*\w+|default)\s*:(?!:)\s*)+(?=.)", re.DOTALL)
_COROUTINE = re.compile(r"\bco_(?:await|return|yield)\b")


def blank(source: str) -> str:
    """`source` with comments, directives and the insides of literals as spaces, line ends kept."""

    def spaces(match: re.Match) -> str:
        text = match.group(0)
        hollow = re.sub(r"[^\n]", " ", text)
        if text[0] in "\"'R" and len(hollow) >= 2:
            return '"' + hollow[1:-1] + '"'
        return hollow

    without_literals = _LITERAL.sub(spaces, source)
    return _DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), without_literals)


class CppText:
    def __init__(self, source: str):
        self.text = blank(source)
        self._line_starts = [0] + [m.end() for m in re.finditer("\n", self.text)]
        self.match = {}
        opened = []
        for found in re.finditer(r"[{}()\[\]]", self.text):
            mark, at = found.group(0), found.start()
            if mark not in _PAIRS:
                opened.append(at)
            elif opened and self.text[opened[-1]] == _PAIRS[mark]:
                self.match[at] = opened.pop()
                self.match[self.match[at]] = at
        self.braces = [m.start() for m in re.finditer("{", self.text) if m.start() in self.match]
        self.kind = functools.lru_cache(maxsize=None)(self._kind)

    def line(self, at: int) -> int:
        return bisect.bisect_right(self._line_starts, at)

    def _header(self, brace: int) -> tuple[str, int]:
        """The text that introduces a brace, and where the walk back stopped."""
        at = brace - 1
        while at >= 0:
            mark = self.text[at]
            if mark == "}" and at in self.match:
                if self.kind(self.match[at]) not in ("init", "lambda"):
                    break
                at = self.match[at]
            elif mark in ")]" and at in self.match:
                at = self.match[at]
            elif mark in ";{(":
                break
            elif mark == ":" and _ACCESS.search(self.text[max(0, at - 12):at]):
                break
            at -= 1
        return self.text[at + 1:brace], at

    def _without_tail(self, header: str) -> str:
        """Without trailing return type and specifiers."""
        header = _TRAILING_RETURN.sub("", header).rstrip()
        while True:
            shorter = _SPECIFIERS.sub("", header).rstrip()
            if shorter == header:
                return header
            header = shorter

    def introducer(self, brace: int) -> tuple[int, int] | None:
        """The [ ] of the lambda whose body this brace opens."""
        header, before = self._header(brace)
        end = before + 1 + len(self._without_tail(header.rstrip()))
        at = end - 1
        if at >= 0 and self.text[at] == ")" and at in self.match:
            at = self.match[at] - 1
            while at >= 0 and self.text[at].isspace():
                at -= 1
        if at < 0 or self.text[at] != "]" or at not in self.match:
            return None
        start = self.match[at]
        left = self.text[:start].rstrip()[-1:]
        if left and (left.isalnum() or left in "_)]") and not re.search(
                r"\b(return|co_return|co_await|case)$", self.text[:start].rstrip()):
            return None  # a subscript
        return start, at

    def _kind(self, brace: int) -> str:
        """namespace, type, function, lambda, control or init."""
        raw, before = self._header(brace)
        header = _LABELS.sub("", raw.strip())
        if self.introducer(brace):
            return "lambda"
        if not header:
            mark = self.text[before] if before >= 0 else ";"
            if mark == "(":
                return "init"
            if mark == "{":
                return "init" if self.kind(before) == "init" else "control"
            return "control"
        if re.match(r"(inline\s+)?namespace\b", header) or header.startswith("extern"):
            return "namespace"
        tail = self._without_tail(header)
        if re.search(r"\b(class|struct|union|enum)\b", header) and not tail.endswith(")"):
            return "type"
        if _CONTROL.match(header) or header.endswith(":"):
            return "control"
        if before >= 0 and self.text[before] == "(":
            return "init"
        if tail.endswith(")"):
            return "function"
        if tail.endswith("}") and re.search(r"\)\s*(noexcept\s*)?:", tail):
            return "function"  # a constructor whose members are initialised with braces
        return "init"

    def functions(self):
        """(name, first line, line count) of every function with a body; lambdas belong to theirs."""
        for brace in self.braces:
            if self.kind(brace) != "function":
                continue
            header, before = self._header(brace)
            start = before + 1 + len(header) - len(header.lstrip())
            name = re.search(r"([\w:~]+|operator\W+)\s*\(", header)
            first = self.line(start)
            yield (name.group(1) if name else "?"), first, self.line(self.match[brace]) - first + 1

    def _expression_start(self, at: int) -> int:
        while at >= 0:
            mark = self.text[at]
            if mark == ";":
                break
            if mark == "}" and at in self.match:
                if self.kind(self.match[at]) not in ("init", "lambda"):
                    break
                at = self.match[at]
            elif mark in ")]" and at in self.match:
                at = self.match[at]
            elif mark == "{" and self.kind(at) != "init":
                break
            elif mark == "(" and re.search(r"\b(if|while|for|switch|if\s+constexpr)\s*$", self.text[:at][-20:]):
                break
            at -= 1
        return at + 1

    def full_expression(self, at: int) -> tuple[int, int]:
        """Offsets of the statement or condition that the token at `at` is evaluated in."""
        start = self._expression_start(at - 1)
        end = at
        while end < len(self.text):
            mark = self.text[end]
            if mark == ";":
                break
            if mark in "({[" and end in self.match:
                end = self.match[end]
            elif mark in ")}" and self.match.get(end, -1) < start:
                break
            end += 1
        return start, end

    def lambdas_in(self, start: int, end: int):
        """(introducer start, introducer end, body brace) of the lambdas between two offsets."""
        for brace in self.braces[bisect.bisect_left(self.braces, start):bisect.bisect_left(self.braces, end)]:
            if self.kind(brace) == "lambda":
                first, last = self.introducer(brace)
                yield first, last, brace

    def without_lambda_bodies(self, start: int, end: int) -> str:
        text = self.text[start:end]
        for _, _, brace in self.lambdas_in(start, end):
            low, high = brace - start, self.match[brace] - start + 1
            text = text[:low] + re.sub(r"[^\n]", " ", text[low:high]) + text[high:]
        return text

    def await_problems(self):
        """(line, message) of the shapes around co_await that g++ 12 miscompiles or that dangle."""
        seen = set()
        for found in re.finditer(r"\bco_await\b", self.text):
            start, end = self.full_expression(found.start())
            if start in seen:
                continue
            seen.add(start)
            line = self.line(found.start())
            if "{" in self.without_lambda_bodies(start, end):
                yield line, "a braced list or aggregate in one expression with co_await; name it first"
            for first, last, _ in self.lambdas_in(start, end):
                if self.text[first + 1:last].strip():
                    yield line, "a capturing lambda in one expression with co_await; name it first"

    def lambda_problems(self):
        for found in re.finditer(r"\[\s*=\s*[\],]", self.text):
            yield self.line(found.start()), "a capture of everything by value; name what is captured"
        for first, last, brace in self.lambdas_in(0, len(self.text)):
            inner = self.without_lambda_bodies(brace + 1, self.match[brace])
            if self.text[first + 1:last].strip() and _COROUTINE.search(inner):
                yield self.line(first), "a capturing lambda is a coroutine; its captures die before it does"

    def _is_switch(self, brace: int) -> bool:
        header = _LABELS.sub("", self._header(brace)[0].strip())
        return self.kind(brace) == "control" and header.startswith("switch")

    def switch_problems(self):
        """default: in a switch over an enum of ours (its enumerators are written Type::name)."""
        for brace in self.braces:
            if not self._is_switch(brace):
                continue
            body = self.text[brace + 1:self.match[brace]]
            for inner in self.braces:
                if brace < inner < self.match[brace] and self._is_switch(inner):
                    low, high = inner - brace - 1, self.match[inner] - brace - 1
                    body = body[:low] + " " * (high - low) + body[high:]
            ours = any(is_our_enumerator(name) for name in re.findall(r"\bcase\s+((?:\w+::)+)\w+\s*:", body))
            if ours and re.search(r"\bdefault\s*:", body):
                yield self.line(brace), "default: in a switch over our enum; name every enumerator"


_FOREIGN = {"std", "boost", "asio", "beast", "http", "simdjson", "prometheus", "YAML", "CLI", "spdlog"}


def is_our_enumerator(qualifier: str) -> bool:
    parts = qualifier.rstrip(":").split("::")
    return parts[0] not in _FOREIGN and parts[-1][:1].isupper()
