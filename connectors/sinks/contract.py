"""What a sink is: something that tells somebody about an alert. And how an alert looks to other programs.

Errors are the protocol: nothing raised means that the receiver has it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from records import Alert, VigieError
from records.digest import Digest


class TryLater(VigieError):
    """The receiver cannot be told now; the outbox tries again."""

    def __init__(self, message: str, *, retry_after_secs: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_secs = retry_after_secs


class Undeliverable(VigieError):
    """The receiver will never take this alert; the outbox marks it failed and goes on."""


class Sink(Protocol):
    """Tells one receiver.

    Shape   one alert revision a call; revisions of an incident come in order; the same one may come again after a kill
    Errors  TryLater, Undeliverable
    """

    name: str  # the receiver's name in the settings

    async def send(self, alert: Alert) -> None:
        """Return when the receiver has the alert."""


@runtime_checkable
class Many(Protocol):
    """A sink that can tell of several incidents at once: one message for a group."""

    async def send_many(self, alerts: Sequence[Alert]) -> None:
        """Return when the receiver has them all."""


@runtime_checkable
class Digests(Protocol):
    """A sink that can tell of a digest."""

    async def send_digest(self, digest: Digest) -> None:
        """Return when the receiver has it; the same one may come again after a kill."""


@runtime_checkable
class Retracts(Protocol):
    """A sink for people. Where only words were taken back they are not told again: it loses them from what it owes."""

    async def retract(self, alert: Alert) -> None:
        """Return when the words that a revision has no more are in nothing that is still to be told."""


class SinkObserver(Protocol):
    """Is told what became of notifications: metrics and logs."""

    def sent(self, receiver: str, *, after_secs: Sequence[float]) -> None:
        """Take note that a receiver was told at once of one alert or several, and how long after each was taken in.

        Those that something kept back are left out: nobody was slow.
        """

    def stands(self, receiver: str, rows: Mapping[str, int], *, waiting: int, oldest_secs: float) -> None:
        """Take note how a receiver's rows stand: how many in each state, how many wait unheld, and for how long."""

    def put_off(self, receiver: str, error: TryLater, *, retry_secs: float) -> None:
        """Take note that a receiver could not be told and will be tried again."""

    def failed(self, receiver: str, error: VigieError) -> None:
        """Take note that a receiver will not be told: a person must act."""

    def held(self, receiver: str, cause: str) -> None:
        """Take note that a notification is kept back: by a silence, an interval, a window, an inhibition, a rate.

        Or is needless: only words were taken back, or it is the end of what the receiver was never told of.
        """

    def escalated(self, route: str, incident_id: str) -> None:
        """Take note that nobody acknowledged an incident in time, so that others are called."""

    def untold(self, incident_id: str, level: str) -> None:
        """Take note that an alert took no route: nobody is told."""


class UnobservedSinks:
    """An observer that looks away: for tests and one-off commands."""

    def sent(self, receiver: str, *, after_secs: Sequence[float]) -> None:
        """Look away."""

    def stands(self, receiver: str, rows: Mapping[str, int], *, waiting: int, oldest_secs: float) -> None:
        """Look away."""

    def put_off(self, receiver: str, error: TryLater, *, retry_secs: float) -> None:
        """Look away."""

    def failed(self, receiver: str, error: VigieError) -> None:
        """Look away."""

    def held(self, receiver: str, cause: str) -> None:
        """Look away."""

    def escalated(self, route: str, incident_id: str) -> None:
        """Look away."""

    def untold(self, incident_id: str, level: str) -> None:
        """Look away."""


LINE_ORDER = ("incident_id", "revision", "level", "hazard", "place", "onset", "raised_at", "evidence", "score")


def line_from(alert: Alert) -> dict[str, Any]:
    """Return an alert revision as other programs read it: `vigie replay --alerts`, files, webhooks.

    `evidence` holds the posts' own ids, strongest first; their texts stay with us.
    """
    fields: dict[str, Any] = {"area": "", **msgspec.to_builtins(alert)}
    fields["evidence"] = [post_id_of(item.post_key) for item in alert.evidence]
    ordered = {name: fields.pop(name) for name in LINE_ORDER}
    return ordered | dict(sorted(fields.items()))


def post_id_of(post_key: str) -> str:
    """Return a post's native id: what follows its source's name, which holds no colon."""
    return post_key.partition(":")[2] or post_key
