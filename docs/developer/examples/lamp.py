"""Lamp: a relay on the network that lights a lamp while an alert is on.

Shape   GET {url}/on while an incident is an alert or confirmed, GET {url}/off when the last of them is over; the same
        revision again changes nothing. Which incidents are on stands in a file, for a restart must not darken the lamp
Errors  TryLater while the relay cannot be asked; Undeliverable when it does not know the address
"""

from http import HTTPStatus
from pathlib import Path

import httpx

from connectors.sinks.contract import TryLater, Undeliverable
from records import Alert

LIT = ("alert", "confirmed")
TIMEOUT_SECS = 10.0


class Lamp:
    """Lights the lamp, and puts it out."""

    def __init__(self, url: str, *, kept: Path, name: str = "lamp") -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._kept = kept
        self._on = set(kept.read_text(encoding="utf-8").split()) if kept.exists() else set()

    async def send(self, alert: Alert) -> None:
        """Switch the lamp as a revision says."""
        lit = self._on | {alert.incident_id} if alert.level in LIT else self._on - {alert.incident_id}
        await self._ask("on" if lit else "off")
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        self._kept.write_text("\n".join(sorted(lit)), encoding="utf-8")
        self._on = lit

    async def _ask(self, what: str) -> None:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECS) as client:
                answer = await client.get(f"{self._url}/{what}")
        except httpx.HTTPError as error:
            raise TryLater(f"{self.name}: cannot ask the relay: {type(error).__name__}") from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise Undeliverable(f"{self.name}: the relay knows no /{what}")
        if answer.is_error:
            raise TryLater(f"{self.name}: the relay answers {answer.status_code}")
