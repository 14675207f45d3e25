"""Pending: wherever a worker dies, and however signals come in batches then, one number stands for one revision."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import faust
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.detector import Detector
from detectors.profile import load_profile
from records import Alert, BrokenInvariant, DeadLetter, Place, Signal, Tick, decode, encode
from streams import batches, wiring
from streams.detect import Detect
from streams.memory import Memory
from streams.pending import pending, still_pending
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.wiring import KEPT_TOGETHER, Steps, Wiring

MakeSignal = Callable[..., Signal]
Dies = Callable[[], None]
DETECT = Detect(Detector(load_profile("world", None)), together_from=4)
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Died(Exception):
    """The worker is killed."""


class Table(Memory):
    """A stub of the table and its changelog, where a batch is whole or not at all; a real one dies at no command."""

    def __init__(self, values: dict[bytes, bytes], dies: Dies) -> None:
        self.table = values
        self.dies = dies
        self.batches = 0
        self.ours = True

    def is_ours(self, partition: int) -> bool:
        return self.ours

    async def _keep_whole(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        self.dies()
        self.batches += 1
        for key, value in changes.items():
            if value is None:
                self.table.pop(key.encode(), None)
            else:
                self.table[key.encode()] = value
        self.dies()


class Topic(KafkaPublisher):
    """A stub of the way onto `alerts.v1`, which may end after any record of a batch; a real one does at no command."""

    def __init__(self, told: list[bytes], dies: Dies) -> None:
        self.told = told
        self.dies = dies

    async def alerts(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self.dies()
            self.told.append(encode(alert))
        self.dies()

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        assert not letters


class Stage:
    """Workers, one after the other, on one partition of signals."""

    def __init__(self, settings_for: Callable[..., StreamSettings], event: Callable[..., Any], clock: Any) -> None:
        self.settings, self.event, self.clock = settings_for(partitions=1), event, clock
        self.values: dict[bytes, bytes] = {}
        self.told: list[bytes] = []
        self.worker = self.new_worker(lambda: None)

    def new_worker(self, dies: Dies) -> Wiring:
        app = faust.App("pending", broker=self.settings.kafka_url, datadir=str(self.settings.data_dir))
        worker = Wiring(app, self.settings, Steps(enrich=cast(Any, None), detect=DETECT), self.clock)
        worker.publisher = Topic(self.told, dies)
        worker.letters.publisher = worker.publisher
        worker.memory = Table(self.values, dies)
        return worker

    async def start_again(self, dies: Dies) -> None:
        self.worker = self.new_worker(dies)
        await self.worker._take_over()

    def events(self, signals: Sequence[Signal | Tick]) -> list[Any]:
        return [
            self.event(encode(signal), key=signal.key.encode(), offset=number) for number, signal in enumerate(signals)
        ]

    def revisions(self) -> dict[tuple[str, int], set[bytes]]:
        said: dict[tuple[str, int], set[bytes]] = {}
        for value in self.told:
            alert = decode(value, Alert)
            said.setdefault((alert.incident_id, alert.revision), set()).add(value)
        return said


@pytest.fixture
def stage(
    settings_for: Callable[..., StreamSettings], event: Callable[..., Any], clock: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Stage]:
    def die(error: BaseException) -> None:
        raise error

    monkeypatch.setattr(wiring, "die", die)
    monkeypatch.setattr(batches, "die", die)
    return lambda: Stage(settings_for, event, clock)


def a_story(signal: MakeSignal, chance: random.Random) -> list[Signal]:
    """Return signals of a fire that grows, many of them late."""
    story = [
        signal(
            number,
            event_time=signal().event_time + timedelta(seconds=20 * number),
            received_at=signal().event_time + timedelta(hours=1),
            author_tier=chance.choice([0, 0, 1, 2]),
            likelihood_ratio=chance.choice([3.0, 30.0, 400.0]),
            text=f"le feu, {number}",
        )
        for number in range(chance.randint(4, 40))
    ]
    return sorted(story, key=lambda one: one.event_time + timedelta(seconds=chance.choice([0, 0, 200, 600])))


def deadly(chance: random.Random, deaths: int = 6) -> Dies:
    """Return what kills a worker now and then, but not for ever."""

    def dies() -> None:
        nonlocal deaths
        if deaths and chance.random() < 0.1:
            deaths -= 1
            raise Died

    return dies


async def take(stage: Stage, story: Sequence[Signal | Tick], chance: random.Random) -> None:
    """Take in a story in batches that chance cuts, while it kills; what was not committed is read again."""
    dies = deadly(chance)
    stage.worker = stage.new_worker(dies)
    events, at, is_up = stage.events(story), 0, True
    while at < len(events):
        try:
            if not is_up:
                await stage.start_again(dies)
                is_up = True
            until = at + chance.randint(1, 12)
            await stage.worker._detect(events[at:until])
            at = until
        except Died:
            at, is_up = max(0, at - chance.randint(0, 5)), False


@RELAXED
@given(seed=st.integers(0, 1 << 32))
async def test_one_number_stands_for_one_revision_wherever_a_worker_dies(
    seed: int, stage: Callable[[], Stage], signal: MakeSignal
) -> None:
    chance = random.Random(seed)  # noqa: S311  deaths, not secrets
    day_after = signal().event_time + timedelta(days=1)
    story: list[Signal | Tick] = [*a_story(signal, chance), Tick(hazard="fire", area="76", at=day_after)]
    undisturbed, killed = stage(), stage()
    for event in undisturbed.events(story):
        await undisturbed.worker._detect([event])
    await take(killed, story, chance)
    said = killed.revisions()
    assert all(len(values) == 1 for values in said.values())
    assert not [key for key in killed.values if b"/pending/" in key]
    for incident in {incident for incident, _ in said}:  # nothing was left out
        numbers = [number for one, number in said if one == incident]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert last_said(killed) == last_said(undisturbed)


def last_said(stage: Stage) -> list[tuple[Any, ...]]:
    """Return how each incident ended; but for those that were taken back, since a late post left them no ground."""
    alerts = [decode(value, Alert) for value in stage.told]
    last = {alert.incident_id: alert for alert in alerts if alert.level != "signal"}
    stand = [one for one in last.values() if "posts that came late" not in one.explanation["en"]]
    return sorted((one.level, one.authors, one.posts, str(one.evidence)) for one in stand)


async def die_when_written_down(stage: Stage, signals: Sequence[Signal]) -> None:
    """Take signals in, and die between the state and the telling."""

    def dies() -> None:
        if any(b"/pending/" in key for key in stage.values):
            raise Died

    stage.worker = stage.new_worker(dies)
    with pytest.raises(Died):
        await stage.worker._detect(stage.events(signals))


async def test_what_was_written_down_is_told_by_whoever_comes_next(
    stage: Callable[[], Stage], signal: MakeSignal
) -> None:
    there, strong = stage(), [signal(number, author_tier=2, likelihood_ratio=400.0) for number in (1, 2)]
    await die_when_written_down(there, strong)
    assert not there.told
    await there.start_again(lambda: None)
    assert [decode(value, Alert).level for value in there.told] == ["watch", "alert"]
    assert not [key for key in there.values if b"/pending/" in key]
    await there.worker._detect(there.events(strong))  # which nobody acknowledged
    assert len(there.told) == 2


async def test_what_was_worked_out_of_a_partition_that_has_gone_is_neither_kept_nor_told(
    stage: Callable[[], Stage], signal: MakeSignal
) -> None:
    there = stage()
    strong = there.events([signal(number, author_tier=2, likelihood_ratio=400.0) for number in (1, 2)])
    table_of(there).ours = False
    await there.worker._detect(strong)
    assert not there.values
    assert not there.told
    table_of(there).ours = True  # it has come back, and is read again
    await there.worker._detect(strong)
    assert len(there.told) == 2


async def test_who_loses_a_partition_while_he_tells_leaves_the_table_alone(
    stage: Callable[[], Stage], signal: MakeSignal
) -> None:
    there, strong = stage(), [signal(number, author_tier=2, likelihood_ratio=400.0) for number in (1, 2)]
    await die_when_written_down(there, strong)
    there.worker = there.new_worker(lambda: None)
    table_of(there).ours = False
    before = dict(there.values)
    await there.worker._take_over()
    assert there.values == before


async def test_a_worker_that_cannot_take_over_ends(stage: Callable[[], Stage], signal: MakeSignal) -> None:
    there = stage()
    there.values[b"fire/76/pending/7"] = b"many"
    with pytest.raises(BrokenInvariant):
        await there.worker._take_over()
    there.values.clear()
    there.values[b"no key of ours"] = b""
    with pytest.raises(ValueError, match="unpack"):
        await there.worker._take_over()


def table_of(stage: Stage) -> Table:
    return cast(Table, stage.worker.memory)


async def test_what_does_not_fit_into_one_record_batch_is_decided_in_halves(
    stage: Callable[[], Stage], signal: MakeSignal
) -> None:
    began = signal()

    def place_of(number: int) -> Place:
        code = f"{number:03d}"
        return replace(began.place, place_id=f"fr:{code}01", insee=f"{code}01", dep=code, epci=None)

    there, one_by_one = stage(), stage()
    for round_of in range(2):  # incidents grow, and what is told of them with them
        signals = [
            signal(
                number,
                post_key=f"{round_of}:{number}" + "k" * 200,
                author_id=f"{round_of}{number:063x}",
                event_time=began.event_time + timedelta(minutes=round_of, seconds=number),
                received_at=began.event_time + timedelta(hours=1),
                author_tier=2,
                likelihood_ratio=900.0,
                cluster_ids=(f"text:{round_of}:{number}",),
                place=place_of(number),
                url="https://e.org/" + "u" * 480,
                text="\U0001f525" * 1000,
            )
            for number in range(KEPT_TOGETHER)
        ]
        await there.worker._detect(there.events(signals))
        for event in one_by_one.events(signals):
            await one_by_one.worker._detect([event])
    assert len({incident for incident, _ in there.revisions()}) >= KEPT_TOGETHER
    assert table_of(there).batches < table_of(one_by_one).batches
    assert there.worker.together < KEPT_TOGETHER
    assert there.values == one_by_one.values
    assert there.told == one_by_one.told


def test_a_batch_without_revisions_writes_nothing_down() -> None:
    assert pending([], 7) == ({}, {})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"fire/76/pending/7": b"many"}, "is no number"),
        ({"fire/76/pending/7": b"1"}, "is missing"),
        ({"fire/76/pending/7": b"1", "fire/76/pending/7/0": b"{"}, "damaged"),
        ({"fire/76/pending/seven": b"1"}, "is no number"),
    ],
)
def test_a_damaged_table_stops_us(values: dict[str, bytes], says: str) -> None:
    with pytest.raises(BrokenInvariant, match=says):
        still_pending(values, values.get)


def test_revisions_of_a_batch_that_was_not_kept_are_not_told() -> None:
    values = {"fire/76/pending/7/0": b"{}"}
    assert still_pending(values, values.get) == []
