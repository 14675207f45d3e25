"""Measuring: all figures of trust of a span, put together for the page and for the command line."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from console.trust.budget_use import heard_days, labelled, profile_named, watched_since
from console.trust.delays import Delays, delays
from console.trust.missed import Missed, missed
from console.trust.precision import GROUPINGS, By, Precision, by_group, precision, why_false
from console.trust.raised import Raised, raised
from console.trust.recall import Recall, recall
from console.trust.reliability import Reliability, reliability
from console.trust.watcher import Watcher
from records import SettingsError
from records.trust import Drift, EtaProposal, Spell

USUAL_DAYS = 91
A_QUARTER = timedelta(days=91)
"""So far back it is looked since when a profile has run."""
SPELLS = timedelta(days=72)
"""So far back incidents are looked for that may have been on in the weeks of drift."""


@dataclass(frozen=True)
class Measured:
    """How far Vigie is to be believed, by what people decided."""

    since: datetime
    until: datetime
    whole: Precision
    groups: Mapping[By, Sequence[Precision]]
    why_false: Sequence[tuple[str, int]]
    delays: Sequence[Delays]
    reliability: Reliability
    recall: Sequence[Recall]
    missed: Sequence[Missed]


async def measured(engine: AsyncEngine, since: datetime, until: datetime, zone: str) -> Measured:
    """Return the figures of what was told in a span."""
    found = await raised(engine, since, until)
    return Measured(
        since=since,
        until=until,
        whole=precision(found),
        groups={by: by_group(found, by, zone) for by in GROUPINGS},
        why_false=why_false(found),
        delays=delays(found),
        reliability=reliability(found),
        recall=await recall(engine, since, until),
        missed=await missed(engine, since, until),
    )


async def controlled(engine: AsyncEngine, toml: str, watcher: Watcher, now: datetime) -> EtaProposal | None:
    """Return what the budget controller makes of the profile in force; None where it cannot be read or changed."""
    profile = profile_named(toml)
    found = await raised(engine, now - A_QUARTER, now)
    since = watched_since(found, profile, now)
    days = await heard_days(engine, since, now)
    try:
        return watcher.controlled(toml, labelled(found, profile, since, now), days)
    except SettingsError:
        return None


async def drift(engine: AsyncEngine, watcher: Watcher, now: datetime) -> Drift | None:
    """Return what has changed in what comes in, apart from what incidents brought; None where nothing is recorded."""
    found = await raised(engine, now - SPELLS, now)
    return await asyncio.to_thread(watcher.drift, now, spells(found, now))


def spells(found: Sequence[Raised], now: datetime) -> list[Spell]:
    """Return the spans in which incidents were on that people did not reject: their posts are not what is usual."""
    return [
        Spell(hazard=one.hazard, area=one.area, since=min(one.onset, one.watch_at), until=one.ended_at or now)
        for one in found
        if one.ruling != "false"
    ]
