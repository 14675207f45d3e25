"""Backtests: how long 30 days of a département's signals take, decided by one profile, and as a whole report.

Run     `python tests/benchmarks/backtest.py [signals of a busy month]`
Shape   invented signals of Seine-Maritime: usual ones spread over its communes by their inhabitants, as many as the
        profile `departement` believes, then as many as are asked for; weighed as the reader weighed everyday posts that
        it had not learned from; and three incidents a week, of 20 to 200 posts in two hours. They come up to a minute
        late, so some in another order than they were said. All that happened is known
Units   seconds on one core, on the wall and of processor time: other programs make the first one longer
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from detectors.backtest import replayed
from detectors.comparing import with_budget
from detectors.profile import Profile, load_profile
from models.places import Gazetteer
from records import Place, Signal
from records.truth import TrueIncident, Truth
from streams.enrich import SIGNALS_SHARE
from vigie.backtest import Bench, Past
from vigie.replay import CLOSING

DAYS = 30
BUSY = 50_000
PREFECTURE = "76540"
REACH_KM = 120.0
INCIDENT_MINUTES = 120.0
SCORES = Path(__file__).parent / "detection" / "scores.json"
TEXT = "Grosse fumée noire au-dessus des entrepôts du port, on entend des sirènes de partout."
_SEED = 76
_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)


class Month(NamedTuple):
    """Thirty days of signals, and what happened in them."""

    past: Past
    truth: Truth


class Weights:
    """Likelihood ratios as the reader gave them to posts that it had not learned from."""

    def __init__(self, rng: np.random.Generator) -> None:
        scores = msgspec.json.decode(SCORES.read_bytes())
        self._edges = np.array(scores["log10_edges"])
        self._shares = {name: np.array(counts) / sum(counts) for name, counts in scores["counts"].items()}
        self._rng = rng

    def drawn(self, name: str, number: int) -> list[float]:
        """Return the weights of so many posts."""
        shares = self._shares[name]
        bins = self._rng.choice(len(shares), number, p=shares)
        logs = self._rng.uniform(self._edges[bins], self._edges[bins + 1])
        return [float(value) for value in 10.0**logs * SIGNALS_SHARE]


def month(profile: Profile, places: list[Place], usual: int) -> Month:
    """Return a month with so many usual signals, and the incidents that the profile expects."""
    rng = np.random.default_rng(_SEED)
    weights = Weights(rng)
    people = np.array([place.population or 1 for place in places], dtype=float)
    shares = people / people.sum()
    per_week = np.array([profile.hazard[hazard].posts_per_week for hazard in profile.hazards])
    signals: list[Signal] = []
    incidents: list[TrueIncident] = []

    where = rng.choice(len(places), usual, p=shares)
    hazards = rng.choice(len(profile.hazards), usual, p=per_week / per_week.sum())
    minutes = rng.uniform(0.0, DAYS * 1440.0, usual)
    for row, ratio in enumerate(weights.drawn("everyday", usual)):
        signals.append(_signal(rng, row, places[where[row]], profile.hazards[hazards[row]], minutes[row], ratio))
    for number in range(round(profile.incidents_per_week * DAYS / 7)):
        place, hazard = places[rng.choice(len(places), p=shares)], profile.hazards[number % len(profile.hazards)]
        began, posts = rng.uniform(0.0, (DAYS - 1) * 1440.0), int(rng.integers(20, 200))
        said = np.sort(rng.uniform(began, began + INCIDENT_MINUTES, posts))
        drawn = weights.drawn("incident, now", posts)
        of_it = [
            _signal(rng, len(signals) + row, place, hazard, at, ratio)
            for row, (at, ratio) in enumerate(zip(said, drawn, strict=True))
        ]
        signals += of_it
        incidents.append(_true(number, place, of_it))
    signals.sort(key=lambda signal: signal.received_at)
    past = Past(tuple(signals), _BEGAN, _BEGAN + timedelta(days=DAYS))
    return Month(past, Truth(incidents=tuple(incidents), is_complete=True))


def _signal(rng: np.random.Generator, number: int, place: Place, hazard: str, minutes: float, ratio: float) -> Signal:
    at = _BEGAN + timedelta(minutes=float(minutes))
    fields: dict[str, Any] = {"hazard": hazard}
    return Signal(
        post_key=f"bench:{number}",
        source="bench",
        place=place,
        event_time=at,
        received_at=at + timedelta(seconds=float(rng.uniform(1.0, 60.0))),
        probability=0.5,
        likelihood_ratio=ratio,
        witness_probability=0.9 if ratio > 1.0 and rng.random() < 0.5 else 0.1,
        actuality="now",
        author_id=f"author {rng.integers(0, 100_000)}",
        cluster_ids=(f"text:{number}",),
        fingerprint=int(rng.integers(1, 1 << 62)),
        platform="bench",
        text=TEXT,
        versions={"hazard": "bench", "place": "bench"},
        **fields,
    )


def _true(number: int, place: Place, of_it: list[Signal]) -> TrueIncident:
    began = of_it[0].event_time
    return TrueIncident(
        incident_id=f"incident {number}",
        hazard=of_it[0].hazard,
        place=place,
        began_at=began,
        first_post_at=began,
        ended_at=began + timedelta(minutes=INCIDENT_MINUTES),
        post_ids=frozenset(signal.post_key.partition(":")[2] for signal in of_it),
    )


def communes_of(gazetteer: Gazetteer, home: Place) -> list[Place]:
    """Return the communes of the home's département."""
    rows = gazetteer.communes_within(home.lat, home.lon, REACH_KM)
    codes = [insee for row in rows if (insee := gazetteer.insee(row)) and insee.startswith("76")]
    return [gazetteer.home_place(insee) for insee in codes]


def timed(work: Any) -> tuple[Any, float, float]:
    """Return what some work gives, and how long it took: on the wall, and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - processor


def lines(profile: Profile, usual: int, gazetteer: Gazetteer, places: list[Place]) -> Iterator[str]:
    """Yield what one month takes."""
    recorded = month(profile, places, usual)
    number, truth = len(recorded.past.values), recorded.truth
    yield f"{DAYS} days, {len(places)} communes, {number:,} signals, {len(truth.incidents)} incidents"
    until = recorded.past.ends_at + CLOSING
    bench = Bench(recorded.past, truth, gazetteer.wide_places())
    once = partial(replayed, profile, recorded.past.values, until=until, places=bench.places)
    run, wall, processor = timed(once)
    yield f"  decided once: {wall:.1f} s ({processor:.1f} s of processor time), {number / processor:,.0f} signals/s"
    pair = [profile, msgspec.structs.replace(with_budget(profile, 0.5), name="half")]
    report, wall, processor = timed(partial(bench.run, pair[:1], has_frontiers=True))
    yield f"  one profile, judged, with its frontier: {wall:.1f} s ({processor:.1f} s of processor time)"
    report, wall, processor = timed(partial(bench.run, pair, has_frontiers=True))
    yield f"  two profiles, judged, with frontiers: {wall:.1f} s ({processor:.1f} s of processor time)"
    outcome = report.outcomes[0]
    yield (
        f"  {len(run.told)} revisions, {outcome.watches} watches, {outcome.false_watches} of them false, "
        f"{outcome.watch_recall.hits} of {outcome.watch_recall.cases} incidents found"
    )


def main() -> int:
    """Measure a usual month and a busy one on one core, and print it."""
    busy = int(sys.argv[1]) if len(sys.argv) > 1 else BUSY
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    gazetteer = Gazetteer()
    home = gazetteer.home_place(PREFECTURE)
    profile = load_profile("departement", home)
    places = communes_of(gazetteer, home)
    people = sum(place.population or 0 for place in places)
    believed = sum(profile.hazard[hazard].posts_per_week for hazard in profile.hazards) * people / 100_000 * DAYS / 7
    for usual in (round(believed), busy):
        for line in lines(profile, usual, gazetteer, places):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
