"""What the benchmark of growth has much of is there, and no signal has all incidents worked out again."""

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from detectors.ledger import Ledger
from detectors.lifecycle import due_at
from detectors.profile import load_profile

FEW = 40  # signals


@pytest.fixture(scope="module")
def growth() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "speed"))
        yield import_module("growth")


def told_of(growth: Any, begin: str) -> Any:
    worker = growth.Worker(load_profile("world", None))
    getattr(growth, begin)(worker)
    return worker


def ledger_of(worker: Any) -> Ledger:
    found: Ledger = dict(worker.shelf.in_use())["fire/76"]
    return found


@pytest.mark.parametrize(
    ("begin", "levels"),
    [("many_incidents_here", {"watch", "alert"}), ("many_quiet_ones_here", {"monitoring"})],
)
def test_incidents_go_on_or_lie_quiet_in_other_communes(growth: Any, begin: str, levels: set[str]) -> None:
    found = Counter(one.level for one in ledger_of(told_of(growth, begin)).incidents.values())
    assert (set(found) <= levels, found.total()) == (True, len(growth.NEAR)), found


def test_areas_communes_and_signals_are_remembered(growth: Any) -> None:
    assert len(list(told_of(growth, "many_areas").shelf.in_use())) == growth.AREAS
    assert len(ledger_of(told_of(growth, "many_communes")).nodes) > growth.OTHERS
    assert len(ledger_of(told_of(growth, "much_remembered")).posts) == growth.REMEMBERED


@pytest.mark.parametrize("begin", ["many_incidents_here", "many_quiet_ones_here"])
def test_a_signal_has_no_more_worked_out_than_what_it_belongs_to(
    growth: Any, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, asked = told_of(growth, begin), Counter[str]()
    batches = list(growth.in_batches(growth.spread("measured", growth.HERE, growth.NOW, 2 * FEW, growth.EVERY)))

    def counted(incident: Any, *rest: Any) -> int:
        asked[incident.incident_id] += 1
        return due_at(incident, *rest)

    monkeypatch.setattr("detectors.incidents.due_at", counted)
    for batch in batches:
        worker.take(batch)
    theirs = {ledger_of(worker).incidents[place.place_id].incident_id for place in growth.NEAR}
    assert max((asked[one] for one in theirs), default=0) <= 1, "each is worked out once, until something is said of it"
    assert sum(asked.values()) <= len(theirs) + 4 * FEW
