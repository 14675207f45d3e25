"""Persons who bear a town's name: "Rémi Lisieux", "Orlando Bloom", "hurricane Florence"."""

import re

from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import AFTER_CLUB, CONNECTORS, CUES, FAMOUS, GIVEN_NOUNS, PRONOUNS, STORMS
from models.places.gazetteer import Gazetteer

METROPOLIS = 200_000
SHORTEST = 2
NAME_AND_OF = re.compile(r"([^\W\d_]+) (?:de |d['’])$")
LONGEST_GIVEN = 28
LONGEST_FOLLOWER = 24
NO_GIVEN = GIVEN_NOUNS | CUES | CONNECTORS


def weigh_persons(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    """Weigh down a name that a person bears."""
    if mention.is_hashtag:
        return
    if mention.before and mention.before[-1] in ("de", "d"):
        _weigh_particle(reading, mention, gazetteer)
    elif mention.before and reading.surface[mention.start - 1] == " ":
        _weigh_given_name(reading, mention, gazetteer)
    if mention.is_capital and not reading.is_shouted:
        _weigh_follower(reading, mention)
    is_bare = not (mention.is_cued or mention.qualified_dep) and mention.qualified_by is None
    if is_bare:
        _weigh_bare(reading, mention)


def _weigh_particle(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    """Weigh "Charlotte de Turckheim"."""
    given = NAME_AND_OF.search(reading.surface, max(0, mention.start - LONGEST_GIVEN), mention.start)
    if given is None or not given.group(1)[0].isupper():
        return
    folded = reading.folded[given.start(1) : given.end(1)]
    flags = gazetteer.flags.get(folded)
    if flags is not None and flags.is_given_name and folded not in GIVEN_NOUNS:
        mention.add(-2.5, f"suit un prénom (« {given.group(1)} de »)")


def _weigh_given_name(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    """Weigh "Rémi Lisieux", "jack london", and any name with a capital right before."""
    last = mention.before[-1]
    word = (reading.surface[: mention.start].rsplit(None, 1)[-1:] or [""])[0].strip("'’-(")
    flags = gazetteer.flags.get(last)
    if not mention.is_capital:
        if flags is not None and flags.is_first_name and last not in NO_GIVEN and not mention.is_cued:
            mention.add(-2.0, f"suit un prénom (« {word} »)")
        return
    if not _is_name(word) or last in CUES:
        return
    if flags is not None and flags.is_given_name and word.replace("-", "").isalpha():
        mention.add(-1.0 if mention.is_area else -3.5, f"suit un prénom (« {word} »)")
    elif not reading.begins_sentence(mention.start - len(word) - 1):
        mention.add(-0.6, f"suit un nom propre (« {word} »)")


def _weigh_follower(reading: Reading, mention: Mention) -> None:
    """Weigh "Orlando Bloom" and "Paris FC"."""
    tail = reading.surface[mention.end : mention.end + LONGEST_FOLLOWER].split(" ")
    following = tail[1] if len(tail) > 1 and not tail[0] else ""
    if following.lower().strip(".,;:!?") in AFTER_CLUB:
        mention.add(-3.0, f"nom de club (« {following} »)")
    elif _is_name(following) and not mention.is_cued and mention.toponym.words == 1:
        is_given = mention.toponym.flags.is_given_name and following.isalpha()
        mention.add(-2.5 if is_given else -0.8, f"suivi d'un nom propre (« {following} »)")


def _weigh_bare(reading: Reading, mention: Mention) -> None:
    """Weigh a name without preposition that is also a famous person's, a friend's or a storm's."""
    if mention.toponym.key in FAMOUS:
        mention.add(-1.5, "aussi une personne célèbre")
    if mention.toponym.flags.is_given_name:
        if not PRONOUNS.isdisjoint(mention.after[:4]):
            mention.add(-1.5, "une personne")
        if mention.population < METROPOLIS and not STORMS.isdisjoint(reading.words):
            mention.add(-3.0, "prénom, comme en portent les tempêtes")


def _is_name(word: str) -> bool:
    """Tell whether a word is written as a name: "Rémi", "Jean-Pierre"."""
    stripped = word.rstrip(".,;:!?")
    return len(stripped) > SHORTEST and stripped.istitle() and stripped.replace("-", "").isalpha()
