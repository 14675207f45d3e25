"""Explanation: why an incident is on somebody's screen, in sentences, in French and English.

Shape   facts in, one text per language out; times by the clock of the profile's zone
Source  docs/detection.md 2.7
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from detectors.correction_words import corrections_in
from detectors.rumour_words import rumour_in
from records import Context, Correction, CrisisClock, Declaration, Rumour, Verdict
from records.alert import OVER

MINUTE, HOUR, DAY, YEAR = 1.0, 60.0, 1440.0, 525_960.0
LONGEST_YEARS = 1000
LONG_SILENCE = 10  # minutes without an official word before it is worth a sentence
PLURAL_FR = 2.0  # French counts 1,9 as singular
MANY, LEAST = 10.0, 0.001  # posts expected: whole above, not told apart below

_UNITS = {
    "fr": (("minute", "minutes"), ("heure", "heures"), ("jour", "jours"), ("an", "ans")),
    "en": (("minute", "minutes"), ("hour", "hours"), ("day", "days"), ("year", "years")),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # no locale
_FIRST = {
    "fr": ("premier témoin", "première image", "presse", "exploitant"),
    "en": ("first witness", "first picture", "press", "operator"),
}
_GROUNDS = {
    "fr": {
        "established": "Corroboré par deux comptes établis au moins.",
        "trusted": "Corroboré par un compte de confiance et un autre auteur.",
        "crowd": "Corroboré par plusieurs témoins indépendants, de comptes inconnus.",
        "many": "Corroboré par le nombre : des dizaines d’auteurs indépendants, peu de témoins directs.",
        "": "Pas encore corroboré.",
    },
    "en": {
        "established": "Corroborated by at least two established accounts.",
        "trusted": "Corroborated by a trusted account and another author.",
        "crowd": "Corroborated by several independent witnesses, all unknown accounts.",
        "many": "Corroborated by number: dozens of independent authors, few of them first-hand.",
        "": "Not corroborated yet.",
    },
}


@dataclass(frozen=True)
class Facts:
    """What an explanation is made of."""

    level: str
    grounds: str  # code of the corroboration, "" where there is none
    posts: int
    authors: int
    witnesses: int
    copies: int
    onset_at: datetime
    last_at: datetime  # when the last post counted
    expected_per_minute: float  # posts that would count, without an incident
    false_alarm_minutes: float  # mean time between false alarms of this strength, here
    probability: float
    would_hold: bool  # still a watch without its strongest post
    zone: ZoneInfo
    decided_by: str = ""  # who confirmed, rejected or closed it
    reason: str = ""
    context: tuple[Context, ...] = ()
    clock: CrisisClock | None = None
    declaration: Declaration | None = None
    rumour: Rumour | None = None
    corrections: tuple[Correction, ...] = ()
    taken_back: Verdict | None = None  # what took a decision back, and was the last word

    @property
    def minutes(self) -> float:
        """From the onset to the last post."""
        return max((self.last_at - self.onset_at).total_seconds() / 60.0, 0.0)


def explanation_from(facts: Facts) -> dict[str, str]:
    """Return the explanation in every language we speak."""
    return {"fr": _in_french(facts), "en": _in_english(facts)}


def _in_french(facts: Facts) -> str:
    corrected = corrections_in("fr", facts.corrections, facts.taken_back)
    sentences = [_decided_in_french(facts), *corrected, _quiet_in_french(facts)]
    since = _french_clock(facts.onset_at, facts)
    if facts.authors <= 1:
        who = "Un seul témoin" if facts.witnesses else "Un seul auteur"
        usual = _span(1.0 / facts.expected_per_minute, "fr")
        sentences.append(
            f"{who}, à vérifier : {_counted(facts.posts, 'message', 'messages')} depuis {since} ; d’ordinaire, "
            f"un message de ce genre {_every_fr(usual)} ici."
        )
    else:
        expected = _decimal(facts.expected_per_minute * facts.minutes).replace(".", ",")
        expected += (
            " messages attendus" if facts.expected_per_minute * facts.minutes >= PLURAL_FR else " message attendu"
        )
        sentences.append(
            f"{facts.authors} auteurs indépendants en {_span(max(facts.minutes, 1.0), 'fr')} depuis {since}, "
            f"{expected}."
        )
    sentences.append(_strength_in_french(facts))
    if facts.copies:
        sentences.append(f"{_counted(facts.copies, 'copie ou relais', 'copies ou relais')} sans poids.")
    sentences.append(rumour_in("fr", facts.rumour, lambda at: _french_clock(at, facts)))
    sentences.append(_clock_in_french(facts))
    sentences.append(_declared_in_french(facts))
    sentences += [_context_in_french(one) for one in facts.context]
    return _typeset(" ".join(sentence for sentence in sentences if sentence))


def _in_english(facts: Facts) -> str:
    corrected = corrections_in("en", facts.corrections, facts.taken_back)
    sentences = [_decided_in_english(facts), *corrected, _quiet_in_english(facts)]
    since = _english_clock(facts.onset_at, facts)
    if facts.authors <= 1:
        who = "A single witness" if facts.witnesses else "A single author"
        usual = _span(1.0 / facts.expected_per_minute, "en")
        sentences.append(
            f"{who}, to be verified: {_counted(facts.posts, 'post', 'posts')} since {since}; usually one such post "
            f"{_every_en(usual)} here."
        )
    else:
        sentences.append(
            f"{facts.authors} independent authors in {_span(max(facts.minutes, 1.0), 'en')} since {since}, "
            f"{_decimal(facts.expected_per_minute * facts.minutes)} posts expected."
        )
    sentences.append(_strength_in_english(facts))
    if facts.copies:
        sentences.append(f"{_counted(facts.copies, 'copy or relay', 'copies or relays')} without weight.")
    sentences.append(rumour_in("en", facts.rumour, lambda at: _english_clock(at, facts)))
    sentences.append(_clock_in_english(facts))
    sentences.append(_declared_in_english(facts))
    sentences += [_context_in_english(one) for one in facts.context]
    return " ".join(sentence for sentence in sentences if sentence)


def _decided_in_french(facts: Facts) -> str:
    word = {"confirmed": "Confirmé", "rejected": "Écarté", "resolved": "Clos"}.get(facts.level)
    if word is None or not facts.decided_by:
        return ""
    return f"{word} par {facts.decided_by}{f' : {facts.reason}' if facts.reason else ''}."


def _decided_in_english(facts: Facts) -> str:
    word = {"confirmed": "Confirmed", "rejected": "Rejected", "resolved": "Closed"}.get(facts.level)
    if word is None or not facts.decided_by:
        return ""
    return f"{word} by {facts.decided_by}{f': {facts.reason}' if facts.reason else ''}."


def _clock_in_french(facts: Facts) -> str:
    clock = facts.clock
    if clock is None or facts.level in ("signal", "rejected"):
        return ""
    said = [f"{word} {_french_clock(at, facts)}" for word, at in _milestones(facts, clock, _FIRST["fr"])]
    silent = _span(clock.silent_minutes, "fr")
    if clock.first_authority is None and _is_silence_long(facts, clock):
        said.append(f"aucune parole officielle depuis {silent}")
    elif clock.first_authority is not None:
        after = f", au bout de {silent}" if clock.silent_minutes >= LONG_SILENCE else ""
        said.append(f"parole officielle {_french_clock(clock.first_authority, facts)}{after}")
    return _sentence_of(said)


def _clock_in_english(facts: Facts) -> str:
    clock = facts.clock
    if clock is None or facts.level in ("signal", "rejected"):
        return ""
    said = [f"{word} {_english_clock(at, facts)}" for word, at in _milestones(facts, clock, _FIRST["en"])]
    silent = _span(clock.silent_minutes, "en")
    if clock.first_authority is None and _is_silence_long(facts, clock):
        said.append(f"no official word for {silent}")
    elif clock.first_authority is not None:
        after = f", after {silent}" if clock.silent_minutes >= LONG_SILENCE else ""
        said.append(f"official word {_english_clock(clock.first_authority, facts)}{after}")
    return _sentence_of(said)


def _milestones(facts: Facts, clock: CrisisClock, words: tuple[str, ...]) -> list[tuple[str, datetime]]:
    """Return what came at another minute than the beginning, which is told already."""
    firsts = (clock.first_witness, clock.first_picture, clock.first_press, clock.first_operator)
    return [
        (word, at)
        for word, at in zip(words, firsts, strict=True)
        if at is not None and at.replace(second=0, microsecond=0) != facts.onset_at.replace(second=0, microsecond=0)
    ]


def _is_silence_long(facts: Facts, clock: CrisisClock) -> bool:
    return clock.silent_minutes >= LONG_SILENCE and facts.level not in OVER


def _sentence_of(said: list[str]) -> str:
    text = ", ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _declared_in_french(facts: Facts) -> str:
    declaration = facts.declaration
    if declaration is None or declaration.outcome == "declared" or facts.level in OVER:
        return ""
    start = "Non déclaré" if declaration.outcome == "undeclared" else "Rien de déclaré qui corresponde"
    call = f" : appeler {declaration.duty}, {declaration.number}" if declaration.number else ""
    return f"{start} depuis {_span(max(declaration.minutes, 1), 'fr')}{call}."


def _declared_in_english(facts: Facts) -> str:
    declaration = facts.declaration
    if declaration is None or declaration.outcome == "declared" or facts.level in OVER:
        return ""
    start = "Undeclared" if declaration.outcome == "undeclared" else "Nothing declared that fits"
    call = f": call {declaration.duty}, {declaration.number}" if declaration.number else ""
    return f"{start} for {_span(max(declaration.minutes, 1), 'en')}{call}."


def _context_in_french(context: Context) -> str:
    if context.fits is None:
        return f"Annoncé par {context.source} : {_ended(context.text)}"
    fits = f"{'Correspond' if context.fits else 'Ne correspond pas'} ({context.because['fr']})."
    return f"Déclaré, explication possible selon {context.source} : {_ended(context.text)} {fits}"


def _context_in_english(context: Context) -> str:
    if context.fits is None:
        return f"Stated by {context.source}: {_ended(context.text)}"
    fits = f"{'Fits' if context.fits else 'Does not fit'} ({context.because['en']})."
    return f"Declared, a possible explanation by {context.source}: {_ended(context.text)} {fits}"


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _strength_in_french(facts: Facts) -> str:
    if facts.level in ("resolved", "rejected"):
        return ""
    words = (
        f"Une fausse alerte de cette force {_every_fr(_span(facts.false_alarm_minutes, 'fr'))} ici ; "
        f"probabilité d’un incident : {_per_cent(facts.probability)} %."
    )
    if facts.authors <= 1:
        return words
    held = "resterait" if facts.would_hold else "ne serait pas"
    return f"{words} {_GROUNDS['fr'][facts.grounds]} Sans le message le plus fort, le seuil de veille {held} atteint."


def _strength_in_english(facts: Facts) -> str:
    if facts.level in ("resolved", "rejected"):
        return ""
    words = (
        f"A false alarm of this strength {_every_en(_span(facts.false_alarm_minutes, 'en'))} here; "
        f"probability of an incident: {_per_cent(facts.probability)}%."
    )
    if facts.authors <= 1:
        return words
    held = "still" if facts.would_hold else "no longer"
    return f"{words} {_GROUNDS['en'][facts.grounds]} Without its strongest post it would {held} be a watch."


def _quiet_in_french(facts: Facts) -> str:
    last = _french_clock(facts.last_at, facts)
    if facts.level == "monitoring":
        return f"Le flux retombe, plus rien depuis {last}."
    if facts.level == "resolved" and not facts.decided_by:
        return f"Plus rien depuis {last} : clos par le silence, pas par une vérification."
    return ""


def _quiet_in_english(facts: Facts) -> str:
    last = _english_clock(facts.last_at, facts)
    if facts.level == "monitoring":
        return f"Falling quiet: last counted post at {last}."
    if facts.level == "resolved" and not facts.decided_by:
        return f"Nothing more since {last}: closed by silence, not by verification."
    return ""


def _french_clock(instant: datetime, facts: Facts) -> str:
    local = instant.astimezone(facts.zone)
    return f"{local:%H:%M}" if _is_within_a_day(facts, instant) else f"le {local:%d/%m à %H:%M}"


def _english_clock(instant: datetime, facts: Facts) -> str:
    local = instant.astimezone(facts.zone)
    day = "" if _is_within_a_day(facts, instant) else f" on {local.day} {_MONTHS[local.month - 1]}"
    return f"{local:%H:%M}{day}"


def _is_within_a_day(facts: Facts, instant: datetime) -> bool:
    days = {one.astimezone(facts.zone).date() for one in (facts.onset_at, facts.last_at, instant)}
    return len(days) == 1


def _span(minutes: float, language: str) -> str:
    """Return a length of time in words: two figures at most, the largest unit that leaves at least one."""
    if minutes > LONGEST_YEARS * YEAR:
        return {"fr": "moins d’une fois en 1 000 ans", "en": "less than once in 1,000 years"}[language]
    lengths = (MINUTE, HOUR, DAY, YEAR)
    unit = max((index for index, length in enumerate(lengths) if minutes >= 1.5 * length), default=0)
    number = max(round(minutes / lengths[unit]), 1)
    one, many = _UNITS[language][unit]
    return f"{number} {one if number == 1 else many}"


def _every_fr(span: str) -> str:
    if span.startswith("moins"):
        return span
    return f"toutes les {span}" if "minute" in span or "heure" in span else f"tous les {span}"


def _every_en(span: str) -> str:
    return span if span.startswith("less") else f"every {span}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _decimal(number: float) -> str:
    if number >= MANY:
        return f"{number:.0f}"
    return f"{max(number, LEAST):.2g}"


def _per_cent(probability: float) -> str:
    return f"{min(max(100.0 * probability, 1.0), 99.0):.0f}"


def _typeset(text: str) -> str:
    """Put the no-break spaces that French wants before its double signs."""
    for sign in (":", ";", "%"):
        text = text.replace(f" {sign}", f"\N{NO-BREAK SPACE}{sign}")
    return text
