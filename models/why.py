"""Why: the words of a post that weighed most in its reading, in words for a duty officer."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Language = Literal["fr", "en"]
Numbers = NDArray[np.float64]

_MOST_WORDS = 60  # of a text; later words are not looked at one by one
_LEAST_FACTOR = 1.5  # a smaller change is not worth a duty officer's time
_MOST_FACTOR = 1000.0
_TINY = 1e-9
_WHOLE_FROM = 100  # from here on a factor is told in whole numbers
_PUNCTUATION = ' \t\n.,;:!?…"«»“”()[]'
_HAZARD_WORDS: dict[Language, dict[str, str]] = {
    "fr": {"fire": "feu", "flood": "inondation", "industrial": "accident industriel"},
    "en": {"fire": "fire", "flood": "flood", "industrial": "industrial accident"},
}


class Reader(Protocol):
    """What gives texts their probabilities: HazardModel."""

    def probabilities(self, texts: Sequence[str]) -> tuple[Numbers, Numbers]:
        """Return the probabilities of the verdicts and of the actualities, a row a text."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One word, or two together, and what the reading owes to them.

    Units   factor: the odds that the hazard is happening now, with the words over without them; above 1 they speak for
            it, below 1 against it; between 0.001 and 1000
    """

    words: str
    factor: float


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a post was read as it was: the hazard that comes nearest, and the words that weighed most, in that order."""

    hazard: str
    probability: float  # that it is happening now
    reasons: tuple[Reason, ...]

    def sentence(self, language: Language) -> str:
        """Return the reasons in one line: "feu 94 % : pour « fumée » (x12) ; contre « exercice » (x8)"."""
        hazard = _HAZARD_WORDS[language][self.hazard]
        share = f"{100 * self.probability:.0f} %" if language == "fr" else f"{100 * self.probability:.0f}%"
        before, quote, after = (" :", "« {} »", " ;") if language == "fr" else (":", '"{}"', ";")
        said = [_listed(self.reasons, quote, is_for=is_for) for is_for in (True, False)]
        words = ("pour", "contre") if language == "fr" else ("for", "against")
        parts = [f"{word} {listed}" for word, listed in zip(words, said, strict=True) if listed]
        nothing = "aucun mot ne pèse à lui seul" if language == "fr" else "no word weighs much by itself"
        return f"{hazard} {share}{before} {f'{after} '.join(parts) or nothing}"


def why(reader: Reader, text: str, *, most: int = 5) -> Why:
    """Return the words that weighed most: each word, and each two in a row, is left out and the rest read again.

    Shape   at most `most` reasons that share no word, each of a factor of 1.5 or more either way
    Units   a reading for each word and pair: some 30 ms a post
    Errors  none on any text
    """
    words = text.split()
    spans = [(start, start + length) for length in (1, 2) for start in range(min(len(words), _MOST_WORDS) - length + 1)]
    without = [" ".join((*words[:start], *words[end:])) for start, end in spans]
    verdicts, _ = reader.probabilities([text, *without])
    column = 4 + int(verdicts[0, 4:7].argmax())
    logits = np.log(np.clip(verdicts[:, column], _TINY, 1)) - np.log(np.clip(1 - verdicts[:, column], _TINY, 1))
    owed = logits[0] - logits[1:]
    return Why(
        hazard=("fire", "flood", "industrial")[column - 4],
        probability=round(float(verdicts[0, column]), 6),
        reasons=tuple(_strongest(words, spans, owed, most)),
    )


def _strongest(words: Sequence[str], spans: Sequence[tuple[int, int]], owed: Numbers, most: int) -> list[Reason]:
    """Return the strongest spans that share no word; two words only where they weigh more than each of them."""
    alone = dict(zip(spans, owed.tolist(), strict=True))
    ranked = sorted(spans, key=lambda span: (-abs(alone[span]), span))
    reasons: list[Reason] = []
    taken: set[int] = set()
    for start, end in ranked:
        single = max((abs(alone[one, one + 1]) for one in range(start, end)), default=0.0)
        is_pair_for_nothing = end - start > 1 and abs(alone[start, end]) < single + np.log(_LEAST_FACTOR)
        told = " ".join(words[start:end]).strip(_PUNCTUATION)
        if abs(alone[start, end]) < np.log(_LEAST_FACTOR) or len(reasons) == most:
            break
        if told and not is_pair_for_nothing and not taken & set(range(start, end)):
            taken |= set(range(start, end))
            factor = float(np.clip(np.exp(alone[start, end]), 1 / _MOST_FACTOR, _MOST_FACTOR))
            reasons.append(Reason(words=told, factor=round(factor, 3)))
    return reasons


def _listed(reasons: Sequence[Reason], quote: str, *, is_for: bool) -> str:
    return ", ".join(
        f"{quote.format(reason.words)} (x{_times(max(reason.factor, 1 / reason.factor))})"
        for reason in reasons
        if (reason.factor > 1) == is_for
    )


def _times(factor: float) -> str:
    return f"{factor:.0f}" if factor >= _WHOLE_FROM else f"{factor:.3g}"
