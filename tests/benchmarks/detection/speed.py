"""Speed: signals a second through three levels on one core, compiled and one by one, and the bytes that are kept.

Run     `python tests/benchmarks/detection/speed.py`
Shape   a département's signals: authors and contents told apart at each level, the control series, the statistic, the
        incidents. Weak posts are most of them, as in life; evidence alone beside it. One by one is the running detector
        over a table in memory; after every sixty-four signals it writes what is to be kept, as in the program
Units   signals a second of processor time, the best of several rounds: other programs only ever slow it down. Bytes are
        those of keys and values in the table at the end
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np
from branches import HOLD, OWN, PARENTS, rates_below
from chatter import WEEK, background
from marks import Marks, beta_marks, first_hand_drawn
from watchers import SUDDEN, tiers_drawn, tuning_of

from detectors.batch import Tree, counts_in, signals_from, watched
from detectors.detector import Detector, Shelf
from detectors.entry import Entry
from detectors.evidence import CLIPS
from detectors.profile import Profile, load_profile
from records import Place, Signal
from records.place import PlaceLevel
from streams.state import DictState

ROUNDS, ROUNDS_ONE_BY_ONE = 5, 3
ONE_BY_ONE = 20_000
"""Signals told one by one in a round."""
MEMORY = 360.0
BATCH = 64
COMMUNES, BODIES = 12, 3
PEOPLE = 40_000
TEXT = "Grosse fumée noire au-dessus des entrepôts du port, on entend des sirènes de partout. " * 2
_SEED = 9
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class Run(NamedTuple):
    """How the running detector took one load."""

    signals_a_second: float
    nodes: int
    node_bytes: float
    weak_bytes: float  # not a number where there is none
    strong_bytes: float


class Pace(NamedTuple):
    """How fast, by kind of load."""

    compiled: dict[str, float]
    one_by_one: dict[str, Run]


def pace(signals: int) -> Pace:
    """Measure both loads, compiled and one by one."""
    marks = beta_marks()
    only = np.where(marks.is_evidence, marks.usual, 0.0)
    loads = {"everyday signals": marks, "evidence only": marks._replace(usual=only / only.sum())}
    return Pace(
        {name: _compiled_rate(load, signals) for name, load in loads.items()},
        {name: _one_by_one(load, min(ONE_BY_ONE, signals)) for name, load in loads.items()},
    )


def _compiled_rate(marks: Marks, signals: int) -> float:
    rng = np.random.default_rng(_SEED)
    total = float(OWN.sum())
    stream = background(marks, rng, total, 0.0, signals / total)
    number = len(stream.times)
    nodes = rng.choice(len(OWN), number, p=OWN / total).astype(np.int64)
    authors, contents = rng.integers(0, number // 3, number), rng.integers(-1, number, number)
    tiers, ratios = tiers_drawn(rng, number), marks.said[stream.marks]
    tuning = tuning_of(beta_marks(), SUDDEN, clips=CLIPS)
    tree = Tree(PARENTS, rates_below(), np.full(len(OWN), 1e6), np.full(len(OWN), 1e8), HOLD)

    def work() -> None:
        counts = counts_in(
            stream.times, ratios, authors=authors, contents=contents, nodes=nodes, parents=PARENTS, memory=MEMORY
        )
        watched(signals_from(stream.times, ratios, tiers=tiers, counts=counts), nodes, tuning, tree)

    work()  # compiles
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return number / best


def _one_by_one(marks: Marks, number: int) -> Run:
    signals = _signals(marks, number)
    best, table = float("inf"), DictState()
    for _ in range(ROUNDS_ONE_BY_ONE):
        took, table = _told_to(Detector(_profile()), signals)
        best = min(best, took)
    return _summed_up(number / best, table)


def _profile() -> Profile:
    """Return a profile that believes in the background as it is: everyday signals are no incident."""
    profile = load_profile("world", None)
    a_week = float(OWN.sum()) * WEEK / (PEOPLE * COMMUNES / 100_000)
    fire = msgspec.structs.replace(profile.hazard["fire"], posts_per_week=a_week)
    return msgspec.structs.replace(profile, hazard={**profile.hazard, "fire": fire})


def _told_to(detector: Detector, signals: list[Signal]) -> tuple[float, DictState]:
    table = DictState()
    shelf = Shelf(table)
    began = time.process_time()
    for start in range(0, len(signals), BATCH):
        for signal in signals[start : start + BATCH]:
            detector.observe(signal, shelf)
        table.keep(shelf.changes())
    return time.process_time() - began, table


def _summed_up(rate: float, table: DictState) -> Run:
    sizes: dict[str, list[int]] = {"weak": [], "strong": [], "node": []}
    nodes = 0
    for key, value in table.values.items():
        parts = key.split("/")
        kind, size = "node", len(key) + len(value)
        if parts[2] == "entry":
            kind = "weak" if msgspec.msgpack.decode(value, type=Entry).is_weak else "strong"
        nodes += parts[2:4] == ["base", "node"]
        sizes[kind].append(size)
    weak, strong = (sum(row) / len(row) if row else float("nan") for row in (sizes["weak"], sizes["strong"]))
    return Run(rate, nodes, sum(sizes["node"]) / max(nodes, 1), weak, strong)


def _signals(marks: Marks, number: int) -> list[Signal]:
    """Return a département's signals: most name a commune, some the inter-communal body, some the whole."""
    rng = np.random.default_rng(_SEED)
    total = float(OWN.sum())
    stream = background(marks, rng, total, 0.0, number / total * 1.2)
    times, ratios = stream.times[:number], marks.said[stream.marks[:number]]
    places = [_commune(row) for row in range(COMMUNES)]
    places += [_place(f"fr:epci:{row}", "epci") for row in range(BODIES)]
    places.append(_place("fr:dep:76", "dep"))
    where = rng.choice(len(OWN), number, p=OWN / total)
    prints = rng.integers(1, 1 << 62, number)
    authors, contents = rng.integers(0, number // 3, number), rng.integers(0, number, number)
    tiers, first_hand = tiers_drawn(rng, number), first_hand_drawn(marks.first_hand.usual, rng, stream.marks[:number])
    return [
        Signal(
            post_key=f"bench:{row}",
            source="bench",
            hazard="fire",
            place=places[where[row]],
            event_time=(at := _MONDAY + timedelta(minutes=times[row])),
            received_at=at,
            probability=0.5,
            likelihood_ratio=float(ratios[row]),
            witness_probability=0.9 if first_hand[row] else 0.1,
            actuality="now",
            author_id=f"author {authors[row]}",
            author_tier=int(tiers[row]),
            cluster_ids=(f"text:{contents[row]}",),
            fingerprint=int(prints[row]),
            platform="bench",
            text=TEXT,
            versions={"hazard": "bench", "place": "bench"},
        )
        for row in range(number)
    ]


def _commune(row: int) -> Place:
    return _place(f"fr:{76000 + row}", "commune", insee=str(76000 + row), epci=str(row * BODIES // COMMUNES))


def _place(place_id: str, level: PlaceLevel, *, insee: str | None = None, epci: str | None = None) -> Place:
    people = {"commune": PEOPLE, "epci": PEOPLE * COMMUNES // BODIES, "dep": PEOPLE * COMMUNES}[level]
    return Place(
        place_id=place_id,
        name=place_id,
        lat=49.5,
        lon=0.1,
        radius_km=5.0,
        level=level,
        confidence=0.9,
        source="text",
        reasons=("named",),
        country="FR",
        insee=insee,
        epci=epci,
        dep="76",
        population=people,
    )


def main() -> int:
    """Measure and print it all."""
    measured = pace(1_000_000)
    for name, rate in measured.compiled.items():
        sys.stdout.write(f"compiled, {name}: {rate:,.0f}/s\n")
    for name, run in measured.one_by_one.items():
        sys.stdout.write(
            f"one by one, {name}: {run.signals_a_second:,.0f}/s; {run.nodes} nodes of {run.node_bytes:,.0f} bytes, "
            f"{run.weak_bytes:,.0f} a weak signal, {run.strong_bytes:,.0f} a strong one\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
