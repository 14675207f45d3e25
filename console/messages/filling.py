"""Filling: a message's texts with what is confirmed; what is not stays a blank that everybody sees.

Nothing is sent from here. A text with a blank cannot be signed (`signed.py`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from console.messages.channels import Channel, foreign, in_gsm, length_on, page_length, paged_length, pages_of, septets
from console.messages.facts import Fact, Worded, clock_from
from console.messages.message_map import LANGUAGES, PLACEHOLDER, PLAIN, Language, Message, Placeholder

Why = Literal[
    "unknown",
    "not_given",
    "not_confirmed",
    "statements_differ",
    "too_long",
    "no_clock",
    "no_number",
    "bad_characters",
]

RANK = {"person": 0, "bulletin": 1, "clock": 1, "alert": 2}
BLANKS: Mapping[Language, str] = {"fr": "[…à compléter : {name}]", "en": "[…to fill in: {name}]"}
_BLANK = re.compile("|".join(re.escape(one.partition("{")[0]) + r"[^\]]*\]" for one in BLANKS.values()))
WHY_WORDS: Mapping[Why, Worded] = {
    "unknown": {"fr": "la carte ne le connaît pas", "en": "the map does not know it"},
    "not_given": {"fr": "personne ne l’a donné", "en": "nobody has given it"},
    "not_confirmed": {"fr": "pas confirmé", "en": "not confirmed"},
    "statements_differ": {"fr": "deux sources officielles diffèrent", "en": "two official statements differ"},
    "too_long": {"fr": "trop long : à raccourcir", "en": "too long: shorten it"},
    "no_clock": {"fr": "n’est pas une heure, comme 14:30", "en": "is no hour, such as 14:30"},
    "no_number": {"fr": "n’est pas un nombre ou un numéro", "en": "is no number"},
    "bad_characters": {
        "fr": "a des signes qu’un SMS ne sait pas écrire",
        "en": "has characters that an SMS cannot show",
    },
}


@dataclass(frozen=True)
class Words:
    """One text, as it would go out."""

    language: Language
    channel: Channel
    text: str
    pages: tuple[str, ...]  # of a cell broadcast; else the text alone
    has_blanks: bool = False


@dataclass(frozen=True)
class Missing:
    """A blank, and why it is one."""

    name: str
    called: Worded
    why: Why


@dataclass(frozen=True)
class Filled:
    """A message with its texts filled in as far as that may be done."""

    message: Message
    texts: tuple[Words, ...]
    missing: tuple[Missing, ...]
    used: tuple[Fact, ...]

    @property
    def is_ready(self) -> bool:
        """Tell whether somebody may sign it: nothing is missing, and every text fits where it goes."""
        return not self.missing and all(fits(words) for words in self.texts)


def fits(words: Words) -> bool:
    """Tell whether a text has a length that its channel takes."""
    if words.channel == "cell":
        return all(page_length(page).fits for page in words.pages) and paged_length(words.pages).fits
    return length_on(words.channel, words.text).fits


def fill(message: Message, facts: Iterable[Fact], placeholders: Mapping[str, Placeholder]) -> Filled:
    """Return a message with what may be said filled in: facts that are confirmed, and what is not a fact.

    Shape   a person's word goes before a bulletin's, that before an alert's; the same facts give the same texts
    """
    given = tuple(facts)
    used: dict[str, Fact] = {}
    missing: list[Missing] = []
    for name in message.placeholders:
        found = _fact_for(name, given, placeholders.get(name))
        if isinstance(found, Fact):
            used[name] = found
        else:
            one = placeholders.get(name)
            called = {language: one.name(language) if one else name for language in LANGUAGES}
            missing.append(Missing(name, called, found))
    writer = _Writer(used, {one.name: one.called for one in missing}, placeholders)
    texts = (
        writer.words(pieces, language, channel)
        for language in LANGUAGES
        for channel, pieces in message.texts(language).parts()
    )
    return Filled(message, tuple(texts), tuple(missing), tuple(used.values()))


def _fact_for(name: str, facts: Sequence[Fact], placeholder: Placeholder | None) -> Fact | Why:
    if placeholder is None:
        return "unknown"
    named = [fact for fact in facts if fact.name == name and any(fact.value.values())]
    if not named:
        return "not_given"
    allowed = [fact for fact in named if fact.is_confirmed or not placeholder.is_fact]
    if not allowed:
        return "not_confirmed"
    best = min(RANK[fact.origin] for fact in allowed)
    first, *others = [fact for fact in allowed if RANK[fact.origin] == best]
    if any(other.value != first.value for other in others):
        return "statements_differ"
    return _usable(first, placeholder)


def _usable(fact: Fact, placeholder: Placeholder) -> Fact | Why:
    """Return the fact as it is written in texts, or why it cannot be."""
    value: Worded | None = {language: " ".join(words.split()) for language, words in fact.value.items()}
    if placeholder.kind == "clock" and fact.origin == "person":
        value = clock_from(next(iter(fact.value.values())))
    if value is None:
        return "no_clock"
    if placeholder.kind in _NUMERIC and not all(_NUMERIC[placeholder.kind].fullmatch(one) for one in value.values()):
        return "no_number"
    if any(foreign(in_gsm(one)) or set(one) & set("{}") for one in value.values()):
        return "bad_characters"
    if any(max(septets(in_gsm(one)), len(one)) > placeholder.most for one in value.values()):
        return "too_long"
    return Fact(fact.name, value, fact.origin, fact.is_confirmed, fact.stated_by)


_NUMERIC = {"number": re.compile(r"[0-9]+"), "phone": re.compile(r"\+?[0-9](?:[ .]?[0-9])*")}


@dataclass(frozen=True)
class _Writer:
    """Puts values and blanks into texts."""

    used: Mapping[str, Fact]
    blanks: Mapping[str, Worded]
    placeholders: Mapping[str, Placeholder]

    def words(self, pieces: Sequence[str], language: Language, channel: Channel) -> Words:
        filled = tuple(_filled(piece, lambda name: self._value(name, language, channel)).strip() for piece in pieces)
        is_blank = any(name in self.blanks for piece in pieces for name in PLACEHOLDER.findall(piece))
        if channel == "cell" and len(filled) == 1:
            return Words(language, channel, filled[0], pages_of(filled[0]), is_blank)
        return Words(language, channel, "\n".join(filled), filled, is_blank)

    def _value(self, name: str, language: Language, channel: Channel) -> tuple[str, bool]:
        """Return what stands for a placeholder, and whether French words before it join with it."""
        if name not in self.used:
            return BLANKS[language].format(name=self.blanks[name][language]), False
        value = self.used[name].value[language]
        is_joined = language == "fr" and self.placeholders[name].kind == "place"
        return (in_gsm(value) if channel in PLAIN else value), is_joined


def _filled(piece: str, value_of: Callable[[str], tuple[str, bool]]) -> str:
    """Return a template with its values in place, in one pass: a value is never looked into."""
    said = ""
    at = 0
    for found in PLACEHOLDER.finditer(piece):
        said += piece[at : found.start()]
        value, is_joined = value_of(found[1])
        said = contracted(said, value) if is_joined else said + value
        at = found.end()
    return said + piece[at:]


def without_blanks(text: str) -> str:
    """Return a text without the marks of its blanks."""
    return _BLANK.sub("", text)


def contracted(before: str, name: str) -> str:
    """Put the name of a place after French words: "de" and "Le Havre" give "du Havre", "à" gives "au Havre".

    Shape   no name gets longer
    """
    for article, words in _CONTRACTIONS.items():
        found = _PREPOSITION.search(before)
        if found and name.startswith(article):
            return before[: found.start(1)] + words[found[1]] + " " + name.removeprefix(article)
    if before.endswith((" de ", "\nde ")) and name[:1] in _VOWELS:
        return f"{before[:-2]}'{name}"
    return before + name


_PREPOSITION = re.compile(r"(?:^|(?<=\s))(de|à) $")
_CONTRACTIONS = {"Le ": {"de": "du", "à": "au"}, "Les ": {"de": "des", "à": "aux"}}
_VOWELS = frozenset("AÀÂEÉÈÊIÎOÔUÛŒ")
