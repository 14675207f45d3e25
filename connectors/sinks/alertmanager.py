"""Alertmanager: incidents for those who are called by it already, and the silences that are set there.

An open incident is one alert that is said again every minute, with an end that moves along: when we fall silent it ends
by itself, and when Alertmanager starts anew it is told again. What was said stands in a file, so that a restart of ours
goes on with it. Labels tell alerts apart: when one of them changes, the alert with the old ones is resolved in the same
post. What moves with each revision is an annotation.

Shape   open: any level but resolved and rejected; labels are `LABELS` of those in `labels.py`, so that a silence means
        here what it means with us; times in UTC
Errors  TryLater on whatever may pass: also refused keys and wrong paths, since nothing may be lost while somebody mends
        them; Undeliverable only where Alertmanager says that it is no alert, or no silence (400, 413, 422)
Source  https://github.com/prometheus/alertmanager, api/v2/openapi.yaml; run against 0.25
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from connectors.bounded import ACCEPT_ENCODING, body_within
from connectors.sinks.contract import SinkObserver, TryLater, Undeliverable
from connectors.sinks.kept import Kept
from connectors.sinks.webhook import CLOSED, why_refused
from connectors.sinks.wording import WORDS, Language, explained, facts, link_to, not_known, shown, subject
from records import Alert, Clock, MalformedRecord, Matcher, SettingsError, Silence
from records.labels import labels_of

ALERT_NAME = "VigieIncident"
LABELS = ("incident_id", "hazard", "area", "insee", "level", "severity")
SAY_AGAIN_SECS = 60.0
TRY_AGAIN_SECS = 10.0
HOLDS_FOR = timedelta(minutes=5)
"""How long an alert stands without being said again: four that fail in a row end nothing."""
SKEW = timedelta(seconds=60)
"""How far its clock may be behind ours: an end that is still to come would not resolve anything."""
FORGET_AFTER = timedelta(days=7)
"""After so long without a revision an incident is not said any more: its end may not have been routed to us."""
SAID_TOGETHER = 100
MOST_BYTES = 8 << 20
REFUSALS = frozenset({400, 413, 422})
NOT_FOUND = frozenset({404, 500})  # 0.25 says 500 for a silence that it does not know
ANY_INCIDENT = Matcher(name="incident_id", value="", is_equal=False)
MARK = "vigie:"

State = Literal["pending", "active", "expired"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was last said of an open incident."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    link: str
    revision: int
    told_at: datetime  # by the outbox


class _Matcher(msgspec.Struct, rename="camel"):
    name: str
    value: str
    is_regex: bool
    is_equal: bool = True


class _Silence(msgspec.Struct, rename="camel"):
    id: str
    matchers: list[_Matcher]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    created_by: str = ""
    comment: str = ""


class Alertmanager:
    """Tells one Alertmanager, and reads and sets its silences."""

    def __init__(
        self,
        url: str,
        *,
        kept: Path,
        clock: Clock,
        name: str = "alertmanager",
        language: Language = "fr",
        page_url: str = "",
        auth: httpx.Auth | None = None,
        timeout_secs: float = 10.0,
    ) -> None:
        why = why_refused(url)
        if why:
            raise SettingsError(f"{name}: {why}")
        self.name = name
        self._url = f"{url.rstrip('/')}/api/v2"
        self._clock = clock
        self._language: Language = language
        self._page_url = page_url
        self._client = httpx.AsyncClient(
            auth=auth,
            timeout=timeout_secs,
            follow_redirects=False,
            headers={"accept-encoding": ACCEPT_ENCODING},
        )
        self._kept = Kept(kept)
        self._said = {key: msgspec.json.decode(value, type=Said) for key, value in self._kept.all().items()}
        self._turn = asyncio.Lock()  # what is said again must not come after what ends it
        self._next_at = clock.now()

    async def send(self, alert: Alert) -> None:
        """Say an alert; return when Alertmanager has it."""
        await self.send_many([alert])

    async def send_many(self, alerts: Sequence[Alert]) -> None:
        """Say several alerts at once."""
        async with self._turn:
            now = self._clock.now()
            posted: list[dict[str, Any]] = []
            news: dict[str, Said] = {}
            gone: list[str] = []
            for alert in alerts:
                earlier = self._said.get(alert.incident_id)
                if earlier is not None and earlier.revision > alert.revision:
                    continue
                said = None if alert.level in CLOSED else self._said_of(alert, now)
                if earlier is not None and (said is None or said.labels != earlier.labels):
                    posted.append(_resolved(earlier, now))
                if said is None:
                    gone.append(alert.incident_id)
                else:
                    posted.append(_firing(said, now))
                    news[alert.incident_id] = said
            await self._post(posted)
            await self._note(news, gone)

    async def keep_up(self, observer: SinkObserver) -> None:
        """Say what is open again when a minute is over, sooner where the last time failed."""
        now = self._clock.now()
        if now < self._next_at:
            return
        async with self._turn:
            old = [key for key, said in self._said.items() if said.told_at < now - FORGET_AFTER]
            await self._note({}, old)
            try:
                await self._post([_firing(said, now) for said in self._said.values()])
            except (TryLater, Undeliverable) as error:
                self._next_at = now + timedelta(seconds=TRY_AGAIN_SECS)
                observer.put_off(self.name, TryLater(str(error)), retry_secs=TRY_AGAIN_SECS)
            else:
                self._next_at = now + timedelta(seconds=SAY_AGAIN_SECS)

    async def silences(self) -> list[Silence]:
        """Return the silences that it knows: those to come, those that hold, and those of late that are over.

        Errors  TryLater
        """
        try:
            found = msgspec.json.decode(await self._ask("GET", "/silences"), type=list[_Silence])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise TryLater(f"{self.name}: its silences cannot be read: {error}") from error
        return [self._silence_from(one) for one in found]

    async def silence(self, silence: Silence) -> str:
        """Set a silence of ours there, change it, or end it where it ends by now; return the id there, "" for none.

        Errors  TryLater; Undeliverable where it goes by labels that Alertmanager is not told
        """
        unknown = sorted({matcher.name for matcher in silence.matchers} - set(LABELS))
        if unknown:
            raise Undeliverable(
                f"{self.name}: a silence by {', '.join(unknown)} is not possible there; go by {', '.join(LABELS)}"
            )
        known = [one for one in await self.silences() if silence.silence_id in (one.silence_id, our_id(one))]
        there = max(known, key=lambda one: one.ends_at, default=None)  # a changed one may have left its past behind
        is_there = there is not None and there.ends_at > self._clock.now()
        known_id = there.silence_id if there is not None and is_there else ""
        if silence.ends_at <= self._clock.now():
            if known_id:
                await self.end(known_id)
            return known_id
        if there is not None and is_there:  # with another begin it would be another silence there
            silence = msgspec.structs.replace(silence, starts_at=there.starts_at)
        body = msgspec.json.encode(_posted_silence(silence, known_id))
        answer = await self._ask("POST", "/silences", body)
        try:
            return str(msgspec.json.decode(answer, type=dict[str, str])["silenceID"])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as error:
            raise TryLater(f"{self.name}: it does not say which silence it has set") from error

    async def end(self, silence_id: str) -> None:
        """End a silence by Alertmanager's id; one that it does not know has ended.

        Errors  TryLater, Undeliverable
        """
        await self._ask("DELETE", f"/silence/{silence_id}", missing_is_fine=True)

    def open(self) -> Mapping[str, Said]:
        """Return what is said again every minute, by incident."""
        return dict(self._said)

    async def close(self) -> None:
        """Let go of the file and the connections; what is open ends there by itself, unless we come back."""
        self._kept.close()
        await self._client.aclose()

    def _said_of(self, alert: Alert, now: datetime) -> Said:
        labels = labels_of(alert)
        return Said(
            labels={"alertname": ALERT_NAME} | {name: labels[name] for name in LABELS if name in labels},
            annotations=annotations_of(alert, self._language),
            starts_at=min(alert.onset, now),
            link=link_to(alert.incident_id, self._page_url),
            revision=alert.revision,
            told_at=now,
        )

    async def _note(self, news: Mapping[str, Said], gone: Sequence[str]) -> None:
        if not news and not gone:
            return
        await asyncio.to_thread(self._kept.change, {key: msgspec.json.encode(said) for key, said in news.items()}, gone)
        for key in gone:
            self._said.pop(key, None)
        self._said.update(news)

    async def _post(self, alerts: Sequence[dict[str, Any]]) -> None:
        for first in range(0, len(alerts), SAID_TOGETHER):
            await self._ask("POST", "/alerts", msgspec.json.encode(alerts[first : first + SAID_TOGETHER]))

    async def _ask(
        self, method: str, path: str, content: bytes | None = None, *, missing_is_fine: bool = False
    ) -> bytes:
        headers = {"content-type": "application/json"} if content is not None else None
        try:
            async with self._client.stream(method, self._url + path, content=content, headers=headers) as response:
                body = await body_within(response, MOST_BYTES)
        except httpx.TransportError as error:
            raise TryLater(f"{self.name}: {type(error).__name__}") from error
        except MalformedRecord as error:
            raise TryLater(f"{self.name}: {error}") from error
        if not response.is_success and not (missing_is_fine and _is_missing(response.status_code, body)):
            raise self._refusal(response.status_code, body)
        return body

    def _refusal(self, status: int, body: bytes) -> TryLater | Undeliverable:
        words = shown(body.decode(errors="replace"), limit=200).strip('"')
        if status in REFUSALS:
            return Undeliverable(f"{self.name}: answered {status}: {words}")
        return TryLater(f"{self.name}: answered {status}")

    def _silence_from(self, found: _Silence) -> Silence:
        """Return a silence as we know them: that it is about our alerts goes without saying."""
        matchers = [
            Matcher(name=one.name, value=one.value, is_regex=one.is_regex, is_equal=one.is_equal)
            for one in found.matchers
        ]
        others = tuple(one for one in matchers if not (one.name == "alertname" and one.fits({"alertname": ALERT_NAME})))
        return Silence(
            silence_id=found.id,
            matchers=others or (ANY_INCIDENT,),
            author=found.created_by or "?",
            reason=found.comment or "?",
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            made_at=found.updated_at,
            origin=self.name,
        )


def annotations_of(alert: Alert, language: Language) -> dict[str, str]:
    """Return what people read of an alert, and what moves with its revisions."""
    words = WORDS[language]
    place = alert.place
    said = {
        "summary": subject(alert, words),
        "description": f"{facts(alert, words)}\n{explained(alert, language)}",
        "description_fr": explained(alert, "fr"),
        "description_en": explained(alert, "en"),
        "unknowns": not_known(alert, words),
        "place": shown(place.name),
        "position": f"{place.lat:.5f},{place.lon:.5f}",
        "radius_km": f"{place.radius_km:.3g}",
        "certainty": alert.certainty,
        "urgency": alert.urgency,
        "raised_at": alert.raised_at.astimezone(UTC).isoformat(timespec="seconds"),
        "revision": str(alert.revision),
        "score": f"{alert.score:.2f}",
        "probability": f"{min(alert.probability, 0.99):.2f}",
        "witnesses": str(alert.witnesses),
        "posts": str(alert.posts),
        "joins": alert.joins,
    }
    return {name: value for name, value in said.items() if value}


def state_of(silence: Silence, now: datetime) -> State:
    """Return how a silence stands, in Alertmanager's words."""
    if now >= silence.ends_at:
        return "expired"
    return "active" if now >= silence.starts_at else "pending"


def our_id(silence: Silence) -> str:
    """Return our own id of a silence that we have set in Alertmanager, "" for one that somebody else has."""
    *_, last = silence.reason.split() or [""]
    return last.removeprefix(MARK) if last.startswith(MARK) else ""


def _posted_silence(silence: Silence, known_id: str) -> dict[str, Any]:
    matchers = [
        {"name": one.name, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal}
        for one in silence.matchers
    ]
    ours = {"name": "alertname", "value": ALERT_NAME, "isRegex": False, "isEqual": True}
    mark = "" if silence.silence_id == known_id else f" {MARK}{silence.silence_id}"
    body = {
        "matchers": [ours, *matchers],  # it must not silence what others are told
        "startsAt": silence.starts_at,
        "endsAt": silence.ends_at,
        "createdBy": silence.author,
        "comment": f"{silence.reason}{mark}",
    }
    return body | {"id": known_id} if known_id else body


def _firing(said: Said, now: datetime) -> dict[str, Any]:
    return _posted(said, now + HOLDS_FOR)


def _resolved(said: Said, now: datetime) -> dict[str, Any]:
    return _posted(said, max(said.starts_at, now - SKEW))


def _posted(said: Said, ends_at: datetime) -> dict[str, Any]:
    body = {
        "labels": said.labels,
        "annotations": said.annotations,
        "startsAt": said.starts_at,
        "endsAt": ends_at,
    }
    return body | {"generatorURL": said.link} if said.link else body


def _is_missing(status: int, body: bytes) -> bool:
    return status in NOT_FOUND and (b"not found" in body or b"already expired" in body)
