"""Deciding: what has another profile, another model or a silence in common, when somebody decides it on a terminal."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from records import ModelChange, ProfileChange, SettingsError, Silence
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import DECISIONS
from vigie.children import Child
from vigie.settings import Settings

JUST_AFTER = timedelta(milliseconds=1)

Change = TypeVar("Change", ProfileChange, ModelChange)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who wants a change, who approves of it, why, and when."""

    proposed_by: str
    approved_by: str = ""
    reason: str = ""
    at: datetime

    def fields(self) -> dict[str, Any]:
        """Return what a change says of it.

        Errors  SettingsError when nobody wants it
        """
        if not self.proposed_by.strip():
            raise SettingsError("--by: is empty; say who wants it")
        return {
            "change_id": secrets.token_hex(8),
            "proposed_by": self.proposed_by.strip(),
            "approved_by": self.approved_by.strip(),
            "decided_at": self.at,
            "reason": self.reason.strip(),
        }


def after(change: Change, before: Change | None) -> Change:
    """Return a change as it comes after another one: later, whatever the clocks say, for the newest holds."""
    if before is None:
        return change
    decided_at = max(change.decided_at, before.decided_at + JUST_AFTER)
    return replace(change, replaces=before.change_id, decided_at=decided_at)


def made(settings: StreamSettings, decision: ProfileChange | ModelChange | Silence) -> None:
    """Make a decision known to every worker.

    Errors  SourceUnavailable when the broker does not take it
    """

    async def send() -> None:
        publisher = KafkaPublisher(settings)
        try:
            await publisher.send(DECISIONS, [decision])
        finally:
            await publisher.stop()

    asyncio.run(send())


def told(which: str, change: ProfileChange | ModelChange) -> str:
    """Return what is in force, since when, by whom and why."""
    approved = f", approved by {change.approved_by}" if change.approved_by else ""
    because = f": {change.reason}" if change.reason else ""
    since = f"{change.decided_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{which}, since {since}, proposed by {change.proposed_by}{approved}{because}"


def worker_says(settings: Settings) -> dict[str, Any]:
    """Return what the worker of this machine says of itself; nothing where none answers."""
    return Child("worker", [], environ={}, health_port=settings.worker.health_port).health() or {}
