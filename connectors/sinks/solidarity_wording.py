"""Solidarity wording: what is needed and offered around incidents, in lines of French or English.

Shape   a line is kind, thing, how many, place, hour, and in how many posts it stands; of a post's words, the number's
"""

from collections.abc import Iterable, Iterator, Mapping

from connectors.sinks.wording import WORDS, ZONE, Language, counted, shown
from records.digest import Listed, Solidarity

LABELS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "heading": "Besoins et offres autour des incidents",
        "need": "besoin",
        "offer": "offre",
        "call": "appel",
        "voices": "message/messages",
        "left_out": "{place} : {number} de plus, non listés ici",
        "note": "Non vérifié : lu dans des messages publics. La cellule ne transmet aucune donnée personnelle.",
        "none": "ni besoin ni offre autour des incidents",
    },
    "en": {
        "heading": "Needs and offers around incidents",
        "need": "need",
        "offer": "offer",
        "call": "call",
        "voices": "post/posts",
        "left_out": "{place}: {number} more, not listed here",
        "note": "Not verified: read in public posts. The crisis cell passes on no personal data.",
        "none": "neither needs nor offers around incidents",
    },
}
THINGS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "shelter": "hébergement",
        "food": "nourriture",
        "water": "eau",
        "clothes": "vêtements, couvertures",
        "transport": "transport",
        "tools": "outils, matériel",
        "power": "électricité, recharge",
        "hands": "bras",
        "animals": "animaux",
        "care": "soins",
        "children": "enfants",
        "persons": "recherche de personnes",
        "money": "argent",
        "goods": "dons divers",
        "help": "aide, sans précision",
    },
    "en": {
        "shelter": "shelter",
        "food": "food",
        "water": "water",
        "clothes": "clothes, blankets",
        "transport": "transport",
        "tools": "tools, equipment",
        "power": "power, charging",
        "hands": "hands",
        "animals": "animals",
        "care": "care",
        "children": "children",
        "persons": "looking for people",
        "money": "money",
        "goods": "gifts of several kinds",
        "help": "help, nobody says what",
    },
}
WHEN = "%d/%m %H:%M"


def lines_of(around: Iterable[Solidarity], language: Language) -> list[str]:
    """Return the lines of all lists, with the note that nobody has checked them; none where nothing is listed."""
    lines = [line for one in around for line in _list(one, language)]
    return [*lines, LABELS[language]["note"]] if lines else []


def line_of(kind: str, one: Listed, language: Language) -> str:
    """Return one need, offer or call as a line."""
    labels = LABELS[language]
    thing = THINGS[language].get(one.thing, shown(one.thing))
    said = [labels[kind], f"{thing} ({shown(one.measure)})" if one.measure else thing]
    said += [shown(one.place)] if one.place else []
    said += [f"{one.at.astimezone(ZONE):{WHEN}}"]
    said += [counted(one.voices, labels["voices"])] if one.voices > 1 else []
    return " · ".join(said)


def about(one: Solidarity, language: Language) -> str:
    """Return the incident that a list is about."""
    return f"{shown(one.place)} ({WORDS[language][one.hazard]})"


def _list(one: Solidarity, language: Language) -> Iterator[str]:
    colon = " : " if language == "fr" else ": "
    for kind, rows in (("need", one.needs), ("offer", one.offers), ("call", one.calls)):
        for row in rows:
            yield f"{about(one, language)}{colon}{line_of(kind, row, language)}"
    if one.left_out:
        yield LABELS[language]["left_out"].format(place=about(one, language), number=one.left_out)
