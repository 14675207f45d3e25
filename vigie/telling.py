"""Telling: the outbox with its receivers, routes and silences, the digests, what Alertmanagers know; put together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import get_args

import structlog
from rich.console import Console

from connectors.sinks.contract import TryLater
from connectors.sinks.needless import NEVER_TOLD, WORDS
from connectors.sinks.outbox import Outbox, no_silences
from connectors.sinks.routing import Cause, Router
from connectors.sinks.upkeep import UpkeptOutbox
from records import Clock, SettingsError, Silence, VigieError
from streams.decided import Decided
from streams.metrics import start_at_zero
from streams.telling import Telling
from vigie import metrics
from vigie.digesting import Digesting, ReadClaims, Shifts, digest_of, shifts_from
from vigie.mirroring import Mirror
from vigie.receiver_assembly import sink_from
from vigie.routing_settings import router_from
from vigie.settings import Settings
from vigie.solidarity import claims_of, nothing_listed

log = structlog.get_logger()


def telling(settings: Settings, clock: Clock) -> Telling:
    """Return all that tells people and programs.

    Errors  SettingsError when a receiver, a route or the plan of digests cannot be used
    """
    decided = Decided(clock)
    box = outbox(settings, clock, silences=decided.silences)
    shifts, receivers = digest_plan(settings)
    return Telling(
        outbox=box,
        decided=decided,
        digests=Digesting(shifts, box, receivers, clock, read=partial(digest_of, read_claims=claims_reader(settings))),
        mirror=Mirror(box.sinks, decided, clock),
    )


def claims_reader(settings: Settings) -> ReadClaims:
    """Return what reads needs and offers, as far as the settings want them told."""
    return claims_of if settings.solidarity.listed else nothing_listed


def outbox(
    settings: Settings,
    clock: Clock,
    *,
    console: Console | None = None,
    silences: Callable[[], Sequence[Silence]] | None = None,
) -> Outbox:
    """Return the outbox with its receivers and routes.

    Errors  SettingsError when a receiver or a route cannot be used
    """
    sinks = [sink_from(receiver, settings, clock, console) for receiver in settings.receivers]
    return UpkeptOutbox(
        settings.data.dir / "outbox.sqlite",
        sinks,
        clock=clock,
        observer=SinkMetrics([one.name for one in settings.receivers], [one.name for one in settings.routes]),
        router=router(settings),
        silences=silences or no_silences,
    )


def digest_plan(settings: Settings) -> tuple[Shifts, Sequence[str]]:
    """Return when digests are made, and who is told.

    Errors  SettingsError when a receiver or the zone is none
    """
    names = [receiver.name for receiver in settings.receivers]
    for name in settings.digest.receivers:
        if name not in names:
            known = ", ".join(names) or "none"
            raise SettingsError(f"digest.receivers: there is no receiver {name!r}; there are {known}")
    return shifts_from(settings.digest.times, settings.digest.zone), settings.digest.receivers or names


def router(settings: Settings) -> Router:
    """Return who is told what.

    Errors  SettingsError when that cannot be used as set
    """
    return router_from(
        settings.routes,
        settings.intervals,
        settings.inhibitions,
        settings.windows,
        receivers=[receiver.name for receiver in settings.receivers],
    )


class SinkMetrics:
    """What becomes of notifications, as metrics and log lines."""

    def __init__(self, receivers: Sequence[str] = (), routes: Sequence[str] = ()) -> None:
        """Take whom there is to tell, and by which routes, so that each is counted from the start."""
        start_at_zero(metrics.NOTIFICATIONS, receivers, ("sent", "put_off", "failed"))
        start_at_zero(metrics.HELD, receivers, (*get_args(Cause), WORDS, NEVER_TOLD.partition(":")[0]))
        start_at_zero(metrics.ALERT_TO_NOTIFICATION, receivers)
        start_at_zero(metrics.ESCALATED, routes)
        start_at_zero(metrics.UNTOLD, ("watch", "alert", "confirmed"))

    def sent(self, receiver: str, *, after_secs: Sequence[float]) -> None:
        """Count a notification, and how long it took."""
        metrics.NOTIFICATIONS.labels(receiver, "sent").inc()
        for seconds in after_secs:
            metrics.ALERT_TO_NOTIFICATION.labels(receiver).observe(seconds)

    def stands(self, receiver: str, rows: Mapping[str, int], *, waiting: int, oldest_secs: float) -> None:
        """Show how much waits for a receiver, and for how long."""
        for state, number in rows.items():
            metrics.OUTBOX_ROWS.labels(receiver, state).set(number)
        metrics.OUTBOX_WAITING.labels(receiver).set(waiting)
        metrics.OUTBOX_OLDEST.labels(receiver).set(oldest_secs)

    def put_off(self, receiver: str, error: TryLater, *, retry_secs: float) -> None:
        """Count and log a notification that must be tried again."""
        metrics.NOTIFICATIONS.labels(receiver, "put_off").inc()
        log.warning("receiver not told yet", receiver=receiver, error=str(error), retry_secs=round(retry_secs, 1))

    def failed(self, receiver: str, error: VigieError) -> None:
        """Count and log a notification that will not be sent."""
        metrics.NOTIFICATIONS.labels(receiver, "failed").inc()
        log.error("receiver will not be told: tell them by hand", receiver=receiver, error=str(error))

    def held(self, receiver: str, cause: str) -> None:
        """Count a notification that is kept back."""
        metrics.HELD.labels(receiver, cause).inc()

    def escalated(self, route: str, incident_id: str) -> None:
        """Count and log an incident that nobody has acknowledged."""
        metrics.ESCALATED.labels(route).inc()
        log.warning("nobody has acknowledged: others are called", route=route, incident=incident_id)

    def untold(self, incident_id: str, level: str) -> None:
        """Count and log an alert that took no route."""
        metrics.UNTOLD.labels(level).inc()
        log.warning("alert took no route: nobody is told", incident=incident_id, level=level)
