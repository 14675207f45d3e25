"""Is it a place? Log-odds for and against each name found, every term kept as a reason.

Source  weights after `shared/design/geolocation.md` 5.1, adjusted on own posts and IDRISI-DE (see README.md)
"""

import re

from models.geoparse.index import Toponym
from models.geoparse.mention import Mention
from models.geoparse.reading import Reading
from models.geoparse.words import (
    AFTER_CLUB,
    AFTER_OTHER,
    ADJECTIVES,
    BEATEN,
    CLUB_TOWNS,
    CLUBS,
    CONNECTORS,
    CUES,
    DETERMINERS,
    FAMOUS,
    FRENCH_AREA_CUES,
    GIVEN_AREAS,
    GIVEN_NOUNS,
    GOING,
    GOODS,
    IDIOMS_WITH_TO,
    IN_TOWN,
    LIVING,
    NEAR,
    NO_VERBS,
    OF_AREAS,
    OF_CUES,
    OF_RIVERS,
    PEOPLE,
    POWER_VERBS,
    PRODUCTS,
    PRONOUNS,
    SEATS_OF_POWER,
    SQUARES,
    STATIONS,
    STORMS,
    STREETS,
    TEAM_VERBS,
    TOWN_BODIES,
    WAYS,
    WEATHER,
)
from models.places.gazetteer import Flags, Gazetteer

ACCEPTED = 1.6
METROPOLIS, LARGE, MEDIUM = 200_000, 100_000, 20_000
NAMESAKE = 5_000  # squares and bridges elsewhere are called after towns, not after villages
COMMON_ZIPF = 3.5
ENGLISH_ZIPF = 4.5
SHORTEST = 2
AREAS = frozenset({"country", "admin1", "region", "dep", "epci"})
BREAKS = (",", ";", ":", ".", "!", "?", "(")
SCORED = re.compile(r" \d{1,2}(?: ?[-–] ?[A-ZÀ-Þ\d]|, [A-ZÀ-Þ]\w+ \d)")  # "Lens 2 - Lille 1", "Toronto 3, Buffalo 4"
HYPHENED_AFTER = re.compile(r"-([A-ZÀ-Þ][a-zà-ÿ]+)")
HYPHENED_BEFORE = re.compile(r"([A-ZÀ-Þ][a-zà-ÿ]+)-$")
NAME_PARTS = frozenset(
    "nord sud est ouest centre ville north south east west saint sainte sur aeroport gare port plage".split()
)
NAME_AND_OF = re.compile(r"([^\W\d_]+) (?:de |d['’])$")


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
    mention.is_after_break = surface[:start].rstrip(" (#")[-1:] in BREAKS


def weigh(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    """Count all evidence about one mention, but its qualifiers and the home area."""
    look_around(reading, mention)
    mention.before = reading.before(mention.start)
    mention.after = reading.after(mention.end)
    mention.has_area_cue = mention.toponym.is_river and has_area_cue(reading, mention)
    mention.is_french = any(row < gazetteer.french_rows for row in mention.toponym.rows)
    mention.is_area = any(gazetteer.kinds[row] in AREAS for row in mention.toponym.rows)
    _weigh_form(reading, mention)
    _weigh_word(reading, mention, largest_population(mention.toponym, gazetteer))
    _weigh_cue(reading, mention)
    _weigh_against(mention, largest_population(mention.toponym, gazetteer))
    _weigh_determiner(reading, mention)
    _weigh_neighbours(reading, mention, gazetteer)
    if mention.toponym.is_phrase:
        mention.add(-3.0, "locution courante")
    if (
        not mention.written.isascii()
        and not mention.is_area
        and mention.is_french
        and not _is_spelt(mention, gazetteer)
    ):
        mention.add(-1.8, f"s'écrit autrement (« {mention.written} »)")
    if mention.toponym.is_river and not mention.has_area_cue and mention.is_area:
        mention.add(-3.5 if not mention.is_cued else -0.5, "est aussi un cours d'eau ou un département")
    _weigh_subject(reading, mention)
    is_small = largest_population(mention.toponym, gazetteer) < METROPOLIS
    if (
        mention.toponym.flags.is_given_name
        and is_small
        and not mention.is_cued
        and not STORMS.isdisjoint(reading.words)
    ):
        mention.add(-3.0, "prénom, comme en portent les tempêtes")


def _is_spelt(mention: Mention, gazetteer: Gazetteer) -> bool:
    """Tell whether the accents that a name is written with are those of a place of that name: "maçon" is not Mâcon."""
    return any(
        letter == own or own.isascii() or letter.isascii()
        for row in mention.toponym.rows
        for letter, own in ((_accents(mention.written), _accents(gazetteer.names[row].lower())),)
    )


def _accents(name: str) -> str:
    return "".join(letter for letter in name if not letter.isascii() and letter.isalpha())


def _weigh_form(reading: Reading, mention: Mention) -> None:
    if mention.is_capital and not mention.is_hashtag:
        if mention.is_sentence_start and mention.toponym.words == 1:
            mention.add(0.5, "majuscule en début de phrase")
        else:
            mention.add(1.0, "majuscule")
    elif mention.start <= 1:
        mention.add(0.4, "ouvre le message")
    if mention.start <= 1 and reading.has_title(mention.end) and (mention.is_capital or reading.is_shouted):
        is_told = reading.happenings or reading.surface[mention.end :].lstrip()[:1] == ":"
        mention.add(0.8 if is_told else 0.0, "en tête du message")
    if mention.is_hashtag:
        mention.add(1.4, "mot-dièse")
    if mention.toponym.words > 1 or mention.toponym.is_joined:
        mention.add(1.0, "nom composé")
    if mention.toponym.is_weak:
        mention.add(-0.6, "forme courte")
    if mention.toponym.is_joined and not mention.is_hashtag:
        mention.add(-1.0, "mots collés")


def _weigh_word(reading: Reading, mention: Mention, population: int) -> None:
    flags = mention.toponym.flags
    zipf = 0.0 if mention.is_area and mention.is_capital else word_zipf(flags, reading.lang)
    excess = max(0.0, zipf - COMMON_ZIPF)
    if not zipf:
        mention.add(1.5, "n'est pas un mot courant")
    elif mention.is_capital or mention.is_hashtag:
        if excess:
            mention.add(-0.5 * excess, "est aussi un mot")
    else:
        mention.add(-1.0 - 0.8 * excess, "est aussi un mot, sans majuscule")
    if not zipf and flags.zipf_en >= ENGLISH_ZIPF and not (mention.is_capital or mention.is_hashtag):
        mention.add(-1.6, "est aussi un mot anglais, sans majuscule")
    if flags.is_first_name and not mention.toponym.contraction and mention.toponym.words == 1:
        mention.add(-1.0 if population < LARGE else -0.4, "est aussi un prénom")
    elif flags.is_last_name and population < LARGE and not mention.toponym.contraction:
        mention.add(-0.6, "est aussi un nom de famille")
    if population >= LARGE:
        mention.add(1.0, "grande ville ou territoire")
    elif population >= MEDIUM:
        mention.add(0.5, "ville moyenne")


def _cue_before(reading: Reading, mention: Mention) -> str:
    if mention.toponym.contraction == "a":
        return "au"
    before = mention.before
    steps = before[-3:]
    while steps and steps[-1] in OF_CUES:
        steps.pop()
    if not steps:
        return ""
    cue = steps[-1]
    if cue == "a" and len(steps) < len(before[-3:]) and not mention.is_area:
        return ""  # "les cannes à pêche": French says "à la" before no town whose name has no "la"
    if cue in ("au", "aux") and mention.is_french and not mention.is_area and len(mention.toponym.rows) == 1:
        return ""  # "tarte au maroilles"
    return cue


def _in_town_head(mention: Mention) -> str:
    """Return the noun of "la cathédrale de Sens", "théâtre antique d'Orange", or an empty text."""
    heads, has_joint = mention.heads(CONNECTORS)
    if heads[-2:] == ["en", "gare"]:
        return "gare"
    return heads[-1] if heads and has_joint and heads[-1] in IN_TOWN else ""


def _weigh_cue(reading: Reading, mention: Mention) -> None:
    cue = _cue_before(reading, mention)
    is_made_in = cue == "in" and mention.before[-2:-1] == ["made"]
    if cue in CUES and not is_made_in and not (cue == "a" and reading.lang == "en"):
        mention.is_cued = True
        mention.is_near = cue in NEAR
        mention.cue = cue
        mention.add(1.5 if mention.is_capital else 1.0, f"précédé de « {cue} »")
        if cue == "a" and reading.happenings and mention.toponym.key not in IDIOMS_WITH_TO:
            is_accented = reading.surface[: mention.start].rstrip()[-1:] in ("à", "À")
            mention.add(1.2 if is_accented else 0.6, "il s'y passe quelque chose")
    elif is_made_in:
        mention.add(-2.5, "lieu de fabrication")
    elif head := _in_town_head(mention):
        mention.is_cued = True
        mention.cue = head
        mention.add(1.5 if mention.is_capital else 1.0, f"suit « {head} de »")
    elif mention.before and (mention.before[-1] in OF_CUES or mention.toponym.contraction == "de"):
        mention.add(0.4, "précédé de « de »")
    if (
        mention.toponym.key.isalnum()
        and len(mention.toponym.key) <= SHORTEST
        and not (mention.is_cued and (mention.is_capital or mention.toponym.is_caps))
    ):
        mention.add(-4.0, "nom trop court")


def _weigh_against(mention: Mention, population: int) -> None:
    if mention.is_hashtag:
        return
    before = mention.before
    heads, has_joint = mention.heads(CONNECTORS)
    head = heads[-1] if heads else ""
    is_street = head in STREETS or (heads[-2:-1] and heads[-2] in STREETS and head not in CUES and not has_joint)
    if is_street and not mention.is_after_break:
        mention.add(-3.5, f"nom de voie, d'enseigne ou de ligne (« {head} »)")
    elif head in SQUARES and has_joint:
        mention.add(-3.0 if population >= NAMESAKE else -0.8, f"nom de place, de pont ou de quai (« {head} »)")
    elif head in STATIONS and has_joint:
        mention.add(-0.8, f"nom de lieu-dit (« {head} »)")
    elif (has_joint or head in ("facon", "style")) and (
        good := next((word for word in heads[-2:] if word in GOODS), "")
    ):
        mention.add(-3.0, f"appellation (« {good} de »)")
    elif head in STORMS and not has_joint:
        mention.add(-3.5, "nom de tempête")
    elif (head in PEOPLE and not has_joint) or head in CLUBS:
        mention.add(-3.5, f"nom de personne ou de club (« {head} »)")
    if head in GOING or head in LIVING or _lives(heads):
        mention.is_bound = True
        mention.add(-2.0 if not WAYS.isdisjoint(heads) else -0.6, f"destination ou provenance (« {head} »)")


def _lives(heads: list[str]) -> bool:
    return len(heads) > 1 and heads[-1] in ("a", "au", "aux", "in") and heads[-2] in LIVING | GOING


def _weigh_determiner(reading: Reading, mention: Mention) -> None:
    """Weigh down "un bordeaux", "tes vannes", "trop nice": a thing or a word, no town."""
    before = mention.before
    if not before or mention.is_area or mention.toponym.contraction or mention.is_hashtag or mention.is_cued:
        return
    if before[-1] in ADJECTIVES and before[-2:-1] and before[-2] in DETERMINERS:
        mention.add(-1.5 if mention.is_capital else -2.5, f"suit « {before[-2]} {before[-1]} » comme un nom commun")
    elif before[-1] in DETERMINERS and not (before[-1] == "a" and reading.lang != "en"):
        mention.add(-2.0 if mention.is_capital else -2.8, f"suit « {before[-1]} » comme un nom commun")
    elif before[-1] in ("le", "la", "les", "du", "des") and not mention.is_capital and mention.toponym.words == 1:
        mention.add(-1.4, f"suit « {before[-1]} », sans majuscule")


def _weigh_neighbours(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    surface = reading.surface
    _weigh_hyphens(reading, mention)
    _weigh_person(reading, mention, gazetteer)
    is_joined = surface[mention.end] == " " and not mention.is_hashtag
    if reading.lang == "en" and is_joined and mention.after[:1] and mention.after[0] in AFTER_OTHER:
        mention.add(-3.0, f"autre chose qui en porte le nom (« {mention.after[0]} »)")
        return
    if reading.is_shouted or mention.is_hashtag or not mention.is_capital:
        return
    tail = surface[mention.end : mention.end + 24].split(" ")
    following = tail[1] if len(tail) > 1 and not tail[0] else ""
    if following.lower().strip(".,;:!?") in AFTER_CLUB:
        mention.add(-3.0, f"nom de club (« {following} »)")
    elif _is_name(following) and not mention.is_cued and mention.toponym.words == 1:
        is_given = mention.toponym.flags.is_given_name and following.isalpha()
        mention.add(-2.5 if is_given else -0.8, f"suivi d'un nom propre (« {following} »)")


def _weigh_hyphens(reading: Reading, mention: Mention) -> None:
    """Weigh down "Toulouse-Lautrec" and "Koh-Lanta": part of another name. Two places joined are weighed as a way."""
    surface, other = reading.surface, None
    if surface[mention.end] == "-":
        other = HYPHENED_AFTER.match(surface, mention.end)
    if other is None and surface[mention.start - 1] == "-":
        other = HYPHENED_BEFORE.search(surface, max(0, mention.start - 24), mention.start)
    if other and reading.folded[other.start(1) : other.end(1)] not in NAME_PARTS:
        mention.hyphened = other.group(1)


def _weigh_person(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    before, surface = mention.before, reading.surface
    if not before or mention.is_hashtag:
        return
    is_joined = before[-1] in ("de", "d")
    of = NAME_AND_OF.search(surface, max(0, mention.start - 28), mention.start) if is_joined else None
    if of and (flags := gazetteer.flags.get(reading.folded[of.start(1) : of.end(1)])) is not None:
        if flags.is_given_name and of.group(1)[0].isupper() and before[-2:-1] and before[-2] not in GIVEN_NOUNS:
            mention.add(-2.5, f"suit un prénom (« {of.group(1)} de »)")
        return
    word = (surface[: mention.start].rsplit(None, 1)[-1:] or [""])[0].strip("'’-(")
    if surface[mention.start - 1] != " ":
        return
    if not mention.is_capital and before[-1] not in GIVEN_NOUNS | CUES | CONNECTORS and not mention.is_cued:
        flags = gazetteer.flags.get(before[-1])
        if flags is not None and flags.is_first_name:
            mention.add(-2.0, f"suit un prénom (« {word} »)")
    if not mention.is_capital or not _is_name(word):
        return
    flags = gazetteer.flags.get(before[-1])
    if flags is not None and flags.is_given_name and before[-1] not in CUES and word.isalpha():
        mention.add(-3.5 if not mention.is_area else -1.0, f"suit un prénom (« {word} »)")
    elif not reading.begins_sentence(mention.start - len(word) - 1) and before[-1] not in CUES:
        mention.add(-0.6, f"suit un nom propre (« {word} »)")


def _is_name(word: str) -> bool:
    stripped = word.rstrip(".,;:!?")
    return len(stripped) > SHORTEST and stripped.istitle() and stripped.isalpha()


def _weigh_subject(reading: Reading, mention: Mention) -> None:
    """Weigh down a town that stands for its team or its government."""
    follows = mention.after[0] if mention.after else ""
    last = mention.before[-1] if mention.before else ""
    if reading.is_sport and not mention.is_area:
        mention.add(-0.3 if mention.is_cued else -2.5, "il est question de sport")
    elif reading.sport_hints and mention.toponym.key in CLUB_TOWNS and not mention.is_cued:
        mention.add(-2.2, "une équipe connue, et un mot du sport")
    elif SCORED.match(reading.surface, mention.end) and not (mention.is_cued or mention.qualified_dep):
        mention.add(-2.0, f"suivi d'un score (« {follows} »)")
    elif last in BEATEN and not mention.is_cued and not mention.is_area:
        mention.add(-2.4, f"une équipe (« {last} »)")
    elif _is_bare_subject(reading, mention):
        is_team = mention.toponym.key in CLUB_TOWNS or reading.sport_hints
        mention.add(-2.0 if is_team else -1.5, f"sujet sans préposition, et rien ne s'y passe (« {follows} »)")
    elif follows in TEAM_VERBS and not mention.is_cued and not mention.is_area:
        mention.add(-1.5, f"agit comme une équipe (« {follows} »)")
    if follows in POWER_VERBS and not mention.is_cued:
        mention.is_bound = True
        if mention.toponym.key in SEATS_OF_POWER:
            mention.add(-3.0, f"siège d'un pouvoir qui s'exprime (« {follows} »)")
    if last == "allez":
        mention.add(-2.5, "encouragement")
    if mention.toponym.key in PRODUCTS and not mention.is_cued and not mention.is_hashtag:
        mention.add(-1.5, "produit autant que lieu")
    is_bare = not mention.is_cued and mention.qualified_by is None
    if mention.toponym.key in FAMOUS and is_bare and not mention.is_hashtag and not mention.qualified_dep:
        mention.add(-1.5, "aussi une personne célèbre")
    if mention.toponym.flags.is_given_name and is_bare and not PRONOUNS.isdisjoint(mention.after[:4]):
        mention.add(-1.5, "une personne")


def _is_bare_subject(reading: Reading, mention: Mention) -> bool:
    """Tell whether a town is the subject of a clause, as a team, a government or a person is, and nothing happens."""
    is_area = mention.is_area and not (mention.toponym.flags.is_given_name and mention.toponym.key in GIVEN_AREAS)
    if mention.toponym.key == "nice" and mention.is_sentence_start and not mention.is_cued and not reading.happenings:
        return True
    if mention.is_cued or mention.is_hashtag or is_area or not mention.after:
        return False
    if mention.qualified_by is not None or mention.qualified_dep or mention.toponym.is_caps or reading.happenings:
        return False
    if reading.lang == "fr" and mention.is_french and mention.toponym.key not in CLUB_TOWNS | SEATS_OF_POWER:
        return False  # villages have no team that everybody knows
    is_first = mention.is_sentence_start or mention.is_after_break
    follows = reading.surface[mention.end]
    if follows in "'’" and mention.toponym.key not in CLUB_TOWNS:
        return False
    if not is_first or follows not in " '’" or mention.after[0] in NO_VERBS | TOWN_BODIES:
        return False
    return reading.words.isdisjoint(WEATHER) and not reading.has_title(mention.end)


def has_area_cue(reading: Reading, mention: Mention) -> bool:
    """Tell whether "dans le Var", "en Gironde", "(Var)" or the post's subject marks a département, not a river."""
    before = list(mention.before)
    while before and before[-1] in ("le", "la", "l", "les", "du", "de", "des", "d"):
        before.pop()
    if before and (before[-1] in FRENCH_AREA_CUES or before[-1] == "en"):
        return True
    if mention.is_hashtag:
        return True
    if reading.surface[: mention.start].endswith(("(", ", ")) and mention.is_capital:
        return True
    if mention.start <= 1 and reading.has_title(mention.end):
        return reading.words.isdisjoint(OF_RIVERS)
    has_article = mention.before[-1:] in (["le"], ["la"], ["l"], ["les"])
    return (
        (has_article or mention.is_sentence_start)
        and not reading.words.isdisjoint(OF_AREAS)
        and reading.words.isdisjoint(OF_RIVERS)
    )
