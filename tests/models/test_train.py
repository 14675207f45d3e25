"""Training: the same lessons give the same arrays, and groups are never split."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from models.calibration import calibration_error
from models.hazard import HEADS, OPINIONS, RELATED, SHAPES, calibrated, network_in
from models.lessons import Lesson, lessons_from_corpus, lessons_from_everyday
from models.material import FOLDS, Material, Recipe, folds_from, material_from, weights_for
from models.posts_corpus import CORPUS, read_part
from models.public_posts import HELD_BACK
from models.scores import mean_f1
from models.second_step import second_logits, second_step
from models.sentence_vectors import Vocabulary
from models.train import experts, fit
from records import HAZARDS

SHORT = Recipe(rounds=1)


@pytest.fixture(scope="module")
def material() -> Material:
    return material_from(lessons_from_corpus(read_part(CORPUS / "train")[::60]), Vocabulary())


@pytest.fixture(scope="module")
def lessons(material: Material) -> list[Lesson]:
    return list(material.lessons)


@pytest.mark.long
def test_training_gives_a_model_and_goes_on_where_it_stopped(material: Material, tmp_path: Path) -> None:
    told: list[str] = []
    arrays, report = fit(material, SHORT, tmp_path, told.append)
    assert {name: array.shape for name, array in arrays.items() if name in SHAPES} == SHAPES
    assert len(told) == FOLDS + 1
    assert set(network_in(arrays)) > {"proj2", "w1_5", "d3"}
    assert 0.2 <= report.threshold <= 0.8
    assert sum(report.lessons.values()) == len(material.lessons)

    kept = sorted(tmp_path.glob("experts-*.npz"))
    written = [path.stat().st_mtime_ns for path in kept]
    again, _ = fit(material, SHORT, tmp_path, told.append)
    assert [path.stat().st_mtime_ns for path in kept] == written
    for name, array in arrays.items():
        np.testing.assert_allclose(array, again[name], atol=1e-6, err_msg=name)


@pytest.mark.long
def test_experts_learned_twice_are_the_same_and_another_recipe_gives_others(material: Material) -> None:
    chosen = np.asarray(material.folds == 0)
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn")
    ) as apart:  # JAX must not come in here: other tests fork
        once, again, other = apart.map(
            experts, [material] * 3, [chosen] * 3, [SHORT, SHORT, Recipe(rounds=1, dropout=0.5)]
        )
    for name, array in once.items():
        np.testing.assert_allclose(array, again[name], atol=1e-6, err_msg=name)
    assert np.abs(once["meaning"] - other["meaning"]).max() > 1e-4
    assert "jax" not in sys.modules


def test_everyday_posts_are_held_back_in_every_fold_and_speak_of_no_incident() -> None:
    everyday = lessons_from_everyday(read_part(CORPUS / "everyday"))
    assert set(folds_from(everyday)) == set(range(FOLDS))
    assert not any(any(lesson.hazards.values()) or lesson.is_related for lesson in everyday)


def test_a_large_incident_weighs_less_a_post_when_relatedness_is_learned() -> None:
    lessons = [_public("a large storm", number) for number in range(90)] + [_public("a small fire", 0)] * 10
    weights = weights_for(material_from(lessons, Vocabulary()), RELATED)
    assert weights[-1] == pytest.approx(3 * weights[0])
    assert weights.mean() == pytest.approx(0.6)


def _public(incident: str, number: int) -> Lesson:
    return Lesson(
        text=f"post {number}", group=incident, weight=0.02, hazards=dict.fromkeys(HAZARDS), is_related=bool(number % 2)
    )


def test_the_second_step_learns_and_calibrates(material: Material) -> None:
    """Opinions that know the answer four times of five give good, honest verdicts."""
    chance = np.random.default_rng(3)
    opinions = chance.normal(0, 1, (len(material.lessons), OPINIONS))
    knows = chance.random(opinions.shape[0]) < 0.8
    targets = np.nan_to_num(material.targets)
    opinions[:, : len(HEADS)] += np.where(np.expand_dims(knows, 1), 4 * targets - 2, 0)
    arrays, scores = second_step(material, opinions)
    assert scores["mean"] > 0.6
    assert np.abs(arrays["beta"][:, 0] - [1, 1, 0]).max() > 0.05  # beta (1, 1, 0) changes nothing
    fires = calibrated(second_logits(material, opinions)[0], arrays)[:, 0]
    assert calibration_error(targets[:, 0] == 1, fires) < 0.05


def test_no_group_is_split_between_learning_and_checking(lessons: list[Lesson]) -> None:
    folds = folds_from(lessons)
    for group in {lesson.group for lesson in lessons}:
        assert len({fold for fold, lesson in zip(folds, lessons, strict=True) if lesson.group == group}) == 1


def test_every_fold_holds_back_authors_of_each_language(lessons: list[Lesson]) -> None:
    folds = folds_from(lessons)
    for language in ("fr", "en"):
        assert {fold for fold, lesson in zip(folds, lessons, strict=True) if lesson.language == language} == {0, 1, 2}


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
