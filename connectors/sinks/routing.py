"""Routing: who is told of an alert, and what keeps a notification back; each time with a reason.

Words and rules as in Alertmanager: the first route that fits decides, unless it says `continue`; a silence, a time
interval, an inhibition or a window holds back. What rises to an alert is spared by intervals and windows, unless they
say otherwise: only a person's silence, or an inhibition, holds that back.

Shape   labels and a moment in, receivers or a reason out; no clock, no state
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from records import Matcher, SettingsError, Silence
from records.labels import LABELS, VALUES

Labels = Mapping[str, str]
Cause = Literal["silence", "interval", "window", "inhibition", "group", "rate"]
URGENT_LEVELS = frozenset({"alert", "confirmed"})
LOOK_AGAIN = timedelta(seconds=30)
"""How long until it is looked again whether what held a notification back still does: a silence may be ended early."""

_MATCHER = re.compile(r'\s*(?P<name>[a-z_]+)\s*(?P<sign>=~|!~|!=|=)\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^"]*?))\s*')


class Held(NamedTuple):
    """Why a notification is held back, and until when at most."""

    cause: Cause
    why: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Hours of the week, such as nights."""

    name: str
    zone: ZoneInfo
    days: frozenset[int]  # Monday is 0; the day on which a span begins
    spans: tuple[tuple[time, time], ...]  # one that ends before it begins goes over midnight
    spares: frozenset[str] = URGENT_LEVELS

    def until(self, now: datetime) -> datetime | None:
        """Return when the span ends that we are in, None where we are in none."""
        local = now.astimezone(self.zone)
        for begins, ends in self.spans:
            for day in (local.date() - timedelta(days=1), local.date()):
                if day.weekday() not in self.days:
                    continue
                starts_at = datetime.combine(day, begins, self.zone)
                last = day if ends > begins else day + timedelta(days=1)
                ends_at = datetime.combine(last, ends, self.zone)
                if starts_at.astimezone(UTC) <= now < ends_at.astimezone(UTC):  # a night has 23 hours, or 25
                    return ends_at.astimezone(UTC)
        return None


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of maintenance or exercise that somebody has announced."""

    name: str
    kind: Literal["maintenance", "exercise"]
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    reason: str
    spares: frozenset[str] = URGENT_LEVELS


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """What need not be told while something greater is going on in the same place."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def holds(self, labels: Labels, others: Iterable[Labels]) -> Labels | None:
        """Return what is greater, None where nothing is; of two that are both, neither is greater."""
        if not fits(self.target, labels):
            return None
        is_both = fits(self.source, labels)
        return next((other for other in others if self._is_greater(labels, other, is_both=is_both)), None)

    def _is_greater(self, labels: Labels, other: Labels, *, is_both: bool) -> bool:
        if other.get("incident_id") == labels.get("incident_id") or not fits(self.source, other):
            return False
        if is_both and fits(self.target, other):
            return False
        return all(other.get(name, "") == labels.get(name, "") for name in self.equal)


@dataclass(frozen=True, kw_only=True)
class Route:
    """Which alerts go to whom, and how often."""

    name: str
    receivers: tuple[str, ...]
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False  # to the routes below
    mute: tuple[Interval, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait: timedelta = timedelta(0)  # for others of the group
    group_interval: timedelta = timedelta(0)  # between two notifications of a group
    most_per_hour: int = 0  # to each receiver; 0: as many as there are
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()

    def group_of(self, labels: Labels) -> str:
        """Return the group of an alert, "" where each stands for itself."""
        return "\n".join([self.name, *(labels.get(name, "") for name in self.group_by)]) if self.group_by else ""


class Router:
    """All routes, and all that holds back."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        inhibitions: Sequence[Inhibition] = (),
        windows: Sequence[Window] = (),
    ) -> None:
        self._routes = {route.name: route for route in routes}
        self._inhibitions = tuple(inhibitions)
        self._windows = tuple(windows)

    @property
    def has_inhibitions(self) -> bool:
        """Whether it matters which other incidents are open."""
        return bool(self._inhibitions)

    def routes_of(self, labels: Labels) -> list[Route]:
        """Return the routes that an alert takes."""
        taken: list[Route] = []
        for route in self._routes.values():
            if fits(route.matchers, labels):
                taken.append(route)
                if not route.goes_on:
                    break
        return taken

    def route(self, name: str) -> Route | None:
        """Return a route by its name, None where the settings have it no more."""
        return self._routes.get(name)

    def held(
        self,
        labels: Labels,
        *,
        route: Route | None,
        receiver: str,
        now: datetime,
        silences: Iterable[Silence],
        others: Iterable[Labels],
    ) -> Held | None:
        """Return why a notification is not to be sent at this moment, None where it is.

        `others` are the labels of all incidents that are open.
        """
        return (
            _silenced(labels, receiver, now, silences)
            or self._inhibited(labels, now, others)
            or self._in_window(labels, now)
            or _muted(labels, route, now)
        )

    def _inhibited(self, labels: Labels, now: datetime, others: Iterable[Labels]) -> Held | None:
        known = list(others) if self._inhibitions else []
        for inhibition in self._inhibitions:
            greater = inhibition.holds(labels, known)
            if greater is not None:
                why = f"inhibited by {greater.get('incident_id', '')} ({greater.get('level', '')})"
                return Held("inhibition", why, now + LOOK_AGAIN)
        return None

    def _in_window(self, labels: Labels, now: datetime) -> Held | None:
        for window in self._windows:
            is_on = window.starts_at <= now < window.ends_at and labels.get("level", "") not in window.spares
            if is_on and fits(window.matchers, labels):
                why = f"{window.kind} window {window.name} by {window.author}: {window.reason}"
                return Held("window", why, window.ends_at)
        return None


def fits(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Tell whether labels fulfil all of some matchers; none are fulfilled by everything."""
    return all(matcher.fits(labels) for matcher in matchers)


def matcher_from(text: str) -> Matcher:
    """Read a matcher as Alertmanager writes it: `hazard = fire`, `level =~ "alert|confirmed"`, with != and !~.

    Errors  SettingsError with what was found and what would do
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise SettingsError(f'"{text}" is no matcher: write such as hazard = fire, or level =~ "alert|confirmed"')
    name, sign = found["name"], found["sign"]
    value = found["bare"] if found["quoted"] is None else found["quoted"]
    if name not in LABELS:
        raise SettingsError(f'"{text}": there is no label {name}: the labels are {", ".join(LABELS)}')
    allowed = VALUES.get(name)
    if allowed and sign in ("=", "!=") and value not in allowed:
        raise SettingsError(f'"{text}": {name} is never "{value}": it is one of {", ".join(allowed)}')
    if sign.endswith("~"):
        try:
            re.compile(value)
        except re.error as error:
            raise SettingsError(
                f'"{text}": "{value}" is no pattern ({error}): write such as "alert|confirmed"'
            ) from error
    return Matcher(name=name, value=value, is_regex=sign.endswith("~"), is_equal=not sign.startswith("!"))


def _silenced(labels: Labels, receiver: str, now: datetime, silences: Iterable[Silence]) -> Held | None:
    holding = [one for one in silences if one.origin in ("", receiver) and one.holds(labels, now)]
    if not holding:
        return None
    last = max(holding, key=lambda one: one.ends_at)
    return Held("silence", f"silence {last.silence_id} by {last.author}: {last.reason}", last.ends_at)


def _muted(labels: Labels, route: Route | None, now: datetime) -> Held | None:
    for interval in route.mute if route is not None else ():
        until = interval.until(now) if labels.get("level", "") not in interval.spares else None
        if until is not None:
            return Held("interval", f"hours of {interval.name}", until)
    return None
