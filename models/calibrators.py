"""Calibrators: ways to fit a calibration, and the error that each leaves. Only training and evaluation need them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.calibration import beta_calibrated, beta_features, calibration_error, sigmoid

Numbers = NDArray[np.float64]

_FREEDOM = 1e3  # almost none: three numbers from thousands of posts
_FEWEST_EXAMPLES = 5
_ROUNDS = 1000


def beta_calibration(logits: Numbers, truth: Numbers, weights: Numbers) -> Numbers:
    """Return a, b, c, so that a ln p - b ln(1 - p) + c are calibrated log-odds.

    Shape   n log-odds that the model has not been fitted on, n answers 0 or 1, n weights; three numbers out, a and b
            not negative, so that the order of posts never turns round; (1, 1, 0) changes nothing
    Source  Kull, Silva Filho, Flach, AISTATS 2017
    """
    if min(truth.sum(), len(truth) - truth.sum()) < _FEWEST_EXAMPLES:
        return np.array([1.0, 1.0, 0.0])
    columns = np.column_stack(beta_features(logits))
    used = [0, 1]
    while True:
        fitted = LogisticRegression(C=_FREEDOM, max_iter=_ROUNDS).fit(columns[:, used], truth, sample_weight=weights)
        if (fitted.coef_[0] >= 0).all() or len(used) == 1:
            break
        used = [column for column, slope in zip(used, fitted.coef_[0], strict=True) if slope >= 0] or [0]
    numbers = np.zeros(3)
    numbers[used], numbers[2] = np.maximum(fitted.coef_[0], 0), fitted.intercept_[0]
    return numbers


def isotonic_calibrated(logits: Numbers, truth: Numbers, weights: Numbers, asked: Numbers) -> Numbers:
    """Return the probabilities that a step function fitted on the first three gives to the asked log-odds."""
    steps = IsotonicRegression(y_min=1e-4, y_max=1 - 1e-4, out_of_bounds="clip").fit(logits, truth, weights)
    return np.asarray(steps.predict(asked))


def cross_calibration_error(logits: Numbers, truth: Numbers, folds: Sequence[int], method: str) -> float:
    """Return the error that a method leaves on parts that it was not fitted on.

    Shape   method: "as it comes", "beta" or "isotonic"
    """
    said, parts, even = np.zeros(len(logits)), np.asarray(folds), np.ones(len(logits))
    for part in np.unique(parts):
        held, learned = parts == part, parts != part
        if method == "beta":
            numbers = beta_calibration(logits[learned], truth[learned], even[learned])
            said[held] = sigmoid(beta_calibrated(logits[held], numbers))
        elif method == "isotonic":
            said[held] = isotonic_calibrated(logits[learned], truth[learned], even[learned], logits[held])
        else:
            said[held] = sigmoid(logits[held])
    return calibration_error(truth > 0, said)
