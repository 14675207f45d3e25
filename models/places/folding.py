"""Folding: the one spelling under which names and texts are compared: no accents, no capitals, no punctuation."""

import re
import unicodedata

_LIGATURES = (("œ", "oe"), ("Œ", "Oe"), ("æ", "ae"), ("Æ", "Ae"), ("ß", "ss"))


ARTICLES = ("le ", "la ", "les ", "l ", "aux ", "las ", "los ", "the ")
_HEAD_JOINTS = "sur en les sous d de du des l la lez le pres a au aux et"
HEAD_JOINTS = frozenset(_HEAD_JOINTS.split())
_GENERIC = """
    saint sainte st ste ville villers villiers mont monts pont ponts port bois val vals vallee chateau bourg fort
    grand grande petit petite haut haute hauts bas basse vieux vieille neuf neuve nouveau nouvelle belle beau bel font
    fontaine
    roche roque castel ile isle iles cap champ champs col cote cotes pays plan pre pres puy riviere rivieres sable
    sables
    tour trois deux quatre cinq six sept notre dame pointe terre plaine lac bains source mas moulin croix
"""
GENERIC = frozenset(_GENERIC.split())
LEAST_HEAD = 3


_ODD_LETTERS = dict(zip(map(ord, "øØđĐłŁıħĦ"), "ooddllihh", strict=True))  # that Unicode does not take apart
_MARKS = re.compile("([\u0300-\u036f]{4})[\u0300-\u036f]+")  # composing a heap of marks takes their number squared
LONG = 1_000
_BEYOND = re.compile("[\u0100-\u02af\u0370-\u1fff\u2c00-\ud7ff\uf900-\uffdc\U0001d400-\U0001d7ff]")
"""Letters that Western Europe's 256 characters do not hold; what is neither is a symbol, and folds to a space."""


class _Table(dict[int, str]):
    """The folding of one character to exactly one, worked out when first met, then remembered."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _folded(chr(code))
        return folded


def _folded(letter: str) -> str:
    if ord(letter) in _ODD_LETTERS:
        return _ODD_LETTERS[ord(letter)]
    plain = unicodedata.normalize("NFKD", letter)[:1].lower()[:1] if letter.isalnum() else " "
    is_western = len(letter.encode("cp1252", errors="ignore")) == 1
    if is_western:
        return plain if plain.isascii() and plain.isalnum() else " "
    return plain if plain.isalnum() and _BEYOND.match(letter) else " "


_WESTERN = "".join(_folded(bytes((byte,)).decode("cp1252", errors="replace")) for byte in range(256)).encode("ascii")
_TABLE = _Table()


def surface_from(text: str) -> str:
    """Return the text composed and without ligatures, so that `fold` keeps every position."""
    if text.isascii():
        return text
    if len(text) > LONG:
        text = _MARKS.sub(r"\1", text)
    text = unicodedata.normalize("NFC", text)
    for ligature, letters in _LIGATURES:
        if ligature in text:
            text = text.replace(ligature, letters)
    return text


def fold(surface: str) -> str:
    """Return the surface in small plain letters, one character for one: positions stay the same."""
    try:
        western = surface.encode("cp1252")  # bytes are folded ten times as fast
    except UnicodeEncodeError:
        if _BEYOND.search(surface) is not None:
            return surface.translate(_TABLE)
        western = surface.encode("cp1252", errors="replace")
    return western.translate(_WESTERN).decode("ascii")


def fold_name(name: str) -> str:
    """Return a name as it is looked up: folded, single spaces, nothing around it."""
    return " ".join(fold(surface_from(name)).split())


def bare(folded: str) -> str:
    """Return a folded name without its article."""
    return folded.partition(" ")[2] if folded.startswith(ARTICLES) else folded


def heads_of(folded: str) -> list[str]:
    """Return the short names that people use: "cagnes" for "cagnes sur mer", "saint die" for "saint die des vosges".

    An article stays: "la seyne" for "la seyne sur mer". Words that begin many names are no short name by themselves.
    """
    stem = bare(folded)
    article = folded.removesuffix(stem)
    words = stem.split()
    heads = []
    for count in range(1, len(words)):
        head = words[:count]
        if head[-1] in HEAD_JOINTS or GENERIC.issuperset(head) or sum(map(len, head)) < LEAST_HEAD:
            continue
        heads.append(article + " ".join(head))
    return heads
