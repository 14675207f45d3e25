"""Calibration: what is said comes to mean what it says, and the error says how far it is from that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.calibration import beta_calibrated, calibration_error, reliability, sigmoid
from models.calibrators import beta_calibration, cross_calibration_error

POSTS = 20_000


def _overconfident() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return log-odds three times too sure, answers drawn from the true ones, and folds."""
    chance = np.random.default_rng(7)
    true_logits = chance.normal(-0.5, 1.2, POSTS)
    return (
        3 * true_logits + 1,
        (chance.random(POSTS) < sigmoid(true_logits)).astype(float),
        [post % 3 for post in range(POSTS)],
    )


def test_true_probabilities_have_no_calibration_error() -> None:
    truth = np.array([True, False, False, False] * 25)
    assert calibration_error(truth, np.full(100, 0.25)) == pytest.approx(0.0)


def test_sure_and_wrong_is_an_error_of_one() -> None:
    assert calibration_error(np.array([False] * 10), np.ones(10)) == pytest.approx(1.0)


def test_every_post_is_in_one_bin() -> None:
    said = np.array([0.0, 0.05, 0.1, 0.55, 0.99, 1.0])
    bins = reliability(np.array([False, False, True, True, True, True]), said)
    assert [row["posts"] for row in bins] == [2, 1, 1, 2]
    assert sum(row["share"] for row in bins) == pytest.approx(1)


def test_beta_calibration_mends_what_is_too_sure() -> None:
    logits, truth, _ = _overconfident()
    numbers = beta_calibration(logits[::2], truth[::2], np.ones(POSTS // 2))
    raw = calibration_error(truth[1::2] > 0, sigmoid(logits[1::2]))
    mended = calibration_error(truth[1::2] > 0, sigmoid(beta_calibrated(logits[1::2], numbers)))
    assert raw > 0.1
    assert mended < 0.02


def test_methods_are_compared_on_parts_they_were_not_fitted_on() -> None:
    logits, truth, folds = _overconfident()
    errors = {method: cross_calibration_error(logits, truth, folds, method) for method in ("as it comes", "beta")}
    assert errors["beta"] < 0.02 < errors["as it comes"]
    assert cross_calibration_error(logits, truth, folds, "isotonic") < 0.03


def test_too_few_examples_change_nothing() -> None:
    numbers = beta_calibration(np.linspace(-2, 2, 30), np.array([1.0] * 2 + [0.0] * 28), np.ones(30))
    np.testing.assert_allclose(beta_calibrated(np.array([-3.0, 0.0, 3.0]), numbers), [-3, 0, 3], atol=1e-9)


@settings(deadline=None)
@given(arrays.arrays(float, st.integers(40, 80), elements=st.floats(-30, 30)), st.integers(0, 2**32 - 1))
def test_the_order_of_posts_never_turns_round(logits: np.ndarray, seed: int) -> None:
    truth = np.random.default_rng(seed).integers(0, 2, len(logits)).astype(float)
    numbers = beta_calibration(logits, truth, np.ones(len(logits)))
    assert (numbers[:2] >= 0).all()
    calibrated = beta_calibrated(np.sort(logits), numbers)
    assert (np.diff(calibrated) >= -1e-9).all()
    assert np.isfinite(calibrated).all()
