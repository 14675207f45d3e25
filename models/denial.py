"""Denial: whether a text says that something that is told is not so.

"No fire at the plant", "fausse alerte", "la préfecture dément". Not: "aucune victime", where something is and only that
is not; "ce n'est pas une rumeur", which says that it is so; a hope or a question.

Which words are which stands in `models/doubts/denials.txt`. Phrases under [not] are heard before all others.
"""

import re
from functools import cache
from pathlib import Path

from models.folding import words_of
from models.links import without_links
from models.phrases import ASK, STOP, Phrases, heads_of, sentences_of

SECTIONS = ("not", "denial", "order", "danger")
_MOST_READ = 2_000  # characters
_CLAUSES = re.compile(r"(?<=[.!?…;,])\s+|\n+|\s+(?=(?:mais|cependant|but|however)\b)", re.IGNORECASE)
_WORDS = Path(__file__).parent / "doubts" / "denials.txt"


def is_denial(text: str) -> bool:
    """Tell whether a text denies.

    Units   some 6 µs where no word of denying stands in it, 0.1 ms where one does
    Errors  none on any text
    """
    phrases, heads = _phrases()
    if heads.isdisjoint(heads_of(words_of(text[:_MOST_READ]))):
        return False
    plain = phrases.pattern("not").sub(f" {STOP}", sentences_of(without_links(text[:_MOST_READ])))
    denial = phrases.pattern("denial")
    if phrases.pattern("order").search(plain):
        return False
    return any(_is_said(plain[found.end() :]) for found in denial.finditer(plain))


def names_danger(text: str) -> bool:
    """Tell whether a text names a danger, what may be one's place, or the sirens."""
    phrases, _ = _phrases()
    return phrases.pattern("danger").search(sentences_of(without_links(text[:_MOST_READ]))) is not None


def beside_denial(text: str) -> str:
    """Return what a text says besides denying: its clauses that deny nothing.

    "The dam holds, no breach, but the street is under water" denies, and tells all the same.
    """
    return " ".join(clause for clause in _CLAUSES.split(text[:_MOST_READ]) if clause.strip() and not is_denial(clause))


def _is_said(behind: str) -> bool:
    """Tell whether a sentence ends otherwise than as a question."""
    return next((word for word in behind.split() if word in (ASK, STOP)), STOP) == STOP


@cache
def _phrases() -> tuple[Phrases, frozenset[str]]:
    phrases = Phrases(_WORDS, SECTIONS)
    return phrases, phrases.heads("denial")
