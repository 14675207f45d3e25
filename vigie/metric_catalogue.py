"""Metric catalogue: every metric of ours, with its type, its labels, the process that has it, and what it means.

Shape   `catalogue` for programs, `markdown` for `docs/metrics.md`; nothing is measured, no process need run
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from streams import showing  # noqa: F401  what it shows is among the worker's
from streams.metrics import EVERYWHERE, WORKER
from vigie.metrics import CONSOLE, EDGE

PROCESSES: Final[Mapping[str, CollectorRegistry]] = {
    "worker": WORKER,
    "edge": EDGE,
    "console": CONSOLE,
    "every": EVERYWHERE,
}
SUFFIXES: Final = {"counter": "_total", "info": "_info"}
OURS: Final = "vigie_"
"""How our names begin: what libraries count beside them has help texts of theirs."""

HEAD: Final = """# Metrics

Written by `vigie metrics` from the help texts in the code; `/metrics` of each process has the same ones. Ports:
`[worker] health_port`, `[edge] metrics_port`, `[console] metrics_port`, at `[metrics] host`. Beside these stand what
Python and the process use (`python_`, `process_`).

Counters with labels that are known beforehand stand at zero from the start. A histogram has `_bucket`, `_sum` and
`_count`. No metric has a word of a post, or an author.
"""
TITLES: Final = {
    "worker": "The worker",
    "edge": "The edge",
    "console": "The console",
    "every": "Every process",
}


class Described(NamedTuple):
    """One metric as Prometheus knows it, without the suffixes of a histogram."""

    name: str
    type: str
    labels: tuple[str, ...]
    process: str  # "worker", "edge", "console", or "every"
    help: str


def catalogue() -> list[Described]:
    """Return every metric of ours, by process and name."""
    found = [one for process, registry in PROCESSES.items() for one in _described(process, registry)]
    order = list(PROCESSES)
    return sorted(found, key=lambda one: (order.index(one.process), one.name))


def _described(process: str, registry: CollectorRegistry) -> Iterator[Described]:
    for collector in list(registry._collector_to_names):
        for family in collector.collect():
            if family.name.startswith(OURS):
                name = f"{family.name}{SUFFIXES.get(family.type, '')}"
                yield Described(name, family.type, _labels_of(collector, family), process, family.documentation)


def _labels_of(collector: Collector, family: Metric) -> tuple[str, ...]:
    """Return the labels that a metric has, though nothing may be counted yet."""
    if family.type == "info":
        return tuple(family.samples[0].labels)
    labels: Sequence[str] = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
    return tuple(labels)


def markdown() -> str:
    """Return the catalogue as a page."""
    parts = [HEAD]
    rows = catalogue()
    for process, title in TITLES.items():
        lines = [f"## {title}", "", "| metric | type | labels | means |", "|---|---|---|---|"]
        lines += [_row(one) for one in rows if one.process == process]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _row(one: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.type} | {labels} | {one.help.replace('|', chr(92) + '|')} |"
