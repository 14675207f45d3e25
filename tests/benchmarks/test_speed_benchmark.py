"""The parts of the benchmarks of speed, and their short forms: what must hold on any machine, however slow."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.gate import Gate

FOLDER = Path(__file__).parent / "speed"
MODULES = ("firehose", "watched", "soak", "week", "quix")


@pytest.fixture(scope="module")
def speed() -> Iterator[Any]:
    """Return the benchmarks' modules, which import each other by their plain names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield SimpleNamespace(**{name: import_module(name) for name in MODULES})


@pytest.mark.parametrize("pass_ratio", [0.03, 0.2])
def test_the_firehose_passes_the_gate_in_the_share_asked_for(speed: Any, pass_ratio: float) -> None:
    words, passes = speed.firehose.Words(500.0, pass_ratio), Gate.load()
    posts = [words.post(number)[1] for number in range(4000)]
    assert sum(map(passes, posts)) == pytest.approx(4000 * pass_ratio, abs=2)


def test_the_firehose_says_the_same_each_time_and_tells_of_one_incident_every_ten_minutes(speed: Any) -> None:
    words, again = (speed.firehose.Words(100.0, 0.03) for _ in range(2))
    said = [words.post(number) for number in range(60_000)]  # ten minutes
    assert said[::97] == [again.post(number) for number in range(0, 60_000, 97)]
    witnesses = [text for author, text in said if author.startswith("witness")]
    assert len(witnesses) == speed.firehose.WITNESSES
    assert all(text.endswith(speed.firehose.TOWNS[0]) for text in witnesses)


def test_a_quantile_lies_on_a_straight_line_within_its_bucket(speed: Any) -> None:
    histogram = Counter({"0.1": 50, "0.2": 100, "+Inf": 100})
    assert speed.watched.quantile(histogram, 0.25) == pytest.approx(0.05)
    assert speed.watched.quantile(histogram, 0.75) == pytest.approx(0.15)
    assert speed.watched.quantile(Counter(), 0.5) != speed.watched.quantile(Counter(), 0.5)  # nothing came


def weighed(speed: Any, *lives: list[float]) -> Any:
    """Return a soak in which workers, one after the other, took so much memory."""
    soak = speed.soak.Soak(500.0, 0.03)
    soak.memory = [
        speed.soak.Memory(float(secs), "worker", process, mb)
        for secs, (process, mb) in enumerate((process, mb) for process, life in enumerate(lives) for mb in life)
    ]
    soak.minutes = [
        speed.soak.Minute(
            secs=60.0 * number,
            made=0,
            waiting=0,
            latency=Counter({"0.1": 10 * number, "0.2": 20 * number, "+Inf": 20 * number}),
            due=0,
            state_keys=0,
            disk_mb=0.0,
            worker=1,
        )
        for number in range(1, 13)
    ]
    soak.waiting = soak.lag = soak.status = 0
    return soak


def met(speed: Any, soak: Any) -> dict[str, bool]:
    return {one.what: one.is_met for one in speed.soak.verdicts(soak)}


@pytest.mark.parametrize(
    ("lives", "is_flat"),
    [
        pytest.param([[400.0] * 10 + [500.0] * 40 + [520.0] * 10], True, id="warming up does not count"),
        pytest.param([[500.0 + secs for secs in range(60)]], False, id="it grows by a tenth"),
        pytest.param([[900.0] * 10, [500.0] * 60], True, id="of two workers, the one that lived longest"),
    ],
)
def test_memory_is_flat_where_the_last_sixth_is_as_the_second(
    speed: Any, lives: list[list[float]], is_flat: bool
) -> None:
    assert met(speed, weighed(speed, *lives))["worker's memory, last sixth over second"] is is_flat


def test_what_was_left_lost_or_told_twice_is_found(speed: Any) -> None:
    good = weighed(speed, [500.0] * 60)
    assert all(met(speed, good).values())
    good.waiting, good.made = 3, 100
    good.in_file, good.at_cell = Counter({("i", 1): 2}), Counter({("i", 2): 1})
    assert {what for what, is_met in met(speed, good).items() if not is_met} == {
        "records not handled at the end",
        "posts made, and counted at the edge",
        "revisions in the file, and at the webhook",
        "told more than once",
    }


def test_a_rising_latency_is_found_and_a_worker_started_again_counts_from_zero(speed: Any) -> None:
    soak = weighed(speed, [500.0] * 60)
    slow = Counter({"0.1": 0, "0.2": 0, "5.0": 20, "+Inf": 20})
    soak.minutes[-2:] = [
        speed.soak.Minute(
            secs=minute.secs, made=0, waiting=0, latency=latency, due=0, state_keys=0, disk_mb=0.0, worker=2
        )
        for minute, latency in zip(soak.minutes[-2:], (slow, slow + slow), strict=True)
    ]
    found = list(speed.soak.by_minute(soak.minutes))
    assert [minute["+Inf"] for minute in found] == [20] * 12
    assert not met(speed, soak)["p99, last sixth over second"]


@pytest.mark.broker
def test_half_a_minute_of_vigie_run_leaves_nothing_and_tells_all_once(speed: Any, tmp_path: Path) -> None:
    """Its memory and its latency are for a machine that has nothing else to do."""
    soak = asyncio.run(speed.soak.soaked(0.5, 100.0, 0.2, 1024, tmp_path))
    holds = {what: is_met for what, is_met in met(speed, soak).items() if "sixth" not in what}
    assert all(holds.values()), speed.soak.tables(soak)
    assert soak.made == 3000
    assert soak.in_file, "nobody was told of anything"
    assert {one.name for one in soak.memory} == {"supervisor", *speed.watched.NAMES}
    assert [path.stat().st_size > 1000 for path in speed.soak.written(soak, tmp_path / "out")] == [True, True]


def played_as_it_must_be(speed: Any, days: int) -> Any:
    week = speed.week.play(days)
    assert all(one.is_met for one in speed.week.verdicts(week)), speed.week.tables(week)
    assert week.judged.found, "nothing happened"
    return week


@pytest.mark.broker
def test_a_day_adds_up_and_keeps_to_its_budget(speed: Any) -> None:
    played_as_it_must_be(speed, 1)


@pytest.mark.broker
@pytest.mark.long
def test_a_week_does_so_too_its_state_does_not_go_on_growing_and_it_is_the_same_twice(speed: Any) -> None:
    assert played_as_it_must_be(speed, 7).said == speed.week.play(7).said


def test_without_quixstreams_the_command_says_how_to_come_by_it(
    speed: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed.quix, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["quix.py"])
    assert speed.quix.main() == 2
    assert "[rivals]" in capsys.readouterr().err
