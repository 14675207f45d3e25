"""Revisions: what was told of incidents is kept: every revision once, in whatever order they come."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.database import parts
from console.archive.numbers import numbers
from console.archive.tables import evidence, incident, revision
from console.archive.words import blank_quotes, keep_words, post_id_of, storable, unshown_until, without_words
from console.live.hub import Change
from records import Alert, encode


class Told(NamedTuple):
    """A revision, and when it was told."""

    alert: Alert
    at: datetime


async def take_revisions(connection: AsyncConnection, told: Sequence[Told], now: datetime) -> list[Change]:
    """Keep the revisions that are not known yet; return what changed."""
    new = await _unknown(connection, told)
    if not new:
        return []
    kept = await keep_words(connection, [one.alert for one in new], now)
    sequences = await numbers(connection, "change", len(new))
    await connection.execute(
        insert(revision),
        [
            {
                "sequence": sequence,
                "incident_id": one.alert.incident_id,
                "revision": one.alert.revision,
                "level": one.alert.level,
                "raised_at": one.alert.raised_at,
                "recorded_at": one.at,
                "record": encode(without_words(one.alert)),
                "words": rows,
            }
            for sequence, one, rows in zip(sequences, new, kept, strict=True)
        ],
    )
    await _drop_unshown(connection, [one.alert for one in new])
    changed = dict(zip((one.alert.incident_id for one in new), sequences, strict=True))
    await _take_heads(connection, new, changed)
    return [Change("incident", incident_id) for incident_id in changed]


async def _unknown(connection: AsyncConnection, told: Sequence[Told]) -> list[Told]:
    """Return the revisions that are not kept yet, each once."""
    seen: set[tuple[str, int]] = set()
    for part in parts({one.alert.incident_id for one in told}):
        rows = await connection.execute(
            select(revision.c.incident_id, revision.c.revision).where(revision.c.incident_id.in_(part))
        )
        seen |= {(row.incident_id, row.revision) for row in rows}
    new = []
    for one in told:
        name = one.alert.incident_id, one.alert.revision
        if name not in seen:
            seen.add(name)
            new.append(one)
    return new


async def _take_heads(connection: AsyncConnection, new: Iterable[Told], changed: dict[str, int]) -> None:
    """Let the newest revision of each incident stand for it."""
    heads: dict[str, Told] = {}
    for one in new:
        known = heads.get(one.alert.incident_id)
        if known is None or known.alert.revision < one.alert.revision:
            heads[one.alert.incident_id] = one
    stored: dict[str, int] = {}
    for part in parts(heads):
        rows = await connection.execute(
            select(incident.c.incident_id, incident.c.revision).where(incident.c.incident_id.in_(part))
        )
        stored |= {row.incident_id: row.revision for row in rows}
    rows_of = {name: _head_of(one, changed[name]) for name, one in heads.items()}
    first = [row for name, row in rows_of.items() if name not in stored]
    newer = [row for name, row in rows_of.items() if name in stored and stored[name] < heads[name].alert.revision]
    older = [name for name in rows_of if name in stored and stored[name] > heads[name].alert.revision]
    if first:
        await connection.execute(insert(incident), first)
    if newer:
        await connection.execute(_UPDATE, [{"of": row["incident_id"], **row} for row in newer])
    await move(connection, {name: changed[name] for name in older})


def _head_of(one: Told, sequence: int) -> dict[str, object]:
    alert = one.alert
    return {
        "incident_id": alert.incident_id,
        "hazard": alert.hazard,
        "area": alert.area or alert.place.area,
        "level": alert.level,
        "revision": alert.revision,
        "sequence": sequence,
        "place": folded(alert.place.name),
        "recorded_at": one.at,
    }


_UPDATE = (
    update(incident)
    .where(incident.c.incident_id == bindparam("of"))
    .values({column.name: bindparam(column.name) for column in incident.c if column.name != "incident_id"})
)


async def move(connection: AsyncConnection, changed: dict[str, int]) -> None:
    """Enter that incidents changed, by the numbers of their changes: who has seen all before asks for them."""
    if changed:
        moved = update(incident).where(incident.c.incident_id == bindparam("of")).values(sequence=bindparam("to"))
        await connection.execute(moved, [{"of": name, "to": number} for name, number in changed.items()])


async def _drop_unshown(connection: AsyncConnection, alerts: Iterable[Alert]) -> None:
    """Let go of words that a revision says are gone, and that no later one shows."""
    gone: dict[str, set[str]] = {}
    for alert in alerts:
        posts = {post_id_of(one.post_key) for one in alert.evidence if one.is_removed}
        if posts:
            gone.setdefault(alert.incident_id, set()).update(posts)
    until = await unshown_until(connection, gone)
    for incident_id, posts in gone.items():
        for post_id in posts:
            await _drop(connection, incident_id, post_id, until[incident_id, post_id])


async def _drop(connection: AsyncConnection, incident_id: str, post_id: str, until: int) -> None:
    of_post = (evidence.c.incident_id == incident_id) & (evidence.c.post_id == post_id)
    rows = set((await connection.scalars(select(evidence.c.evidence_id).where(of_post))).all())
    if not rows:
        return
    later = (revision.c.incident_id == incident_id) & (revision.c.revision > until)
    for shown in await connection.scalars(select(revision.c.words).where(later)):
        rows.difference_update(shown)
    if rows:
        gone = delete(evidence).where(evidence.c.evidence_id.in_(rows)).returning(evidence.c.url)
        await blank_quotes(connection, await connection.scalars(gone))


def folded(text: str) -> str:
    """Return a text as it is searched for: without accents and capitals."""
    plain = unicodedata.normalize("NFKD", storable(text))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
