"""The message map: situations, what is known of them, whom one speaks to, and the texts agreed on beforehand.

Shape   TOML files, the shipped ones in `messages/`; a file or a folder of one's own replaces by id, and adds
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from console.messages.channels import Channel
from records import Level
from records.bulletin import BulletinKind
from records.signal import Hazard

Language = Literal["fr", "en"]
Audience = Literal["population", "press", "staff"]
Origin = Literal["alert", "bulletin", "person", "clock"]
Kind = Literal["text", "place", "clock", "number", "phone"]

LANGUAGES: tuple[Language, ...] = ("fr", "en")
CHANNELS: tuple[Channel, ...] = ("cell", "sms", "social", "long")
PLAIN: tuple[Channel, ...] = ("cell", "sms")
"""Channels of the GSM alphabet: what is filled in there loses the accents that it lacks."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z_]*)\}")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is common to all parts of a map: a key too many is a mistake."""


class Texts(Part, frozen=True, kw_only=True):
    """One message in one language, by channel; "" where it does not go there."""

    cell: str | tuple[str, ...] = ""  # a list: pages cut by hand
    sms: str = ""
    social: str = ""
    long: str = ""

    def parts(self) -> Iterator[tuple[Channel, tuple[str, ...]]]:
        """Give each channel that has a text, with the pieces that it is written in."""
        for channel in CHANNELS:
            text = getattr(self, channel)
            pieces = (text,) if isinstance(text, str) else tuple(text)
            if any(piece.strip() for piece in pieces):
                yield channel, pieces


class Message(Part, frozen=True, kw_only=True):
    """What one says of a situation, at a stage, to an audience."""

    id: str
    situation: str
    stage: str
    audience: Audience
    fr: Texts
    en: Texts
    note: str = ""  # for who chooses it

    def texts(self, language: Language) -> Texts:
        """Return its texts in a language."""
        return self.fr if language == "fr" else self.en

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of all that it leaves to be filled in, in order."""
        pieces = (piece for one in (self.fr, self.en) for _, parts in one.parts() for piece in parts)
        return tuple(dict.fromkeys(name for piece in pieces for name in PLACEHOLDER.findall(piece)))


class Situation(Part, frozen=True, kw_only=True):
    """What may be going on."""

    fr: str
    en: str
    hazards: tuple[Hazard, ...] = ()  # of the alerts that it fits; none: only for who asks for it
    phenomena: tuple[str, ...] = ()  # that somebody must have named: smoke, odour, noise
    levels: tuple[Level, ...] = ()  # it fits these only; none: all
    bulletins: tuple[BulletinKind, ...] = ()  # it fits, too, where such a one stands beside an alert
    on_rumour: bool = False  # it fits, too, where something speaks for a rumour


class Placeholder(Part, frozen=True, kw_only=True):
    """Something to be filled in."""

    fr: str  # what a blank calls it
    en: str
    origin: Origin = msgspec.field(name="from")
    is_fact: bool  # must be confirmed before it may be said
    names_source: bool = False  # says who stands for what is said
    field: str = ""  # what of the alert or bulletin
    kind: Kind = "text"
    most: Annotated[int, msgspec.Meta(ge=1, le=200)] = 40  # characters

    def name(self, language: Language) -> str:
        """Return what a blank calls it."""
        return self.fr if language == "fr" else self.en


class Without(Part, frozen=True, kw_only=True):
    """Why an audience gets nothing: at a stage of a situation, or at some levels whatever the situation."""

    id: str
    audience: Audience
    fr: str
    en: str
    situation: str = ""
    stage: str = ""
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Stage:
    """How much is known."""

    fr: str
    en: str
    allows_facts: bool = True  # no: every text says that nothing is confirmed, and names no fact
    allows_cell: bool = True
    needs_source: bool = True  # every text says who confirms or announces it


STAGES: Mapping[str, Stage] = {
    "first_signal": Stage("premier signal", "first signal", allows_facts=False, allows_cell=False, needs_source=False),
    "unconfirmed": Stage("non confirmé", "not confirmed", allows_facts=False, allows_cell=False, needs_source=False),
    "confirmed": Stage("confirmé par une autorité", "confirmed by an authority"),
    "ongoing": Stage("en cours", "ongoing"),
    "over": Stage("terminé", "over"),
    "nothing_found": Stage("rien trouvé, démenti", "nothing found, denial"),
    "announced": Stage("annoncé", "announced"),
    "quiet": Stage("temps calme", "quiet times", needs_source=False),
}
"""How much is known. A map fills stages; it does not invent any, since what may be said hangs on them."""

NEEDED: Mapping[Audience, tuple[Channel, ...]] = {
    "population": ("sms", "social"),
    "press": ("long",),
    "staff": ("long",),
}
"""The channels that a message for an audience has at least."""

FOR_ALL: tuple[Audience, ...] = ("population",)
"""Who may be reached by cell broadcast."""


@dataclass(frozen=True)
class MessageMap:
    """A whole map, as it is used."""

    situations: Mapping[str, Situation]
    placeholders: Mapping[str, Placeholder]
    messages: Mapping[str, Message]
    without: Mapping[str, Without]

    @property
    def version(self) -> str:
        """A digest of what it says: what somebody signed can be traced to the words of that day."""
        parts = (self.situations, self.placeholders, self.messages, self.without)
        said = msgspec.json.encode([dict(part) for part in parts], order="deterministic")
        return hashlib.sha256(said).hexdigest()[:12]

    def with_own(self, own: "MessageMap") -> "MessageMap":
        """Return this map with what another one replaces by id, or adds."""
        return MessageMap(
            situations={**self.situations, **own.situations},
            placeholders={**self.placeholders, **own.placeholders},
            messages={**self.messages, **own.messages},
            without={**self.without, **own.without},
        )


TABLES: Mapping[str, type[Part]] = {"situation": Situation, "placeholder": Placeholder}
LISTS: Mapping[str, type[Part]] = {"message": Message, "without": Without}
"""What a file may hold: [situation.name], [placeholder.name], [[message]], [[without]]."""


def map_of(parts: Iterable[tuple[str, Part]]) -> MessageMap:
    """Return the map that parts make up, each with its name or id."""
    found = tuple(parts)
    return MessageMap(
        situations={name: part for name, part in found if isinstance(part, Situation)},
        placeholders={name: part for name, part in found if isinstance(part, Placeholder)},
        messages={name: part for name, part in found if isinstance(part, Message)},
        without={name: part for name, part in found if isinstance(part, Without)},
    )
