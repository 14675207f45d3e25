"""Marks: how posts of everyday life and posts of an incident are read, as histograms over likelihood ratios.

Shape   every mark is a bin; a post is the number of its bin
Units   `said`: the ratio that the detector is told; `true`: how much likelier the bin is in an incident, which only the
        oracles are told
"""

import json
from math import lgamma
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.enrich import SIGNALS_SHARE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

HISTOGRAMS = Path(__file__).parent / "scores.json"
ALARMING = 20.0
"""What an attacker takes care to reach."""

EVERYDAY, MISTAKEN, PRESENT = "everyday", "written to be mistaken", "incident, now"
_BETA_BINS = 500
_BETA_FIRST_HAND = (0.15, 0.6, 0.25)
"""First-hand among usual, incident and tempting posts: about what our reader finds among those that say a lot."""
_DOUBT = 0.5  # posts that each bin may have had and did not: no bin is impossible
_BELIEF = 2.0  # posts that the share of first-hand ones in all bins weighs as in each


class Marks(NamedTuple):
    """How posts are read."""

    name: str
    said: Floats
    true: Floats
    usual: Floats  # share of everyday posts in each bin
    incident: Floats
    tempting: Floats  # of posts that are no evidence but sound like it: what goes viral on the subject
    first_hand: "FirstHand"

    @property
    def is_evidence(self) -> Flags:
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


class FirstHand(NamedTuple):
    """The share of posts in each bin that sound as if their author had been there."""

    usual: Floats
    incident: Floats
    tempting: Floats


def beta_marks() -> Marks:
    """Return the marks that detectors are designed with: everyday scores Beta(1.5, 4.5), an incident's Beta(5, 2)."""
    score = (np.arange(_BETA_BINS) + 0.5) / _BETA_BINS
    usual, incident, tempting = (_beta(score, a, b) for a, b in ((1.5, 4.5), (5.0, 2.0), (2.0, 5.0)))
    ratio = incident / usual
    first_hand = FirstHand(*(np.full(_BETA_BINS, share) for share in _BETA_FIRST_HAND))
    return Marks("Beta marks", ratio, ratio, usual, incident, tempting, first_hand)


def stated_marks(*, usual: str = EVERYDAY, file: Path = HISTOGRAMS) -> Marks:
    """Return marks as our reader stated them, relative to all it learned from, for posts that it had not."""
    found = json.loads(file.read_text(encoding="utf-8"))
    edges = np.array(found["log10_edges"])
    keys = (usual, PRESENT, MISTAKEN)
    everyday, incident, tempting = (_shares(found["counts"][key]) for key in keys)
    first_hand = FirstHand(*(_smoothed(found["first_hand"][key], found["counts"][key]) for key in keys))
    ratios = 10.0 ** ((edges[1:] + edges[:-1]) / 2.0)
    return Marks("reader, as it states", ratios, incident / everyday, everyday, incident, tempting, first_hand)


def reader(*, usual: str = EVERYDAY) -> Marks:
    """Return marks as the detector gets them: the step from posts to signals makes them relative to signals."""
    name = "reader" if usual == EVERYDAY else f"reader, usual posts {usual}"
    return divided(stated_marks(usual=usual), name, 1.0 / SIGNALS_SHARE)


def divided(marks: Marks, name: str, by: float) -> Marks:
    """Return the marks with every ratio divided by the same number."""
    return marks._replace(name=name, said=marks.said / by)


def first_hand_drawn(shares: Floats, rng: np.random.Generator, bins: Ints) -> Flags:
    """Draw who sounds as if he had been there."""
    flags: Flags = rng.random(len(bins)) < shares[bins]
    return flags


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


def _smoothed(parts: list[int], counts: list[int]) -> Floats:
    """Return the share of a part in each bin, where few are known nearer to that in all bins."""
    everywhere = sum(parts) / sum(counts)
    return np.asarray((np.array(parts) + _BELIEF * everywhere) / (np.array(counts) + _BELIEF))


def _shares(counts: list[int]) -> Floats:
    numbers = np.array(counts) + _DOUBT
    return np.asarray(numbers / numbers.sum())
