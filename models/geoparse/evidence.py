"""Is it a place? Log-odds for and against each name found, every term kept as a reason.

Here is what the name itself and the words before it say; `things`, `persons` and `subjects` weigh who else bears it.

Source  weights set by hand and adjusted on own posts (see README.md)
"""

from models.geoparse.mention import Mention
from models.geoparse.persons import weigh_persons
from models.geoparse.reading import Reading
from models.geoparse.subjects import weigh_subject
from models.geoparse.things import weigh_things
from models.geoparse.words import (
    CONNECTORS,
    CUES,
    FRENCH_AREA_CUES,
    IDIOMS_WITH_TO,
    IN_TOWN,
    NEAR,
    OF_AREAS,
    OF_CUES,
    OF_RIVERS,
    WORD_COUNTRIES,
)
from models.places.gazetteer import Flags, Gazetteer

ACCEPTED = 1.6
LARGE, MEDIUM = 100_000, 20_000
COMMON_ZIPF = 3.5
ENGLISH_ZIPF = 4.5
SHORTEST = 2
BREAKS = (",", ";", ":", ".", "!", "?", "(")
ARTICLES_AND_OF = frozenset({"le", "la", "l", "les", "du", "de", "des", "d"})


def word_zipf(flags: Flags, lang: str) -> float:
    """Return how frequent the name is as a word of the post's language; 0 when it is none."""
    if lang == "fr":
        return flags.zipf_fr
    if lang == "en":
        return flags.zipf_en
    return max(flags.zipf_fr, flags.zipf_en)


def look_around(reading: Reading, mention: Mention) -> None:
    """Note how the name is written, what stands around it, and what kinds of places have it."""
    surface, start, toponym = reading.surface, mention.start, mention.toponym
    content = start + (len(toponym.key.split(" ", 1)[0]) + 1 if toponym.contraction else 0)
    mention.is_hashtag = surface[max(0, start - 2) : start].endswith(("# ", "#"))
    mention.is_capital = surface[content : content + 1].isupper() and not reading.is_shouted
    mention.is_sentence_start = reading.begins_sentence(start)
    mention.is_after_break = surface[:start].rstrip(" (#")[-1:] in BREAKS
    mention.before = reading.before(start)
    mention.after = reading.after(mention.end)
    mention.is_french, mention.is_area, mention.population = toponym.is_french, toponym.is_area, toponym.population
    mention.has_area_cue = toponym.is_river and _has_area_cue(reading, mention)


def weigh(reading: Reading, mention: Mention, gazetteer: Gazetteer) -> None:
    """Count all evidence about one mention, but its qualifiers and the home area."""
    look_around(reading, mention)
    _weigh_writing(reading, mention)
    _weigh_form(mention)
    _weigh_word(reading, mention)
    _weigh_bearers(mention)
    _weigh_cue(reading, mention)
    _weigh_spelling(mention, gazetteer)
    if mention.toponym.is_phrase:
        mention.add(-3.0, "locution courante")
    if mention.toponym.is_river and mention.is_area and not mention.has_area_cue:
        mention.add(-0.5 if mention.is_cued else -3.5, "est aussi un cours d'eau")
    weigh_things(reading, mention)
    weigh_persons(reading, mention, gazetteer)
    weigh_subject(reading, mention)


def _weigh_writing(reading: Reading, mention: Mention) -> None:
    if mention.is_hashtag:
        mention.add(1.4, "mot-dièse")
    elif mention.is_capital:
        is_first_word = mention.is_sentence_start and mention.toponym.words == 1
        mention.add(0.5 if is_first_word else 1.0, f"majuscule{' en début de phrase' if is_first_word else ''}")
    elif mention.start <= 1:
        mention.add(0.4, "ouvre le message")
    if _is_title(reading, mention):
        mention.add(0.8, "en tête du message")


def _is_title(reading: Reading, mention: Mention) -> bool:
    """Tell whether a name is the message's title: "Rouen : …", and where something happens "Rouen, …"."""
    if mention.start > 1 or not (mention.is_capital or reading.is_shouted) or not reading.has_title(mention.end):
        return False
    return reading.happenings or reading.surface[mention.end :].lstrip()[:1] == ":"


def _weigh_form(mention: Mention) -> None:
    toponym = mention.toponym
    if toponym.words > 1 or toponym.is_joined:
        mention.add(1.0, "nom composé")
    if toponym.is_weak:
        mention.add(-0.6, "forme courte")
    if toponym.is_joined and not mention.is_hashtag:
        mention.add(-1.0, "mots collés")


def _weigh_word(reading: Reading, mention: Mention) -> None:
    flags, is_marked = mention.toponym.flags, mention.is_capital or mention.is_hashtag
    is_country = mention.toponym.is_country and mention.toponym.key not in WORD_COUNTRIES
    is_no_word = is_country or (mention.is_area and mention.is_capital)
    zipf = 0.0 if is_no_word else word_zipf(flags, reading.lang)
    excess = max(0.0, zipf - COMMON_ZIPF)
    if not zipf:
        mention.add(1.5, "n'est pas un mot courant")
        if flags.zipf_en >= ENGLISH_ZIPF and not is_marked:
            mention.add(-1.6, "est aussi un mot anglais, sans majuscule")
    elif not is_marked:
        mention.add(-1.0 - 0.8 * excess, "est aussi un mot, sans majuscule")
    elif excess:
        mention.add(-0.5 * excess, "est aussi un mot")


def _weigh_bearers(mention: Mention) -> None:
    flags, is_large = mention.toponym.flags, mention.population >= LARGE
    if not mention.toponym.contraction:
        if flags.is_first_name and mention.toponym.words == 1:
            mention.add(-0.4 if is_large else -1.0, "est aussi un prénom")
        elif flags.is_last_name and not is_large:
            mention.add(-0.6, "est aussi un nom de famille")
    if is_large:
        mention.add(1.0, "nom d'une grande ville ou d'un territoire")
    elif mention.population >= MEDIUM:
        mention.add(0.5, "nom d'une ville moyenne")


def _weigh_cue(reading: Reading, mention: Mention) -> None:
    cue = _cue_before(reading, mention)
    if cue:
        mention.is_cued, mention.is_near, mention.cue = True, cue in NEAR, cue
        mention.add(1.5 if mention.is_capital else 1.0, f"précédé de « {cue} »")
        if cue == "a" and reading.happenings and mention.toponym.key not in IDIOMS_WITH_TO:
            is_accented = reading.surface[: mention.start].rstrip()[-1:] in ("à", "À")
            mention.add(1.2 if is_accented else 0.6, "il s'y passe quelque chose")
    elif head := _in_town_head(mention):
        mention.is_cued, mention.cue = True, head
        mention.add(1.5 if mention.is_capital else 1.0, f"suit « {head} de »")
    elif mention.before and (mention.before[-1] in OF_CUES or mention.toponym.contraction == "de"):
        mention.add(0.4, "précédé de « de »")
    is_short = mention.toponym.key.isalnum() and len(mention.toponym.key) <= SHORTEST
    if is_short and not (mention.is_cued and (mention.is_capital or mention.toponym.is_caps)):
        mention.add(-4.0, "nom trop court")


def _cue_before(reading: Reading, mention: Mention) -> str:
    """Return the preposition or noun of place before a name, or an empty text."""
    if mention.toponym.contraction == "a":
        return "au"
    steps = mention.before[-3:]
    while steps and steps[-1] in OF_CUES:
        steps.pop()
    if not steps or steps[-1] not in CUES:
        return ""
    cue, has_article = steps[-1], len(steps) < len(mention.before[-3:])
    is_no_cue = (
        (cue == "a" and reading.lang == "en")
        or (cue == "in" and steps[-2:-1] == ["made"])
        or (cue == "a" and has_article and not mention.is_area)  # "les cannes à pêche": no "à la" before such a town
        or (cue in ("au", "aux") and _takes_no_article(mention))  # "tarte au maroilles"
    )
    return "" if is_no_cue else cue


def _takes_no_article(mention: Mention) -> bool:
    return mention.is_french and not mention.is_area and len(mention.toponym.rows) == 1


def _in_town_head(mention: Mention) -> str:
    """Return the noun of "la cathédrale de Sens", "théâtre antique d'Orange", or an empty text."""
    heads, is_joined = mention.heads(CONNECTORS)
    if heads[-2:] == ["en", "gare"]:
        return "gare"
    return heads[-1] if heads and is_joined and heads[-1] in IN_TOWN else ""


def _weigh_spelling(mention: Mention, gazetteer: Gazetteer) -> None:
    """Weigh down a name written with other accents than the place has, "maçon" for Mâcon; none at all say nothing."""
    if mention.written.isascii() or mention.is_area or not mention.is_french:
        return
    written = _accents(mention.written)
    own = {_accents(gazetteer.names[row].lower()) for row in mention.toponym.rows}
    if written and written not in own and "" not in own:
        mention.add(-1.8, f"s'écrit autrement (« {mention.written} »)")


def _accents(name: str) -> str:
    return "".join(letter for letter in name if not letter.isascii() and letter.isalpha())


def _has_area_cue(reading: Reading, mention: Mention) -> bool:
    """Tell whether "dans le Var", "en Gironde", "(Var)" or the post's subject marks a département, not a river."""
    before = list(mention.before)
    while before and before[-1] in ARTICLES_AND_OF:
        before.pop()
    if mention.is_hashtag or (before and (before[-1] in FRENCH_AREA_CUES or before[-1] == "en")):
        return True
    if mention.is_capital and reading.surface[: mention.start].endswith(("(", ", ")):
        return True
    if mention.after[:1] in (["department"], ["departement"]):
        return True
    has_article = mention.before[-1:] in (["le"], ["la"], ["l"], ["les"])
    if not reading.words.isdisjoint(OF_RIVERS) or not (has_article or mention.is_sentence_start):
        return False
    is_title = mention.start <= 1 and reading.has_title(mention.end)
    return is_title or not reading.words.isdisjoint(OF_AREAS)
