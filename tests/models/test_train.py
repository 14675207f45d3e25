"""Training: the same lessons give the same arrays, and groups are never split."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.features import grams_from
from models.hazard import SHAPES
from models.lessons import Lesson, lessons_from_corpus
from models.posts_corpus import CORPUS, read_part
from models.public_posts import HELD_BACK
from models.train import fit, folds_from, mean_f1
from records import HAZARDS


def _stand_in_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return made-up vectors that depend on the text alone."""
    rows = np.zeros((len(texts), 512), dtype=np.float32)
    grams = grams_from(texts)
    for row in range(len(texts)):
        rows[row, grams.columns[grams.starts[row] : grams.starts[row + 1]] % 512] = 0.1
    return rows


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    return lessons_from_corpus(read_part(CORPUS / "train")[::25])


def test_training_twice_gives_the_same_arrays(lessons: list[Lesson]) -> None:
    once, report = fit(lessons, _stand_in_vectors)
    again, _ = fit(lessons, _stand_in_vectors)
    assert {name: array.shape for name, array in once.items()} == SHAPES
    for name, array in once.items():
        np.testing.assert_allclose(array, again[name], atol=1e-6, err_msg=name)
    assert report.unseen_f1["mean"] > 0.3


def test_no_group_is_split_between_learning_and_checking(lessons: list[Lesson]) -> None:
    folds = folds_from(lessons)
    for group in {lesson.group for lesson in lessons}:
        assert len({fold for fold, lesson in zip(folds, lessons, strict=True) if lesson.group == group}) == 1


def test_a_witness_is_asked_for_only_where_there_is_an_incident(lessons: list[Lesson]) -> None:
    assert all((lesson.is_witness is None) == (not any(lesson.hazards.values())) for lesson in lessons)
    assert all(tuple(lesson.hazards) == HAZARDS for lesson in lessons)


def test_replayed_streams_are_held_back() -> None:
    assert set(HELD_BACK) == {
        "boston_bombings_2013",
        "oklahoma_tornado_2013",
        "costa_rica_earthquake_2012",
        "guatemala_earthquake_2012",
        "spain_train_crash_2013",
    }


@pytest.mark.parametrize(
    ("truth", "answer", "mean"),
    [
        pytest.param(
            [{"fire"}, {"flood"}, {"industrial"}, set()], ["fire", "flood", "industrial", "none"], 1.0, id="all right"
        ),
        pytest.param([{"industrial", "fire"}] * 2, ["industrial", "fire"], 0.5, id="either of two is right"),
        pytest.param([{"fire"}, set()], ["none", "fire"], 0.0, id="all wrong"),
    ],
)
def test_mean_f1(truth: list[set[str]], answer: list[str], mean: float) -> None:
    assert mean_f1([frozenset(names) for names in truth], answer)["mean"] == pytest.approx(mean)
