"""Training: from the corpus and the public sets to the arrays in `models/weights/`, the same each time."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

from models.features import COLUMNS, grams_from
from models.gate import Gate
from models.hazard import HEADS, VERDICTS, opinions_from, summed, verdicts_from, write_arrays
from models.lessons import Lesson, lessons_from_corpus, lessons_from_public
from models.posts_corpus import read_part
from models.sentence_vectors import SentenceVectors
from records import ACTUALITIES, HAZARDS, SettingsError

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Numbers = NDArray[np.float64]

_FOLDS = 5
_MEANING_FREEDOM = 5.0  # inverse strength of the pull to zero
_WORDING_FREEDOM = 10.0
_VERDICT_FREEDOM = 0.3
_ROUNDS = 300
_CLOSE_ENOUGH = 1e-3
_THRESHOLDS = np.arange(0.2, 0.71, 0.02)
_FEWEST_EXAMPLES = 2
_LEAST_SHARE = 1e-4
_OTHER_BOOST = 15.0


class TrainingReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned from, and how well it does on authors and incidents it had not seen."""

    lessons: dict[str, int]
    base_rates: dict[str, float]
    threshold: float
    unseen_f1: dict[str, float]


class _Material(msgspec.Struct, frozen=True, kw_only=True):
    """The lessons as numbers.

    Shape   a row a lesson; targets: 1 yes, 0 no, NaN not known, a column a head
    """

    vectors: Numbers
    grams: csr_matrix
    targets: Numbers
    weights: Numbers
    folds: NDArray[np.int64]


def train(corpus: Path, public: Path | None, out: Path, *, encode: Encode | None = None) -> TrainingReport:
    """Learn from the corpus's training part, and from the public sets where there are any; write the arrays.

    Shape   `encode` stands in for the sentence vectors, so that they can be kept between runs
    Errors  SettingsError where the corpus is missing or badly labelled
    """
    lessons = lessons_from_corpus(read_part(corpus / "train"))
    if public is not None:
        lessons += lessons_from_public(public)
    arrays, report = fit(lessons, encode or SentenceVectors())
    write_arrays(out, arrays)
    return report


def fit(lessons: Sequence[Lesson], encode: Encode) -> tuple[dict[str, Numbers], TrainingReport]:
    """Return the model's arrays, learned from the lessons, and the report."""
    material = _material(lessons, encode)
    with threadpool_limits(1):  # several threads would add up in another order each time, and slower
        meaning, wording = _unseen_opinions(material)
        opinions = opinions_from(meaning, wording, [lesson.text for lesson in lessons], Gate.load())
        arrays = _experts(material, np.ones(len(lessons), dtype=bool)) | _second_step(material, lessons, opinions)
    threshold, scores = _threshold(lessons, verdicts_from(opinions, arrays))
    arrays["threshold"] = np.array([threshold])
    return arrays, TrainingReport(
        lessons=_counts(lessons),
        base_rates={name: round(float(p), 4) for name, p in zip(VERDICTS, arrays["base_rates"], strict=True)},
        threshold=threshold,
        unseen_f1=scores,
    )


def folds_from(lessons: Sequence[Lesson]) -> NDArray[np.int64]:
    """Return the fold of each lesson: groups stay whole, hand-written and public ones dealt out apart."""
    dealt: dict[str, int] = {}
    for is_corpus in (True, False):
        groups = sorted({lesson.group for lesson in lessons if lesson.is_corpus == is_corpus})
        dealt |= {group: number % _FOLDS for number, group in enumerate(groups)}
    return np.array([dealt[lesson.group] for lesson in lessons], dtype=np.int64)


def _material(lessons: Sequence[Lesson], encode: Encode) -> _Material:
    texts = [lesson.text for lesson in lessons]
    grams = grams_from(texts)
    table = csr_matrix((grams.values, grams.columns, grams.starts), shape=(len(texts), COLUMNS))
    table.sum_duplicates()
    return _Material(
        vectors=encode(texts).astype(np.float64),
        grams=table,
        targets=np.array([_targets(lesson) for lesson in lessons], dtype=np.float64),
        weights=np.array([lesson.weight for lesson in lessons]),
        folds=folds_from(lessons),
    )


def _targets(lesson: Lesson) -> list[float]:
    known = [lesson.hazards[hazard] for hazard in HAZARDS]
    known.append(lesson.is_witness)
    known += [None if lesson.actuality is None else lesson.actuality == name for name in ACTUALITIES]
    return [np.nan if answer is None else float(answer) for answer in known]


def expert_opinions(texts: Sequence[str], arrays: Mapping[str, Numbers], encode: Encode) -> tuple[Numbers, Numbers]:
    """Return both experts' opinions of each text."""
    meaning = encode(texts).astype(np.float64) @ arrays["meaning"] + arrays["meaning_offset"]
    wording = summed(grams_from(texts), arrays["wording"].astype(np.float32)) + arrays["wording_offset"]
    return meaning, wording


def _unseen_opinions(material: _Material) -> tuple[Numbers, Numbers]:
    """Return both experts' opinions of each lesson, always from experts that did not learn from its group."""
    meaning = np.zeros_like(material.targets)
    wording = np.zeros_like(material.targets)
    for fold in range(_FOLDS):
        held = material.folds == fold
        if held.any() and not held.all():
            experts = _experts(material, ~held)
            meaning[held] = material.vectors[held] @ experts["meaning"] + experts["meaning_offset"]
            wording[held] = material.grams[held] @ experts["wording"] + experts["wording_offset"]
    return meaning, wording


def _experts(material: _Material, chosen: NDArray[np.bool_]) -> dict[str, Numbers]:
    arrays = {
        "meaning": np.zeros((material.vectors.shape[1], len(HEADS))),
        "meaning_offset": np.zeros(len(HEADS)),
        "wording": np.zeros((COLUMNS, len(HEADS))),
        "wording_offset": np.zeros(len(HEADS)),
    }
    rarity = _rarity(material.grams[chosen])
    used = np.flatnonzero(rarity)
    grams = material.grams[:, used].multiply(rarity[used]).tocsr()
    for column in range(len(HEADS)):
        answer = material.targets[:, column]
        rows = np.flatnonzero(chosen & ~np.isnan(answer))
        known, weights = answer[rows], _weights(material, HEADS[column])[rows]
        arrays["meaning"][:, column], arrays["meaning_offset"][column] = _line(
            material.vectors[rows], known, weights, _MEANING_FREEDOM
        )
        slopes, arrays["wording_offset"][column] = _line(grams[rows], known, weights, _WORDING_FREEDOM)
        arrays["wording"][used, column] = slopes * rarity[used]
    return arrays


def _weights(material: _Material, question: str) -> Numbers:
    """Return what each lesson weighs for a question: only public posts know of other disasters."""
    if question in ("other", "other now"):
        return np.where(material.weights < 1, np.minimum(material.weights * _OTHER_BOOST, 1), 1)
    return material.weights


def _rarity(grams: csr_matrix) -> Numbers:
    """Return what a column is worth: the rarer, the more."""
    used = np.bincount(grams.indices, minlength=COLUMNS)
    return np.asarray(np.log((1 + grams.shape[0]) / (1 + used)) + 1) * (used > 1)


def _line(table: Numbers | csr_matrix, answer: Numbers, weights: Numbers, freedom: float) -> tuple[Numbers, float]:
    """Fit one logistic regression; without examples of both answers it says nothing."""
    if min(answer.sum(), len(answer) - answer.sum()) < _FEWEST_EXAMPLES:
        return np.zeros(table.shape[1]), _log_odds(float(answer.mean()) if len(answer) else 0.0)
    solver = "liblinear" if issparse(table) else "lbfgs"
    fitted = LogisticRegression(C=freedom, max_iter=_ROUNDS, solver=solver, tol=_CLOSE_ENOUGH, random_state=1)
    fitted.fit(table, answer, sample_weight=weights)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _log_odds(share: float) -> float:
    kept = min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)
    return float(np.log(kept / (1 - kept)))


def _second_step(material: _Material, lessons: Sequence[Lesson], opinions: Numbers) -> dict[str, Numbers]:
    columns = len(VERDICTS)
    slopes, offsets, rates = np.zeros((opinions.shape[1], columns)), np.zeros(columns), np.zeros(columns)
    for column, answer in enumerate(_verdict_answers(lessons).T):
        known = np.flatnonzero(~np.isnan(answer))
        weights = _weights(material, VERDICTS[column])[known]
        slopes[:, column], offsets[column] = _line(opinions[known], answer[known], weights, _VERDICT_FREEDOM)
        rates[column] = max(float(np.average(answer[known], weights=weights)), _LEAST_SHARE)
    when = np.array([lesson.actuality or "" for lesson in lessons])
    told = np.flatnonzero(when != "")
    classes = LogisticRegression(C=_VERDICT_FREEDOM, max_iter=_ROUNDS * 10).fit(opinions[told], when[told])
    order = [list(classes.classes_).index(name) for name in ACTUALITIES if name in classes.classes_]
    if len(order) != len(ACTUALITIES):
        raise SettingsError(f"corpus: actualities {list(classes.classes_)} only: each of {ACTUALITIES} is needed")
    return {
        "verdict": slopes,
        "verdict_offset": offsets,
        "base_rates": rates,
        "actuality": classes.coef_[order].T,
        "actuality_offset": classes.intercept_[order],
    }


def _verdict_answers(lessons: Sequence[Lesson]) -> Numbers:
    answers = np.full((len(lessons), len(VERDICTS)), np.nan)
    for row, lesson in enumerate(lessons):
        is_now = None if lesson.actuality is None else lesson.actuality == "now"
        for column, hazard in enumerate(HAZARDS):
            spoken = lesson.hazards[hazard]
            if spoken is not None:
                answers[row, column] = spoken
                answers[row, len(HAZARDS) + column] = spoken and is_now is not False
        if lesson.is_corpus or not any(lesson.hazards.values()):
            answers[row, -1] = bool(lesson.is_witness)
    return answers


def _threshold(lessons: Sequence[Lesson], verdicts: Numbers) -> tuple[float, dict[str, float]]:
    """Return the threshold with the best mean F1 over the hand-written posts, and the F1 of each class there."""
    rows = [row for row, lesson in enumerate(lessons) if lesson.is_corpus]
    truths = [frozenset(name for name, is_so in lessons[row].hazards.items() if is_so) for row in rows]
    best = max(_THRESHOLDS, key=lambda threshold: mean_f1(truths, named(verdicts[rows], threshold))["mean"])
    return round(float(best), 2), mean_f1(truths, named(verdicts[rows], best))


def named(verdicts: Numbers, threshold: float) -> list[str]:
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


def _counts(lessons: Sequence[Lesson]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for lesson in lessons:
        counts[lesson.group.partition("/")[0]] = counts.get(lesson.group.partition("/")[0], 0) + 1
    return counts
