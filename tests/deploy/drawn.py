"""The dashboards as they are committed, and what is asked of them: panels, expressions, metrics, variables."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*/*.json"))
LANGUAGES = ("fr", "en")
SELECTOR = re.compile(r"\b((?:vigie|process|python|faust|kafka|aiokafka)_\w+|up|ALERTS)\b(\{[^}]*\})?")
"""A metric in an expression, with its labels."""
OF_HISTOGRAMS = re.compile(r"_(?:bucket|sum|count)$")


class Asked(NamedTuple):
    """One expression, and where it stands."""

    where: str
    expr: str
    is_instant: bool = True


def load(path: Path) -> dict[str, Any]:
    """Return a dashboard."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels of a dashboard, without its headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def asked(path: Path) -> Iterator[Asked]:
    """Return all expressions of a dashboard: of its panels and of its annotations."""
    dashboard = load(path)
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield Asked(f"{dashboard['uid']}: {panel['title']}", target["expr"], target["instant"])
    for annotation in dashboard["annotations"]["list"]:
        yield Asked(f"{dashboard['uid']}: annotation {annotation['name']}", annotation["target"]["expr"])


def selectors(expr: str) -> list[str]:
    """Return the series that an expression asks for, with their labels."""
    return [name + (labels or "") for name, labels in SELECTOR.findall(expr)]


def metrics_of(expr: str) -> set[str]:
    """Return the metrics that an expression asks for; of a histogram its own name."""
    return {OF_HISTOGRAMS.sub("", name) for name, _ in SELECTOR.findall(expr)}


def replaced(expr: str) -> str:
    """Return an expression as Grafana sends it, with everything chosen."""
    for name, value in (("$__rate_interval", "5m"), ("$__range", "1h"), ("$__interval", "15s")):
        expr = expr.replace(name, value)
    return re.sub(r"\$\{?(?:source|hazard)\}?", ".*", expr)
