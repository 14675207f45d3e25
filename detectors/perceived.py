"""Perceived: what people see, hear or smell, and in which direction, as far as their words say.

Only to compare it with what an operator announced: an incident does not hang on it.

Shape   the texts that are shown of an incident in; phenomena that a third of those who name any speak of out
Units   directions in degrees from north, clockwise
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MAIN_SHARE = 1 / 3
"""One who also smells something does not speak for all."""
BEFORE = 40  # signs in which a word may say that something moves that way, rather than is there

_LEXICON = {
    "smoke": r"fumees?|panaches?|nuages? (?:noirs?|gris|toxiques?)|smok(?:e|es|ing|y)",
    "flare": r"torch(?:es?|age|eres?)|flammes?|lueurs?|feux?|incendies?|brul\w+|embras\w+|flar(?:e|es|ing)"
    r"|flames?|fires?|burn\w*|glow\w*",
    "noise": r"bruits?|bruyante?s?|vacarme|boucan|gronde\w*|siffle\w*|assourdissante?s?|vibr\w+|nois(?:e|es|y)|loud"
    r"|roar\w*|rumbl\w+|hiss\w*|deafening",
    "odour": r"odeurs?|puanteurs?|pue(?:nt)?|ca sent|on sent|sent(?:ir)? (?:le|la|l|mauvais|fort|tres)|nauseabonde?s?"
    r"|soufre|oeufs? pourris?|smell\w*|stink\w*|stench|odou?rs?|sulphur|sulfur",
    "blast": r"explos\w+|detonations?|deflagrations?|boum|blasts?|bangs?|explod\w+",
    "siren": r"sirenes?|sirens?",
}
_PHENOMENA = {name: re.compile(rf"\b(?:{words})\b") for name, words in _LEXICON.items()}
_COMPASS = {
    "nord": 0.0, "nord-est": 45.0, "est": 90.0, "sud-est": 135.0,
    "sud": 180.0, "sud-ouest": 225.0, "ouest": 270.0, "nord-ouest": 315.0,
    "north": 0.0, "north-east": 45.0, "east": 90.0, "south-east": 135.0,
    "south": 180.0, "south-west": 225.0, "west": 270.0, "north-west": 315.0,
}  # fmt: skip
_JOINED = re.compile("[ -]")
_QUARTERS = {_JOINED.sub("", name): bearing for name, bearing in _COMPASS.items()}
_DIRECTION = re.compile(
    r"\b(?:vers (?:le |l )|en direction (?:de l |du |de )|plein |au |a l |(?:in|to|towards?) the |looking |due )"
    r"((?:nord|sud)[ -]?(?:est|ouest)|(?:north|south)[ -]?(?:east|west)|nord|sud|est|ouest|north|south|east|west)\b"
    r"(?! (?:de|du|des|d|of|from)\b)"
)
_SAID = {bearing: name for name, bearing in _COMPASS.items()}  # the last names: in English
_MOVES = re.compile(
    r"\b(?:part|partent|va|vont|deriv\w+|pouss\w+|souffl\w+|dirig\w+|file|drift\w*|blow\w*|mov\w+|head\w*)\b"
)


@dataclass(frozen=True)
class Perceived:
    """What people perceive."""

    phenomena: frozenset[str]  # that many speak of; none where no word says
    named: frozenset[str]  # that anybody speaks of
    directions: tuple[float, ...]  # in which they see or hear it


def perceived_in(texts: Iterable[str]) -> Perceived:
    """Return what texts say that people perceive."""
    bares = [bare(text) for text in texts]
    named: Counter[str] = Counter()
    speaking = 0
    for text in bares:
        found = phenomena_in(text)
        named.update(found)
        speaking += bool(found)
    main = frozenset(name for name, posts in named.items() if posts >= MAIN_SHARE * speaking)
    return Perceived(main, frozenset(named), tuple(way for text in bares for way in _directions_in(text)))


def phenomena_in(text: str) -> frozenset[str]:
    """Return the phenomena that a bare text names."""
    return frozenset(name for name, words in _PHENOMENA.items() if words.search(text))


def _directions_in(text: str) -> list[float]:
    return [
        _QUARTERS[_JOINED.sub("", found[1])]
        for found in _DIRECTION.finditer(text)
        if not _MOVES.search(text, max(found.start() - BEFORE, 0), found.start())
    ]


def gist_of(text: str) -> str:
    """Return no more of a text than is perceived in it, in words of ours: `[smoke] [to the north]`; "" for nothing.

    What `perceived_in` says of it is what it says of the text.
    """
    plain = bare(text)
    ways = [f"to the {_SAID[bearing]}" for bearing in _directions_in(plain)]
    return " ".join(f"[{word}]" for word in (*sorted(phenomena_in(plain)), *ways))


def bare(text: str) -> str:
    """Return a text without case, accents and signs, its words one space apart."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.replace("œ", "oe")) if sign.isascii())
    return " ".join(re.findall(r"[a-z0-9-]+", re.sub(r"['’]", " ", plain.casefold())))
