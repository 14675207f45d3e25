"""Evaluation: the measures themselves."""

import numpy as np
import pytest

from models.evaluate import calibration_error, posts_per_second


def test_true_probabilities_have_no_calibration_error() -> None:
    truth = np.array([True, False, False, False] * 25)
    assert calibration_error(truth, np.full(100, 0.25)) == pytest.approx(0.0)


def test_sure_and_wrong_is_an_error_of_one() -> None:
    assert calibration_error(np.array([False] * 10), np.ones(10)) == pytest.approx(1.0)


def test_speed_counts_every_post_in_batches() -> None:
    batches: list[int] = []
    assert posts_per_second(lambda texts: batches.append(len(texts)), ["x"] * 130) > 0
    assert batches == [64, 64, 2]
