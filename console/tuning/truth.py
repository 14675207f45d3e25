"""Truth: what is known of a stretch of the recording: what people confirmed, rejected, and noted as missed.

Nobody looks at everything: what people did not rule on is judged neither true nor false.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.looking import told_of
from console.archive.rulings import standing
from console.trust.missed import missed_truth
from records import Alert
from records.alert import OVER
from records.truth import TrueIncident, Truth


async def truth_of(engine: AsyncEngine, since: datetime, until: datetime) -> Truth:
    """Return what people decided of the incidents that began in a stretch of time."""
    async with engine.connect() as connection:
        rulings = await standing(connection, since)
        told = await told_of(connection, rulings)
    true: list[TrueIncident] = []
    false: list[TrueIncident] = []
    for incident_id, ruling in rulings.items():
        revisions = told.get(incident_id)
        if revisions and since <= revisions[-1].onset < until:
            (true if ruling.verdict.decision == "confirm" else false).append(_incident(revisions))
    return Truth(incidents=(*true, *await missed_truth(engine, since, until)), false_ones=tuple(false))


def _incident(revisions: Sequence[Alert]) -> TrueIncident:
    newest = revisions[-1]
    shown = [one for alert in revisions for one in alert.evidence]
    return TrueIncident(
        incident_id=newest.incident_id,
        hazard=newest.hazard,
        began_at=newest.onset,
        ended_at=max((one.raised_at for one in revisions if one.level in OVER), default=None),
        place=newest.place,
        first_post_at=min((one.event_time for one in shown), default=None),
        official_at=newest.clock.first_authority if newest.clock else None,
        post_ids=frozenset(one.post_key.partition(":")[2] or one.post_key for one in shown),
        has_other_posts=True,
        label={"fr": newest.place.name, "en": newest.place.name},
    )
