"""Beside: two models on the same posts, which neither has learned from, and whether one is worse than the other.

The posts are drawn again, with repetition, many times; both models are scored on each draw, and what is told is the
difference. It says how far another sample of such posts might have said otherwise.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.candidate import Judged, Measured
from models.posts_corpus import CorpusPost
from models.reading import PostReading
from records import HAZARDS

Numbers = NDArray[np.float64]
Score = Callable[[Numbers], float]
"""A score of what was read, by how often each post counts."""

DRAWS = 400
_SEED = 2012
_TAILS = (2.5, 97.5)
_DIGITS = 4
_LABELS = (*HAZARDS[:3], "none")


def corpus_measures(
    posts: Sequence[CorpusPost], shipped: Sequence[PostReading], candidate: Sequence[PostReading]
) -> list[Measured]:
    """Return how well both read labelled posts: as which danger, whether any, and when."""
    found = []
    for language in ("fr", "en"):
        rows = [row for row, post in enumerate(posts) if post.language == language]
        some = [posts[row] for row in rows]
        old, new = [shipped[row] for row in rows], [candidate[row] for row in rows]
        measures = {"hazard, mean F1": _mean_f1, "incident or not, average precision": _precision}
        for name, scored in (measures | {"actuality, share right": _actuality}).items():
            found.append(_measured(f"{name}, {language}", len(some), scored(some, old), scored(some, new)))
    return found


def quiet_measure(name: str, shipped: Sequence[PostReading], candidate: Sequence[PostReading]) -> Measured:
    """Return which share of everyday posts, of which none speaks of an incident, both leave alone."""
    return _measured(name, len(shipped), _left_alone(shipped), _left_alone(candidate))


def _measured(name: str, posts: int, shipped: Score, candidate: Score) -> Measured:
    draws = np.random.default_rng(_SEED).multinomial(posts, np.full(posts, 1 / posts), DRAWS).astype(np.float64)
    low, high = np.percentile([candidate(draw) - shipped(draw) for draw in draws], _TAILS).round(_DIGITS).tolist()
    once = np.ones(posts)
    return Measured(
        name=name,
        posts=posts,
        shipped=round(shipped(once), _DIGITS),
        candidate=round(candidate(once), _DIGITS),
        low=low,
        high=high,
        is_=_judged(low, high),
    )


def _judged(low: float, high: float) -> Judged:
    if high < 0:
        return "worse"
    return "better" if low > 0 else "same"


def _mean_f1(posts: Sequence[CorpusPost], readings: Sequence[PostReading]) -> Score:
    """Score as `scores.mean_f1` does: of two true hazards, either is right."""
    pairs = [(post.hazards or ("none",), reading.hazard) for post, reading in zip(posts, readings, strict=True)]
    right = _table([[said == label and label in true for label in _LABELS] for true, said in pairs])
    told = _table([[said == label for label in _LABELS] for _, said in pairs])
    missed = _table([[label in true and said not in true for label in _LABELS] for true, said in pairs])

    def score(times: Numbers) -> float:
        both = times @ right
        return float((2 * both / np.maximum(times @ told + both + times @ missed, 1)).mean())

    return score


def _precision(posts: Sequence[CorpusPost], readings: Sequence[PostReading]) -> Score:
    truth = np.array([bool(post.hazards) for post in posts])
    said = np.array([max(reading.hazards[hazard] for hazard in HAZARDS[:3]) for reading in readings])
    order = np.argsort(-said, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(said[order]), 1.0))  # posts alike are told together
    true_ones = truth[order]

    def score(times: Numbers) -> float:
        """Score as `average_precision_score` does, which sorts each draw anew."""
        right = np.cumsum(times[order] * true_ones)[ends]
        told = np.cumsum(times[order])[ends]
        return float(np.diff(right, prepend=0.0) @ (right / np.maximum(told, 1)) / max(right[-1], 1.0))

    return score


def _actuality(posts: Sequence[CorpusPost], readings: Sequence[PostReading]) -> Score:
    right = _table([reading.actuality == post.actuality for post, reading in zip(posts, readings, strict=True)])
    return lambda times: float(times @ right / times.sum())


def _left_alone(readings: Sequence[PostReading]) -> Score:
    alone = _table([reading.hazard == "none" for reading in readings])
    return lambda times: float(times @ alone / times.sum())


def _table(rows: Sequence[object]) -> Numbers:
    return np.array(rows, dtype=np.float64)
