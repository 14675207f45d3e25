"""Links: "Paris-Le Havre", "tgv Lille Strasbourg", "A36 Mulhouse Besançon": neither end is where it happens."""

import re
from itertools import pairwise

from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import MOVES, ROAD, STRONG_WAYS, WAYS

LINK = re.compile(r"^\s?[-–—/=>→↔]{1,4}\s?$")
SIDE_BY_SIDE = re.compile(r"^\s(?:(?:to|vers)\s)?$")
FROM_TO = re.compile(r"^\s(?:a|à|jusqu['’]?\s?à?|to)\s$")
ROAD_NUMBER = re.compile(ROAD)
WORDS_BEFORE = 4
SURE, LIKELY, AT_BOTH = -4.0, -3.2, -0.6


def weigh_links(reading: Reading, mentions: list[Mention]) -> None:
    """Weigh down both ends of a way, and names that are part of a hyphened name which is no place."""
    linked = _linked(reading, mentions)
    for mention in linked.values():
        mention.is_bound = True
    for mention in mentions:
        if mention.start not in linked and mention.before[-1:] == ["via"]:
            mention.add(-2.0, "étape d'un trajet")
        if mention.hyphened and mention.start not in linked:
            mention.add(-2.5, f"fait partie d'un autre nom (« {mention.hyphened} »)")


def _linked(reading: Reading, mentions: list[Mention]) -> dict[int, Mention]:
    linked: dict[int, Mention] = {}
    has_ways = not STRONG_WAYS.isdisjoint(reading.words)
    for left, right in pairwise(mentions):
        weight = _weight_of(reading.surface[left.end : right.start], left, has_ways=has_ways)
        if not weight or left.qualified_by is not None or right.qualified_by is not None:
            continue  # "Jackson Wyoming" is one place
        for mention in (left, right):
            if mention.start not in linked and not mention.is_hashtag:
                mention.add(weight, "liaison entre deux villes")
                linked[mention.start] = mention
    return linked


def _weight_of(between: str, left: Mention, *, has_ways: bool) -> float:
    """Return the weight of what stands between two names: a hyphen, "à" in a journey, a space in "tgv Lille Paris"."""
    is_way = _is_way(left)
    if LINK.match(between):
        if left.cue in ("a", "au", "aux", "en") and not is_way:
            return AT_BOTH  # "à Fréjus - Saint-Raphaël"
        return SURE if is_way or has_ways else LIKELY
    is_journey = left.before[-1:] == ["de"] and not MOVES.isdisjoint(left.before[-3:-1])
    if (is_journey or (is_way and left.before[-1:] == ["de"])) and FROM_TO.match(between):
        return SURE
    return SURE if is_way and SIDE_BY_SIDE.match(between) else 0.0


def _is_way(left: Mention) -> bool:
    near = left.before[-WORDS_BEFORE:]
    return any(word in WAYS or ROAD_NUMBER.match(word) for word in near)
