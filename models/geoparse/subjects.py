"""Towns that act: "Lens a battu Lille", "Moscou dément". Not the town, but its team or those who govern from it."""

import re

from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import (
    BEATEN,
    CLUB_TOWNS,
    GIVEN_AREAS,
    NO_VERBS,
    POWER_VERBS,
    SEATS_OF_POWER,
    TEAM_VERBS,
    TOWN_BODIES,
    WEATHER,
)

SCORED = re.compile(r" \d{1,2}(?: ?[-–] ?[A-ZÀ-Þ\d]|, [A-ZÀ-Þ]\w+ \d)")  # "Lens 2 - Lille 1", "Toronto 3, Buffalo 4"
AFTER_SCORE = re.compile(r"\d ?[-–,] ?$")
KNOWN = CLUB_TOWNS | SEATS_OF_POWER
NO_SUBJECT_BEFORE = NO_VERBS | TOWN_BODIES
INTERJECTIONS = frozenset({"nice"})


def weigh_subject(reading: Reading, mention: Mention) -> None:
    """Weigh down a town that stands for its team or its government."""
    if not mention.is_area:
        _weigh_team(reading, mention)
    elif mention.toponym.key in GIVEN_AREAS and _is_bare_subject(reading, mention):
        mention.add(-1.5, "sujet sans préposition, et rien ne s'y passe")
    if mention.is_cued:
        return
    if mention.after[:1] and mention.after[0] in POWER_VERBS:
        mention.is_bound = True
        if mention.toponym.key in SEATS_OF_POWER:
            mention.add(-3.0, f"siège d'un pouvoir qui s'exprime (« {mention.after[0]} »)")
    if mention.before[-1:] == ["allez"]:
        mention.add(-2.5, "encouragement")


def _weigh_team(reading: Reading, mention: Mention) -> None:
    if reading.is_sport:
        mention.add(-0.3 if mention.is_cued else -2.5, "il est question de sport")
    elif mention.is_cued:
        return
    elif reading.sport_hints and mention.toponym.key in CLUB_TOWNS:
        mention.add(-2.2, "une équipe connue, et un mot du sport")
    elif _is_scored(reading, mention) and not mention.qualified_dep:
        mention.add(-2.0, "suivi d'un score")
    elif mention.before[-1:] and mention.before[-1] in BEATEN:
        mention.add(-2.4, f"une équipe (« {mention.before[-1]} »)")
    elif _is_bare_subject(reading, mention):
        is_team = mention.toponym.key in CLUB_TOWNS or reading.sport_hints
        mention.add(-2.0 if is_team else -1.5, "sujet sans préposition, et rien ne s'y passe")
    elif mention.after[:1] and mention.after[0] in TEAM_VERBS:
        mention.add(-1.5, f"agit comme une équipe (« {mention.after[0]} »)")


def _is_scored(reading: Reading, mention: Mention) -> bool:
    surface = reading.surface
    if SCORED.match(surface, mention.end):
        return True
    follows = mention.after[:1] and mention.after[0].isdecimal()
    return bool(follows) and AFTER_SCORE.search(surface[max(0, mention.start - 4) : mention.start]) is not None


def _is_bare_subject(reading: Reading, mention: Mention) -> bool:
    """Tell whether a name is the subject of a clause, as a team, a government or a person is, and nothing happens."""
    key = mention.toponym.key
    if (
        reading.happenings
        or reading.is_shouted
        or mention.is_cued
        or mention.is_hashtag
        or mention.toponym.is_caps
        or not mention.after
    ):
        return False
    if key in INTERJECTIONS and mention.is_sentence_start:
        return True
    if mention.qualified_by is not None or mention.qualified_dep or not _begins_clause(mention):
        return False
    if key not in KNOWN and not mention.toponym.flags.is_given_name:
        return False  # small towns have no team that everybody knows
    follows = reading.surface[mention.end]
    if follows != " " and not (follows in "'’" and key in CLUB_TOWNS):
        return False
    return mention.after[0] not in NO_SUBJECT_BEFORE and reading.words.isdisjoint(WEATHER)


def _begins_clause(mention: Mention) -> bool:
    return mention.is_sentence_start or mention.is_after_break
