"""Silence form: what somebody fills in so as not to be told of one incident for a while becomes a silence."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from console.problem import Problem
from records import Alert, Matcher, Silence
from records.silence import MOST_WORDS

HOURS = (1, 4, 12, 24, 72, 168)
"""The longest is a week: what is muted for longer was forgotten."""


def silence_from(
    typed: Mapping[str, str], alert: Alert, *, silence_id: str, by: str, at: datetime
) -> Silence | tuple[Problem, ...]:
    """Return a silence on one incident that begins now, or what is wrong with the form."""
    hours, reason = typed.get("hours", ""), typed.get("reason", "").strip()
    wrong = []
    if hours not in map(str, HOURS):
        wrong.append(Problem("hours", "bad_hours"))
    if not reason or len(reason) > MOST_WORDS:
        wrong.append(Problem("reason", "too_long" if reason else "missing_reason"))
    if wrong:
        return tuple(wrong)
    return Silence(
        silence_id=silence_id,
        matchers=(Matcher(name="incident_id", value=alert.incident_id),),
        author=by,
        reason=reason,
        starts_at=at,
        ends_at=at + timedelta(hours=int(hours)),
        made_at=at,
    )
