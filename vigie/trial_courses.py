"""Trial courses: how true and false incidents went under two profiles, for a chart of each.

Units   spans of ten minutes; the statistic and its thresholds in minutes
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from detectors.backtest import Told, Value
from detectors.evidence import STRONG_RATIO
from records import Signal
from records.backtest import Backtest, Found, Raised
from records.signal import Hazard
from records.trial import Course, Spoken, Step

MOST = 12
"""So many true ones of a case are shown, and half as many false ones."""
SPAN = timedelta(minutes=10)
BEFORE = timedelta(hours=1)
LONGEST = timedelta(hours=12)

Key = tuple[Hazard, str]
"""Hazard and area: what is counted together."""


@dataclass(frozen=True)
class _Asked:
    """An incident whose course is wanted."""

    incident_id: str
    hazard: Hazard
    since: datetime
    raised: tuple[tuple[str, ...], ...]  # what each profile raised of it
    label: dict[str, str] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()  # keys of posts of it, where nobody raised anything


def courses_of(case: str, values: Sequence[Value], found: Backtest, told: Sequence[Sequence[Told]]) -> Iterator[Course]:
    """Yield the courses of what is true, then of what was false for one of the profiles."""
    signals = [value for value in values if isinstance(value, Signal)]
    by_incident = [_by_incident(one) for one in told]
    rows = zip(*(outcome.found for outcome in found.outcomes), strict=True)
    asked = [_asked_true(row) for row in rows][:MOST] + _false(found)[: MOST // 2]
    for one in asked:
        yield _course(case, one, signals, by_incident)


def _by_incident(told: Sequence[Told]) -> dict[str, list[Told]]:
    incidents: dict[str, list[Told]] = {}
    for one in told:
        incidents.setdefault(one.alert.incident_id, []).append(one)
    return incidents


def _asked_true(row: tuple[Found, ...]) -> _Asked:
    first = row[0]
    seen = frozenset(one.post_key for found in row for one in found.seen)
    raised = tuple(found.raised for found in row)
    return _Asked(first.incident_id, first.hazard, first.since, raised, first.label, seen)


def _false(found: Backtest) -> list[_Asked]:
    false: dict[str, Raised] = {}
    for outcome in found.outcomes:
        for one in outcome.raised:
            if "false" in {one.watch_is, one.alert_is}:
                false.setdefault(one.incident_id, one)
    return [_asked_false(one, len(found.outcomes)) for one in sorted(false.values(), key=lambda one: one.onset)]


def _asked_false(one: Raised, profiles: int) -> _Asked:
    label = {"fr": one.place.name, "en": one.place.name}
    return _Asked(one.incident_id, one.hazard, one.onset, ((one.incident_id,),) * profiles, label)


def _course(
    case: str, asked: _Asked, signals: Sequence[Signal], by_incident: Sequence[Mapping[str, Sequence[Told]]]
) -> Course:
    told = [
        [one for incident_id in raised for one in known.get(incident_id, ())]
        for raised, known in zip(asked.raised, by_incident, strict=True)
    ]
    keys = {(one.alert.hazard, one.alert.area) for line in told for one in line}
    keys |= {(one.hazard, one.place.area) for one in signals if one.post_key in asked.seen}
    return Course(
        case=case,
        incident_id=asked.incident_id,
        label=asked.label,
        hazard=asked.hazard,
        spoken=_spoken(signals, keys, asked.since),
        in_force=_line(told[0], asked.since),
        candidate=_line(told[-1], asked.since),
    )


def _spoken(signals: Sequence[Signal], keys: set[Key], since: datetime) -> tuple[Spoken, ...]:
    """Return how much was said around an incident, each span of ten minutes, silent ones too."""
    first, last = _span_of(since - BEFORE), _span_of(since + LONGEST)
    mine = [one for one in signals if (one.hazard, one.place.area) in keys and first <= one.event_time < last]
    posts = Counter(_span_of(one.event_time) for one in mine)
    strong = Counter(_span_of(one.event_time) for one in mine if one.likelihood_ratio >= STRONG_RATIO)
    end = max(posts, default=first)
    return tuple(
        Spoken(at, posts[at], strong[at])
        for at in (first + number * SPAN for number in range(int((end - first) / SPAN) + 1))
    )


def _span_of(at: datetime) -> datetime:
    seconds = int(at.timestamp()) // int(SPAN.total_seconds()) * int(SPAN.total_seconds())
    return datetime.fromtimestamp(seconds, UTC)


def _line(told: Sequence[Told], since: datetime) -> tuple[Step, ...]:
    """Return where the statistic stood each time something was told."""
    steps = (
        Step(
            one.at,
            10**one.alert.score * one.alert.thresholds["alert"],
            one.alert.thresholds["watch"],
            one.alert.thresholds["alert"],
            one.alert.level,
        )
        for one in told
        if since - BEFORE <= one.at <= since + LONGEST and {"watch", "alert"} <= one.alert.thresholds.keys()
    )
    return tuple(sorted(steps, key=lambda step: step.at))
