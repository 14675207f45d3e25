"""Solidarity: what people around an incident offer and need, so that a crisis cell can list it.

Rules over plain words: a phrase of asking or offering ("besoin de", "je peux", "in need of") and the things that it
speaks of. Both stand in `models/solidarity/*.txt`, plain files that an analyst reads and extends. What was, what is
denied, what is for sale and what is a figure of speech have phrases of their own there; the longest phrase is heard.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from models.folding import folded, words_of
from models.links import without_links
from models.masking import MARK, masked
from models.solidarity_sentence import Sentence, Told, heard, quantity_of, told_by
from models.solidarity_words import WORDS, Found, Phrases, read_words

VERSION = "solidarity/1"
Kind = Literal["need", "offer"]
LANGUAGES = ("fr", "en")
MOST_TEXT = 1000
"""How much of a post is kept with its claims; it is read and masked whole before."""
SURE = 0.5
"""The confidence from which a claim is worth a line in a list."""

_MOST_READ = 4_000  # characters
_NAME = "somebody"  # what a masked name reads as
_SENTENCE = re.compile(r"[.!?…]+(?=\s|$)|[!?…\n\r;]+|\s[–—|-]+\s")
_STRENGTH = {"call": 0.65, "closed": 0.6, "enough": 0.6, "behind": 0.6, "ready": 0.6, "do": 0.55}
_PLAIN = 0.65
_IN_DISASTER, _COUNTED, _UNNAMED = 0.2, 0.1, -0.2


@dataclass(frozen=True)
class Claim:
    """One thing that a post says is needed or offered.

    Shape   thing: one of `THINGS`; measure: the words of the quantity; why: the words that led here, in plain letters;
            shown: the post with its private persons masked
    Units   confidence: 0 to 1, an order and no probability; quantity: pieces, persons or places, as `measure` says
    """

    kind: Kind
    thing: str
    confidence: float
    why: tuple[str, ...]
    shown: str = ""
    quantity: int | None = None
    measure: str = ""
    is_closed: bool = False
    is_call: bool = False

    @property
    def key(self) -> str:
        """What makes it one claim of its post."""
        return f"{self.kind}/{self.thing}"


class Solidarity:
    """Reads offers and needs.

    Shape   a text in, its claims out, each kind and thing once; none where the language is neither French nor English
    Units   some 50 µs for an everyday post
    Errors  none on any text
    """

    version = VERSION

    def __init__(self) -> None:
        self._phrases = {lang: Phrases(read_words(WORDS / f"{lang}.txt")) for lang in LANGUAGES}

    def read(self, text: str, lang: str | None = None, keep: Iterable[str] = ()) -> list[Claim]:
        """Return the claims of a post, the surest first; `keep` are names of places, which are no persons'.

        Without a language it is read as each of them.
        """
        plain = folded(text[:_MOST_READ])
        spoken = [self._phrases[one] for one in LANGUAGES if lang in (one, None)]
        claiming = [phrases for phrases in spoken if phrases.may_claim(plain)]
        if not claiming:
            return []
        shown = masked(text, keep)
        post = without_links(shown[:_MOST_READ]).replace(MARK, f" {_NAME} ")
        claims: dict[str, Claim] = {}
        for claim in (one for phrases in claiming for one in _Post(phrases, post).claims()):
            known = claims.get(claim.key)
            if known is None or known.confidence < claim.confidence:
                claims[claim.key] = replace(claim, shown=shown[:MOST_TEXT])
        return sorted(claims.values(), key=lambda claim: -claim.confidence)


class _Post:
    """One post as one language reads it."""

    def __init__(self, phrases: Phrases, text: str) -> None:
        self._numbers = phrases.numbers
        pieces = (words_of(piece) for piece in _SENTENCE.split(text))
        self._sentences = [heard(phrases, words) for words in pieces if words]
        self._is_in_disaster = any(sentence.has("disaster") for sentence in self._sentences)

    def claims(self) -> list[Claim]:
        """Return the post's claims, a kind and thing maybe more than once."""
        if any(sentence.has("advert") for sentence in self._sentences):
            return []
        closing = [claim for _sentence, claim in self._said(is_closing=True)]
        claims = [claim for sentence, claim in self._said(is_closing=False) if not sentence.has("past")]
        named = {claim.key for claim in closing if claim.thing}
        for_all = {claim.kind for claim in closing if not claim.thing}
        if any(claim.kind == "need" and claim.thing != "help" for claim in claims):
            claims = [claim for claim in claims if claim.thing != "help"]  # the help is named
        claims = [claim for claim in claims if claim.key != "offer/help"]  # nobody can call on it
        stand = [replace(one, is_closed=one.key in named or one.kind in for_all) for one in claims]
        known = {one.key for one in stand}
        return stand + [one for one in closing if one.thing and one.key not in known]

    def _said(self, *, is_closing: bool) -> Iterator[tuple[Sentence, Claim]]:
        """Go through what the phrases say; a closing one may name no thing."""
        last: Sentence | None = None
        for sentence in self._sentences:
            for told in told_by(sentence, last):
                if told.phrase.is_closing == is_closing:
                    yield from ((sentence, self._claim(sentence, told, thing)) for thing in told.things)
                    if not told.things and (told.phrase.entry.thing or told.phrase.entry.section.endswith("closed")):
                        yield sentence, self._claim(sentence, told, None)
            last = sentence

    def _claim(self, sentence: Sentence, told: Told, thing: Found | None) -> Claim:
        section, name = told.phrase.entry.section, (thing or told.phrase).entry.thing
        quantity, measure = (None, "") if thing is None else quantity_of(told.sentence, thing, self._numbers)
        why = [sentence.text(told.phrase.start, told.phrase.end)]
        why += [told.sentence.text(thing.start, thing.end)] if thing is not None else []
        is_need = section == "call" or section.startswith("need")
        confidence = (
            _STRENGTH.get(section.rpartition(" ")[2], _PLAIN)
            + _IN_DISASTER * self._is_in_disaster
            + _COUNTED * (quantity is not None)
            + _UNNAMED * (name == "help")
        )
        return Claim(
            kind="need" if is_need else "offer",
            thing=name,
            confidence=round(confidence, 2),
            why=tuple(why),
            quantity=quantity,
            measure=measure,
            is_closed=told.phrase.is_closing,
            is_call=section == "call" or (is_need and sentence.has("institution")),
        )
