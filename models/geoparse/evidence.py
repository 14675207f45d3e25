"""Is it a place? Log-odds for and against each name found, every term kept as a reason.

Source  weights after `shared/design/geolocation.md` 5.1, adjusted on own posts and IDRISI-DE (see README.md)
"""

from models.geoparse.index import Toponym
from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import (
    AFTER_CLUB,
    AFTER_OTHER,
    CLUBS,
    CONNECTORS,
    CUES,
    FRENCH_AREA_CUES,
    GOING,
    GOODS,
    LIVING,
    NEAR,
    OF_CUES,
    PEOPLE,
    STATIONS,
    STORMS,
    STREETS,
)
from models.places.gazetteer import Flags, Gazetteer

ACCEPTED = 1.6
LARGE, MEDIUM = 100_000, 20_000
COMMON_ZIPF = 3.5
SHORTEST = 2


def word_zipf(flags: Flags, lang: str) -> float:
    """Return how frequent the name is as a word of the post's language; 0 when it is none."""
    if lang == "fr":
        return flags.zipf_fr
    if lang == "en":
        return flags.zipf_en
    return max(flags.zipf_fr, flags.zipf_en)


def largest_population(toponym: Toponym, gazetteer: Gazetteer) -> int:
    """Return the inhabitants of the largest place of that name."""
    return max((gazetteer.populations[row] for row in toponym.rows), default=0)


def look_around(reading: Reading, mention: Mention) -> None:
    """Note capitals, hashtag and place in the sentence."""
    surface, start = reading.surface, mention.start
    content = start + (len(mention.toponym.key.split(" ", 1)[0]) + 1 if mention.toponym.contraction else 0)
    mention.is_hashtag = surface[max(0, start - 2) : start].endswith(("# ", "#"))
    mention.is_capital = surface[content : content + 1].isupper() and not reading.is_shouted
    mention.is_sentence_start = reading.begins_sentence(start)


def weigh(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    """Count all evidence about one mention, but its qualifiers and the home area."""
    look_around(reading, mention)
    mention.has_area_cue = mention.toponym.is_river and has_area_cue(reading, mention)
    _weigh_form(reading, mention)
    _weigh_word(reading, mention, largest_population(mention.toponym, gazetteer))
    before = reading.before(mention.start)
    _weigh_cue(reading, mention, before)
    _weigh_against(mention, before)
    _weigh_neighbours(reading, mention, before, gazetteer)
    if mention.toponym.is_phrase:
        mention.add(-3.0, "locution courante")
    if mention.toponym.is_river and not mention.has_area_cue:
        mention.add(-3.5 if not mention.is_cued else -0.5, "est aussi un cours d'eau ou un département")
    if reading.is_sport and not mention.is_cued:
        mention.add(-1.5, "il est question de sport")


def _weigh_form(reading: Reading, mention: Mention) -> None:
    if mention.is_capital and not mention.is_hashtag:
        if mention.is_sentence_start and mention.toponym.words == 1:
            mention.add(0.5, "majuscule en début de phrase")
        else:
            mention.add(1.0, "majuscule")
    if mention.is_hashtag:
        mention.add(0.8, "mot-dièse")
    if mention.toponym.words > 1 or mention.toponym.is_joined:
        mention.add(1.0, "nom composé")
    if mention.toponym.is_weak:
        mention.add(-0.6, "forme courte")
    if mention.toponym.is_joined and not mention.is_hashtag:
        mention.add(-1.0, "mots collés")


def _weigh_word(reading: Reading, mention: Mention, population: int) -> None:
    zipf = word_zipf(mention.toponym.flags, reading.lang)
    excess = max(0.0, zipf - COMMON_ZIPF)
    if not zipf:
        mention.add(1.5, "n'est pas un mot courant")
    elif mention.is_capital or mention.is_hashtag:
        if excess:
            mention.add(-0.5 * excess, "est aussi un mot")
    else:
        mention.add(-1.0 - 0.8 * excess, "est aussi un mot, sans majuscule")
    if mention.toponym.flags.is_first_name and not mention.toponym.contraction and mention.toponym.words == 1:
        mention.add(-1.0 if population < LARGE else -0.4, "est aussi un prénom")
    elif mention.toponym.flags.is_last_name and population < LARGE and not mention.toponym.contraction:
        mention.add(-0.6, "est aussi un nom de famille")
    if population >= LARGE:
        mention.add(1.0, "grande ville ou territoire")
    elif population >= MEDIUM:
        mention.add(0.5, "ville moyenne")


def _cue_before(reading: Reading, mention: Mention, before: list[str]) -> str:
    if mention.toponym.contraction == "a":
        return "au"
    steps = before[-3:]
    while steps and steps[-1] in OF_CUES:
        steps.pop()
    if not steps:
        return ""
    cue = steps[-1]
    if cue == "a" and before[-1] in ("a", "la", "l"):
        written = reading.surface[: mention.start].rstrip(" lLaA'’")[-1:]
        return cue if "à" in reading.surface[max(0, mention.start - 6) : mention.start].lower() or written else ""
    return cue


def _weigh_cue(reading: Reading, mention: Mention, before: list[str]) -> None:
    cue = _cue_before(reading, mention, before)
    if cue in CUES and not (cue == "a" and reading.lang == "en"):
        mention.is_cued = True
        mention.is_near = cue in NEAR
        mention.add(1.5 if mention.is_capital else 1.0, f"précédé de « {cue} »")
    elif before and (before[-1] in OF_CUES or mention.toponym.contraction == "de"):
        mention.add(0.4, "précédé de « de »")
    if (
        mention.toponym.key.isalnum()
        and len(mention.toponym.key) <= SHORTEST
        and not (mention.is_cued and (mention.is_capital or mention.toponym.is_caps))
    ):
        mention.add(-4.0, "nom trop court")


def _weigh_against(mention: Mention, before: list[str]) -> None:
    heads = list(before[-4:])
    while heads and heads[-1] in CONNECTORS:
        heads.pop()
    has_joint = mention.toponym.contraction == "de" or len(heads) < len(before[-4:])
    head = heads[-1] if heads else ""
    if head in STREETS:
        mention.add(-3.5, f"nom de voie, d'enseigne ou de ligne (« {head} »)")
    elif head in STATIONS and has_joint:
        mention.add(-0.8, f"nom de lieu-dit (« {head} »)")
    elif head in GOODS and has_joint:
        mention.add(-3.0, f"appellation (« {head} de »)")
    elif head in STORMS and not has_joint:
        mention.add(-3.5, "nom de tempête")
    elif head in PEOPLE or (head in CLUBS and len(heads) == len(before[-4:])) or (head in CLUBS and has_joint):
        mention.add(-3.0, f"nom de personne ou de club (« {head} »)")
    if head in GOING or head in LIVING or _lives(heads):
        mention.is_bound = True
        mention.add(-0.6, f"destination ou provenance (« {head} »)")


def _lives(heads: list[str]) -> bool:
    return len(heads) > 1 and heads[-1] in ("a", "au", "aux", "in") and heads[-2] in LIVING | GOING


def _weigh_neighbours(reading: Reading, mention: Mention, before: list[str], gazetteer: Gazetteer) -> None:
    if reading.is_shouted or mention.is_hashtag or not mention.is_capital:
        return
    surface = reading.surface
    left = surface[: mention.start].rsplit(None, 1)[-1:] or [""]
    word = left[0].strip("'’-(")
    if before and surface[mention.start - 1] == " " and _is_name(word) and not reading.begins_sentence(mention.start):
        flags = gazetteer.flags.get(before[-1])
        if flags is not None and flags.is_first_name:
            mention.add(-2.5, f"suit un prénom (« {word} »)")
        elif not reading.begins_sentence(mention.start - len(word) - 1) and before[-1] not in CUES:
            mention.add(-0.6, f"suit un nom propre (« {word} »)")
    tail = surface[mention.end : mention.end + 24].split(" ")
    following = tail[1] if len(tail) > 1 and not tail[0] else ""
    if following.lower().strip(".,;:!?") in AFTER_OTHER:
        mention.add(-2.0, f"autre chose qui en porte le nom (« {following} »)")
    elif following.lower() in AFTER_CLUB:
        mention.add(-3.0, f"nom de club (« {following} »)")
    elif _is_name(following) and not mention.is_cued and mention.toponym.words == 1:
        mention.add(-0.8, f"suivi d'un nom propre (« {following} »)")


def _is_name(word: str) -> bool:
    stripped = word.rstrip(".,;:!?")
    return len(stripped) > SHORTEST and stripped.istitle() and stripped.isalpha()


def has_area_cue(reading: Reading, mention: Mention) -> bool:
    """Tell whether "dans le Var", "en Gironde" or "(Var)" marks a name as a département, not a river or a word."""
    before = reading.before(mention.start)
    while before and before[-1] in ("le", "la", "l", "les", "du", "de", "des", "d"):
        before.pop()
    if before and (before[-1] in FRENCH_AREA_CUES or before[-1] == "en"):
        return True
    return reading.surface[: mention.start].endswith(("(", ", ")) and mention.is_capital
