"""Webhook: alerts for other programs, signed, one POST an alert revision.

Shape   `{"type","timestamp","data"}` with the line of `line_from` as data; the webhook-id is made of the incident and
        the revision, so a receiver can drop what it gets twice, and should drop lower revisions
Errors  TryLater on timeouts, 408, 425, 429 and 5xx; Undeliverable on any other answer that is not 2xx: redirects too
Source  https://www.standardwebhooks.com, specification 1.0
"""

import hashlib
from datetime import datetime
from typing import get_args
from urllib.parse import urlsplit

import httpx
import msgspec

from connectors.signing import signing_key
from connectors.sinks.contract import TryLater, Undeliverable, line_from
from connectors.sinks.digest_wording import text_from
from connectors.sinks.wording import Language
from records import Alert, Clock, SettingsError
from records.digest import Digest

LATER = frozenset({408, 425, 429})
CLOSED = frozenset({"resolved", "rejected"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
FIRST_SERVER_ERROR = 500
CONNECT_SECS, ANSWER_SECS = 10.0, 60.0
"""Whoever takes half a minute to answer has heard us, and would else be told the same again and again."""


class WebhookSink:
    """Posts alerts to the one address in the settings, and to no other."""

    def __init__(
        self,
        url: str,
        *,
        secret: str,
        clock: Clock,
        name: str = "webhook",
        timeout_secs: float = ANSWER_SECS,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        why = why_refused(url)
        if why:
            raise SettingsError(f"{name}: {why}")
        self._key = signing_key(secret, name=name)
        self.name = name
        self._url = url
        self._clock = clock
        patience = httpx.Timeout(timeout_secs, connect=min(timeout_secs, CONNECT_SECS))
        self._client = client or httpx.AsyncClient(timeout=patience, follow_redirects=False)

    async def send(self, alert: Alert) -> None:
        """Post an alert; return when the receiver has said yes."""
        now = self._clock.now()
        await self._post(body_from(alert, now), webhook_id_of(alert), now)

    async def send_digest(self, digest: Digest) -> None:
        """Post a digest, as data and in words of both languages."""
        now = self._clock.now()
        words = {language: text_from(digest, language) for language in get_args(Language)}
        told = {"type": "digest", "timestamp": now, "data": digest, "text": words}
        request_id = f"msg_{hashlib.sha256(digest.key.encode()).hexdigest()[:32]}"
        await self._post(msgspec.json.encode(told), request_id, now)

    async def _post(self, body: bytes, request_id: str, now: datetime) -> None:
        headers = {
            "content-type": "application/json",
            "webhook-id": request_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._key.sign(request_id, now, body.decode()),
        }
        try:
            async with self._client.stream(
                "POST", self._url, content=body, headers=headers, follow_redirects=False
            ) as response:
                self._judge(response)
        except httpx.TransportError as error:
            raise TryLater(f"{self.name}: {type(error).__name__}") from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    def _judge(self, response: httpx.Response) -> None:
        """Return when the answer is yes; its body is of no interest."""
        status = response.status_code
        if response.is_success:
            return
        if status in LATER or status >= FIRST_SERVER_ERROR:
            asked = response.headers.get("retry-after", "")
            raise TryLater(
                f"{self.name}: answered {status}", retry_after_secs=float(asked) if asked.isdecimal() else None
            )
        raise Undeliverable(f"{self.name}: answered {status}")


def body_from(alert: Alert, now: datetime) -> bytes:
    """Return what is posted: which step of the incident's life this is, and the alert."""
    kind = "incident.updated"
    if alert.level in CLOSED:
        kind = "incident.closed"
    elif alert.revision == 1:
        kind = "incident.opened"
    return msgspec.json.encode({"type": kind, "timestamp": now, "data": line_from(alert)})


def webhook_id_of(alert: Alert) -> str:
    """Return the same id for the same revision of the same incident, always."""
    named = f"{alert.incident_id}\n{alert.revision}".encode()
    return f"msg_{hashlib.sha256(named).hexdigest()[:32]}"


def why_refused(url: str) -> str | None:
    """Return what is wrong with a receiver's address, or None."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{parts.scheme or 'nothing'}:// is not an address to post to; https://… is"
    if parts.username or parts.password:
        return "an address must not hold a password; it would end up in logs"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return f"http://{parts.hostname} can be read on the way; use https"
    return None
