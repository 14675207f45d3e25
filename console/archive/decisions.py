"""Decisions: what people decided of incidents is kept, whether it was said here or came on its topic."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.database import parts
from console.archive.numbers import numbers
from console.archive.revisions import move
from console.archive.tables import decision
from console.archive.words import storable
from console.live.hub import Change
from records import Verdict, encode


class Decided(NamedTuple):
    """A decision, and when it was made known."""

    verdict: Verdict
    at: datetime


async def take_decisions(connection: AsyncConnection, decided: Sequence[Decided]) -> list[Change]:
    """Keep the decisions that are not known yet; return what changed."""
    named: dict[str, Decided] = {}
    for one in decided:
        named.setdefault(name_of(one.verdict), one)
    there = await known(connection, named)
    return await keep_decisions(connection, {name: one for name, one in named.items() if name not in there})


async def keep_decisions(connection: AsyncConnection, new: dict[str, Decided]) -> list[Change]:
    """Keep decisions that are not known yet, by their names."""
    if not new:
        return []
    sequences = await numbers(connection, "change", len(new))
    await connection.execute(
        insert(decision),
        [
            {
                "sequence": sequence,
                "decision_id": name,
                "incident_id": one.verdict.incident_id,
                "kind": one.verdict.decision,
                "decided_at": one.verdict.decided_at,
                "decided_by": storable(one.verdict.decided_by),
                "withdraws": one.verdict.withdraws,
                "recorded_at": one.at,
                "record": encode(one.verdict),
            }
            for sequence, (name, one) in zip(sequences, new.items(), strict=True)
        ],
    )
    changed = dict(zip((one.verdict.incident_id for one in new.values()), sequences, strict=True))
    await move(connection, changed)
    return [Change("incident", incident_id) for incident_id in changed]


def name_of(verdict: Verdict) -> str:
    """Return what a decision is kept under; one without an id of its own is known by what it says."""
    return verdict.decision_id or f"unnamed/{blake2b(encode(verdict), digest_size=16).hexdigest()}"


async def known(connection: AsyncConnection, names: Iterable[str]) -> set[str]:
    """Return which decisions are kept already."""
    found: set[str] = set()
    for part in parts(names):
        found |= set(await connection.scalars(select(decision.c.decision_id).where(decision.c.decision_id.in_(part))))
    return found
