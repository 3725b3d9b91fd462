"""YAML with its places: every complaint names file and line, and a key nobody asked for is one."""
from __future__ import annotations

import yaml


class ScenarioError(Exception):
    """What a person wrote cannot be meant; the text names file and line."""


class Value:
    """One node of a file. Getters return plain values or complain."""

    def __init__(self, node: yaml.Node, file: str):
        self.node = node
        self.file = file

    def complain(self, message: str) -> ScenarioError:
        return ScenarioError(f"{self.file}:{self.node.start_mark.line + 1}: {message}")

    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def is_text(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and not self.is_null()

    def is_null(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag.endswith(":null")

    def mapping(self, allowed: str = "") -> "Mapping":
        if not self.is_mapping():
            raise self.complain(f"a mapping is wanted here{allowed and ': ' + allowed}")
        return Mapping(self)

    def entries(self) -> list["Value"]:
        """The entries of a list."""
        if not self.is_list():
            raise self.complain("a list is wanted here")
        return [Value(node, self.file) for node in self.node.value]

    def entries_or_self(self) -> list["Value"]:
        """A list's entries, or the value alone where one is enough."""
        return self.entries() if self.is_list() else [self]

    def text(self) -> str:
        """The characters as written, so that addresses and times are never read as numbers."""
        if not self.is_text():
            raise self.complain("a text is wanted here")
        return self.node.value

    def one_of(self, *allowed: str) -> str:
        text = self.text()
        if text not in allowed:
            raise self.complain(f"{text!r} is not one of {', '.join(allowed)}")
        return text

    def number(self, least: float = 0, most: float = float("inf")) -> float:
        try:
            number = float(self.text())
        except ValueError:
            raise self.complain(f"{self.node.value!r} is not a number") from None
        if not least <= number <= most:
            raise self.complain(f"{self.node.value} is not between {least:g} and {most:g}")
        return number

    def integer(self, least: int = 0, most: int = 2**53) -> int:
        number = self.number(least, most)
        if number != int(number):
            raise self.complain(f"{self.node.value} is not a whole number")
        return int(number)

    def flag(self) -> bool:
        return self.one_of("true", "false") == "true"


class Mapping:
    """A mapping whose keys must all be asked for."""

    def __init__(self, value: Value):
        self.value = value
        self.file = value.file
        self.keys: dict[str, tuple[Value, Value]] = {}
        self.asked: set[str] = set()
        for key_node, node in value.node.value:
            key = Value(key_node, value.file)
            name = key.text()
            if name in self.keys:
                raise key.complain(f"key {name!r} is there twice")
            self.keys[name] = (key, Value(node, value.file))

    def complain(self, message: str) -> ScenarioError:
        return self.value.complain(message)

    def get(self, name: str) -> Value | None:
        """The value of a key; None where it is absent or empty."""
        self.asked.add(name)
        entry = self.keys.get(name)
        return None if entry is None or entry[1].is_null() else entry[1]

    def need(self, name: str) -> Value:
        value = self.get(name)
        if value is None:
            raise self.complain(f"key {name!r} is missing")
        return value

    def items(self) -> list[tuple[Value, Value]]:
        """All entries, for mappings whose keys are data."""
        self.asked.update(self.keys)
        return list(self.keys.values())

    def finish(self) -> None:
        for name, (key, _) in self.keys.items():
            if name not in self.asked:
                allowed = ", ".join(sorted(self.asked))
                raise key.complain(f"unknown key {name!r} (allowed here: {allowed})")


def read_documents(text: str, file: str) -> list[Value]:
    """The scenarios of a file: one mapping, a list of them, or several documents of either."""
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ScenarioError(f"{file}:{line}: {getattr(error, 'problem', None) or error}") from None
    values = [entry for node in nodes for entry in Value(node, file).entries_or_self()]
    if not values:
        raise ScenarioError(f"{file}:1: holds no scenario")
    return values
