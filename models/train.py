"""Training: from the corpus and the public sets to the arrays in `models/weights/`, the same each time."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.features import COLUMNS, grams_from
from models.gate import Gate
from models.hazard import HEADS, VERDICTS, network_in, opinions_from, summed, write_arrays
from models.lessons import Lesson, lessons_from_corpus, lessons_from_everyday, lessons_from_public
from models.material import FOLDS, Material, Questions, Recipe, material_from, weights_for
from models.posts_corpus import read_part
from models.second_step import second_step
from models.sentence_vectors import SentenceVectors, Vocabulary
from records import ACTUALITIES, SettingsError

Numbers = NDArray[np.float64]
Arrays = dict[str, Numbers]
Told = Callable[[str], None]

ALL = -1
"""In place of a fold: nothing is held back."""

_TAUGHT_BY = ("fine_tuning.py", "features.py", "folding.py")
"""Modules whose every change asks for another training."""

_WORDING_FREEDOM = 10.0  # inverse strength of the pull to zero
_ROUNDS = 300
_CLOSE_ENOUGH = 1e-3
_FEWEST_EXAMPLES = 2
_LEAST_SHARE = 1e-4


class TrainingReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned from, and how well it does on authors and incidents it had not seen."""

    lessons: dict[str, int]
    base_rates: dict[str, float]
    threshold: float
    unseen_f1: dict[str, float]


def train(
    corpus: Path, public: Path | None, out: Path, *, work: Path, recipe: Recipe | None = None, told: Told
) -> TrainingReport:
    """Learn from the corpus's training part, and from the public sets where there are any; write the arrays.

    Shape   `work`: the folder that keeps what is learned on the way; the same training, started again, goes on there
    Units   about 75 minutes on two cores
    Errors  SettingsError where the corpus is missing or badly labelled
    """
    material = material_of(corpus, public)
    arrays, report = fit(material, recipe or Recipe(), work, told)
    write_arrays(out, arrays)
    return report


def material_of(corpus: Path, public: Path | None) -> Material:
    """Return all that the model learns from, as numbers."""
    lessons = lessons_from_corpus(read_part(corpus / "train")) + lessons_from_everyday(read_part(corpus / "everyday"))
    if public is not None:
        lessons += lessons_from_public(public)
    return material_from(lessons, Vocabulary())


def fit(material: Material, recipe: Recipe, work: Path, told: Told) -> tuple[Arrays, TrainingReport]:
    """Return the model's arrays, learned from the lessons, and the report."""
    learned = learned_experts(material, recipe, work, told)
    with threadpool_limits(1):  # several threads would add up in another order each time
        second, scores = second_step(material, unseen_opinions(material, learned))
    rates = second["base_rates"].tolist()
    return learned[ALL] | second, TrainingReport(
        lessons=_counts(material.lessons),
        base_rates={name: round(p, 4) for name, p in zip(VERDICTS, rates, strict=True)},
        threshold=float(second["threshold"][0]),
        unseen_f1=scores,
    )


def learned_experts(material: Material, recipe: Recipe, work: Path, told: Told) -> dict[int, Arrays]:
    """Return the experts that learned without each fold, and those that learned from all; a process a core.

    Shape   fold -> arrays of the experts that have not seen it; ALL -> arrays of those that have seen everything
    """
    work.mkdir(parents=True, exist_ok=True)
    files = {fold: _file_in(work, material, recipe, fold) for fold in (*range(FOLDS), ALL)}
    missing = [fold for fold, path in files.items() if not path.exists()]
    if missing:
        refuse_without_jax()
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            begun = {fold: pool.submit(_learn_into, files[fold], material, recipe, fold) for fold in missing}
            for fold, learning in begun.items():
                learning.result()
                told(f"learned from {'everything' if fold == ALL else f'all but part {fold + 1} of {FOLDS}'}")
    return {fold: dict(np.load(path, allow_pickle=False)) for fold, path in files.items()}


def refuse_without_jax() -> None:
    """Refuse to train where JAX is missing, before anything is written.

    Errors  SettingsError
    """
    if find_spec("jax") is None:
        raise SettingsError('training needs JAX, which is not there: pip install -e ".[train]"')


def _file_in(work: Path, material: Material, recipe: Recipe, fold: int) -> Path:
    """Return where experts are kept: under a name that changes with what they learn from, and how."""
    content = hashlib.sha256(msgspec.json.encode((list(material.lessons), recipe, fold, FOLDS, HEADS)))
    content.update(np.column_stack([weights_for(material, head) for head in HEADS]).tobytes())
    content.update(material.targets.tobytes())
    for module in _TAUGHT_BY:
        content.update((Path(__file__).parent / module).read_bytes())
    return work / f"experts-{content.hexdigest()[:16]}.npz"


def _learn_into(path: Path, material: Material, recipe: Recipe, fold: int) -> None:
    with threadpool_limits(1):
        arrays = experts(material, material.folds != fold, recipe)
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, allow_pickle=False, **arrays)
    unfinished.rename(path)


def unseen_opinions(material: Material, learned: Mapping[int, Arrays]) -> Numbers:
    """Return the second step's columns of each lesson, always from experts that did not learn from its group."""
    texts = [lesson.text for lesson in material.lessons]
    vocabulary = Vocabulary()
    rows = np.zeros((len(texts), 2 * len(HEADS)))
    for fold in range(FOLDS):
        held = np.flatnonzero(material.folds == fold)
        rows[held] = np.hstack(expert_opinions([texts[row] for row in held], learned[fold], vocabulary))
    return opinions_from(rows[:, : len(HEADS)], rows[:, len(HEADS) :], texts, Gate.load())


def expert_opinions(
    texts: Sequence[str], arrays: Mapping[str, Numbers], vocabulary: Vocabulary
) -> tuple[Numbers, Numbers]:
    """Return both experts' opinions of each text."""
    vectors = SentenceVectors(network_in(arrays), vocabulary)(texts)
    meaning = vectors.astype(np.float64) @ arrays["meaning"] + arrays["meaning_offset"]
    wording = summed(grams_from(texts), arrays["wording"].astype(np.float32)) + arrays["wording_offset"]
    return meaning, wording


def experts(material: Material, chosen: NDArray[np.bool_], recipe: Recipe) -> Arrays:
    """Return the arrays of both experts, learned from the chosen lessons; call it in a process of its own, for JAX."""
    from models.fine_tuning import tuned  # noqa: PLC0415  whoever only reads needs no JAX

    rows = np.flatnonzero(chosen)
    pieces = [text for text, is_chosen in zip(material.pieces, chosen, strict=True) if is_chosen]
    learned = tuned(pieces, _questions(material, rows), Vocabulary(), recipe)
    heads = {name: learned.pop(name).astype(np.float64) for name in ("meaning", "meaning_offset")}
    network = {f"network/{name}": array.astype(np.float64) for name, array in learned.items()}
    return network | heads | _wording(material, chosen)


def _questions(material: Material, rows: NDArray[np.int64]) -> Questions:
    answers = material.targets[rows]
    weights = np.column_stack([weights_for(material, head)[rows] for head in HEADS])
    return Questions(
        answers=np.nan_to_num(answers),
        weights=weights * ~np.isnan(answers),
        first_choice=HEADS.index(f"actuality {ACTUALITIES[0]}"),
    )


def _wording(material: Material, chosen: NDArray[np.bool_]) -> Arrays:
    arrays = {"wording": np.zeros((COLUMNS, len(HEADS))), "wording_offset": np.zeros(len(HEADS))}
    rarity = _rarity(material.grams[chosen])
    used = np.flatnonzero(rarity)
    grams = material.grams[:, used].multiply(rarity[used]).tocsr()
    for column, head in enumerate(HEADS):
        answer = material.targets[:, column]
        rows = np.flatnonzero(chosen & ~np.isnan(answer))
        slopes, arrays["wording_offset"][column] = _line(grams[rows], answer[rows], weights_for(material, head)[rows])
        arrays["wording"][used, column] = slopes * rarity[used]
    return arrays


def _rarity(grams: csr_matrix) -> Numbers:
    """Return what a column is worth: the rarer, the more."""
    used = np.bincount(grams.indices, minlength=COLUMNS)
    return np.asarray(np.log((1 + grams.shape[0]) / (1 + used)) + 1) * (used > 1)


def _line(table: csr_matrix, answer: Numbers, weights: Numbers) -> tuple[Numbers, float]:
    """Fit one logistic regression; without examples of both answers it says nothing."""
    if min(answer.sum(), len(answer) - answer.sum()) < _FEWEST_EXAMPLES:
        return np.zeros(table.shape[1]), _log_odds(float(answer.mean()) if len(answer) else 0.0)
    fitted = LogisticRegression(
        C=_WORDING_FREEDOM, max_iter=_ROUNDS, solver="liblinear", tol=_CLOSE_ENOUGH, random_state=1
    )
    fitted.fit(table, answer, sample_weight=weights)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _log_odds(share: float) -> float:
    kept = min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)
    return float(np.log(kept / (1 - kept)))


def _counts(lessons: Sequence[Lesson]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for lesson in lessons:
        counts[lesson.group.partition("/")[0]] = counts.get(lesson.group.partition("/")[0], 0) + 1
    return counts
