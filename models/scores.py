"""Scores: how answers are compared with the truth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from records import HAZARDS


def named(verdicts: NDArray[np.float64], threshold: float) -> list[str]:
    """Return the public hazard of each row: the likeliest of the three over the threshold."""
    return [HAZARDS[int(row[:3].argmax())] if row[:3].max() >= threshold else "none" for row in verdicts]


def mean_f1(truths: Sequence[frozenset[str]], answers: Sequence[str]) -> dict[str, float]:
    """Return the F1 of fire, flood, industrial and none, and their mean; either of two true hazards is right."""
    scores = {}
    for label in (*HAZARDS[:3], "none"):
        right = sum(
            answer == label and label in (truth or {"none"}) for truth, answer in zip(truths, answers, strict=True)
        )
        said = sum(answer == label for answer in answers)
        missed = sum(
            label in (truth or {"none"}) and answer != label and answer not in truth
            for truth, answer in zip(truths, answers, strict=True)
        )
        scores[label] = round(2 * right / max(said + right + missed, 1), 4)
    scores["mean"] = round(sum(scores.values()) / len(scores), 4)
    return scores
