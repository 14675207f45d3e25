"""Calibration: probabilities that mean what they say, and how far they are from it."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

BINS = 10


def beta_features(logits: Numbers) -> tuple[Numbers, Numbers]:
    """Return ln p and -ln(1 - p) of log-odds, without their overflow."""
    return -np.logaddexp(0, -logits), np.logaddexp(0, logits)


def beta_calibrated(logits: Numbers, numbers: Numbers) -> Numbers:
    """Return calibrated log-odds.

    Shape   n x k log-odds, 3 x k numbers of `calibrators.beta_calibration`
    """
    log_p, minus_log_q = beta_features(logits)
    return np.asarray(numbers[0] * log_p + numbers[1] * minus_log_q + numbers[2])


def calibration_error(truth: NDArray[np.bool_], probabilities: Numbers) -> float:
    """Return how far what was said lies from what was true, on average: ten equal bins, each by its posts."""
    return round(sum(row["share"] * abs(row["true"] - row["said"]) for row in reliability(truth, probabilities)), 4)


def reliability(truth: NDArray[np.bool_], probabilities: Numbers) -> list[dict[str, float]]:
    """Return a row for each of ten equal bins with posts: what was said, what was true, its posts and their share."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return [
        {
            "said": float(probabilities[bins == number].mean()),
            "true": float(truth[bins == number].mean()),
            "posts": int((bins == number).sum()),
            "share": float((bins == number).mean()),
        }
        for number in range(BINS)
        if (bins == number).any()
    ]


def sigmoid(logits: Numbers) -> Numbers:
    """Return the probabilities of log-odds."""
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))
