"""Watch: what each source is worth at this moment. Hears what the edge's observer hears, and makes statuses of it.

A source that is quiet, and shows by heartbeats or by answered polls that it lives, is listened to. One that cannot be
read, or shows nothing for longer than it should, is blind: no post from there means nothing at all.

Source  connectors/blindness.py says what follows from these for the territory
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from connectors.contract import Capabilities, NotSaved, Observer, Outcome
from records import Clock, SourceStatus, SourceUnavailable
from records.source_status import State, Way

STATUS_EVERY = timedelta(minutes=1)


@runtime_checkable
class Paid(Protocol):
    """A source whose posts cost money."""

    spent_usd: float  # this month
    ceiling_usd: float


def paid_of(source: object) -> Paid | None:
    """Return a source whose posts cost money, None for any other."""
    return source if isinstance(source, Paid) else None


@dataclass
class Seen:
    """What was noticed of one source."""

    way: Way
    capabilities: Capabilities
    since: datetime
    paid: Paid | None = None
    state: State = "blind"
    why: str = "not heard of yet"
    last_sign_at: datetime | None = None
    last_post_at: datetime | None = None
    lag_secs: float = 0.0
    gap_secs: float = 0.0
    failures: int = 0
    read: int = 0
    refused: int = 0
    told: SourceStatus | None = field(default=None, repr=False)

    def turn(self, state: State, why: str, now: datetime) -> None:
        """Note in which state it is now, and since when."""
        if state != self.state:
            self.since = now
        self.state, self.why = state, why


class Watch:
    """An observer that remembers, and hands on what it is told."""

    def __init__(self, observer: Observer, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock
        self._seen: dict[str, Seen] = {}

    def add(self, name: str, way: Way, capabilities: Capabilities, *, paid: Paid | None = None) -> None:
        """Watch a source: blind until it shows a sign of life."""
        self._seen[name] = Seen(way, capabilities, self._clock.now(), paid)

    def serves(self, name: str) -> None:
        """Note that a source waits to be told."""
        if name in self._seen:
            self._seen[name].turn("unsure", "", self._clock.now())

    def ended(self, name: str, why: str) -> None:
        """Note that a source is done with."""
        if name in self._seen:
            self._seen[name].turn("off", why, self._clock.now())

    def counted(self, source: str, outcome: Outcome, values: int, *, reason: str = "") -> None:
        """Take note of values read: signs of life."""
        self._observer.counted(source, outcome, values, reason=reason)
        seen = self._seen.get(source)
        if seen is None:
            return
        seen.read += values
        if outcome == "refused":  # a stranger at the door, or a page that says it is being repaired: no sign of life
            seen.refused += values
            return
        now = seen.last_sign_at = self._clock.now()
        if outcome in ("kept", "gated"):
            seen.last_post_at = now
        seen.turn("listening", "", now)

    def lagged(self, source: str, seconds: float) -> None:
        """Take note of how old the last post was when it was heard."""
        self._observer.lagged(source, seconds)
        if source in self._seen:
            self._seen[source].lag_secs = max(seconds, 0.0)

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        """Take note that a source, or one part of it, cannot be read and will be tried again."""
        self._observer.unavailable(source, error, retry_secs=retry_secs)
        seen = self._seen.get(source)
        if seen is not None:
            seen.failures += 1
            seen.turn("blind", str(error)[:500], self._clock.now())
        elif (whole := self._seen.get(source.partition("/")[0])) is not None:
            whole.failures += 1

    def stopped(self) -> None:
        """Note that nobody listens from now on: the process ends."""
        for seen in self._seen.values():
            if seen.state != "off":
                seen.turn("blind", "the process that reads it was stopped", self._clock.now())

    def broken(self, name: str, why: str) -> None:
        """Note that a source cannot be read any more, and nobody will try again before the process is started anew."""
        if name in self._seen:
            self._seen[name].turn("blind", why[:500], self._clock.now())

    def gap(self, source: str, seconds: float) -> None:
        """Take note of a span of a source that nobody will ever have seen."""
        self._observer.gap(source, seconds)
        seen = self._seen.get(source.partition("/")[0])  # "press/a feed" is a part of "press"
        if seen is not None:
            seen.gap_secs += seconds

    def unsaved(self, source: str, error: NotSaved) -> None:
        """Take note that from now on a source's cursor cannot be saved."""
        self._observer.unsaved(source, error)

    def statuses(self) -> Mapping[str, SourceStatus]:
        """Return how each source stands now."""
        now = self._clock.now()
        return {name: self._status(name, seen, now) for name, seen in self._seen.items()}

    def news(self) -> list[SourceStatus]:
        """Return the statuses to be told: those of another state than was told, and each once a minute."""
        found = []
        for name, status in self.statuses().items():
            seen = self._seen[name]
            if seen.told is None or seen.told.state != status.state or status.at - seen.told.at >= STATUS_EVERY:
                seen.told = status
                found.append(status)
        return found

    def _status(self, name: str, seen: Seen, now: datetime) -> SourceStatus:
        quiet_since = seen.last_sign_at or seen.since
        if seen.state == "listening" and now - quiet_since > seen.capabilities.quiet:
            minutes = seen.capabilities.quiet / timedelta(minutes=1)
            if seen.capabilities.is_told:
                seen.turn("unsure", "", quiet_since + seen.capabilities.quiet)
            else:
                seen.turn("blind", f"no sign of life for more than {minutes:g} minutes", quiet_since)
        return SourceStatus(
            source=name,
            way=seen.way,
            state=seen.state,
            at=now,
            since=seen.since,
            why=seen.why,
            last_sign_at=seen.last_sign_at,
            last_post_at=seen.last_post_at,
            lag_secs=seen.lag_secs,
            gap_secs=seen.gap_secs,
            failures=seen.failures,
            read=seen.read,
            refused=seen.refused,
            spent_usd=seen.paid.spent_usd if seen.paid else None,
            ceiling_usd=seen.paid.ceiling_usd if seen.paid else None,
        )
