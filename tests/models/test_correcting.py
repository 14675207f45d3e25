"""Correcting: a few lessons move what is like them; without lessons nothing moves; the same again gives the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.candidate import (
    CandidateReport,
    Measured,
    OnScenario,
    read_candidate,
    write_report,
)
from models.correcting import corrected
from models.hazard import (
    ARRAYS_FILE,
    VERSION,
    WEIGHTS,
    HazardModel,
    digest_of,
    read_arrays,
    version_of,
    write_arrays,
)
from models.posts_corpus import CORPUS, read_part
from models.verdict_lessons import lessons_from_verdicts
from records import BrokenInvariant, SettingsError, words_of
from records.decided_post import DecidedPost

LEARNED = (
    "la torchère de la raffinerie crache une énorme flamme ce soir",
    "encore la torche de la raffinerie qui brûle, le ciel est tout orange",
    "la raffinerie éclaire tout le quartier avec sa torchère",
    "flamme gigantesque et fumée noire au dessus de la raffinerie",
)
LIKE_THEM = "le ciel est orange, c'est la torche de la raffinerie"
OTHERWISE = "incendie dans un immeuble rue de Paris, flammes au troisième étage, les pompiers arrivent"


def posts(weight: float = 1.0, **changes: Any) -> list[DecidedPost]:
    fields: dict[str, Any] = {"decided_as": "figurative", "weight": weight, "group": "g", **changes}
    return [DecidedPost(text=text, known_by=words_of(text), **fields) for text in LEARNED]


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return read_arrays(WEIGHTS)


@pytest.fixture(scope="module")
def others() -> list[str]:
    return [post.text for post in read_part(CORPUS / "train")[::80]]


@pytest.fixture(scope="module")
def taught(arrays: dict[str, Any], others: list[str]) -> dict[str, Any]:
    return corrected(arrays, lessons_from_verdicts(posts()), others)


@pytest.fixture(scope="module")
def folder(taught: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candidate")
    write_arrays(path, taught)
    return path


def test_without_lessons_nothing_changes(arrays: dict[str, Any], others: list[str]) -> None:
    same = corrected(arrays, [], others)
    assert all(np.array_equal(same[name], arrays[name]) for name in arrays)


def test_what_is_not_learned_stays_as_it_was(arrays: dict[str, Any], taught: dict[str, Any]) -> None:
    changed = {name for name in arrays if not np.array_equal(taught[name], arrays[name])}
    assert changed == {"meaning"}


def test_lessons_from_people_move_what_is_like_them_most(folder: Path) -> None:
    before, after = HazardModel.load(), HazardModel.load(folder)
    texts, languages = [LIKE_THEM, OTHERWISE], ["fr", "fr"]
    (like_before, other_before), (like_after, other_after) = (
        [max(one.likelihood_ratios.values()) for one in model.read(texts, languages)] for model in (before, after)
    )
    assert like_after < 0.9 * like_before
    assert like_after / like_before < other_after / other_before
    assert after.read([OTHERWISE], ["fr"])[0].hazard == "fire"


def test_a_weaker_lesson_moves_less(arrays: dict[str, Any], others: list[str], taught: dict[str, Any]) -> None:
    weaker = corrected(arrays, lessons_from_verdicts(posts(weight=0.1)), others)
    moved = [np.abs(one["meaning"] - arrays["meaning"]).sum() for one in (weaker, taught)]
    assert 0 < moved[0] < moved[1]


def test_the_same_lessons_in_another_order_give_the_same_weights(
    arrays: dict[str, Any], others: list[str], folder: Path, tmp_path: Path
) -> None:
    write_arrays(tmp_path, corrected(arrays, lessons_from_verdicts(posts()[::-1]), others))
    assert digest_of(tmp_path) == digest_of(folder)


def test_a_candidate_is_called_by_what_is_in_it(folder: Path) -> None:
    assert version_of(WEIGHTS) == VERSION
    assert version_of(folder) == f"{VERSION}+{digest_of(folder)[:12]}"
    model = HazardModel.load(folder)
    assert model.version == model.read(["il y a le feu"], [None])[0].version == version_of(folder)


def test_a_confirmed_post_says_nothing_of_other_hazards() -> None:
    (lesson, *_) = lessons_from_verdicts(posts(decided_as="confirmed", hazard="fire"))
    assert lesson.hazards == {"fire": True, "flood": None, "industrial": None, "other": None}
    assert lesson.actuality == "now"


@pytest.mark.parametrize("decided_as", ["exercise", "figurative", "old"])
def test_a_rejected_post_speaks_of_no_danger(decided_as: str) -> None:
    (lesson, *_) = lessons_from_verdicts(posts(decided_as=decided_as))
    assert set(lesson.hazards.values()) == {False}


def report_of(folder: Path, **changes: Any) -> CandidateReport:
    fields: dict[str, Any] = {
        "version": version_of(folder),
        "weights_sha256": digest_of(folder),
        "shipped": VERSION,
        "lessons": {"rejected: figurative": 4},
        "lessons_known_by": "00",
        "weight": 4.0,
        "held_in_place_by": 1,
        "measured": (),
        "replayed": (),
    }
    return CandidateReport(**{**fields, **changes})


def test_a_candidate_that_was_measured_is_read_whole(folder: Path) -> None:
    write_report(folder, report_of(folder))
    assert read_candidate(folder).version == version_of(folder)


def test_one_that_nobody_measured_is_refused(folder: Path) -> None:
    (folder / "report.json").unlink(missing_ok=True)
    with pytest.raises(SettingsError, match="nobody measured these weights"):
        read_candidate(folder)


def test_a_report_on_other_weights_is_refused(folder: Path) -> None:
    write_report(folder, report_of(folder, weights_sha256="0" * 64))
    with pytest.raises(SettingsError, match="is about other weights"):
        read_candidate(folder)


def test_changed_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in (ARRAYS_FILE, "SHA256SUMS"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / ARRAYS_FILE).write_bytes((folder / ARRAYS_FILE).read_bytes() + b" ")
    with pytest.raises(BrokenInvariant, match="weights were changed"):
        read_candidate(tmp_path)


def test_what_is_worse_is_said_with_figures(folder: Path) -> None:
    measured = Measured(
        name="hazard, mean F1, fr", posts=1061, shipped=0.95, candidate=0.9, low=-0.07, high=-0.02, is_="worse"
    )
    replayed = OnScenario(
        scenario="rumour", missed_shipped=0, missed_candidate=1, false_shipped=0, false_candidate=0,
        delay_shipped=3.0, delay_candidate=60.0, is_="worse",
    )  # fmt: skip
    said = report_of(folder, measured=(measured,), replayed=(replayed,)).worse
    assert said == (
        "hazard, mean F1, fr: 0.95 shipped, 0.9 candidate, on 1061 posts (difference -0.0700 to -0.0200)",
        "scenario rumour: 0 missed, 0 false watches, 3.0 minutes shipped, "
        "1 missed, 0 false watches, 60.0 minutes candidate",
    )
