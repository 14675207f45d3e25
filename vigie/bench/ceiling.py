"""Ceiling: the same functions in a plain loop, without broker, codec and hand-overs, two processes at once.

Shape   gate, enrich and detect, with the time that each takes; what the pipeline reaches is measured against it
"""

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.detector import Shelf
from models.gate import Gate
from records import Post
from streams.settings import StreamSettings
from streams.state import DictState
from vigie import assembly
from vigie.bench.load import Texts, load
from vigie.loading import loading
from vigie.settings import Settings, Territory

CORES = 2  # of which the figures of this project tell
BATCH = StreamSettings.batch_posts
WARM = 20_000
SETTINGS = Settings(territory=Territory(profile="world"))


@dataclass(frozen=True)
class Stages:
    """Microseconds of processor time that each step takes, reckoned on every post offered."""

    gate_us: float
    read_us: float
    place_us: float
    detect_us: float


@dataclass(frozen=True)
class Ceiling:
    """What the loop reaches on two cores together, and what takes its time."""

    posts_per_sec: float
    stages: Stages


def ceiling(count: int, pass_ratio: float, texts: Path | None) -> Ceiling:
    """Run the loop in two processes at once, over a half of the posts each."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CORES) as pool:
        parts = [(count // CORES, pass_ratio, texts)] * CORES
        found: list[tuple[float, Stages]] = pool.starmap(loop, parts, chunksize=1)
    return Ceiling(sum(rate for rate, _ in found), found[0][1])


def loop(count: int, pass_ratio: float, texts: Path | None) -> tuple[float, Stages]:
    """Return the posts a second of gate, enrich and detect in a loop, and how long each takes."""
    with loading():  # as each process of the pipeline does
        passes = Gate.load()
        steps = assembly.steps(SETTINGS)
        posts = load(WARM + count, pass_ratio, Texts(passes, texts))
    table = DictState()
    shelf = Shelf(table)
    _run(posts[:WARM], passes, steps, shelf, table)
    began = time.monotonic()
    stages = _run(posts[WARM:], passes, steps, shelf, table)
    return count / (time.monotonic() - began), stages


def _run(posts: Sequence[Post], passes: Gate, steps: Any, shelf: Shelf, table: DictState) -> Stages:
    spent = [0.0] * 4
    marks = [time.process_time()]

    def mark(stage: int) -> None:
        marks.append(time.process_time())
        spent[stage] += marks[-1] - marks[-2]

    kept = [post for post in posts if passes(post.text)]
    mark(0)
    for start in range(0, len(kept), BATCH):
        batch = kept[start : start + BATCH]
        read = steps.enrich.read(batch)
        mark(1)
        placed = [steps.enrich.place(post, reading) for post, reading in zip(batch, read, strict=True)]
        mark(2)
        table.keep(steps.detect([signal for result in placed for signal in result.signals], shelf).changes)
        mark(3)
    return Stages(*(round(secs / len(posts) * 1e6, 2) for secs in spent))
