"""The scene: which of several places is where it happens? The source and the observer can be two places."""

from math import exp

from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import (
    CONNECTORS,
    FOCUS,
    FROM_THERE,
    HAPPENINGS,
    NOT_THERE,
    ORIGIN,
    REACH,
    RELATIVES,
    SEEING,
    SOURCE_HEADS,
    TAKEN_TO,
    UNTOUCHED,
)
from models.places.gazetteer import Gazetteer
from records import Place

FINENESS = {
    "point": 0.3,
    "site": 0.3,
    "quartier": 0.2,
    "commune": 0.2,
    "epci": 0.05,
    "dep": -0.1,
    "region": -0.2,
    "country": -0.35,
}
CONFIDENCE_WEIGHT = 0.5
REACH_LETTERS = 30
BESIDE = frozenset({"pres", "proximite", "near"})
PARTED = frozenset({"parti", "partie", "partis", "parties"})
THOSE_FROM_THERE = ORIGIN | FROM_THERE
THERE = frozenset({"a", "au", "aux", "en", "commune", "village", "ville", "quartier", "at", "in"})


def standing(reading: Reading, mention: Mention) -> float:
    """Return how much the words around a name say that it happens there: more is likelier, 0 says nothing."""
    score = _before(mention) + _after(mention)
    if mention.cue in BESIDE:
        score -= 0.4  # "X, près de Y": it is in X
    if mention.start <= 1 and reading.has_title(mention.end):
        score += 0.5
    return score


def _before(mention: Mention) -> float:
    heads, is_joined = mention.heads(CONNECTORS)
    head = heads[-1] if heads else ""
    if head == "pas" or heads[-2:] == ["n", "est"]:
        return -1.2
    if mention.toponym.contraction == "a" or head in THERE:
        return 0.35 + _around_there(heads if mention.toponym.contraction == "a" else heads[:-1])
    if is_joined and head in PARTED and not HAPPENINGS.isdisjoint(heads[:-1]):
        return 0.4  # "le feu parti de X"
    if is_joined and not THOSE_FROM_THERE.isdisjoint(heads[-3:]):
        return -0.7
    if is_joined and not SOURCE_HEADS.isdisjoint(heads[-2:]):
        return 0.35
    is_focus = head in FOCUS and (is_joined or head == "mais")
    return 0.4 if is_focus else -0.6 if head in ORIGIN or head in REACH else 0.0


def _around_there(heads: list[str]) -> float:
    """Return what stands before "à NAME": "jusqu'à", "pas à", "c'est à", "transporté à"."""
    last = heads[-1] if heads else ""
    if last in REACH or last in TAKEN_TO:
        return -1.0
    if not RELATIVES.isdisjoint(heads[-2:]):
        return -0.6  # "my sister in X"
    if last in UNTOUCHED or (heads[-2:-1] == ["de"] and not ORIGIN.isdisjoint(heads[-5:-2])):
        return -0.8  # "we are fine in X"; "visible de X à Y"
    if last in NOT_THERE or heads[-2:-1] == ["pas"]:
        return -1.2
    if not TAKEN_TO.isdisjoint(heads[-4:]):
        return -0.8
    is_focus = last in FOCUS or heads[-2:] in (["c", "est"], ["il", "est"], ["chez", "moi"]) or heads[-2:-1] == ["mais"]
    return 0.35 if is_focus else 0.0


def _after(mention: Mention) -> float:
    following = mention.after[:3]
    if following[:1] and (following[0] in UNTOUCHED or (len(following) > 1 and following[1] in UNTOUCHED)):
        return -0.6
    if following[:2] in (["n", "a"], ["n", "ont"]):
        return -0.5
    if following[:1] and following[0] in ("on", "you", "we", "i", "je") and following[1:2] and following[1] in SEEING:
        return -0.8
    if following[:1] == ["qui"] and mention.before[-1:] in (["est"], ["c"]):
        return 0.5
    return 0.0


def rank(reading: Reading, mention: Mention, place: Place) -> float:
    """Return how likely a place is where it happens, compared with the post's other places."""
    score = CONFIDENCE_WEIGHT * place.confidence + FINENESS[place.level] + standing(reading, mention)
    score += _near_happening(reading, mention.start)
    return score - 0.6 if mention.is_bound else score


def rank_of_number(reading: Reading, start: int, confidence: float) -> float:
    """Return the same for a département named by number: "dans le 76"."""
    return CONFIDENCE_WEIGHT * confidence + FINENESS["dep"] + 0.35 + _near_happening(reading, start)


def _near_happening(reading: Reading, start: int) -> float:
    """Return what nearness to the words for what happens adds, and being named early."""
    source = min((abs(position - start) for position in reading.sources), default=1e9)
    effect = min((abs(position - start) for position in reading.effects), default=1e9)
    return 0.35 * exp(-source / REACH_LETTERS) + 0.15 * exp(-effect / REACH_LETTERS) - 0.0005 * start


def holds(gazetteer: Gazetteer, area: Place, other: Place) -> bool:
    """Tell whether an area contains a finer place, as "Tarn" does "Castres"."""
    if area.level == "country":
        return other.level != "country" and other.country == area.country
    if area.level == "dep":
        return other.level not in ("country", "region", "dep") and other.dep == area.dep
    if area.level == "region":
        inside = gazetteer.region_of_dep.get(other.dep or "", "")
        code = area.place_id.rpartition(":")[2]
        return other.level not in ("country", "region") and code in (inside, other.dep)
    return False
