"""Growth: does a signal cost more where more is known: places, incidents, signals remembered, weeks gone by?

Run     `python tests/benchmarks/speed/growth.py [--signals 4000]`
Shape   the same signals of one département are decided on a state that holds little, and on one that holds much. What
        counts is all that a worker does with them: deciding, writing down, joining across borders, showing what goes on
Units   microseconds of processor time a signal, the least of several rounds: other programs only ever slow it down
Errors  exit status 1 when a signal costs more than MOST times as much
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from detectors.detector import Detector, Shelf
from detectors.neighbours import Neighbours
from detectors.profile import Profile, load_profile
from detectors.standing import Standing
from records import Place, Signal, Tick
from streams.detect import TOGETHER_FROM, Detect
from streams.state import DictState

SIGNALS, ROUNDS, BATCH = 4_000, 3, 64
MOST = 1.25
"""So many times as much may a signal cost where much is known."""
NOW = datetime(2024, 3, 31, tzinfo=UTC)
EVERY, PAUSE = timedelta(seconds=0.1), timedelta(minutes=30)  # between signals of a crisis, and of a quiet time
STRONG, WEAK = 60.0, 0.4  # likelihood ratios: of a witness, and of talk
WITNESS_EACH = 8  # one signal in so many is a witness's
HOME, OTHERS = 8, 400  # communes of the département measured, and of the state that holds much
AREAS = 400  # more than France has, with each hazard
INCIDENTS = 300
REMEMBERED = 20_000
WEEKS = 12


class Cost(NamedTuple):
    """What a signal costs where little is known, and where much is."""

    dimension: "Dimension"
    before_us: float
    after_us: float

    @property
    def ratio(self) -> float:
        return self.after_us / self.before_us


class Worker:
    """What a worker does with signals, without broker and disk."""

    def __init__(self, profile: Profile) -> None:
        self.detect = Detect(Detector(profile), together_from=TOGETHER_FROM)
        self.table = DictState()
        self.shelf = Shelf(self.table)
        self.neighbours, self.standing = Neighbours(profile), Standing()

    def take(self, values: Sequence[Signal | Tick]) -> None:
        """Decide one batch, keep it, join what it raises across borders, and show what goes on."""
        found = self.detect(values, self.shelf)
        self.table.keep(found.changes)
        told = {f"{alert.state_hazard}/{alert.area}" for alert in found.alerts}
        for alert in found.alerts:
            self.neighbours.joined(alert)
        for key in sorted(told):
            self.standing.look(key, self.shelf)
        if told:
            self.standing.open()

    def take_all(self, values: Iterable[Signal | Tick]) -> None:
        """Take them in batches, as they come."""
        for batch in in_batches(values):
            self.take(batch)


def in_batches(values: Iterable[Signal | Tick]) -> Iterator[list[Signal | Tick]]:
    """Yield them in batches."""
    batch: list[Signal | Tick] = []
    for value in values:
        batch.append(value)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def commune(area: str, number: int) -> Place:
    """Return a commune, some kilometres from the next."""
    return Place(
        place_id=f"fr:{area}{number:03}",
        name=f"commune {number} of {area}",
        lat=44.0 + number % 20 * 0.25,
        lon=0.0 + number // 20 * 0.25,
        radius_km=3.0,
        level="commune",
        confidence=0.9,
        source="text",
        reasons=("named",),
        country="FR",
        insee=f"{area}{number:03}",
        dep=area,
        population=20_000,
    )


def signal(name: str, place: Place, at: datetime, ratio: float) -> Signal:
    """Return what one post says, by an author of its own."""
    return Signal(
        post_key=f"growth:{name}",
        source="growth",
        hazard="fire",
        place=place,
        event_time=at,
        received_at=at,
        probability=0.9 if ratio > 1.0 else 0.2,
        likelihood_ratio=ratio,
        witness_probability=0.9 if ratio > 1.0 else 0.1,
        actuality="now",
        author_id=f"author of {name}",
        platform="growth",
        text="Énorme fumée noire au-dessus des entrepôts, on entend des sirènes.",
        versions={"hazard": "growth"},
    )


def spread(name: str, places: Sequence[Place], begin: datetime, number: int, every: timedelta) -> Iterator[Signal]:
    """Yield signals over places, one after the other: talk, and a witness now and then."""
    for one in range(number):
        ratio = STRONG if one % WITNESS_EACH == 0 else WEAK
        place = places[one * 7 % len(places)]
        yield signal(f"{name} {one}", place, begin + one * every, ratio)


def incidents_at(name: str, places: Sequence[Place], at: datetime) -> Iterator[Signal]:
    """Yield three witnesses in each place: an incident of each."""
    for number, place in enumerate(places):
        for witness in range(3):
            yield signal(f"{name} {number} {witness}", place, at + timedelta(seconds=number), STRONG)


HERE = [commune("76", number) for number in range(HOME)]
NEAR = [commune("76", HOME + number) for number in range(0, OTHERS, 2)]


def nothing(_: Worker) -> None:
    """Nothing is known."""


def many_areas(worker: Worker) -> None:
    """Each of many areas has said something today."""
    for number in range(AREAS):
        worker.take([signal(f"elsewhere {number}", commune(f"A{number}", 1), NOW - timedelta(hours=1), WEAK)])


def many_communes(worker: Worker) -> None:
    """The same département has many communes of which somebody has spoken today."""
    places = [commune("76", HOME + number) for number in range(OTHERS)]
    worker.take_all(spread("round about", places, NOW - timedelta(hours=2), 2 * OTHERS, timedelta(seconds=5)))


def many_incidents_elsewhere(worker: Worker) -> None:
    """Much is going on in other areas."""
    for number in range(INCIDENTS):
        worker.take_all(incidents_at(f"far {number}", [commune(f"A{number}", 1)], NOW - timedelta(minutes=20)))


def many_incidents_here(worker: Worker) -> None:
    """Much is going on in other communes of the same département."""
    worker.take_all(incidents_at("near", NEAR, NOW - timedelta(minutes=6)))


def many_quiet_ones_here(worker: Worker) -> None:
    """Much was going on there two hours ago, and is not over yet."""
    worker.take_all(incidents_at("near", NEAR, NOW - timedelta(hours=2)))
    worker.take([Tick(hazard="fire", area="76", at=NOW - timedelta(minutes=1))])


def much_remembered(worker: Worker) -> None:
    """So much was said here within the memory of the detectors."""
    begin = NOW - timedelta(hours=5)
    worker.take_all(spread("earlier", HERE, begin, REMEMBERED, timedelta(hours=5) / REMEMBERED))


def an_hour(worker: Worker) -> None:
    """The last hour has gone by as hours do."""
    _quiet(worker, timedelta(hours=1))


def weeks(worker: Worker) -> None:
    """Weeks have gone by as weeks do."""
    _quiet(worker, timedelta(weeks=WEEKS))


def _quiet(worker: Worker, long: timedelta) -> None:
    number = long // PAUSE
    for one in range(number):
        worker.take([signal(f"usual {one}", HERE[one % HOME], NOW - long + one * PAUSE, WEAK)])


class Dimension(NamedTuple):
    """What may be little or much."""

    what: str
    little: str
    much: str
    before: Callable[[Worker], None]
    after: Callable[[Worker], None]


DIMENSIONS = (
    Dimension("areas", "1", f"{AREAS}", nothing, many_areas),
    Dimension("communes of the area", f"{HOME}", f"{HOME + OTHERS}", nothing, many_communes),
    Dimension("incidents elsewhere", "0", f"{INCIDENTS}", nothing, many_incidents_elsewhere),
    Dimension("incidents in the area", f"{HOME}", f"{HOME + len(NEAR)}", nothing, many_incidents_here),
    Dimension("of them quiet", "0", f"{len(NEAR)}", nothing, many_quiet_ones_here),
    Dimension("signals remembered", "0", f"{REMEMBERED:,}", nothing, much_remembered),
    Dimension("time gone by", "1 hour", f"{WEEKS} weeks", an_hour, weeks),
)


def cost_us(before: Callable[[Worker], None], number: int) -> float:
    """Return what a signal costs after something was done, in microseconds of processor time."""
    worker = Worker(load_profile("world", None))
    before(worker)
    batches = list(in_batches(spread("measured", HERE, NOW, number, EVERY)))
    gc.collect()
    began = time.process_time()
    for batch in batches:
        worker.take(batch)
    return (time.process_time() - began) / number * 1e6


def costs(number: int) -> Iterator[Cost]:
    """Measure each dimension, little and much in turns."""
    for one in DIMENSIONS:
        rounds = [(cost_us(one.before, number), cost_us(one.after, number)) for _ in range(ROUNDS)]
        yield Cost(one, *(min(side) for side in zip(*rounds, strict=True)))


def main() -> int:
    """Measure and print it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--signals", type=int, default=SIGNALS, help="how many are measured")
    number = parser.parse_args().signals
    sys.stdout.write("| what | from | to | us a signal | then | times | at most |\n|---|---|---|---|---|---|---|\n")
    is_met = True
    for cost in costs(number):
        is_met &= cost.ratio <= MOST
        what, little, much, *_ = cost.dimension
        sys.stdout.write(
            f"| {what} | {little} | {much} | {cost.before_us:.0f} | {cost.after_us:.0f} | {cost.ratio:.2f} | {MOST} |\n"
        )
        sys.stdout.flush()
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
