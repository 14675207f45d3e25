"""Signed: a message that a person answers for, with who and when. Signing sends nothing."""

from datetime import datetime

import msgspec

from console.messages.filling import Filled, Missing
from console.messages.message_map import Language
from records import VigieError
from records.post import NonEmpty
from records.time import Instant


class NotSignable(VigieError):
    """A message is not ready, or nobody signs it; the person at the desk completes it."""


class SignedText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text, as it was signed."""

    language: str
    channel: str
    text: NonEmpty
    pages: tuple[str, ...]


class SignedFact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was filled in, and on whose word."""

    name: NonEmpty
    value: dict[Language, str]  # language -> words
    origin: NonEmpty  # alert, bulletin, clock, person
    stated_by: str = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as somebody signed it: the texts, the facts in them, who and when."""

    message_id: NonEmpty
    map_version: NonEmpty
    texts: tuple[SignedText, ...]
    facts: tuple[SignedFact, ...]
    signed_by: NonEmpty  # a role or an account of the crisis cell
    signed_at: Instant
    incident_id: str = ""


def sign(filled: Filled, *, signed_by: str, signed_at: datetime, map_version: str, incident_id: str = "") -> Signed:
    """Return a message as signed by somebody.

    Errors  NotSignable while something is missing or does not fit, where nobody's name is given, or a moment
            without a zone
    """
    who = signed_by.strip()
    if not who:
        raise NotSignable(f"{filled.message.id}: nobody signs it; give the role or account that answers for it")
    if signed_at.tzinfo is None:
        raise NotSignable(f"{filled.message.id}: signed_at has no zone; give the moment with one")
    if not filled.is_ready:
        raise NotSignable(f"{filled.message.id}: {_lacking(filled.missing)}")
    return Signed(
        message_id=filled.message.id,
        map_version=map_version,
        texts=tuple(
            SignedText(language=one.language, channel=one.channel, text=one.text, pages=one.pages)
            for one in filled.texts
        ),
        facts=tuple(
            SignedFact(
                name=one.name,
                value=dict(one.value),
                origin=one.origin,
                stated_by=one.stated_by,
            )
            for one in filled.used
        ),
        signed_by=who,
        signed_at=signed_at,
        incident_id=incident_id,
    )


def _lacking(missing: tuple[Missing, ...], language: Language = "en") -> str:
    if not missing:
        return "a text is too long for its channel; shorten it in the map"
    return f"{', '.join(one.called[language] for one in missing)} to be filled in; give what is confirmed, or wait"
