"""Speed: signals a second of the compiled detector through three levels, on one core.

Run     `python tests/benchmarks/detection/speed.py`
Shape   a département's signals: authors and contents told apart at each level, the control series, the statistic, the
        incidents. Weak posts are most of them, as in life; evidence alone beside it
Units   signals a second of processor time, the best of several rounds: other programs only ever slow it down
"""

import sys
import time
from typing import NamedTuple

import numpy as np
from branches import HOLD, OWN, PARENTS, rates_below
from chatter import background
from marks import Marks, beta_marks
from watchers import SUDDEN, tiers_drawn, tuning_of

from detectors.batch import Tree, counts_in, signals_from, watched
from detectors.evidence import CLIPS

ROUNDS = 5
MEMORY = 360.0
_SEED = 9


class Pace(NamedTuple):
    """How fast, by kind of load."""

    everyday: float
    evidence: float


def pace(signals: int) -> Pace:
    """Measure both loads."""
    marks = beta_marks()
    only = np.where(marks.is_evidence, marks.usual, 0.0)
    return Pace(_rate(marks, signals), _rate(marks._replace(usual=only / only.sum()), signals))


def _rate(marks: Marks, signals: int) -> float:
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


if __name__ == "__main__":
    measured = pace(1_000_000)
    sys.stdout.write(f"everyday signals {measured.everyday:,.0f}/s, evidence only {measured.evidence:,.0f}/s\n")
