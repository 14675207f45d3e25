"""Material: the lessons as numbers, and the parts of them that are held back in turn."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.features import COLUMNS, grams_from
from models.hazard import RELATED
from models.lessons import Lesson
from models.sentence_vectors import Vocabulary
from records import ACTUALITIES, HAZARDS

Numbers = NDArray[np.float64]

FOLDS = 3
"""Parts of the authors and incidents that are held back in turn."""

_OTHER_BOOST = 25.0
_RELATED_PUBLIC, _RELATED_CORPUS = 0.6, 0.03  # on average


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How the encoder is tuned."""

    rounds: int = 5
    encoder_rate: float = 5e-4
    head_rate: float = 2e-3
    dropout: float = 0.2
    pieces_dropped: float = 0.1
    seed: int = 2012


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of each text.

    Shape   n x q: answers 1 yes, 0 no; weights 0 where the answer is not known. The columns from `first_choice` on
            exclude each other: one of them is right
    """

    answers: Numbers
    weights: Numbers
    first_choice: int


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """The lessons as numbers.

    Shape   a row a lesson; targets: 1 yes, 0 no, NaN not known, a column a head
    """

    lessons: Sequence[Lesson]
    pieces: Sequence[Sequence[int]]
    grams: csr_matrix
    targets: Numbers
    weights: Numbers
    folds: NDArray[np.int64]


def folds_from(lessons: Sequence[Lesson]) -> NDArray[np.int64]:
    """Return the fold of each lesson: groups stay whole; authors by language and incidents by hazard are dealt out."""
    kinds: dict[str, str] = {}
    for lesson in lessons:
        if lesson.group not in kinds or kinds[lesson.group] == "public none":
            kinds[lesson.group] = _kind(lesson)
    dealt: dict[str, int] = {}
    for kind in sorted(set(kinds.values())):
        groups = sorted(group for group, its_kind in kinds.items() if its_kind == kind)
        dealt |= {group: number % FOLDS for number, group in enumerate(groups)}
    return np.array([dealt[lesson.group] for lesson in lessons], dtype=np.int64)


def _kind(lesson: Lesson) -> str:
    if lesson.is_corpus:
        return f"corpus {lesson.language}"
    return f"public {next((hazard for hazard in HAZARDS if lesson.hazards[hazard]), 'none')}"


def material_from(lessons: Sequence[Lesson], vocabulary: Vocabulary) -> Material:
    """Return the lessons as numbers."""
    texts = [lesson.text for lesson in lessons]
    grams = grams_from(texts)
    table = csr_matrix((grams.values, grams.columns, grams.starts), shape=(len(texts), COLUMNS))
    table.sum_duplicates()
    return Material(
        lessons=lessons,
        pieces=vocabulary.cut(texts),
        grams=table,
        targets=np.array([targets(lesson) for lesson in lessons], dtype=np.float64),
        weights=np.array([lesson.weight for lesson in lessons]),
        folds=folds_from(lessons),
    )


def targets(lesson: Lesson) -> list[float]:
    """Return what is true of a lesson: 1, 0, or NaN where nobody knows, a number a head."""
    is_now = lesson.actuality in (None, "now")
    known = [lesson.hazards[hazard] for hazard in HAZARDS]
    known += [None if spoken is None else spoken and is_now for spoken in known]
    known += [lesson.is_witness, lesson.is_related]
    known += [None if lesson.actuality is None else lesson.actuality == name for name in ACTUALITIES]
    return [np.nan if answer is None else float(answer) for answer in known]


def weights_for(material: Material, question: str) -> Numbers:
    """Return what each lesson weighs for a question: only public posts know of other disasters, and of sympathy."""
    if question == RELATED:
        return _related_weights(material)
    if question in ("other", "other now"):
        return np.where(material.weights < 1, np.minimum(material.weights * _OTHER_BOOST, 1), 1)
    return material.weights


def _related_weights(material: Material) -> Numbers:
    """Return what lessons weigh for relatedness: a post of a large incident less, so that its own words do not decide.

    Public posts and the corpus's everyday posts count in full; of the other posts nobody labelled sympathy.
    """
    groups = [lesson.group for lesson in material.lessons]
    _, incident, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights, is_full = 1 / np.sqrt(sizes[incident]), material.weights < 1
    if not is_full.any():
        return np.full(len(groups), _RELATED_CORPUS)
    return np.where(is_full, weights / weights[is_full].mean() * _RELATED_PUBLIC, _RELATED_CORPUS)
