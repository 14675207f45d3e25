"""The message sheet: messages as lines of text for a person at the desk, with their lengths, blanks and reasons."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from console.messages.channels import Channel, in_gsm, length_on, paged_length
from console.messages.facts import Fact, Worded, facts_from_alert, facts_of_the_clock, typed
from console.messages.filling import WHY_WORDS, Filled, Words, fill
from console.messages.map_shape import guess
from console.messages.message_map import PLAIN, STAGES, Language, Message, MessageMap
from console.messages.selection import Selection, select
from console.messages.text_checking import widened
from records import Alert, SettingsError

AUDIENCE_WORDS: Mapping[str, Worded] = {
    "population": {"fr": "population", "en": "population"},
    "press": {"fr": "presse", "en": "press"},
    "staff": {"fr": "agents", "en": "staff"},
}
LEVEL_WORDS: Mapping[str, Worded] = {
    "signal": {"fr": "signal", "en": "signal"},
    "watch": {"fr": "veille", "en": "watch"},
    "alert": {"fr": "alerte", "en": "alert"},
    "confirmed": {"fr": "confirmé", "en": "confirmed"},
    "monitoring": {"fr": "suivi", "en": "monitoring"},
    "resolved": {"fr": "terminé", "en": "resolved"},
    "rejected": {"fr": "écarté", "en": "rejected"},
}
SAID: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "cell": "{parts} pages sur {most_parts}, la plus longue de {units} sur {most}",
        "sms": "{units} signes, {parts} SMS",
        "other": "{units} signes sur {most}",
        "at_most": "au plus ",
        "note": "à savoir",
        "nobody": "rien",
        "missing": "à compléter",
        "not_ready": "NE PEUT PAS ÊTRE SIGNÉ",
        "ready": "complet : reste à relire et à signer",
        "stage": "stade",
        "end": "Rien n’est envoyé. Une personne relit, complète et signe.",
    },
    "en": {
        "cell": "{parts} pages of {most_parts}, the longest of {units} of {most}",
        "sms": "{units} characters, {parts} SMS",
        "other": "{units} characters of {most}",
        "at_most": "at most ",
        "note": "note",
        "nobody": "nothing",
        "missing": "to fill in",
        "not_ready": "CANNOT BE SIGNED",
        "ready": "complete: to be read again and signed",
        "stage": "stage",
        "end": "Nothing is sent. A person reads, completes and signs.",
    },
}


def shown(
    found: MessageMap, situation: str, *, stage: str = "", audience: str = "", language: Language = "fr"
) -> Iterator[str]:
    """Give the messages of a situation, as they stand in the map, with their lengths at the widest.

    Errors  SettingsError when the map has no such situation, or nothing at this stage for this audience
    """
    if situation not in found.situations:
        known = ", ".join(found.situations)
        raise SettingsError(f"situation {situation!r}: the map has none of this name; give one of {known}")
    chosen = [
        one
        for one in found.messages.values()
        if one.situation == situation and stage in ("", one.stage) and audience in ("", one.audience)
    ]
    if not chosen:
        there = ", ".join(dict.fromkeys(one.stage for one in found.messages.values() if one.situation == situation))
        raise SettingsError(f"situation {situation!r}: no message fits; it has the stages {there or 'none'}")
    for message in sorted(chosen, key=lambda one: list(STAGES).index(one.stage)):
        yield from _template(message, found, language)
        yield ""


@dataclass(frozen=True)
class Wish:
    """What somebody at the desk asks for, and knows."""

    at: datetime
    zone: ZoneInfo
    language: Language = "fr"
    phenomenon: str = ""
    stage: str = ""
    audience: str = ""
    given: tuple[Fact, ...] = ()  # typed at the desk


def next_up(alert: Alert, found: MessageMap, wish: Wish) -> Iterator[str]:
    """Give what may be said of an incident now: filled in as far as that may be done, blanks marked.

    Errors  SettingsError when the map has no such phenomenon or stage
    """
    language = wish.language
    selection = select(found, alert, phenomenon=wish.phenomenon, stage=wish.stage)
    facts = (
        *wish.given,
        *facts_of_the_clock(wish.at, found.placeholders, wish.zone),
        *facts_from_alert(alert, found.placeholders, wish.zone),
    )
    yield from _incident(alert, selection, wish)
    for message in selection.messages:
        if wish.audience in ("", message.audience):
            filled = fill(message, facts, found.placeholders)
            yield ""
            yield from _head(message, found, language)
            yield from _texts(filled.texts, language)
            yield from _state(filled, language)
    yield ""
    yield SAID[language]["end"]


def given_facts(pairs: Iterable[str], found: MessageMap, *, by: str = "") -> tuple[Fact, ...]:
    """Return what somebody typed as NAME=VALUE.

    Errors  SettingsError when one is written otherwise, or the map has no such placeholder
    """
    facts = []
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not value.strip():
            raise SettingsError(f'fact {pair!r}: says nothing; write NAME=VALUE, as in road="rue Haute"')
        if name not in found.placeholders:
            mend = guess(name, sorted(found.placeholders), "give one of")
            raise SettingsError(f"fact {name!r}: the map has no placeholder of this name; {mend}")
        facts.append(typed(name, value, by=by))
    return tuple(facts)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone.

    Errors  SettingsError when there is none of this name
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"zone {name!r}: there is none of this name; give one such as Europe/Paris") from error


def _incident(alert: Alert, selection: Selection, wish: Wish) -> Iterator[str]:
    language, stage = wish.language, STAGES[selection.stage]
    named = stage.fr if language == "fr" else stage.en
    level = LEVEL_WORDS[alert.level][language]
    yield f"{alert.incident_id} r{alert.revision}: {alert.place.name}, {level}; {SAID[language]['stage']}: {named}"
    yield from (f"  {SAID[language]['note']}: {note[language]}" for note in selection.notes)
    for reason in selection.reasons:
        if wish.audience in ("", reason.audience):
            whom = AUDIENCE_WORDS[reason.audience][language]
            yield f"  {whom}: {SAID[language]['nobody']}. {reason.words[language]}"


def _head(message: Message, found: MessageMap, language: Language) -> Iterator[str]:
    situation, stage = found.situations[message.situation], STAGES[message.stage]
    names = (situation.fr, stage.fr) if language == "fr" else (situation.en, stage.en)
    yield " · ".join((message.id, *names, AUDIENCE_WORDS[message.audience][language]))
    if message.note:
        yield f"  {SAID[language]['note']}: {message.note}"


def _template(message: Message, found: MessageMap, language: Language) -> Iterator[str]:
    yield from _head(message, found, language)
    for channel, pieces in message.texts(language).parts():
        wide = [widened(in_gsm(piece) if channel in PLAIN else piece, found.placeholders) for piece in pieces]
        is_cut = not isinstance(getattr(message.texts(language), channel), str)
        length = _length_words(channel, wide if is_cut else wide[0], language)
        yield f"  {channel} ({SAID[language]['at_most'] if '{' in ''.join(pieces) else ''}{length})"
        yield from _indented(pieces)


def _length_words(channel: Channel, text: str | Sequence[str], language: Language) -> str:
    length = length_on(channel, text) if isinstance(text, str) else paged_length(text)
    words = SAID[language][channel if channel in PLAIN else "other"]
    return words.format(units=length.units, most=length.most, parts=length.parts, most_parts=length.most_parts)


def _texts(texts: Iterable[Words], language: Language) -> Iterator[str]:
    for words in texts:
        if words.language == language:
            whole = words.pages if words.channel == "cell" else words.text
            length = "" if words.has_blanks else f" ({_length_words(words.channel, whole, language)})"
            yield f"  {words.channel}{length}"
            yield from _indented(words.pages)


def _indented(pieces: Sequence[str]) -> Iterator[str]:
    for number, piece in enumerate(pieces, 1):
        mark = f"{number:>2} " if len(pieces) > 1 else ""
        yield from (f"    {mark}{line}".rstrip() for line in piece.strip().splitlines())


def _state(filled: Filled, language: Language) -> Iterator[str]:
    if filled.is_ready:
        yield f"  {SAID[language]['ready']}"
        return
    yield f"  {SAID[language]['not_ready']}"
    for one in filled.missing:
        yield f"    {SAID[language]['missing']}: {one.called[language]} ({one.name}): {WHY_WORDS[one.why][language]}"
