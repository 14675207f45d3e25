"""Taking in: what alerts become in the outbox: rows for whoever is to be told, and what is to be remembered of them."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from connectors.sinks.contract import Retracts, Sink, SinkObserver
from connectors.sinks.needless import WORDS, removed_in, says_only_less, unsaid
from connectors.sinks.outbox_store import Escalation, Intake, Known, NewRow, Store, Told, Unsaid
from connectors.sinks.routing import URGENT_LEVELS, Route, Router
from records import Alert, decode, encode
from records.labels import labels_of

CLOSED = frozenset({"resolved", "rejected"})
FALLEN = CLOSED | {"monitoring"}
LOOKED_AFTER = CLOSED | {"confirmed"}
NOTHING_TOLD = Told("", has_risen=False)
WAITS_FOR_GROUP = "group: waits for others"


class TakingIn:
    """Makes rows of alerts, by routes and by what each receiver was told before."""

    def __init__(self, store: Store, router: Router, sinks: Mapping[str, Sink], observer: SinkObserver) -> None:
        self._store = store
        self._router = router
        self._sinks = sinks
        self._observer = observer

    def take(self, alerts: Sequence[Alert], now: float) -> int:
        """Take alerts in; known ones are passed over. Return how many rows were new."""
        intake = Intake()
        told: dict[str, dict[str, Told]] = {}
        last: dict[str, Alert] = {}  # of each incident
        for alert in alerts:
            intake.seen.append((alert.incident_id, alert.revision))
            if alert.level == "signal":  # it is for the map alone; but that there was no more is worth knowing
                continue
            if alert.incident_id not in told:
                told[alert.incident_id] = self._store.told_of(alert.incident_id)
            before = last.get(alert.incident_id) or self._last_of(alert.incident_id)
            self._take_back(alert, intake)
            self._take_one(alert, before, told[alert.incident_id], intake, now)
            last[alert.incident_id] = alert
        added = self._store.take(intake, now) if intake.seen else 0
        for alert in alerts:
            if alert.level in LOOKED_AFTER:
                self._store.end_escalation(alert.incident_id, "acknowledged")
        return added

    def _take_one(
        self, alert: Alert, before: Alert | None, earlier: dict[str, Told], intake: Intake, now: float
    ) -> None:
        """Make rows of an alert, for all that are to be told; `earlier` says what they were told before."""
        labels, value = labels_of(alert), encode(alert)
        routes = self._router.routes_of(labels)
        bare = encode(replace(alert, evidence=()))  # for whoever is called later: no post's words are kept for it
        known = Known(
            alert.incident_id, alert.revision, msgspec.json.encode(labels), bare, alert.level not in CLOSED, now
        )
        intake.known.append(known)
        without_words = self._only_losing(alert, before, earlier)
        intake.rows += [
            NewRow(alert.incident_id, alert.revision, name, route, "", WORDS, False, value, now)  # noqa: FBT003
            for name, route in without_words.items()
        ]
        receivers = self._receivers_of(alert, routes, earlier)
        for name, route in receivers.items():
            if name not in without_words:
                rises = alert.level in URGENT_LEVELS and not earlier.get(name, NOTHING_TOLD).has_risen
                intake.rows.append(self.row(alert, value, route=route, receiver=name, is_urgent=rises, now=now))
                earlier[name] = Told(route.name, alert.level in URGENT_LEVELS, is_waiting=True)
        intake.escalations += _escalations(alert, routes, now)
        if not receivers and not without_words and alert.level not in CLOSED:  # whoever knows of it is told its end
            self._observer.untold(alert.incident_id, alert.level)

    def _only_losing(self, alert: Alert, before: Alert | None, earlier: Mapping[str, Told]) -> dict[str, str]:
        """Return for whom a revision only takes words back, by whatever route it went: they know all else it says."""
        if not says_only_less(alert, before):
            return {}
        return {name: told.route for name, told in earlier.items() if self._has_all_else(name, told)}

    def _has_all_else(self, name: str, told: Told) -> bool:
        sink = self._sinks.get(name)
        if sink is None or told.has_missed:
            return False
        return isinstance(sink, Retracts) or not told.is_waiting  # else it stands for what waits

    def _last_of(self, incident_id: str) -> Alert | None:
        known = self._store.incident(incident_id)
        return None if known is None else decode(known.alert, Alert)

    def _take_back(self, alert: Alert, intake: Intake) -> None:
        """Take the words that a revision has no more from what waits of those before it."""
        if not removed_in(alert):
            return
        waiting = self._store.waiting_of(alert.incident_id)
        intake.unsaid += [Unsaid(unsaid(one.alert, alert), one.id) for one in waiting if one.revision < alert.revision]
        intake.rows = [
            row._replace(alert=unsaid(row.alert, alert))
            if row.incident_id == alert.incident_id and row.revision < alert.revision
            else row
            for row in intake.rows
        ]

    def _receivers_of(self, alert: Alert, routes: Sequence[Route], earlier: Mapping[str, Told]) -> dict[str, Route]:
        """Return who is to be told of an alert, each by the first route that names him.

        Where a route by level fits no more, whoever was told is told of the end all the same.
        """
        found: dict[str, Route] = {}
        for route in routes:
            for name in route.receivers:
                if name in self._sinks:
                    found.setdefault(name, route)
        if alert.level in FALLEN:
            for name, before in earlier.items():
                if name in self._sinks:
                    found.setdefault(name, self._router.route(before.route) or Route(name="", receivers=(name,)))
        return found

    def row(self, alert: Alert, value: bytes, *, route: Route, receiver: str, is_urgent: bool, now: float) -> NewRow:
        """Return what a receiver is to be told of an alert; with a group it may have to wait for others."""
        team = route.group_of(labels_of(alert))
        next_try_at, held = now, ""
        if team and not is_urgent:
            told_at = self._store.team_told_at(receiver, team)
            next_try_at = max(now + route.group_wait.total_seconds(), told_at + route.group_interval.total_seconds())
            held = WAITS_FOR_GROUP if next_try_at > now else ""
        return NewRow(
            alert.incident_id,
            alert.revision,
            receiver,
            route.name,
            team,
            alert.level,
            is_urgent,
            value,
            next_try_at,
            held,
        )


def _escalations(alert: Alert, routes: Sequence[Route], now: float) -> list[Escalation]:
    """Return when somebody else is to be called, unless somebody acknowledges before."""
    if alert.level != "alert":
        return []
    return [
        Escalation(alert.incident_id, route.name, now + route.escalate_after.total_seconds(), now)
        for route in routes
        if route.escalate_after is not None
    ]
