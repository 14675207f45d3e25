"""Budget use: how many false watches the profile in force has cost lately, for the budget controller.

What another profile raised says nothing of this one's eta, so only the days since then count.
"""

import tomllib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.tables import pulse
from console.trust.raised import Raised
from records.trust import Labelled

MONTH: Final = timedelta(days=28)
HOURS_A_DAY: Final = 24


def profile_named(toml: str) -> str:
    """Return the name and version of a profile, as alerts name it; "" where the text is none."""
    try:
        found = tomllib.loads(toml)
    except (ValueError, RecursionError):
        return ""
    name, version = found.get("name"), found.get("version")
    return f"{name}/{version}" if name and version else ""


def watched_since(found: Iterable[Raised], profile: str, now: datetime) -> datetime:
    """Return since when a profile is known to watch, a month ago at the earliest: since it first raised something.

    Who has raised nothing since another profile did may not run at all: nothing is known of it, and nothing loosened.
    """
    rows = sorted((one.watch_at, one.profile) for one in found if one.watch_at <= now)
    others = max((at for at, name in rows if name != profile), default=None)
    own = [at for at, name in rows if name == profile and (others is None or at > others)]
    return max(now - MONTH, own[0]) if own else now


async def heard_days(engine: AsyncEngine, since: datetime, until: datetime) -> float:
    """Return how long in a span any source was read, to the hour: who is blind raises nothing false either."""
    columns = pulse.c
    hours = select(func.count(columns.hour.distinct())).where((columns.hour >= since) & (columns.hour < until))
    async with engine.connect() as connection:
        return (await connection.scalar(hours) or 0) / HOURS_A_DAY


def labelled(found: Iterable[Raised], profile: str, since: datetime, now: datetime) -> list[Labelled]:
    """Return what people made of what a profile raised since a moment, by hazard."""
    rows = [one for one in found if one.profile == profile and since <= one.watch_at <= now]
    return [
        Labelled(
            hazard=hazard,
            false_ones=sum(one.ruling == "false" for one in rows if one.hazard == hazard),
            true_ones=sum(one.ruling == "true" for one in rows if one.hazard == hazard),
            unjudged=sum(not one.ruling for one in rows if one.hazard == hazard),
        )
        for hazard in sorted({one.hazard for one in rows})
    ]
