"""The hazard model: reads posts and says which danger they speak of, whether it is happening, who sees it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from models.calibration import beta_calibrated, sigmoid
from models.features import COLUMNS, Grams, grams_from
from models.gate import SECTIONS, Gate
from models.language import LanguageModel
from models.links import without_links
from models.reading import PostReading, PublicHazard
from models.sentence_vectors import NETWORK_NAMES, WIDTH, SentenceVectors
from records import ACTUALITIES, HAZARDS, BrokenInvariant
from records.signal import Actuality

WEIGHTS = Path(__file__).parent / "weights"
VERSION = "hazard/4"
ARRAYS_FILE = "hazard-4.npz"
CHECKSUMS_FILE = "SHA256SUMS"

VERDICTS = (*HAZARDS, *(f"{hazard} now" for hazard in HAZARDS), "witness")
"""What the second step gives a probability to, each by itself; the actualities follow, adding up to 1."""

RELATED = "related"
"""Whether a text is about a disaster of these days at all, be it in sympathy alone; public sets are labelled so."""

HEADS = (*VERDICTS, RELATED, *(f"actuality {actuality}" for actuality in ACTUALITIES))
"""What each of the two experts gives an opinion on, in the order of the columns."""

OPINIONS = 2 * len(HEADS) + len(SECTIONS) + 1
"""Columns of the second step: both experts, the lexicon's sections, the length."""

Arrays = Mapping[str, NDArray[Any]]

SHAPES = {
    "meaning": (WIDTH, len(HEADS)),
    "meaning_offset": (len(HEADS),),
    "wording": (COLUMNS, len(HEADS)),
    "wording_offset": (len(HEADS),),
    "verdict": (OPINIONS, len(VERDICTS)),
    "verdict_offset": (len(VERDICTS),),
    "beta": (3, len(VERDICTS)),
    "actuality": (OPINIONS, len(ACTUALITIES)),
    "actuality_offset": (len(ACTUALITIES),),
    "base_rates": (len(VERDICTS),),
    "threshold": (1,),
}
_NETWORK = "network/"  # what the encoder's arrays are called among the others
_NO_ACTUALITY = np.array([name == "other" for name in ACTUALITIES], dtype=float)
_MEND = "reinstall Vigie or train again"
_LEAST_RATIO, _MOST_RATIO = 0.001, 1000.0
_LONGEST = 1000  # letters looked at
_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,40}(?![^\W\d_])")
_DIGITS = 6
_SHOWN = 12  # letters of a checksum
_TAUGHT = ("fr", "en", None)  # None: too short or too mixed to tell
_ACTUALITIES: tuple[Actuality, ...] = get_args(Actuality)  # ACTUALITIES, with their type
_PUBLIC: tuple[PublicHazard, ...] = ("fire", "flood", "industrial")


class HazardModel:
    """Reads posts.

    Shape   n texts and n languages in, n readings out, in the same order; a text's reading does not depend on the
            batch it is in
    Units   calibrated probabilities; see PostReading
    Errors  none on any text: an empty or unreadable one gets the base rates
    Source  models/cards/hazard-4.md names the data, the licences and the scores
    """

    def __init__(self, arrays: Arrays, version: str = VERSION) -> None:
        self.version = version
        for name, shape in SHAPES.items():
            found = arrays[name].shape if name in arrays else None
            if found != shape:
                raise BrokenInvariant(f"{ARRAYS_FILE}: {name} has shape {found}, {VERSION} needs {shape}: {_MEND}")
        network = network_in(arrays)
        if missing := NETWORK_NAMES - network.keys():
            raise BrokenInvariant(f"{ARRAYS_FILE}: the network lacks {', '.join(sorted(missing))}: {_MEND}")
        self._arrays = {name: np.asarray(arrays[name], dtype=np.float64) for name in SHAPES if name != "wording"}
        self._wording = np.asarray(arrays["wording"], dtype=np.float32)
        self.vectors = SentenceVectors(network)
        self._gate = Gate.load()
        self._language = LanguageModel()
        self._now_rates = self._arrays["base_rates"][len(HAZARDS) : 2 * len(HAZARDS)].tolist()
        self._class_shares = {name: round(rate, _DIGITS) for name, rate in zip(HAZARDS, self._now_rates, strict=True)}
        self._nothing = self._reading(None, self._arrays["base_rates"], _NO_ACTUALITY)

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "HazardModel":
        """Read the weights, after comparing them with their checksum.

        Errors  BrokenInvariant where the weights are missing, changed, or of another shape
        """
        return cls(read_arrays(folder), version_of(folder))

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Return one reading a text, in the same order."""
        languages = self._language.languages(texts, langs)
        said = [without_links(text) for text in texts]
        verdicts, actualities = self._probabilities(said)
        return [
            self._reading(languages[row], verdicts[row], actualities[row]) if _is_readable(text) else self._nothing
            for row, text in enumerate(said)
        ]

    def probabilities(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probabilities of the VERDICTS and of the ACTUALITIES, a row a text; unread: base rates."""
        return self._probabilities([without_links(text) for text in texts])

    def _probabilities(self, said: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        verdicts = np.tile(self._arrays["base_rates"], (len(said), 1))
        actualities = np.tile(_NO_ACTUALITY, (len(said), 1))
        rows = [row for row, text in enumerate(said) if _is_readable(text)]
        if rows:
            opinions = self._opinions([said[row] for row in rows])
            verdicts[rows] = verdicts_from(opinions, self._arrays)
            actualities[rows] = actualities_from(opinions, self._arrays)
        return verdicts, actualities

    def _opinions(self, texts: Sequence[str]) -> NDArray[np.float64]:
        return opinions_from(
            self.vectors(texts).astype(np.float64) @ self._arrays["meaning"] + self._arrays["meaning_offset"],
            summed(grams_from(texts), self._wording) + self._arrays["wording_offset"],
            texts,
            self._gate,
        )

    def _reading(
        self, language: str | None, verdicts: NDArray[np.float64], actualities: NDArray[np.float64]
    ) -> PostReading:
        *verdict, witness = verdicts.tolist()
        any_time, now = verdict[: len(HAZARDS)], verdict[len(HAZARDS) :]
        probabilities = {hazard: round(p, _DIGITS) for hazard, p in zip(HAZARDS, any_time, strict=True)}
        ratios = {hazard: _ratio(p, rate) for hazard, p, rate in zip(HAZARDS, now, self._now_rates, strict=True)}
        likeliest = max(_PUBLIC, key=lambda hazard: probabilities[hazard])
        is_over = probabilities[likeliest] >= self._arrays["threshold"][0]
        return PostReading(
            language=language,
            hazards=probabilities,
            hazard=likeliest if is_over else "none",
            witness=round(witness, _DIGITS),
            actuality=_ACTUALITIES[int(actualities.argmax())],
            likelihood_ratios=ratios,
            class_shares=self._class_shares,
            is_degraded=language not in _TAUGHT,
            version=self.version,
        )


def read_arrays(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Read the weights of a folder, after comparing them with their checksum; nothing in them is executed.

    Errors  BrokenInvariant where they are missing or changed
    """
    path = folder / ARRAYS_FILE
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        lines = (folder / CHECKSUMS_FILE).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BrokenInvariant(f"{path}: the model's weights cannot be read ({error}): reinstall Vigie") from error
    if f"{found}  {ARRAYS_FILE}" not in lines:
        raise BrokenInvariant(
            f"{path}: its SHA-256 is {found}, {CHECKSUMS_FILE} says otherwise: the weights were changed; {_MEND}"
        )
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def version_of(folder: Path) -> str:
    """Return what the weights of a folder are called: those that were learned elsewhere, by what is in them, too."""
    digest = digest_of(folder)
    return VERSION if digest == digest_of(WEIGHTS) else f"{VERSION}+{digest[:_SHOWN]}"


def digest_of(folder: Path) -> str:
    """Return the checksum that stands beside the weights of a folder.

    Errors  BrokenInvariant where there is none
    """
    path = folder / CHECKSUMS_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BrokenInvariant(f"{path}: cannot be read ({error}): {_MEND}") from error
    found = [line.partition("  ")[0] for line in lines if line.endswith(f"  {ARRAYS_FILE}")]
    if not found:
        raise BrokenInvariant(f"{path}: says nothing of {ARRAYS_FILE}: {_MEND}")
    return found[0]


def write_arrays(folder: Path, arrays: Arrays) -> None:
    """Write the weights with their checksum; the large ones in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ARRAYS_FILE
    stored = {
        name: array.astype(np.float16 if name == "wording" or name.startswith(_NETWORK) else np.float32)
        for name, array in arrays.items()
    }
    np.savez_compressed(path, allow_pickle=False, **stored)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / CHECKSUMS_FILE).write_text(f"{digest}  {ARRAYS_FILE}\n", encoding="utf-8")


def network_in(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Return the encoder's network that stands among a model's arrays."""
    return {
        name.removeprefix(_NETWORK): np.asarray(array, dtype=np.float32)
        for name, array in arrays.items()
        if name.startswith(_NETWORK)
    }


def summed(grams: Grams, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return, for each text, the sum of its columns' weights times their values."""
    rows = np.take(weights, grams.columns, axis=0)
    sums = np.empty((len(grams.starts) - 1, weights.shape[1]), dtype=np.float64)
    for text, (start, end) in enumerate(pairwise(grams.starts.tolist())):
        sums[text] = grams.values[start:end] @ rows[start:end]
    return sums


def opinions_from(
    meaning: NDArray[np.float64], wording: NDArray[np.float64], texts: Sequence[str], gate: Gate
) -> NDArray[np.float64]:
    """Return the columns of the second step: both experts' opinions, the lexicon's sections, the length."""
    concepts = np.zeros((len(texts), len(SECTIONS) + 1))
    for row, text in enumerate(texts):
        found = gate.sections_in(text[:1000])
        concepts[row, :-1] = [section in found for section in SECTIONS]
        concepts[row, -1] = min(len(text), 300) / 300
    return np.hstack((np.clip(meaning, -12, 12), np.clip(wording, -12, 12), concepts))


def logits_from(opinions: NDArray[np.float64], arrays: Arrays) -> NDArray[np.float64]:
    """Return the second step's log-odds of each verdict, not yet calibrated."""
    return np.asarray(_product(opinions, arrays["verdict"]) + arrays["verdict_offset"])


def calibrated(logits: NDArray[np.float64], arrays: Arrays) -> NDArray[np.float64]:
    """Return the probability of each verdict; what happens now is never likelier than what happens at all."""
    probabilities = sigmoid(beta_calibrated(logits, arrays["beta"]))
    any_time, now = slice(0, len(HAZARDS)), slice(len(HAZARDS), 2 * len(HAZARDS))
    probabilities[:, now] = np.minimum(probabilities[:, now], probabilities[:, any_time])
    return probabilities


def verdicts_from(opinions: NDArray[np.float64], arrays: Arrays) -> NDArray[np.float64]:
    """Return the probability of each verdict."""
    return calibrated(logits_from(opinions, arrays), arrays)


def actualities_from(opinions: NDArray[np.float64], arrays: Arrays) -> NDArray[np.float64]:
    """Return the probability of each actuality; a row adds up to 1."""
    logits = _product(opinions, arrays["actuality"]) + arrays["actuality_offset"]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _product(rows: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows @ weights)


def _ratio(probability: float, base_rate: float) -> float:
    """Return p/(1-p) * (1-pi)/pi, within its bounds."""
    p = min(max(probability, 1e-9), 1 - 1e-9)
    ratio = p / (1 - p) * (1 - base_rate) / base_rate
    return round(min(max(ratio, _LEAST_RATIO), _MOST_RATIO), _DIGITS)


def _is_readable(text: str) -> bool:
    """Return whether there is a word to read: not for emojis alone, endless letters, or bytes that are no text."""
    beginning = text[:_LONGEST]
    if not beginning.isprintable():  # hardly a text: only then is it worth the look at each letter
        unprintable = sum(not (letter.isprintable() or letter.isspace()) for letter in beginning)
        if unprintable * 10 > len(beginning):
            return False
    return _WORD.search(beginning) is not None
