"""Solidarity reading: what is needed and offered around one incident, of what whoever reads the claims knows now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from console.archive import looking
from console.desk import Desk
from console.digests.digest import ON
from console.digests.solidarity_list import LEVELS, Listing, is_in_reach, listed
from records import Alert, Claim, SourceUnavailable


class Reading(NamedTuple):
    """What posts claim; `off`: the settings want nobody told of it, `unread`: nobody can say what they claim."""

    state: Literal["off", "unread", "read"]
    claims: Sequence[Claim] = ()


async def claims_now(desk: Desk) -> Reading:
    """Return what posts claim now, as far as that can be known."""
    if desk.read_claims is None:
        return Reading("off")
    try:
        return Reading("read", await desk.read_claims())
    except SourceUnavailable:
        return Reading("unread")


async def around(desk: Desk, alert: Alert, reading: Reading, now: datetime) -> Listing | None:
    """Return what is needed and offered around an incident, and nearer to no other; None where that is nothing."""
    if alert.level not in LEVELS:
        return None
    if not any(claim.place is not None and is_in_reach(claim.place, alert) for claim in reading.claims):
        return None
    others = await looking.heads(desk.engine, levels=LEVELS)
    found = listed(sorted(others, key=_rank), reading.claims, now)
    return next((one for one in found if one.alert.incident_id == alert.incident_id), None)


def _rank(alert: Alert) -> tuple[bool, float]:
    return alert.level not in ON, -alert.onset.timestamp()
