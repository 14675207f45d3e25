"""Correcting: a few lessons move what the model makes of the meaning of texts, and as little else as may be.

The sentence encoder, the wording and the second step stay as they are. What is learned is a change of the sixteen
opinions on meaning: numbers by which the encoder's vector is weighed, without an offset, for what people decided on is
no sample of what is posted. Thousands of other texts hold it in place: of each the model is to say what it said before.
So without lessons nothing changes, and what speaks of something else than they do stays nearly as it was.

Shape   arrays in, arrays of the same shapes out; the same lessons and texts give the same ones on the same machine
Units   some minutes on one core: reading the texts takes most of it
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from models.calibration import beta_features, sigmoid
from models.features import grams_from
from models.gate import Gate
from models.hazard import (
    HEADS,
    Arrays,
    actualities_from,
    logits_from,
    network_in,
    opinions_from,
    summed,
)
from models.lessons import Lesson
from models.material import targets
from models.sentence_vectors import SentenceVectors
from records import ACTUALITIES, HAZARDS

Numbers = NDArray[np.float64]

PULL = 1.0
"""How strongly a change is pulled to nothing, beside one lesson that weighs 1."""

_BATCH = 512
_ROUNDS = 150
_CLIP = 12.0
_MEANING = len(HEADS)
_TAUGHT = 2 * len(HAZARDS)  # verdicts; nobody decides who is a witness
_FIRST_ACTUALITY = HEADS.index(f"actuality {ACTUALITIES[0]}")


class Read(NamedTuple):
    """Texts as the model reads them.

    Shape   a row a text
    """

    vectors: NDArray[np.float32]
    opinions: Numbers


class Wanted(NamedTuple):
    """What the model should say of texts: NaN where nobody knows."""

    verdicts: Numbers
    actualities: Numbers
    weights: Numbers


def corrected(arrays: Arrays, lessons: Sequence[Lesson], others: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return a model's arrays, corrected by lessons; the others are texts that hold the rest in place."""
    changed = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    if not lessons:
        return changed
    with threadpool_limits(1):  # several threads would add up in another order each time
        read = read_texts(arrays, [*others, *(lesson.text for lesson in lessons)])
        wanted = _wanted(arrays, read, lessons)
        changed["meaning"] = changed["meaning"] + _change(changed, read, wanted)
    return changed


def read_texts(arrays: Arrays, texts: Sequence[str]) -> Read:
    """Return the vectors and the opinions that a model has of texts."""
    encoder = SentenceVectors(network_in(arrays))
    parts = [encoder(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
    vectors = np.vstack(parts).astype(np.float32)
    meaning = vectors.astype(np.float64) @ arrays["meaning"] + arrays["meaning_offset"]
    wording = summed(grams_from(texts), np.asarray(arrays["wording"], dtype=np.float32)) + arrays["wording_offset"]
    return Read(vectors, opinions_from(meaning, wording, texts, Gate.load()))


def _wanted(arrays: Arrays, read: Read, lessons: Sequence[Lesson]) -> Wanted:
    """Return what the model says already, and of the lessons, which come last, what people said."""
    verdicts = _alone(logits_from(read.opinions, arrays), arrays)
    actualities = actualities_from(read.opinions, arrays)
    weights = np.ones(len(verdicts))
    answers = np.array([targets(lesson) for lesson in lessons])
    first = len(verdicts) - len(lessons)
    verdicts[first:] = np.nan
    verdicts[first:, :_TAUGHT] = answers[:, :_TAUGHT]
    actualities[first:] = answers[:, _FIRST_ACTUALITY:]
    weights[first:] = [lesson.weight for lesson in lessons]
    return Wanted(verdicts, actualities, weights)


def _alone(logits: Numbers, arrays: Arrays) -> Numbers:
    """Return the probability of each verdict by itself: what is now may be likelier than what is at all."""
    log_p, minus_log_q = beta_features(logits)
    beta = arrays["beta"]
    return sigmoid(beta[0] * log_p + beta[1] * minus_log_q + beta[2])


class _Loss:
    """How far the model is from what is wanted, by the change of its opinions on meaning."""

    def __init__(self, arrays: Arrays, read: Read, wanted: Wanted) -> None:
        self.vectors = read.vectors
        self.before = read.opinions[:, :_MEANING]
        self.logits = logits_from(read.opinions, arrays)
        self.when = read.opinions @ arrays["actuality"] + arrays["actuality_offset"]
        self.to_verdicts, self.to_when = arrays["verdict"][:_MEANING], arrays["actuality"][:_MEANING]
        self.beta = arrays["beta"]
        self.answers, self.known = np.nan_to_num(wanted.verdicts), ~np.isnan(wanted.verdicts) * wanted.weights[:, None]
        self.choice = np.nan_to_num(wanted.actualities)
        self.is_told = ~np.isnan(wanted.actualities[:, 0]) * wanted.weights

    def __call__(self, numbers: Numbers) -> tuple[float, Numbers]:
        """Return the loss of a change, and its slopes."""
        change = numbers.reshape(self.vectors.shape[1], _MEANING)
        moved = (self.vectors @ change.astype(np.float32)).astype(np.float64)
        after = np.clip(self.before + moved, -_CLIP, _CLIP)
        by_verdict, verdict_slopes = self._verdicts(self.logits + (after - self.before) @ self.to_verdicts)
        by_when, when_slopes = self._when(self.when + (after - self.before) @ self.to_when)
        slopes = (verdict_slopes @ self.to_verdicts.T + when_slopes @ self.to_when.T) * (np.abs(after) < _CLIP)
        down = (self.vectors.T @ slopes.astype(np.float32)).astype(np.float64) + PULL * change
        return by_verdict + by_when + PULL / 2 * float(numbers @ numbers), down.ravel()

    def _verdicts(self, logits: Numbers) -> tuple[float, Numbers]:
        log_p, minus_log_q = beta_features(logits)
        said = self.beta[0] * log_p + self.beta[1] * minus_log_q + self.beta[2]
        loss = float((self.known * (np.logaddexp(0, said) - self.answers * said)).sum())
        plain = sigmoid(logits)
        steepness = self.beta[0] * (1 - plain) + self.beta[1] * plain
        return loss, self.known * (sigmoid(said) - self.answers) * steepness

    def _when(self, logits: Numbers) -> tuple[float, Numbers]:
        logits = logits - logits.max(axis=1, keepdims=True)
        said = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        loss = -float((self.is_told * (self.choice * said).sum(axis=1)).sum())
        return loss, self.is_told[:, None] * (np.exp(said) - self.choice)


def _change(arrays: Arrays, read: Read, wanted: Wanted) -> Numbers:
    start = np.zeros(read.vectors.shape[1] * _MEANING)
    found = minimize(_Loss(arrays, read, wanted), start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    return np.asarray(found.x.reshape(-1, _MEANING))
