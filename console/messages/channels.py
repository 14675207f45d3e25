"""Channels: where a text may go, how long it may be there, and how that is counted.

Units   septets of the GSM alphabet for cell broadcast and SMS, UTF-16 units where a text leaves that alphabet;
        weighted characters for social networks
Source  3GPP TS 23.038 (alphabet, its extension table), TS 23.041 (a page: 82 octets, 93 septets, 15 pages at most)
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Channel = Literal["cell", "sms", "social", "long"]

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape and a septet each
INSTEAD = {
    "œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...",
    "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\t": " ", "ÿ": "y", "•": "-", "·": "-", "°": "o",
}  # fmt: skip
"""What stands in for a character that the GSM alphabet lacks, where taking its accent off is not enough."""

PAGE, MOST_PAGES, UCS2_PAGE = 93, 15, 41
SMS_ONE, SMS_PART, UCS2_ONE, UCS2_PART = 160, 153, 70, 67
MOST_SMS_PARTS = 3
MOST_SOCIAL, MOST_LONG = 280, 6000
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))  # X's weights: 1 in these, 2 elsewhere


@dataclass(frozen=True)
class Length:
    """How long a text is on a channel, and how long it may be."""

    units: int
    most: int
    parts: int = 1  # pages or SMS
    most_parts: int = 1

    @property
    def fits(self) -> bool:
        """Tell whether it may go there."""
        return self.units <= self.most and self.parts <= self.most_parts


def foreign(text: str) -> tuple[str, ...]:
    """Return the characters that the GSM alphabet lacks, each once, in order."""
    return tuple(dict.fromkeys(char for char in text if char not in BASIC and char not in EXTENDED))


def substitute(char: str) -> str:
    """Return what may stand for a character in the GSM alphabet, "" where nothing does."""
    if not foreign(char):
        return char
    if char in INSTEAD:
        return INSTEAD[char]
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return plain if plain and not foreign(plain) else ""


def in_gsm(text: str) -> str:
    """Return a text with everything replaced that can be; what cannot stays, for the reader to see."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(substitute(char) or char for char in composed)


def septets(text: str) -> int:
    """Return how many septets a text of the GSM alphabet takes."""
    return sum(_septets_of(char) for char in text)


def pages_of(text: str) -> tuple[str, ...]:
    """Cut a text into pages of a cell broadcast; joined without anything between, they give the text again.

    Shape   93 septets a page at most, 41 UTF-16 units where the text leaves the GSM alphabet; a word is broken only
            where it is longer than a page
    """
    if foreign(text):
        return _cut(text, _utf16_of, UCS2_PAGE)
    return _cut(text, _septets_of, PAGE)


def length_on(channel: Channel, text: str) -> Length:
    """Return how long a text is on a channel."""
    return _LENGTHS[channel](text)


def page_length(page: str) -> Length:
    """Return how long a page is that somebody cut by hand."""
    if foreign(page):
        return Length(_units(page), UCS2_PAGE)
    return Length(septets(page), PAGE)


def paged_length(pages: Sequence[str]) -> Length:
    """Return how long the longest of some pages is, and how many they are."""
    longest = max((page_length(page) for page in pages), key=lambda one: one.units / one.most, default=Length(0, PAGE))
    return Length(longest.units, longest.most, len(pages), MOST_PAGES)


def _sms_length(text: str) -> Length:
    units, one, part = (_units(text), UCS2_ONE, UCS2_PART) if foreign(text) else (septets(text), SMS_ONE, SMS_PART)
    if units <= one:
        return Length(units, part * MOST_SMS_PARTS, 1, MOST_SMS_PARTS)
    parts = len(_cut(text, _utf16_of if foreign(text) else _septets_of, part, keeps_words=False))
    return Length(units, part * MOST_SMS_PARTS, parts, MOST_SMS_PARTS)


def _social_length(text: str) -> Length:
    composed = unicodedata.normalize("NFC", text)
    return Length(sum(1 if any(low <= ord(c) <= high for low, high in _LIGHT) else 2 for c in composed), MOST_SOCIAL)


_LENGTHS: dict[Channel, Callable[[str], Length]] = {
    "cell": lambda text: paged_length(pages_of(text)),
    "sms": _sms_length,
    "social": _social_length,
    "long": lambda text: Length(len(text), MOST_LONG),
}


def _septets_of(char: str) -> int:
    return 2 if char in EXTENDED else 1


def _utf16_of(char: str) -> int:
    return 2 if ord(char) > 0xFFFF else 1  # noqa: PLR2004  the end of the basic plane


def _units(text: str) -> int:
    return sum(map(_utf16_of, text))


def _cut(text: str, cost: Callable[[str], int], most: int, *, keeps_words: bool = True) -> tuple[str, ...]:
    pieces: list[str] = []
    rest = text
    while rest:
        end = _end_of_first(rest, cost, most)
        if keeps_words and end < len(rest) and not rest[end].isspace():
            end = _start_of_last_word(rest[:end]) or end
        pieces.append(rest[:end])
        rest = rest[end:]
    return tuple(pieces)


def _end_of_first(text: str, cost: Callable[[str], int], most: int) -> int:
    taken = 0
    for index, char in enumerate(text):
        taken += cost(char)
        if taken > most:
            return index
    return len(text)


def _start_of_last_word(text: str) -> int:
    """Return where the word begins that a text breaks off in, 0 where it is all there is."""
    return next((index + 1 for index in range(len(text) - 1, -1, -1) if text[index].isspace()), 0)
