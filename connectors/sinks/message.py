"""Message: an alert as people get it by e-mail, chat or SMS, in French or in English.

Shape   a subject and a body; or one short text, of one SMS segment: 160 characters that every telephone can show
Source  3GPP TS 23.038: the default alphabet, seven bits a character; one letter outside it halves the room and more
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connectors.sinks.wording import (
    SETTLED,
    WORDS,
    ZONE,
    Language,
    counted,
    explained,
    facts,
    joined,
    link_to,
    not_known,
    quoted,
    shown,
    subject,
    to_verify,
)
from records import Alert, Evidence

MAX_QUOTATIONS = 3
MAX_LINKS = 3
SEGMENT = 160
SHORTEST_PLACE = 8
LONGEST_OF_MANY = 24
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
STAND_INS: Mapping[int, str] = str.maketrans(
    {"’": "'", "‘": "'", "«": '"', "»": '"', "“": '"', "”": '"', "œ": "oe", "Œ": "OE", "–": "-", "—": "-", "…": "..."}
    | {"·": "-", "°": "o", "€": "EUR", "[": "(", "]": ")", "{": "(", "}": ")", "~": "-", "^": "", "|": "/", "\\": "/"}
)


class Message(NamedTuple):
    """What is sent; a target without subjects gets one text of both."""

    subject: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Voice:
    """How people are spoken to."""

    language: Language = "fr"
    page_url: str = ""  # of the pages that links go to
    with_quotes: bool = False  # words of posts stand in it, those of the strongest three
    is_exercise: bool = False

    @property
    def words(self) -> Mapping[str, str]:
        """The words of the language."""
        return WORDS[self.language]

    def message(self, alerts: Sequence[Alert]) -> Message:
        """Return alerts for people with room to read: what, where, why, what is not known, where to look."""
        heads = [subject(alert, self.words) for alert in alerts]
        if len(alerts) == 1:
            return Message(self._marked(heads[0], " · "), self._body(alerts[0]))
        several = f"{counted(len(alerts), self.words['incidents'])} · {heads[0]}"
        parts = (f"{head}\n{self._body(alert)}" for head, alert in zip(heads, alerts, strict=True))
        return Message(self._marked(several, " · "), "\n\n——\n\n".join(parts))

    def short(self, alerts: Sequence[Alert], room: int = SEGMENT) -> str:
        """Return alerts in one SMS: level, hazard, place and that it is to be verified always, the rest as it fits."""
        return self._short_one(alerts[0], room) if len(alerts) == 1 else self._short_list(alerts, room)

    def _marked(self, text: str, between: str) -> str:
        return f"{self.words['exercise']}{between}{text}" if self.is_exercise else text

    def _body(self, alert: Alert) -> str:
        seen = [item for item in alert.evidence if not item.is_removed]
        parts = [
            facts(alert, self.words),
            explained(alert, self.language),
            joined(alert, self.words),
            not_known(alert, self.words),
            "\n".join(self._links(alert, seen)),
            "\n".join(quoted(item) for item in seen[:MAX_QUOTATIONS] if item.text) if self.with_quotes else "",
            f"{shown(alert.incident_id)} · n° {alert.revision}",
        ]
        return "\n\n".join(part for part in parts if part)

    def _links(self, alert: Alert, seen: Sequence[Evidence]) -> Iterator[str]:
        if page := link_to(alert.incident_id, self.page_url):
            yield f"{self.words['details']} : {page}"
        if urls := [shown(item.url) for item in seen if item.url][:MAX_LINKS]:
            yield f"{self.words['posts_seen']} : {' '.join(urls)}"

    def _short_one(self, alert: Alert, room: int) -> str:
        words = self.words
        head = self._marked(f"{words[alert.level]} {words[alert.hazard]}, ", " ")
        mark = "." if alert.level in SETTLED else f". {to_verify(alert, words).capitalize()}."
        text = gsm(f"{head}{_cut(alert.place.name, room - len(gsm(head + mark)))}{mark}")
        page = gsm(link_to(alert.incident_id, self.page_url))
        reserved = len(page) + 1 if page and len(text) + 1 + len(page) <= room else 0
        for more in (
            f"{words['since'].capitalize()} {alert.onset.astimezone(ZONE):%d/%m %H:%M}.",
            f"{counted(alert.witnesses, words['witnesses'])}, {counted(alert.posts, words['posts'])}.",
        ):
            text = _with(text, gsm(more), room - reserved)
        return (f"{text} {page}" if reserved else text)[:room]

    def _short_list(self, alerts: Sequence[Alert], room: int) -> str:
        words = self.words
        is_open = any(alert.level not in SETTLED for alert in alerts)
        mark = f" {words['to_verify'].capitalize()}." if is_open else ""
        text = gsm(self._marked(f"{counted(len(alerts), words['incidents'])} :{mark}", " "))
        for alert in alerts:
            one = f"{words[alert.level]} {words[alert.hazard]}, {_cut(alert.place.name, LONGEST_OF_MANY)}."
            text = _with(text, gsm(one), room)
        return text[:room]


def _with(text: str, more: str, room: int) -> str:
    return f"{text} {more}" if len(text) + 1 + len(more) <= room else text


def _cut(name: str, room: int) -> str:
    """Return a place's name, cut to the room there is."""
    text = gsm(shown(name))
    return text if len(text) <= room else f"{text[: max(room, SHORTEST_PLACE) - 3].rstrip()}..."


def gsm(text: str) -> str:
    """Return a text in letters of the SMS alphabet; what has none in it, and no letter that stands in, is left out."""
    return "".join(_gsm_letters(letter) for letter in text.translate(STAND_INS))


def _gsm_letters(letter: str) -> str:
    if letter in GSM:
        return letter
    if letter.isspace():
        return " "
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if part in GSM)
