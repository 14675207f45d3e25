"""Detect: a signal that breaks the detector leaves nothing behind and costs only itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.detector import Detector, Store
from records import Alert, BrokenInvariant, Place, Signal, Tick
from streams.detect import Detect
from streams.state import DictState

MakeSignal = Callable[..., Signal]


class StubDetector:
    """A stub: counts signals a key, raises a revision at each; breaks half-way at an author `boom`."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def observe(self, signal: Signal, store: Store) -> list[Alert]:
        count = int(store.get(f"{signal.key}/count") or b"0") + 1
        store.put(f"{signal.key}/count", str(count).encode())
        if signal.author_id == "boom":
            raise ZeroDivisionError("the stub detector was told to break")
        if signal.author_id == "broken":
            raise BrokenInvariant("the stub detector was told that its state is wrong")
        return [self._alert(signal.key, count, signal.event_time)]

    def pass_time(self, tick: Tick, store: Store) -> list[Alert]:
        store.remove(f"{tick.key}/count")
        return []

    def next_due(self, key: str, store: Store) -> datetime | None:
        return None

    def _alert(self, key: str, count: int, at: datetime) -> Alert:
        hazard: Any = key.partition("/")[0]
        return Alert(
            incident_id=key,
            revision=count,
            level="watch",
            hazard=hazard,
            place=self.place,
            onset=at,
            raised_at=at,
            score=0.0,
            probability=0.5,
            severity="Unknown",
            urgency="Unknown",
            certainty="Unknown",
            evidence=(),
            posts=count,
            authors=count,
            witnesses=0,
            copies=0,
            explanation={},
            unknowns=(),
            thresholds={},
            profile="stub",
            versions={},
        )


@pytest.fixture
def detect(place: Place) -> Detect:
    return Detect(cast(Detector, StubDetector(place)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(authors=st.lists(st.sampled_from(["ann", "bob", "boom"]), max_size=10))
def test_a_signal_that_breaks_the_detector_costs_only_itself(
    authors: list[str], detect: Detect, signal: MakeSignal
) -> None:
    signals = [signal(number, author_id=author) for number, author in enumerate(authors)]
    result = detect(signals, DictState())
    sound = [number for number, author in enumerate(authors) if author != "boom"]
    assert [failed.number for failed in result.failed] == [n for n, author in enumerate(authors) if author == "boom"]
    assert [alert.revision for alert in result.alerts] == list(range(1, len(sound) + 1))
    kept = {"fire/76/count": str(len(sound)).encode()} if sound else {}
    assert dict(result.changes) == kept


def test_reads_what_stands_and_writes_nothing_before_it_may(detect: Detect, signal: MakeSignal) -> None:
    store = DictState({"fire/76/count": b"41"})
    result = detect([signal()], store)
    assert [alert.revision for alert in result.alerts] == [42]
    assert store.values == {"fire/76/count": b"41"}


def test_a_tick_may_remove_what_a_signal_of_the_same_batch_wrote(detect: Detect, signal: MakeSignal) -> None:
    result = detect([signal(), Tick(hazard="fire", area="76", at=signal().event_time)], DictState())
    assert dict(result.changes) == {"fire/76/count": None}


def test_notes_for_each_state_key_when_time_alone_changes_it(detect: Detect, signal: MakeSignal) -> None:
    later = Tick(hazard="flood", area="76", at=signal().event_time + timedelta(hours=1))
    assert set(detect([signal(), later], DictState()).due) == {"fire/76", "flood/76"}


def test_a_broken_invariant_is_let_out(detect: Detect, signal: MakeSignal) -> None:
    with pytest.raises(BrokenInvariant):
        detect([signal(author_id="broken")], DictState())
