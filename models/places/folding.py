"""Folding: the one spelling under which names and texts are compared: no accents, no capitals, no punctuation."""

import unicodedata

_LIGATURES = (("œ", "oe"), ("Œ", "Oe"), ("æ", "ae"), ("Æ", "Ae"), ("ß", "ss"))


ARTICLES = ("le ", "la ", "les ", "l ", "aux ", "las ", "los ", "the ")
HEAD_JOINTS = frozenset("sur en les sous d de du des l la lez le pres a au aux et".split())
GENERIC = frozenset(
    """
    saint sainte st ste ville villers villiers mont monts pont ponts port bois val vals vallee chateau bourg fort grand
    grande petit petite haut haute hauts bas basse vieux vieille neuf neuve nouveau nouvelle belle beau bel font fontaine
    roche roque castel ile isle iles cap champ champs col cote cotes pays plan pre pres puy riviere rivieres sable sables
    tour trois deux quatre cinq six sept notre dame pointe terre plaine lac bains source mas moulin croix
    """.split()
)
LEAST_HEAD = 3


class _Table(dict[int, str]):
    """The folding of one character to exactly one, worked out when first met, then remembered."""

    def __missing__(self, code: int) -> str:
        first = unicodedata.normalize("NFKD", chr(code))[:1].lower()[:1]
        folded = first if first.isalnum() else " "
        self[code] = folded
        return folded


_TABLE = _Table()
_TABLE.update({code: _TABLE[code] for code in range(0x250)})
_TABLE.update({ord(odd): plain for odd, plain in zip("øØđĐłŁıħĦ", "ooddllihh", strict=True)})


def surface_from(text: str) -> str:
    """Return the text composed and without ligatures, so that `fold` keeps every position."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    for ligature, letters in _LIGATURES:
        if ligature in text:
            text = text.replace(ligature, letters)
    return text


def fold(surface: str) -> str:
    """Return the surface in small plain letters, one character for one: positions stay the same."""
    return surface.translate(_TABLE)


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
