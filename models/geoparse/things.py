"""Things that bear a town's name and are elsewhere: streets, squares, cheeses, storms, trains, and common nouns."""

import re

from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import (
    ADJECTIVES,
    AFTER_OTHER,
    CLUBS,
    CONNECTORS,
    CUES,
    DETERMINERS,
    GOING,
    GOODS,
    IN_TOWN,
    LIVING,
    MOVED,
    PEOPLE,
    PRODUCTS,
    SQUARES,
    STATIONS,
    STORMS,
    STREETS,
    WAYS,
)

NAMESAKE = 5_000  # squares and bridges elsewhere are called after towns, not after villages
HYPHENED_AFTER = re.compile(r"-([A-ZÀ-Þ][a-zà-ÿ]+)")
HYPHENED_BEFORE = re.compile(r"([A-ZÀ-Þ][a-zà-ÿ]+)-$")
LONGEST_HALF = 24
NAME_PARTS = frozenset({
    "nord", "sud", "est", "ouest", "centre", "ville", "north", "south", "east", "west", "saint", "sainte", "sur",
    "aeroport", "gare", "port", "plage",
})  # fmt: skip
ARTICLES = frozenset({"le", "la", "les", "du", "des"})
OF_STYLE = frozenset({"facon", "style", "mode"})


def weigh_things(reading: Reading, mention: Mention) -> None:
    """Weigh down a name that a thing bears."""
    if not mention.is_hashtag:
        heads, is_joined = mention.heads(CONNECTORS)
        _weigh_head(mention, heads, is_joined=is_joined)
        _weigh_going(mention, heads)
        _weigh_determiner(reading, mention)
        if reading.lang == "en" and reading.surface[mention.end] == " " and mention.after[:1]:
            _weigh_follower(mention)
    _note_hyphens(reading, mention)
    is_bare = not mention.is_cued and not mention.is_hashtag and not reading.happenings
    if is_bare and mention.toponym.key in PRODUCTS:
        mention.add(-1.5, "produit autant que lieu")
    if mention.before[-2:] == ["made", "in"]:
        mention.add(-2.5, "lieu de fabrication")


def _weigh_head(mention: Mention, heads: list[str], *, is_joined: bool) -> None:
    """Weigh the noun that the name belongs to: "rue de Rouen", "place de Rouen", "camembert de Rouen"."""
    head = heads[-1] if heads else ""
    second = heads[-2] if len(heads) > 1 else ""
    if not mention.is_after_break and (
        head in STREETS or (second in STREETS and head not in CUES and not is_joined)  # "rue Sadi Carnot"
    ):
        mention.add(-3.5, f"nom de voie, d'enseigne ou de ligne (« {head} »)")
    elif head in SQUARES and is_joined:
        mention.add(-3.0 if mention.population >= NAMESAKE else -0.8, f"nom de place ou de pont (« {head} »)")
    elif head in STATIONS and is_joined:
        mention.add(-0.8, f"nom de gare ou d'enseigne (« {head} »)")
    elif (
        (is_joined or head in OF_STYLE)
        and (good := head if head in GOODS else second if second in GOODS else "")
        and IN_TOWN.isdisjoint(heads[-3:])  # "la fabrique de nougat de Montélimar"
    ):
        mention.add(-3.0, f"appellation (« {good} »)")
    elif head in STORMS and not is_joined:
        mention.add(-3.5, "nom de tempête")
    elif head in CLUBS or (head in PEOPLE and not is_joined):
        mention.add(-3.5, f"nom de personne ou de club (« {head} »)")


def _weigh_going(mention: Mention, heads: list[str]) -> None:
    """Weigh "pour Rouen", "habite à Rouen": somebody goes there or is from there, the thing is elsewhere."""
    head = heads[-1] if heads else ""
    lives = len(heads) > 1 and head in ("a", "au", "aux", "in") and heads[-2] in LIVING | GOING
    has_moved = head == "to" and not MOVED.isdisjoint(heads[-4:-1])
    if (head in GOING and not has_moved) or head in LIVING or lives:
        mention.is_bound = True
        mention.add(-0.6 if WAYS.isdisjoint(heads) else -2.0, f"destination ou provenance (« {head} »)")


def _weigh_determiner(reading: Reading, mention: Mention) -> None:
    """Weigh down "un bordeaux", "tes vannes", "trop nice": a thing or a word, no town."""
    before = mention.before
    if not before or mention.is_area or mention.toponym.contraction or mention.is_cued:
        return
    last, second = before[-1], before[-2] if len(before) > 1 else ""
    if last in ADJECTIVES and second in DETERMINERS:
        mention.add(-1.5 if mention.is_capital else -2.5, f"suit « {second} {last} » comme un nom commun")
    elif last in DETERMINERS and not (last == "a" and reading.lang != "en"):
        mention.add(-2.0 if mention.is_capital else -2.8, f"suit « {last} » comme un nom commun")
    elif last in ARTICLES and not mention.is_capital and mention.toponym.words == 1:
        mention.add(-1.4, f"suit « {last} », sans majuscule")


def _weigh_follower(mention: Mention) -> None:
    if mention.after[0] in AFTER_OTHER:
        mention.add(-3.0, f"autre chose qui en porte le nom (« {mention.after[0]} »)")


def _note_hyphens(reading: Reading, mention: Mention) -> None:
    """Note the other half of "Toulouse-Lautrec" and "Koh-Lanta"; two places joined are weighed in `links`."""
    surface, other = reading.surface, None
    if surface[mention.end] == "-":
        other = HYPHENED_AFTER.match(surface, mention.end)
    if other is None and surface[mention.start - 1] == "-":
        other = HYPHENED_BEFORE.search(surface, max(0, mention.start - LONGEST_HALF), mention.start)
    if other and reading.folded[other.start(1) : other.end(1)] not in NAME_PARTS:
        mention.hyphened = other.group(1)
