#!/usr/bin/python3
"""docs/cases.md against what there is: scenarios, rows of the rule tables, rows of their unit tests."""
import pathlib
import re
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUOTED = re.compile(r"`([^`]+)`")


def rows() -> list[list[str]]:
    lines = (ROOT / "docs/cases.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0] != "situation"]


def scenarios() -> set[str]:
    found = set()
    for path in (HERE / "scenarios").rglob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            found |= {entry["name"] for entry in (document if isinstance(document, list) else [document])}
    return found


class Cases(unittest.TestCase):
    def test_every_row_is_whole(self):
        self.assertGreater(len(rows()), 45)
        for row in rows():
            with self.subTest(row[0]):
                self.assertEqual(len(row), 4)
                for cell in row[2:]:
                    self.assertTrue(QUOTED.findall(cell))

    def test_every_scenario_named_exists(self):
        named = {name for row in rows() for name in QUOTED.findall(row[2])}
        self.assertEqual(named - scenarios(), set())

    def test_every_rule_named_is_a_row_with_a_test_of_its_own(self):
        table = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
        tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/unit/verdict").glob("*_test.cc"))
        for rule in {rule for row in rows() for rule in QUOTED.findall(row[3])}:
            with self.subTest(rule):
                self.assertTrue(f"| `{rule}` |" in table, "no row of docs/rules.md")
                self.assertTrue(f'"{rule}"' in tests, "no row of a test in tests/unit/verdict")


if __name__ == "__main__":
    unittest.main()
