"""Detect: a signal that breaks the detector leaves nothing behind and costs only itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors import incidents
from detectors.detector import Detector, Shelf
from detectors.profile import load_profile, profile_text
from records import BrokenInvariant, ProfileChange, Signal, Tick
from streams.detect import Detect
from streams.state import DictState

MakeSignal = Callable[..., Signal]
RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def detect() -> Detect:
    return Detect(Detector(load_profile("world", None)), together_from=0)


@pytest.fixture
def one_by_one() -> Detect:
    return Detect(Detector(load_profile("world", None)))


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the detector break in the posts of an author `boom`, once one has opened an incident or grown it."""
    sound = incidents.follow, incidents.crossed

    def broken(case: Any, *rest: Any) -> Any:
        heard = next(one for one in rest if isinstance(one, incidents.Heard))
        result = sound[1 if len(rest) == 2 and rest[0] is heard else 0](case, *rest)
        if heard.entry.said is not None and heard.entry.said.author_id == "boom":
            raise ZeroDivisionError("the detector was told to break")
        return result

    monkeypatch.setattr("detectors.counting.follow", broken)
    monkeypatch.setattr("detectors.counting.crossed", broken)


def shuffled(authors: list[str], order: Any, signal: MakeSignal) -> list[Signal]:
    """Return a strong signal of each author, in any order."""
    signals = [
        signal(number, author_id=author, author_tier=2, likelihood_ratio=400.0) for number, author in enumerate(authors)
    ]
    order.shuffle(signals)
    return signals


@RELAXED
@given(authors=st.lists(st.sampled_from(["ann", "bob", "eve", "boom"]), max_size=10), order=st.randoms())
def test_a_signal_that_breaks_the_detector_costs_only_itself(
    authors: list[str], order: Any, one_by_one: Detect, breaks: None, signal: MakeSignal
) -> None:
    signals = shuffled(authors, order, signal)
    table, without = DictState(), DictState()
    result = one_by_one(signals, Shelf(table))
    table.keep(result.changes)
    sound = [one for one in signals if one.author_id != "boom"]
    expected = one_by_one(sound, Shelf(without))
    without.keep(expected.changes)
    assert [failed.number for failed in result.failed] == [n for n, s in enumerate(signals) if s.author_id == "boom"]
    assert result.alerts == expected.alerts
    assert table.values == without.values


@RELAXED
@given(authors=st.lists(st.sampled_from(["ann", "bob", "eve", "boom"]), max_size=10), order=st.randoms())
def test_a_signal_that_breaks_the_detector_costs_none_of_its_batch(
    authors: list[str], order: Any, detect: Detect, breaks: None, signal: MakeSignal
) -> None:
    signals = shuffled(authors, order, signal)
    shelf, without = Shelf(DictState()), Shelf(DictState())
    result = detect(signals, shelf)
    detect([one for one in signals if one.author_id != "boom"], without)
    assert {failed.number for failed in result.failed} == {n for n, s in enumerate(signals) if s.author_id == "boom"}
    assert [(key, ledger.incidents, ledger.nodes) for key, ledger in shelf.in_use() if ledger.posts] == [
        (key, ledger.incidents, ledger.nodes) for key, ledger in without.in_use()
    ]


@pytest.mark.parametrize("limit", [None, 0], ids=["one by one", "together"])
def test_what_breaks_after_it_was_put_in_its_place_is_told_to_have_failed_and_left_out(
    limit: int | None, signal: MakeSignal, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect = Detect(Detector(load_profile("world", None)), together_from=limit)
    now = signal(9).event_time
    in_time = [signal(number, received_at=now) for number in (8, 9)]
    late = [signal(number, received_at=now, author_tier=2, likelihood_ratio=400.0) for number in (3, 1, 2)]
    shelf, without = Shelf(DictState()), Shelf(DictState())
    for one in (shelf, without):
        detect(in_time, one)
    with monkeypatch.context() as patch:
        patch.setattr("detectors.detector.reconcile", lambda case, at: 1 / 0)
        result = detect(late, shelf)
    assert [failed.number for failed in result.failed] == [0, 1, 2]
    assert not result.alerts
    assert state_of(shelf) == state_of(without)
    assert detect(late, shelf).alerts == detect(late, without).alerts != []
    assert state_of(shelf) == state_of(without)


def state_of(shelf: Shelf) -> list[tuple[Any, ...]]:
    return [
        (key, ledger.incidents, ledger.nodes, ledger.posts, sorted(ledger.said), ledger.clock, ledger.told)
        for key, ledger in shelf.in_use()
    ]


def test_few_signals_are_taken_in_one_by_one(signal: MakeSignal) -> None:
    strong = {"author_tier": 2, "likelihood_ratio": 400.0}
    times = [signal(number).event_time for number in range(6)]
    late = [signal(number, event_time=at, received_at=times[-1], **strong) for number, at in enumerate(reversed(times))]
    told = [
        Detect(Detector(load_profile("world", None)), together_from=limit)(late, Shelf(DictState())).alerts
        for limit in (None, len(late) + 1, len(late))
    ]
    assert told[0] == told[1] != told[2]


def test_each_revision_names_the_signal_that_causes_it(detect: Detect, signal: MakeSignal) -> None:
    strong = {"author_tier": 2, "likelihood_ratio": 400.0}
    flood = signal(1, hazard="flood", **strong)
    result = detect([signal(0, **strong), flood, signal(2, author_id="bob", **strong)], Shelf(DictState()))
    causes = [(alert.hazard, number) for alert, number in zip(result.alerts, result.causes, strict=True)]
    assert [number for hazard, number in causes if hazard == "flood"] == [1]
    assert {number for hazard, number in causes if hazard == "fire"} == {0, 2}


def test_reads_what_stands_and_writes_nothing_before_it_may(detect: Detect, signal: MakeSignal) -> None:
    table = DictState()
    table.keep(detect([signal(0, author_tier=2, likelihood_ratio=400.0)], Shelf(table)).changes)
    before = dict(table.values)
    result = detect([signal(1, author_tier=2, likelihood_ratio=400.0)], Shelf(table))
    assert [(alert.level, alert.posts) for alert in result.alerts] == [("alert", 2)]
    assert table.values == before
    assert result.changes


def test_a_tick_moves_on_what_a_signal_of_the_same_batch_began(detect: Detect, signal: MakeSignal) -> None:
    later = signal().event_time + timedelta(days=2)
    result = detect(
        [signal(author_tier=2, likelihood_ratio=400.0), Tick(hazard="fire", area="76", at=later)], Shelf(DictState())
    )
    assert [alert.level for alert in result.alerts] == ["watch", "monitoring", "resolved"]


def test_notes_for_each_state_key_when_time_alone_changes_it(detect: Detect, signal: MakeSignal) -> None:
    later = Tick(hazard="flood", area="76", at=signal().event_time + timedelta(hours=1))
    due = detect([signal(), later], Shelf(DictState())).due
    assert due["flood/76"] is None
    assert due["fire/76"] is not None


def change(number: int, toml: str, **changes: Any) -> ProfileChange:
    fields: dict[str, Any] = {
        "change_id": f"c{number}",
        "name": "world",
        "version": "9",
        "toml": toml,
        "proposed_by": "analyste",
        "approved_by": "chef de salle",
        "decided_at": datetime(2012, 1, 30, 7, number, tzinfo=UTC),
    }
    return ProfileChange(**{**fields, **changes})


def other_world() -> str:
    version = next(line for line in profile_text("world").splitlines() if line.startswith("version"))
    return profile_text("world").replace(version, 'version = "9"')


def test_a_profile_takes_over_in_its_place_and_is_kept_with_what_it_changed(detect: Detect, signal: MakeSignal) -> None:
    table = DictState()
    sure = [signal(number, author_tier=2, likelihood_ratio=400.0) for number in range(3)]
    result = detect([sure[0], change(1, other_world()), sure[1]], Shelf(table))
    assert [alert.profile for alert in result.alerts] == ["world/2", "world/9"]
    assert result.profile is not None
    assert (result.failed, result.profile.version) == ([], "9")
    assert set(result.due) == {"fire/76"}
    again = detect([sure[0], change(1, other_world()), sure[1]], Shelf(table))
    assert (again.alerts, again.changes) == (result.alerts, result.changes), "as after a crash before it was kept"
    table.keep(result.changes)
    after = detect([change(1, other_world()), sure[2]], Shelf(table))
    assert after.profile is None
    assert not [key for key in after.changes if key.startswith("profile/")]


def test_a_profile_that_cannot_be_used_costs_only_itself(detect: Detect, signal: MakeSignal) -> None:
    shelf = Shelf(DictState())
    result = detect([change(1, "nonsense"), signal(author_tier=2, likelihood_ratio=400.0)], shelf)
    assert [(failed.number, "this is not TOML" in failed.detail) for failed in result.failed] == [(0, True)]
    assert [alert.profile for alert in result.alerts] == ["world/2"]
    assert (result.profile, shelf.profile_changes) == (None, ())


def test_a_broken_invariant_is_let_out(detect: Detect, signal: MakeSignal) -> None:
    with pytest.raises(BrokenInvariant):
        detect([signal()], Shelf(DictState({"fire/76/head": b"nonsense"})))


def test_each_revision_says_by_which_value_it_was_caused(detect: Detect, signal: MakeSignal) -> None:
    weak = signal(0, likelihood_ratio=0.3)
    result = detect([weak, *(signal(one, author_tier=2, likelihood_ratio=400.0) for one in (1, 2))], Shelf(DictState()))
    assert [alert.level for alert in result.alerts] == ["watch", "alert"]
    assert result.causes == [1, 2]
