"""Truth: what is known of a stretch of the recording: what people confirmed, rejected, and noted as missed.

Nobody looks at everything: what people did not rule on is judged neither true nor false.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import looking
from console.archive.dossier import Decided, Dossier
from console.archive.tables import decision
from console.trust.missed import missed_truth
from records import Alert
from records.truth import TrueIncident, Truth

RULINGS = ("confirm", "reject")


async def truth_of(engine: AsyncEngine, since: datetime, until: datetime) -> Truth:
    """Return what people decided of the incidents that were told of in a stretch of time."""
    columns = decision.c
    async with engine.connect() as connection:
        found = await looking.decisions(connection, columns.kind.in_((*RULINGS, "withdraw")))
    true: list[TrueIncident] = []
    false: list[TrueIncident] = []
    for incident_id, ruling in standing(found).items():
        dossier = await looking.incident(engine, incident_id)
        if dossier is None or not since <= dossier.alert.onset < until:
            continue
        (true if ruling.verdict.decision == "confirm" else false).append(_incident(dossier))
    return Truth(incidents=(*true, *await missed_truth(engine, since, until)), false_ones=tuple(false))


def standing(found: Iterable[Decided]) -> dict[str, Decided]:
    """Return the last ruling on each incident that nobody took back."""
    return {one.verdict.incident_id: one for one in found if one.verdict.decision in RULINGS and not one.is_withdrawn}


def _incident(dossier: Dossier) -> TrueIncident:
    alert = dossier.alert
    shown = [one for revision in dossier.revisions for one in revision.alert.evidence]
    times = [one.event_time for one in shown]
    return TrueIncident(
        incident_id=alert.incident_id,
        hazard=alert.hazard,
        began_at=alert.onset,
        ended_at=_ended_at(dossier),
        place=alert.place,
        first_post_at=min(times, default=None),
        official_at=_official_at(alert),
        post_ids=frozenset(one.post_key.partition(":")[2] or one.post_key for one in shown),
        label={"fr": alert.place.name, "en": alert.place.name},
    )


def _ended_at(dossier: Dossier) -> datetime | None:
    """Return when it was told to be over."""
    over = [one.alert.raised_at for one in dossier.revisions if one.alert.level in {"resolved", "rejected"}]
    return max(over, default=None)


def _official_at(alert: Alert) -> datetime | None:
    clock = alert.clock
    return None if clock is None else clock.first_authority
