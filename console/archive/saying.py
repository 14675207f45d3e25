"""Saying: what people decide is kept, entered in the audit, shown at once, and put where the broker gets it from.

Errors  Refused, with the code of one sentence, for what cannot be
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.database import parts, writing
from console.archive.decisions import Decided, keep_decisions, name_of
from console.archive.newest import take_silences
from console.archive.promotions import newest_promotion
from console.archive.tables import decision as decision_table
from console.archive.tables import incident, outgoing
from console.archive.tables import report as report_table
from console.archive.tables import silence as silence_table
from console.desk import Desk
from console.live.hub import Change
from records import Post, ProfileChange, Silence, Verdict, VigieError, decode, encode
from records.silence import LONGEST

Kind = Literal["verdict", "silence", "post", "profile"]
Said = Verdict | Silence | Post | ProfileChange
HANDING_ON = 0x68616E64  # the lock of PostgreSQL, of whoever hands on what was said
KINDS: dict[Kind, type[msgspec.Struct]] = {
    "verdict": Verdict,
    "silence": Silence,
    "post": Post,
    "profile": ProfileChange,
}

Why = Literal[
    "unknown_incident",  # nothing is known of it
    "unknown_other",  # nothing is known of the one that it is to be merged into, or kept apart from
    "no_id",  # a decision that nobody could take back
    "other_decision",  # another one was made under this id
    "decided_meanwhile",  # somebody else has decided, and whoever decides now has not seen it
    "unknown_decision",  # what is to be taken back is not known, or of another incident
    "withdrawn_already",  # somebody took it back before
    "not_withdrawable",  # it decides nothing that could be taken back
    "merged_back",  # the other one is part of this one
    "silences_all",  # its conditions hold for everything
    "too_long",  # a silence of more than seven days
    "ends_before",  # a silence that ends before it begins
    "made_elsewhere",  # a silence that is ended where it was made
]


class Refused(VigieError):
    """What somebody said cannot be; `why` is the code of a sentence for him."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """Something said here that the broker does not have yet."""

    sequence: int
    kind: Kind
    object_: str
    record: Said
    made_at: datetime


async def decide(desk: Desk, visitor: Visitor, verdict: Verdict, *, known: int | None = None) -> None:
    """Keep a decision; made again under the same id, it is one.

    `known`: the number of the last decision that whoever decides has seen; None where he asks for no comparison.

    Errors  Refused when it cannot be
    """
    now = desk.clock.now()
    async with writing(desk.engine) as connection:
        if not verdict.decision_id:
            raise Refused("no_id")
        before = await _decision(connection, verdict.decision_id)
        if before is not None:
            if before.incident_id == verdict.incident_id and before.decision == verdict.decision:
                return  # sent twice
            raise Refused("other_decision")
        await _check(connection, verdict)
        if known is not None and verdict.decision != "note" and await _others_decided(connection, verdict, known):
            raise Refused("decided_meanwhile")
        changes = await keep_decisions(connection, {name_of(verdict): Decided(verdict, now)})
        await put_outgoing(connection, "verdict", verdict.decision_id, verdict, now)
        await audit.note(
            connection,
            actor=visitor.name,
            action=verdict.decision,
            object_=verdict.incident_id,
            detail=_detail_of(verdict),
            at=now,
        )
    _tell(desk, changes)


def _detail_of(verdict: Verdict) -> dict[str, Any]:
    """Return what the audit says of a decision."""
    said: dict[str, Any] = {"decision_id": verdict.decision_id}
    for name in ("reason", "withdraws", "read_as", "other"):
        if getattr(verdict, name):
            said[name] = getattr(verdict, name)
    if verdict.place is not None:
        said["place"] = {"name": verdict.place.name, "lat": verdict.place.lat, "lon": verdict.place.lon}
    if verdict.post_keys:
        said["posts"] = len(verdict.post_keys)
    return said


async def _check(connection: AsyncConnection, verdict: Verdict) -> None:
    if not await _is_known(connection, verdict.incident_id):
        raise Refused("unknown_incident")
    if verdict.other and not await _is_known(connection, verdict.other):
        raise Refused("unknown_other")
    if verdict.withdraws:
        await _check_withdrawal(connection, verdict)
    if verdict.decision == "merge" and await _is_merged(connection, verdict.other, verdict.incident_id):
        raise Refused("merged_back")


async def _others_decided(connection: AsyncConnection, verdict: Verdict, known: int) -> bool:
    columns = decision_table.c
    new = (columns.incident_id == verdict.incident_id) & (columns.sequence > known) & (columns.kind != "note")
    by_others = select(columns.sequence).where(new & (columns.decided_by != verdict.decided_by)).limit(1)
    return await connection.scalar(by_others) is not None


async def _check_withdrawal(connection: AsyncConnection, verdict: Verdict) -> None:
    known = await _decision(connection, verdict.withdraws)
    if known is None or known.incident_id != verdict.incident_id:
        raise Refused("unknown_decision")
    if known.decision == "withdraw":
        raise Refused("not_withdrawable")
    if await _is_withdrawn(connection, verdict.withdraws):
        raise Refused("withdrawn_already")


async def _decision(connection: AsyncConnection, decision_id: str) -> Verdict | None:
    columns = decision_table.c
    row = await connection.scalar(select(columns.record).where(columns.decision_id == decision_id))
    return None if row is None else decode(row, Verdict)


async def _is_known(connection: AsyncConnection, incident_id: str) -> bool:
    found = await connection.scalar(select(incident.c.revision).where(incident.c.incident_id == incident_id))
    return found is not None


async def _is_withdrawn(connection: AsyncConnection, decision_id: str) -> bool:
    columns = decision_table.c
    return await connection.scalar(select(columns.sequence).where(columns.withdraws == decision_id)) is not None


async def _is_merged(connection: AsyncConnection, one: str, into: str) -> bool:
    """Tell whether an incident is part of another one, as people decided."""
    seen = {one}
    while one and one != into:
        one = await _part_of(connection, one)
        if one in seen:
            return False
        seen.add(one)
    return one == into


async def _part_of(connection: AsyncConnection, incident_id: str) -> str:
    """Return the incident that another one is part of by the last decision that stands, "" where there is none."""
    columns = decision_table.c
    wanted = select(columns.record).where((columns.incident_id == incident_id) & columns.kind.in_(("merge", "split")))
    for row in await connection.scalars(wanted.order_by(columns.decided_at.desc(), columns.sequence.desc())):
        verdict = decode(row, Verdict)
        if verdict.other and not await _is_withdrawn(connection, verdict.decision_id):
            return verdict.other if verdict.decision == "merge" else ""
    return ""


async def silence(desk: Desk, visitor: Visitor, silence: Silence) -> None:
    """Keep a silence, or the end of one.

    Errors  Refused when it cannot be
    """
    now = desk.clock.now()
    if silence.origin:
        raise Refused("made_elsewhere")
    if all(matcher.fits({}) for matcher in silence.matchers):
        raise Refused("silences_all")
    if silence.ends_at < silence.starts_at:
        raise Refused("ends_before")
    if silence.ends_at - silence.starts_at > LONGEST:
        raise Refused("too_long")
    async with writing(desk.engine) as connection:
        changes = await take_silences(connection, [silence])
        if not changes:
            return  # sent twice
        await put_outgoing(connection, "silence", silence.silence_id, silence, now)
        await audit.note(
            connection,
            actor=visitor.name,
            action="silence_ended" if silence.ends_at <= now else "silence_made",
            object_=silence.silence_id,
            detail={
                "matchers": [f"{one.name}{one.sign}{one.value}" for one in silence.matchers],
                "starts_at": silence.starts_at,
                "ends_at": silence.ends_at,
                "reason": silence.reason,
            },
            at=now,
        )
    _tell(desk, changes)


async def report(
    desk: Desk, visitor: Visitor, post: Post, row: dict[str, Any], *, takes_back: Post | None = None
) -> None:
    """Keep a report as its row says, and send its post: a new one, an update, or a deletion where it is withdrawn.

    `takes_back`: deletes the post that it had before, where it has another one now. Sent twice, it is one.

    Errors  Refused where somebody has withdrawn it meanwhile
    """
    now = desk.clock.now()
    actions = {"update": "report_corrected", "delete": "report_withdrawn"}
    async with writing(desk.engine) as connection:
        columns = report_table.c
        of_it = columns.report_id == row["report_id"]
        found = await connection.execute(select(columns.post_key, columns.is_withdrawn).where(of_it))
        known = found.one_or_none()
        if known is None:
            await connection.execute(insert(report_table).values(**row))
        elif known.is_withdrawn and not row["is_withdrawn"]:
            raise Refused("withdrawn_already")
        elif known.is_withdrawn or (post.verb == "create" and known.post_key == post.key):
            return  # sent twice
        else:
            await connection.execute(update(report_table).where(of_it).values(**row))
        for one in filter(None, (post, takes_back)):
            await put_outgoing(connection, "post", one.key, one, now)
        await audit.note(
            connection,
            actor=visitor.name,
            action=actions.get(post.verb, "report_made"),
            object_=row["report_id"],
            detail={"post_key": post.key, "what": row["what"]},
            at=now,
        )
    _tell(desk, [Change("verification", row["report_id"])])


async def put_outgoing(connection: AsyncConnection, kind: Kind, object_: str, record: Said, now: datetime) -> None:
    """Put something said where the broker gets it from, within the transaction that keeps it."""
    values = {"kind": kind, "object": object_, "record": encode(record), "made_at": now}
    await connection.execute(insert(outgoing).values(**values))


def _tell(desk: Desk, changes: Collection[Change]) -> None:
    """Let everybody see what was said, and have it sent: it is kept by now."""
    desk.hub.changed(*changes)
    desk.said()


async def waiting(engine: AsyncEngine, most: int = 500) -> list[Outgoing]:
    """Return what the broker does not have yet, in the order in which it was said."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(outgoing).order_by(outgoing.c.sequence).limit(most))
        return [_outgoing_from(row) for row in rows]


async def is_waiting(engine: AsyncEngine, decision_id: str) -> bool:
    """Tell whether the broker does not have a decision yet."""
    columns = outgoing.c
    wanted = select(columns.sequence).where((columns.kind == "verdict") & (columns.object == decision_id))
    async with engine.connect() as connection:
        return await connection.scalar(wanted) is not None


def _outgoing_from(row: Any) -> Outgoing:
    record: Any = decode(row.record, KINDS[row.kind])
    return Outgoing(sequence=row.sequence, kind=row.kind, object_=row.object, record=record, made_at=row.made_at)


async def said_since(engine: AsyncEngine, since: datetime, now: datetime) -> list[Verdict | Silence | ProfileChange]:
    """Return what people decided since a moment, the silences of ours that are not over, and the profile that holds.

    All have an id. Of profiles the newest alone holds, however long ago it was decided.
    """
    decided, silent = decision_table.c, silence_table.c
    verdicts = select(decided.record).where(decided.decided_at >= since).order_by(decided.sequence)
    silences = select(silent.record).where((silent.ends_at > now) & (silent.made_at >= since)).order_by(silent.made_at)
    async with engine.connect() as connection:
        said = [decode(row, Verdict) for row in await connection.scalars(verdicts)]
        kept = [decode(row, Silence) for row in await connection.scalars(silences)]
        holds = await newest_promotion(connection)
    return [
        *(one for one in said if one.decision_id),
        *(one for one in kept if not one.origin),
        *([holds] if holds else []),
    ]


@asynccontextmanager
async def handing_on(engine: AsyncEngine) -> AsyncIterator[bool]:
    """Be the one who hands on; tell whether we are: of two consoles, one would overtake the other."""
    async with engine.connect() as connection:
        is_shared = connection.dialect.name == "postgresql"
        yield not is_shared or bool(await connection.scalar(select(func.pg_try_advisory_xact_lock(HANDING_ON))))


async def sent(engine: AsyncEngine, sequences: Collection[int]) -> None:
    """Enter that the broker has them."""
    async with writing(engine) as connection:
        for part in parts(sequences):
            await connection.execute(delete(outgoing).where(outgoing.c.sequence.in_(part)))
