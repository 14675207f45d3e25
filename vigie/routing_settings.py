"""The settings of routing: who is told what, and when not. Words and rules as in Alertmanager.

Errors  SettingsError, with the key that is wrong and what would do
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import time, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, Field

from connectors.sinks.routing import Inhibition, Interval, Route, Router, Window, matcher_from
from records import Matcher, SettingsError
from vigie.source_settings import NAME, SHORT, Part

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)
Spared = Literal["watch", "alert", "confirmed", "monitoring", "resolved", "rejected"]
Span = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]
MATCHERS = 'conditions as in Alertmanager, such as ["hazard = fire", "level =~ alert|confirmed"]; empty: all'
SPARES = "levels that are told all the same"


class RouteSettings(Part):
    """Which alerts go to whom; the first route that fits decides."""

    name: str = Field(pattern=NAME, description=SHORT)
    receivers: tuple[str, ...] = Field(description="names of receivers")
    matchers: tuple[str, ...] = Field(default=(), description=MATCHERS)
    goes_on: bool = Field(default=False, alias="continue", description="true: look at the routes below as well")
    mute: tuple[str, ...] = Field(default=(), description="names of intervals in which it is quiet")
    group_by: tuple[str, ...] = Field(
        default=(), description='labels whose incidents are told together, as in ["area"]'
    )
    group_wait_secs: float = Field(default=0, ge=0, le=3600, description="seconds that the first of a group waits")
    group_interval_secs: float = Field(default=0, ge=0, le=86_400, description="seconds between news of a group")
    most_per_hour: int = Field(default=0, ge=0, le=10_000, description="notifications an hour; 0: as many as there are")
    escalate_after_minutes: float = Field(default=0, ge=0, le=1440, description="minutes without an answer; 0: never")
    escalate_to: tuple[str, ...] = Field(default=(), description="receivers that are called then")


class IntervalSettings(Part):
    """Hours of the week."""

    name: str = Field(pattern=NAME, description=SHORT)
    days: tuple[Day, ...] = Field(default=DAYS, description='days on which a span begins, as in ["saturday"]')
    times: tuple[Span, ...] = Field(description='spans of the day, as in ["22:00-07:00"]')
    zone: str = Field(default="Europe/Paris", description="the zone of the clock on the wall")
    spares: tuple[Spared, ...] = Field(default=("alert", "confirmed"), description=SPARES)


class InhibitionSettings(Part):
    """What need not be told while something greater is going on."""

    source: tuple[str, ...] = Field(description=f"what is greater: {MATCHERS}")
    target: tuple[str, ...] = Field(description=f"what is not told then: {MATCHERS}")
    equal: tuple[str, ...] = Field(default=("area", "hazard"), description="labels that both must have alike")


class WindowSettings(Part):
    """A span of maintenance or exercise."""

    name: str = Field(min_length=1, description="what people call it")
    kind: Literal["maintenance", "exercise"] = Field(description='"maintenance" or "exercise"')
    matchers: tuple[str, ...] = Field(default=(), description=MATCHERS)
    starts_at: AwareDatetime = Field(description="its begin, as 2026-12-01T09:00:00+01:00")
    ends_at: AwareDatetime = Field(description="its end, as 2026-12-01T12:00:00+01:00")
    author: str = Field(min_length=1, description="who announced it: a role, no private person")
    reason: str = Field(min_length=1, description="why")
    spares: tuple[Spared, ...] = Field(default=("alert", "confirmed"), description=SPARES)


def router_from(
    routes: Sequence[RouteSettings],
    intervals: Sequence[IntervalSettings],
    inhibitions: Sequence[InhibitionSettings],
    windows: Sequence[WindowSettings],
    *,
    receivers: Iterable[str],
) -> Router:
    """Return the router; without routes, everybody is told everything."""
    known = tuple(receivers)
    _refuse_twice("routes", [one.name for one in routes])
    _refuse_twice("intervals", [one.name for one in intervals])
    hours = {one.name: _interval(one) for one in intervals}
    return Router(
        [_route(one, known, hours) for one in routes] or [Route(name="all", receivers=known)],
        inhibitions=[_inhibition(one, number) for number, one in enumerate(inhibitions, start=1)],
        windows=[_window(one) for one in windows],
    )


def _route(one: RouteSettings, receivers: Sequence[str], hours: Mapping[str, Interval]) -> Route:
    where = f"routes.{one.name}"
    for key, names in (("receivers", one.receivers), ("escalate_to", one.escalate_to)):
        _refuse_unknown(f"{where}.{key}", names, receivers, "receiver")
    _refuse_unknown(f"{where}.mute", one.mute, hours, "interval")
    if bool(one.escalate_after_minutes) != bool(one.escalate_to):
        raise SettingsError(
            f"{where}.escalate_to: an escalation needs both escalate_after_minutes and escalate_to; give both, or none"
        )
    both = sorted(set(one.escalate_to) & set(one.receivers))
    if both:
        raise SettingsError(f"{where}.escalate_to: {', '.join(both)} is told by this route already; name others")
    if (one.group_wait_secs or one.group_interval_secs) and not one.group_by:
        raise SettingsError(f'{where}.group_by: nothing is grouped; name labels, as in ["area"], or take the waits out')
    return Route(
        name=one.name,
        receivers=one.receivers,
        matchers=_matchers(one.matchers, f"{where}.matchers"),
        goes_on=one.goes_on,
        mute=tuple(hours[name] for name in one.mute),
        group_by=one.group_by,
        group_wait=timedelta(seconds=one.group_wait_secs),
        group_interval=timedelta(seconds=one.group_interval_secs),
        most_per_hour=one.most_per_hour,
        escalate_after=timedelta(minutes=one.escalate_after_minutes) if one.escalate_after_minutes else None,
        escalate_to=one.escalate_to,
    )


def _interval(one: IntervalSettings) -> Interval:
    try:
        zone = ZoneInfo(one.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(
            f"intervals.{one.name}.zone: there is no zone {one.zone!r}; write such as Europe/Paris"
        ) from error
    ends = [span.split("-") for span in one.times]
    spans = tuple((time.fromisoformat(begins), time.fromisoformat(until)) for begins, until in ends)
    days = frozenset(DAYS.index(day) for day in one.days)
    return Interval(name=one.name, zone=zone, days=days, spans=spans, spares=frozenset(one.spares))


def _inhibition(one: InhibitionSettings, number: int) -> Inhibition:
    where = f"inhibitions.{number}"
    return Inhibition(
        source=_matchers(one.source, f"{where}.source"),
        target=_matchers(one.target, f"{where}.target"),
        equal=one.equal,
    )


def _window(one: WindowSettings) -> Window:
    if one.ends_at <= one.starts_at:
        raise SettingsError(f"windows.{one.name}.ends_at: is not after starts_at; give the later moment")
    return Window(
        name=one.name,
        kind=one.kind,
        matchers=_matchers(one.matchers, f"windows.{one.name}.matchers"),
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        author=one.author,
        reason=one.reason,
        spares=frozenset(one.spares),
    )


@contextmanager
def _told_of(key: str) -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{key}: {error}") from error


def _matchers(texts: Iterable[str], where: str) -> tuple[Matcher, ...]:
    with _told_of(where):
        return tuple(matcher_from(text) for text in texts)


def _refuse_unknown(where: str, names: Iterable[str], known: Iterable[str], what: str) -> None:
    there = tuple(known)
    for name in names:
        if name not in there:
            raise SettingsError(f"{where}: there is no {what} {name!r}; there are {', '.join(there) or 'none'}")


def _refuse_twice(table: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"{table}.{name}: {names.count(name)} {table} have this name; give each a name of its own"
            )
