"""Links: "Paris-Le Havre", "tgv Lille Strasbourg", "A36 Mulhouse Besançon": neither end is where it happens."""

import re
from itertools import pairwise

from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import MOVES, ROAD, STRONG_WAYS, WAYS

LINK = re.compile(r"^\s?(?:[-–—/>]|->|=>|→|↔)+\s?(?:>\s?)?$")
SIDE_BY_SIDE = re.compile(r"^\s(?:(?:to|vers)\s)?$")
FROM_TO = re.compile(r"^\s(?:a|à|jusqu['’]?\s?à?|to)\s$")
ROAD_NUMBER = re.compile(ROAD)
WORDS_BEFORE = 4
SURE, LIKELY = -4.0, -3.2


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
    for left, right in pairwise(mentions):
        if left.qualified_by is not None or right.qualified_by is not None or left.is_hashtag or right.is_hashtag:
            continue  # "Jackson Wyoming" is one place
        between = reading.surface[left.end : right.start]
        is_way = _is_way(left) or not STRONG_WAYS.isdisjoint(reading.words)
        if LINK.match(between):
            weight = SURE if is_way else LIKELY
        elif left.before[-1:] == ["de"] and not MOVES.isdisjoint(left.before[-3:-1]) and FROM_TO.match(between):
            weight = -2.0
        elif _is_way(left) and SIDE_BY_SIDE.match(between):
            weight = SURE
        else:
            continue
        if left.cue in ("a", "au", "aux", "en") and not is_way:
            weight = -0.6  # "à Fréjus - Saint-Raphaël"
        for mention in (left, right):
            if mention.start not in linked:
                mention.add(weight, "liaison entre deux villes")
                linked[mention.start] = mention
    return linked


def _is_way(left: Mention) -> bool:
    near = left.before[-WORDS_BEFORE:]
    return any(word in WAYS or ROAD_NUMBER.match(word) for word in near)
