"""Every query of a Grafana board, made runnable on Prometheus' own API as Grafana would make it."""
import json
import pathlib
import urllib.parse
import urllib.request

# What Grafana puts in for "All" and for the interval at our scrape interval.
SUBSTITUTES = {"$__rate_interval": "1m", "$__range": "1h", "$job": ".+", "$instance": ".+", "$country": ".+",
               "$network": ".+", "$target": ".+"}


def substitute(query: str) -> str:
    for variable, value in SUBSTITUTES.items():
        query = query.replace(variable, value)
    if "$" in query:
        raise ValueError(f"a variable is left in {query}")
    return query


def of_board(path: pathlib.Path) -> list[tuple[str, str]]:
    """(where, PromQL) of panels and annotations; variables' label_values are turned into their selector."""
    board = json.loads(path.read_text())
    found = []
    for panel in board["panels"]:
        found += [(panel["title"], substitute(target["expr"])) for target in panel["targets"]]
    for annotation in board["annotations"]["list"]:
        if "expr" in annotation:
            found.append((f"annotation {annotation['name']}", substitute(annotation["expr"])))
    for variable in board["templating"]["list"]:
        query = variable.get("definition", "")
        if query.startswith("label_values("):
            selector = query[len("label_values("):query.rindex(",")]
            found.append((f"variable {variable['name']}", substitute(selector)))
    return found


def ask(base_url: str, query: str) -> list[dict]:
    """The result of an instant query; raises on any error Prometheus reports."""
    url = f"{base_url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        document = json.load(answer)
    if document["status"] != "success":
        raise ValueError(document.get("error", "no reason given"))
    return document["data"]["result"]
