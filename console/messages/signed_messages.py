"""Signed messages: the texts that somebody answers for, kept as they were signed; Vigie sends none of them anywhere."""

from collections.abc import Collection, Sequence

from sqlalchemy import insert, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit, looking
from console.archive.database import writing
from console.archive.dossier import Message
from console.archive.tables import message
from console.desk import Desk
from console.messages.message_map import MessageMap
from console.messages.selection import select as select_messages
from console.messages.selection import stage_of
from console.messages.signed import Signed, SignedText
from console.once import identity
from records import Alert


async def keep(desk: Desk, visitor: Visitor, signed: Signed, texts: Sequence[SignedText], *, nonce: str) -> bool:
    """Keep texts of a message that was signed; tell whether that is new: a form that comes twice is one signature."""
    signature = _signature(visitor, signed, texts, nonce)
    rows = [
        {
            "message_id": f"{signature}-{one.language}-{one.channel}",
            "incident_id": signed.incident_id,
            "template_id": signed.message_id,
            "channel": one.channel,
            "language": one.language,
            "text": one.text,
            "map_version": signed.map_version,
            "signed_by": signed.signed_by,
            "signed_at": signed.signed_at,
            "state": "signed",
        }
        for one in texts
    ]
    detail = {
        "incident_id": signed.incident_id,
        "template_id": signed.message_id,
        "map_version": signed.map_version,
        "texts": [f"{one.language}/{one.channel}" for one in texts],
        "facts": {one.name: f"{one.origin}:{one.stated_by}" for one in signed.facts},
    }
    try:
        async with writing(desk.engine) as connection:
            await connection.execute(insert(message), rows)
            await audit.note(
                connection,
                actor=visitor.name,
                action="message_signed",
                object_=f"message/{signature}",
                detail=detail,
                at=signed.signed_at,
            )
    except IntegrityError:
        return False
    return True


def _signature(visitor: Visitor, signed: Signed, texts: Sequence[SignedText], nonce: str) -> str:
    """Return what a signature is known by: the form, and what was known and typed; the hour alone makes no other."""
    facts = [
        text for one in signed.facts if one.origin != "clock" for text in (one.name, *map(str, one.value.values()))
    ]
    which = [text for one in texts for text in (one.language, one.channel)]
    said = (signed.incident_id, signed.message_id, signed.map_version, *which, *facts)
    return identity(nonce, visitor.account_id, *said)


async def set_state(desk: Desk, visitor: Visitor, message_id: str, *, is_withdrawn: bool) -> bool:
    """Withdraw a text, or take that back; tell whether that could be."""
    before, after = ("signed", "withdrawn") if is_withdrawn else ("withdrawn", "signed")
    change = update(message).where(message.c.message_id == message_id, message.c.state == before).values(state=after)
    async with writing(desk.engine) as connection:
        if (await connection.execute(change)).rowcount != 1:
            return False
        await audit.note(
            connection,
            actor=visitor.name,
            action="message_withdrawn" if is_withdrawn else "message_restored",
            object_=f"message/{message_id}",
            detail={},
            at=desk.clock.now(),
        )
    return True


async def kept(engine: AsyncEngine, *, incident_id: str = "") -> list[Message]:
    """Return the texts that were signed, newest first; of one incident, where one is named."""
    of_it = message.c.incident_id == incident_id if incident_id else true()
    async with engine.connect() as connection:
        found = await looking.messages(connection, of_it)
    return sorted(found, key=lambda one: one.signed_at, reverse=True)


def stages_said(texts: Collection[Message], found: MessageMap) -> frozenset[str]:
    """Return the stages that were spoken of already: of texts that stand, as far as the map still has them."""
    return frozenset(
        found.messages[one.template_id].stage
        for one in texts
        if one.state == "signed" and one.template_id in found.messages
    )


def stages_of(alert: Alert) -> tuple[str, ...]:
    """Return the stages that one may speak of now, the one to begin with first."""
    return tuple(dict.fromkeys((stage_of(alert), stage_of(alert, ("confirmed",)))))


def is_out_of_date(text: Message, alert: Alert, found: MessageMap) -> bool:
    """Tell whether more, or something else, is known by now than when a text was written, or nobody can tell."""
    template = found.messages.get(text.template_id)
    if template is None:
        return True
    return template.stage not in {*stages_of(alert), *(one.stage for one in select_messages(found, alert).messages)}
