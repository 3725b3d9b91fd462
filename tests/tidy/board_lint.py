#!/usr/bin/python3
"""Holds the Grafana boards to the rules a reader relies on.

The rules are those of Grafana's own dashboard linter that make sense for provisioned boards, and ours:
every panel says what an empty stretch means, and colour never carries a state alone.
"""
import json
import pathlib
import re
import sys

UNITS = {"short", "none", "s", "bytes", "percentunit", "reqps", "dateTimeFromNow", "dateTimeAsIso", "bool_yes_no"}
NEEDS_UNIT = {"stat", "timeseries", "table", "gauge", "state-timeline"}
RETIRED = {"graph", "singlestat", "table-old"}
LATEST_SCHEMA = 42


def queries(panel: dict) -> list[str]:
    return [target.get("expr", "") for target in panel.get("targets", [])]


def selectors(query: str) -> list[tuple[str, str]]:
    """(metric, matchers) of each selector of our metrics in a query."""
    return re.findall(r"\b(kua_\w+)(\{[^}]*\})?", query)


def lint_query(query: str) -> list[str]:
    problems = []
    for metric, matchers in selectors(query):
        for label in ("job", "instance"):
            if f'{label}=~"${label}"' not in matchers:
                problems.append(f"{metric} is not limited to ${label}")
        if metric.endswith("_total") and not re.search(r"(rate|irate|increase)\(" + metric, query):
            problems.append(f"counter {metric} is not within rate, irate or increase")
    for function, window in re.findall(r"\b(i?rate)\([^[]*\[(.*?)\]", query):
        if window != "$__rate_interval":
            problems.append(f"{function} over {window} instead of $__rate_interval")
    return problems


def lint_panel(panel: dict) -> list[str]:
    problems = []
    title = panel.get("title") or f"panel {panel.get('id')}"
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    if panel["type"] in RETIRED:
        problems.append(f"{title}: panel type {panel['type']} is retired")
    if not panel.get("title") or not panel.get("description"):
        problems.append(f"{title}: title and description are required")
    if panel["type"] in NEEDS_UNIT and defaults.get("unit") not in UNITS:
        problems.append(f"{title}: unit {defaults.get('unit')!r} is not a known one")
    if panel["type"] in NEEDS_UNIT and not defaults.get("noValue"):
        problems.append(f"{title}: says nothing where there is no value")
    if panel.get("datasource", {}).get("uid") != "$datasource":
        problems.append(f"{title}: its data source is not $datasource")
    if not panel.get("targets"):
        problems.append(f"{title}: has no query")
    for mapping in defaults.get("mappings", []):
        for option in mapping.get("options", {}).values():
            if isinstance(option, dict) and "color" in option and not option.get("text"):
                problems.append(f"{title}: a mapping has colour and no text")
    for query in queries(panel):
        problems += [f"{title}: {problem}" for problem in lint_query(query)]
    return problems


def lint_variables(board: dict) -> list[str]:
    problems = []
    variables = {v["name"]: v for v in board.get("templating", {}).get("list", [])}
    source = variables.get("datasource", {})
    if source.get("type") != "datasource" or source.get("label") != "Data source":
        problems.append("needs one data source variable named datasource, labelled 'Data source'")
    for name, label in (("job", "Job"), ("instance", "Instance")):
        variable = variables.get(name, {})
        wanted = {"type": "query", "label": label, "multi": True, "allValue": ".+", "refresh": 2}
        for key, value in wanted.items():
            if variable.get(key) != value:
                problems.append(f"variable {name}: {key} is {variable.get(key)!r}, not {value!r}")
    for variable in variables.values():
        if variable["type"] == "query" and variable.get("refresh") != 2:
            problems.append(f"variable {variable['name']} does not reload on a change of time")
    return problems


def lint_board(board: dict) -> list[str]:
    problems = lint_variables(board)
    if board.get("id") is not None or "__inputs" in board or "__requires" in board:
        problems.append("carries an id, __inputs or __requires: those belong to exported boards")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board.get("uid", "")):
        problems.append("needs a stable uid of at most 40 characters")
    if board.get("editable") is not False:
        problems.append("must not be editable: it is provisioned")
    if board.get("timezone") != "utc":
        problems.append("outages are told in UTC")
    if not 0 < board.get("schemaVersion", 0) <= LATEST_SCHEMA:
        problems.append("has no usable schemaVersion")
    ids = [panel["id"] for panel in board["panels"]]
    if len(ids) != len(set(ids)):
        problems.append("two panels share an id")
    for panel in board["panels"]:
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24:
            problems.append(f"{panel['title']}: stands out of the 24 columns")
        problems += lint_panel(panel)
    return problems


def self_test() -> list[str]:
    """The lint must catch what it is there for."""
    limited = '{job=~"$job", instance=~"$instance"}'
    cases = [("rate(kua_x_total[5m])", 3), (f"kua_x_total{limited}", 1),
             (f"rate(kua_x_total{limited}[$__rate_interval])", 0), ("sum(kua_up) + rate(other[1m])", 3)]
    return [f"self-test: {query} gives {lint_query(query)}, not {count} problems"
            for query, count in cases if len(lint_query(query)) != count]


def main() -> int:
    problems = self_test()
    files = [pathlib.Path(name) for name in sys.argv[1:]]
    if not files:
        problems.append("no board was given")
    for file in files:
        problems += [f"{file}: {problem}" for problem in lint_board(json.loads(file.read_text()))]
    for problem in problems:
        print(problem)
    print(f"{len(files)} boards, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
