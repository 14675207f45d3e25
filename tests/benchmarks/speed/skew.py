"""Skew: how keys fall on partitions and workers in France, Europe and the world, what they carry, how large state is.

Run     `python tests/benchmarks/speed/skew.py`; some fifteen seconds, nothing is started, the same figures each time
Shape   signals are keyed by hazard and area (`records/signal.py`): every area that a town of the shipped gazetteer lies
        in, with fire, flood and industrial. Keys go to partitions by the partitioner of `streams/publisher.py`. An
        ordinary day: as many signals of an area as people live there, and of a hazard as the profile `world` expects.
        A crisis: one key has 60 or 90 % of all signals, the rest is an ordinary day. Which key burns, by chance but by
        its ordinary share, and which partitions a worker has, are drawn; medians of the draws
Units   shares of all signals; posts that pass the gate, a second; microseconds of processor time; bytes

What is assumed, and not simulated:
- Posts are keyed by themselves and fall alike on all partitions. Partition n of `posts.v1` and of `signals.v1` are the
  same worker's, as Faust assigns topics with as many partitions together.
- Faust's assignor evens out numbers of partitions, not their load: any partitions may be one worker's, none has more
  than partitions / workers, rounded up, and who has the key that burns keeps its share of the posts.
- A worker has a core for itself and one for the process that reads for it; the broker is never in the way.
- A post that passes costs what it cost in the series named below, wherever it speaks of. What a worker takes beside
  placing and deciding (clients, codec, Faust) goes in halves to its posts and to its signals; a line tells how much
  hangs on that.
- Who decides on the signals of a post need not be who read it. Signals are as many for each post, in a crisis too. The
  load of that series is rich in evidence, late and out of order, as a crisis is; its signals are of some hundred keys.
- A town of GeoNames' that is part of another is counted in both; who lives in no town is not counted. Signals that name
  a country or a region alone have keys of their own, and are left out.
"""

import random
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from aiokafka.partitioner import DefaultPartitioner

from detectors.ledger import REMEMBERED
from detectors.profile import Profile, load_profile
from detectors.tree import path_of
from models.places import Gazetteer, shipped_gazetteer
from records.signal import Hazard

HAZARDS: tuple[Hazard, ...] = ("fire", "flood", "industrial")
PARTITIONS, WORKERS = (4, 16, 64), (1, 2, 4, 8)
ORDINARY, CRISES = 0.0, (0.6, 0.9)  # what the burning key has of all signals, beside its ordinary share of the rest
DRAWS = 300
SEED = 20120130

PASSED = 0.03
"""What share passed the gate where the next four were measured."""
WORKER_US, READER_US, PLACING_US, DECIDING_US = 36.9, 36.3, 19.5, 4.3
"""Of each post offered, `vigie bench throughput`, medians of seven runs on the slower machine: "What a post costs" in
docs/performance.md."""

READ = {"France": 50.0, "Europe": 500.0, "world": 5_787.0}
"""Posts read a second: examples, the last one Twitter's average at its height."""
USUALLY_PASSED = 0.06  # 5.95 % of 26,291 everyday posts: models/cards/hazard-4.md
SIGNALS_A_POST = 4 / 7  # of those that pass: 0.58 in the load of `vigie bench throughput`
EVIDENCE = 0.1  # of everyday signals: `beta_marks()` in tests/benchmarks/detection/marks.py
NODE_BYTES, WEAK_BYTES, STRONG_BYTES = 600, 136, 573
"""In the table, everyday: `python tests/benchmarks/detection/speed.py`, its README."""
MEMORY_BYTES = 4_000
"""Of a signal in the worker's own memory: reckoned, "some kilobytes" (README.md beside this file)."""
MEMORY_GB = 4.0
"""What one worker may have for signals, as an example."""

_EUROPE = """
    AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL
    NO PL PT RO RS RU SE SI SJ SK SM UA VA XK
"""
EUROPE = frozenset(_EUROPE.split())
"""As GeoNames has it: with all of Russia, without Turkey."""

_partitioner = DefaultPartitioner()  # as `streams/publisher.py` has it, and aiokafka's producer by itself


class Costs(NamedTuple):
    """What a post that passes takes of each process, in microseconds."""

    read: float  # of the reader
    placed: float  # of the worker that has the post
    decided: float  # of the workers that have its signals


def costs(of_signals: float) -> Costs:
    """Return what a post takes where so much of what a worker takes beside its steps goes to signals."""
    beside = WORKER_US - PLACING_US - DECIDING_US
    placed, decided = PLACING_US + (1.0 - of_signals) * beside, DECIDING_US + of_signals * beside
    return Costs(READER_US / PASSED, placed / PASSED, decided / PASSED)


COSTS = costs(0.5)


class Scope(NamedTuple):
    """What is watched."""

    name: str
    populations: Mapping[str, int]  # by area, as it stands in keys
    nodes: int  # of the detectors' tree, for each hazard, once every place was named


class Filled(NamedTuple):
    """How a deployment is filled by one load."""

    busiest_share: float  # of all signals, at the busiest worker
    posts_per_sec: float  # that pass, when the first process is full
    readers: float  # how full all readers together are then


def scopes(gazetteer: Gazetteer) -> list[Scope]:
    """Return what there is to watch, with the areas and nodes of all towns."""
    people: dict[str, Counter[str]] = {name: Counter() for name in READ}
    nodes: dict[str, set[str]] = defaultdict(set)
    for row in range(gazetteer.town_rows):
        if gazetteer.kinds[row] not in ("com", "city"):
            continue
        place = gazetteer.place(row, confidence=1.0, source="text", reasons=("named",))
        for name in _scopes_of(place.country):
            people[name][place.area] += place.population
            nodes[name].update(path_of(place))
    return [Scope(name, populations, len(nodes[name])) for name, populations in people.items()]


def _scopes_of(country: str) -> tuple[str, ...]:
    if country == "FR":
        return ("France", "Europe", "world")
    return ("Europe", "world") if country in EUROPE else ("world",)


def ordinary_shares(populations: Mapping[str, int], profile: Profile) -> dict[str, float]:
    """Return each key's share of the signals of an ordinary day."""
    said = {hazard: profile.hazard[hazard].posts_per_week for hazard in HAZARDS}
    total = sum(populations.values()) * sum(said.values())
    return {
        f"{hazard}/{area}": people * said[hazard] / total for area, people in populations.items() for hazard in HAZARDS
    }


def partition_of(key: str, partitions: int) -> int:
    """Return the partition that our publisher puts a key on."""
    numbers = list(range(partitions))
    found: int = _partitioner(key.encode(), numbers, numbers)
    return found


def by_partition(shares: Mapping[str, float], partitions: int) -> np.ndarray:
    """Return each partition's share."""
    found = np.zeros(partitions)
    for key, share in shares.items():
        found[partition_of(key, partitions)] += share
    return found


def burning(ordinary: np.ndarray, partition: int, share: float) -> np.ndarray:
    """Return each partition's share when a key on one of them has so much beside its ordinary share of the rest."""
    found = ordinary * (1.0 - share)
    found[partition] += share
    return found


def dealt(partitions: int, workers: int, chance: random.Random) -> np.ndarray:
    """Return which worker has each partition; where there are more workers than partitions, the last have none."""
    order = list(range(partitions))
    chance.shuffle(order)
    owners = np.empty(partitions, dtype=np.int64)
    owners[order] = np.arange(partitions) % workers
    return owners


def filled(signals: np.ndarray, owners: np.ndarray, each: Costs = COSTS) -> Filled:
    """Return at how many posts the first process is full, where partitions have such shares and owners."""
    decides = np.bincount(owners, weights=signals)
    places = np.bincount(owners) / len(owners)
    worker_us = float((places * each.placed + decides * each.decided).max())
    busiest_us = max(worker_us, float(places.max()) * each.read)
    return Filled(float(decides.max()), 1e6 / busiest_us, each.read / len(decides) / busiest_us)


def key_posts_per_sec(share: float, each: Costs = COSTS) -> float:
    """Return how many posts may pass until a worker that has nothing but one key, of such a share, is full."""
    return 1e6 / (share * each.decided)


def drawn(
    shares: Mapping[str, float], ordinary: np.ndarray, workers: int, share: float, *, each: Costs = COSTS
) -> Filled:
    """Return the medians over keys that burn, and over partitions as workers may have them."""
    partitions, chance = len(ordinary), random.Random(SEED)  # noqa: S311  no secret
    burn = chance.choices(list(shares), weights=list(shares.values()), k=DRAWS)
    found = [
        filled(burning(ordinary, partition_of(key, partitions), share), dealt(partitions, workers, chance), each)
        for key in burn
    ]
    return Filled(*(statistics.median(column) for column in zip(*found, strict=True)))


def remembered(hazard: Hazard, profile: Profile) -> float:
    """Return for how many seconds a signal is remembered at least (`detectors/ledger.py`)."""
    return profile.hazard[hazard].memory_hours * (1.0 + REMEMBERED) * 3600.0


def held(signals_per_sec: float, profile: Profile) -> float:
    """Return how many signals are remembered while so many come, day after day."""
    said = {hazard: profile.hazard[hazard].posts_per_week for hazard in HAZARDS}
    return signals_per_sec * sum(said[one] * remembered(one, profile) for one in HAZARDS) / sum(said.values())


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table in markdown."""
    columns = head.count("|") + 1
    return "\n".join([f"| {head} |", "|---" * columns + "|", *(f"| {' | '.join(row)} |" for row in rows)])


def partitions_table(watched: Sequence[Scope], profile: Profile) -> str:
    """Return how keys fall on partitions; in a crisis the median over keys that burn, by their ordinary shares."""
    rows = []
    for scope in watched:
        shares = ordinary_shares(scope.populations, profile)
        largest = max(shares, key=shares.__getitem__)
        for partitions in PARTITIONS:
            ordinary = by_partition(shares, partitions)
            loads = (ORDINARY, *CRISES)
            busiest = [drawn(shares, ordinary, partitions, share).busiest_share for share in loads]
            named = f"{largest}, {shares[largest]:.1%}"
            rows.append([scope.name, f"{len(shares):,}", named, str(partitions), *(f"{one:.1%}" for one in busiest)])
    return table(
        "watched | keys | largest key | partitions | busiest partition, of all signals: an ordinary day"
        " | one key has 60 % | one key has 90 %",
        rows,
    )


def workers_table(watched: Sequence[Scope], profile: Profile) -> str:
    """Return how partitions fall on workers, and what they carry."""
    rows = []
    for scope in watched:
        shares = ordinary_shares(scope.populations, profile)
        for partitions in PARTITIONS:
            ordinary = by_partition(shares, partitions)
            for workers in WORKERS:
                found = [drawn(shares, ordinary, workers, share) for share in (ORDINARY, *CRISES)]
                cells = [f"{one.busiest_share:.0%}" for one in found]
                cells += [f"{one.posts_per_sec:,.0f}; {one.readers:.0%}" for one in found]
                rows.append([scope.name, str(partitions), str(workers), *cells])
    return table(
        "watched | partitions | workers | busiest worker, of all signals: an ordinary day | 60 % | 90 %"
        " | posts passing a second when it is full; how full its and all others' readers are then: an ordinary day"
        " | 60 % | 90 %",
        rows,
    )


def state_table(watched: Sequence[Scope], profile: Profile) -> str:
    """Return how large the detectors' state is, and when it fills a worker's memory."""
    rows = []
    for scope in watched:
        signals = READ[scope.name] * USUALLY_PASSED * SIGNALS_A_POST
        number = held(signals, profile)
        places = scope.nodes * len(HAZARDS) * NODE_BYTES
        entries = number * (EVIDENCE * STRONG_BYTES + (1.0 - EVIDENCE) * WEAK_BYTES)
        cells = [f"{READ[scope.name]:,.0f}", f"{signals:.1f}", f"{number / 1e6:.2f} million", f"{scope.nodes:,}"]
        sizes = [f"{places / 1e6:,.0f} MB", f"{entries / 1e6:,.0f} MB", f"{number * MEMORY_BYTES / 1e9:.1f} GB"]
        rows.append([scope.name, *cells, *sizes])
    return table(
        "watched | posts read a second | signals a second | signals remembered | nodes of a hazard"
        " | table: nodes, once all were named | table: signals | a worker's memory: signals",
        rows,
    )


def costs_told(france: Scope, profile: Profile) -> str:
    """Return what one worker and one key carry, and how much hangs on what is assumed of a worker's costs."""
    alone = filled(np.ones(1), np.zeros(1, dtype=np.int64))
    limits = ", ".join(f"{key_posts_per_sec(share):,.0f} at {share:.0%}" for share in CRISES)
    shares = ordinary_shares(france.populations, profile)
    ordinary = by_partition(shares, 16)
    least, most = (drawn(shares, ordinary, 8, CRISES[0], each=costs(part)).posts_per_sec for part in (1.0, 0.0))
    return (
        f"A post that passes takes {COSTS.placed:,.0f} us of the worker that has it, {COSTS.decided:,.0f} us of "
        f"those that have its signals, {COSTS.read:,.0f} us of a reader.\n"
        f"One worker: {alone.posts_per_sec:,.0f} posts passing a second; its reader is {alone.readers:.0%} full then.\n"
        f"One key, alone on a worker: {limits} of all signals.\n"
        f"Were all beside placing and deciding spent on signals, or all on posts: {least:,.0f} or {most:,.0f} posts "
        "for France, 16 partitions, 8 workers, 60 %."
    )


def memory_told(profile: Profile) -> str:
    """Return how long signals stay, and how many of them a second a worker's memory holds for good."""
    steady = MEMORY_GB * 1e9 / MEMORY_BYTES / held(1.0, profile)
    hours = {hazard: remembered(hazard, profile) / 3600 for hazard in HAZARDS}
    each = ", ".join(f"{hazard} {of:g} h, {of * 3600 * MEMORY_BYTES / 1e9:.2f} GB" for hazard, of in hours.items())
    return (
        f"How long a signal is remembered, and what one a second takes of memory: {each}.\n"
        f"{MEMORY_GB:g} GB hold {steady:.1f} signals a second for good, of {steady / SIGNALS_A_POST:.0f} posts passing."
    )


def report() -> str:
    """Return it all."""
    watched, profile = scopes(shipped_gazetteer()), load_profile("world", None)
    told = [
        costs_told(watched[0], profile),
        partitions_table(watched, profile),
        workers_table(watched, profile),
        state_table(watched, profile),
        memory_told(profile),
    ]
    return "\n\n".join(told)


if __name__ == "__main__":
    sys.stdout.write(f"{report()}\n")
