"""An archive in which people were told of incidents and ruled on them, for tests of trust."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from console.archive.taking import Record
from records import Alert, CrisisClock, Verdict
from records.trust import Heard
from tests.console.made import a_verdict, an_alert, minutes, some_evidence

SINCE, UNTIL = minutes(-1000), minutes(10_000)


def told(
    name: str,
    ruling: str = "",
    *,
    at: float = 0.0,
    alert_at: float | None = None,
    official_at: datetime | None = None,
    reason: str = "",
    **changes: Any,
) -> Iterator[Record]:
    """Yield a watch on an incident, perhaps an alert, and what somebody decided of it."""
    whole: dict[str, Any] = {"incident_id": name, "onset": minutes(at - 10), **changes}
    yield _revision(1, raised_at=minutes(at), **whole)
    if alert_at is not None:
        clock = CrisisClock(first_authority=official_at)
        yield _revision(2, level="alert", raised_at=minutes(alert_at), clock=clock, **whole)
    if ruling:
        yield ruled(name, ruling, reason=reason, at=at + 60)


def _revision(number: int, **changes: Any) -> Alert:
    return an_alert(revision=number, **changes)


def ruled(name: str, ruling: str, *, at: float = 60.0, reason: str = "") -> Verdict:
    """Make what somebody decided of an incident."""
    return a_verdict(ruling, incident_id=name, decision_id=f"{name}-{ruling}", decided_at=minutes(at), reason=reason)


def of_platform(*platforms: str) -> dict[str, Any]:
    """Make the evidence of an incident: a post of each of some platforms."""
    return {"evidence": tuple(some_evidence(number, platform=one) for number, one in enumerate(platforms, 1))}


def past(since: datetime, until: datetime) -> Iterator[Heard]:
    """Yield five weeks of a recording, in the last of which scores and one area changed."""
    for day in range(35):
        is_late = day < 7
        for number in range(60 if is_late else 20):
            at = until - timedelta(days=day, seconds=60 * number + 1)
            yield Heard("fire", "76", at, 0.9 if is_late else 0.1 + 0.02 * number, 0.02 * (number % 20))
        yield Heard("flood", "27", until - timedelta(days=day, seconds=1), 0.5, 0.1)
