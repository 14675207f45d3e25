"""Marks: how posts of everyday life and posts of an incident are read, as two histograms over likelihood ratios.

Shape   every mark is a bin; a post is the number of its bin
Units   `said`: the ratio that the reader states; `true`: how much likelier the bin is in an incident, which only the
        oracles are told
"""

import json
from math import lgamma
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HISTOGRAMS = Path(__file__).parent / "scores.json"
ALARMING = 20.0
"""What an attacker takes care to reach."""

_BETA_BINS = 500
_DOUBT = 0.5  # posts that each bin may have had and did not: no bin is impossible


class Marks(NamedTuple):
    """How posts are read."""

    name: str
    said: Floats
    true: Floats
    usual: Floats  # share of everyday posts in each bin
    incident: Floats
    tempting: Floats  # of posts that are no evidence but sound like it: what goes viral on the subject

    @property
    def is_evidence(self) -> NDArray[np.bool_]:
        """Which bins count."""
        return self.said >= 1.0

    @property
    def evidence_share(self) -> float:
        """The share of an incident's posts that count."""
        return float(self.incident[self.is_evidence].sum())

    @property
    def weak_share(self) -> float:
        """The share of everyday posts that do not."""
        return float(self.usual[~self.is_evidence].sum())

    @property
    def information(self) -> float:
        """What one incident post tells who knows its true ratio, on average, in nats."""
        return float(np.sum(self.incident * np.log(self.true)))

    def overstated(self, most: float = np.inf) -> float:
        """Return the mean over everyday posts of the stated ratio, clipped: 1 at most where it means what it says."""
        return float(np.sum(self.usual * np.minimum(self.said, most)))


def beta_marks() -> Marks:
    """Return the marks that detectors are designed with: everyday scores Beta(1.5, 4.5), an incident's Beta(5, 2)."""
    score = (np.arange(_BETA_BINS) + 0.5) / _BETA_BINS
    usual, incident, tempting = (_beta(score, a, b) for a, b in ((1.5, 4.5), (5.0, 2.0), (2.0, 5.0)))
    ratio = incident / usual
    return Marks("Beta marks", ratio, ratio, usual, incident, tempting)


def read_marks(name: str, *, usual: str, file: Path = HISTOGRAMS) -> Marks:
    """Return marks as our reader gave them to posts that it had not learned from."""
    found = json.loads(file.read_text(encoding="utf-8"))
    counts = found["counts"]
    edges = np.array(found["log10_edges"])
    everyday, incident, tempting = (_shares(counts[key]) for key in (usual, "incident, now", "written to be mistaken"))
    return Marks(name, 10.0 ** ((edges[1:] + edges[:-1]) / 2.0), incident / everyday, everyday, incident, tempting)


def divided(marks: Marks, name: str, by: float) -> Marks:
    """Return the marks with every stated ratio divided by the same number."""
    return marks._replace(name=name, said=marks.said / by)


def drawn(shares: Floats, rng: np.random.Generator, number: int) -> Ints:
    """Draw bins."""
    edges = np.cumsum(shares)
    bins: Ints = np.searchsorted(edges, rng.random(number) * edges[-1], side="right").astype(np.int64)
    return bins


def alarming(marks: Marks) -> Floats:
    """Return the shares of an incident's posts, but of the strong ones only."""
    shares = np.where(marks.said >= ALARMING, marks.incident, 0.0)
    return np.asarray(shares / shares.sum())


def _beta(score: Floats, a: float, b: float) -> Floats:
    density = np.exp((a - 1) * np.log(score) + (b - 1) * np.log1p(-score) + lgamma(a + b) - lgamma(a) - lgamma(b))
    return np.asarray(density / density.sum())


def _shares(counts: list[int]) -> Floats:
    numbers = np.array(counts) + _DOUBT
    return np.asarray(numbers / numbers.sum())
