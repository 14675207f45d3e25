"""CAP: alerts as documents of the Common Alerting Protocol 1.2 in a folder, one a revision, with a feed of the newest.

An incident is one thread: an Alert, Updates that refer to all that came before, and an Update with AllClear once it is
resolved or a Cancel once it is rejected. They are drafts or exercises, for a named circle of people; the code refuses
`Actual` and `Public`. Links to posts stand in a thread's newest document only, and no words of posts in any.

Shape   files named by incident and revision, whole or not there; a repeat writes nothing new; feed.atom lists the
        newest document of each incident, 200 at most. What is there is read at the start: the folder is the memory
Units   times by the clock of Paris; circles in degrees WGS84, latitude first, and km
Errors  Undeliverable with all that `problems_in` says; TryLater when the disk will not have it
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from connectors.cap import (
    ALERT_TYPE,
    MAX_AREAS,
    Area,
    CapAlert,
    Category,
    Info,
    MessageType,
    Reference,
    ResponseType,
    Scope,
    alert_from,
    bytes_from,
    key_of,
    moment_text,
)
from connectors.cap_rules import UNFIT, problems_in
from connectors.sinks.atom import Entry, feed_from, in_xml, urn_of
from connectors.sinks.contract import Undeliverable, post_id_of
from connectors.sinks.folder import FolderSink, remove, write_whole
from connectors.sinks.wording import SETTLED, WORDS, ZONE, Language, explained, link_to, not_known, shown, subject
from records import Alert, Certainty, Clock, MalformedRecord, SettingsError
from records.signal import Hazard

FEED: Final = "feed.atom"
MAX_ENTRIES: Final = 200
VALID_FOR: Final = timedelta(hours=24)
"""What nobody says anything new of for so long holds no more."""

SILENT_FOR: Final = timedelta(days=30)
"""After so long without a word an incident leaves even when nobody said that it is over."""

CLOSED: Final = ("resolved", "rejected")
TAGS: Final[Mapping[Language, str]] = {"fr": "fr-FR", "en": "en"}
CATEGORIES: Final[Mapping[Hazard, Category]] = {
    "fire": "Fire",
    "flood": "Met",  # "meteorological, including flood"
    "industrial": "Safety",
    "other": "Safety",
}
DRAFT: Final[Mapping[Language, str]] = {"fr": "Projet", "en": "Draft"}
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, kw_only=True)
class Office:
    """In whose name documents are drafted, and for whom."""

    sender: str
    status: Literal["Draft", "Exercise"] = "Draft"
    restriction: str = "Cellule de crise ; ne pas diffuser au public"
    addresses: tuple[str, ...] = ()  # where given, the documents are for them alone
    page_url: str = ""  # where the console is; without it links lead to the document itself

    def __post_init__(self) -> None:
        if self.status not in ("Draft", "Exercise"):
            raise SettingsError(f"cap: status {self.status!r} is not for Vigie to say; write Draft or Exercise")
        if not self.sender or UNFIT.search(self.sender):
            raise SettingsError(f"cap: sender {self.sender!r}; give a name without blanks, commas, < and &")
        if not self.addresses and not self.restriction:
            raise SettingsError("cap: neither restriction nor addresses; say for whom the documents are")


@dataclass(frozen=True)
class Written:
    """One document of a thread, as far as it is remembered."""

    path: Path
    incident: str  # its id, as it stands in names of files
    revision: int
    level: str
    message: str
    sent_at: datetime
    reference: Reference
    title: str

    @property
    def is_closed(self) -> bool:
        """Whether the incident was over with it."""
        return self.level in CLOSED


class CapFolder(FolderSink):
    """Writes alerts into a folder; one process at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        office: Office,
        base_url: str,
        clock: Clock,
        name: str = "cap",
        keep: timedelta = timedelta(days=30),
    ) -> None:
        super().__init__(folder, clock=clock, name=name, tidied_at=datetime.min.replace(tzinfo=UTC))
        self._office = office
        self._base_url = base_url.rstrip("/")
        self._keep = keep
        self._threads = threads_from(sorted(folder.glob("*.xml")), office.sender)

    def _send(self, alert: Alert) -> None:
        incident = file_stem(alert.incident_id)
        thread = self._threads.get(incident, [])
        is_news = not thread or alert.revision > thread[-1].revision
        if not is_news:  # killed after the document and before the rest
            self._strip(thread[:-1])
            self._write_feed()
            return
        earlier = since_cancelled(thread)
        if alert.level in CLOSED and not earlier:
            return  # nobody was told, so there is nothing to take back
        written = self._write(alert, earlier)
        self._threads[incident] = [*thread, written]
        self._strip(thread)
        self._write_feed()

    def _write(self, alert: Alert, earlier: Sequence[Written]) -> Written:
        sent_at = max(self._clock.now(), *(one.sent_at for one in earlier[-1:]), alert.onset).replace(microsecond=0)
        path = self._folder / f"{file_stem(alert.incident_id)}.{alert.revision:04d}.xml"
        web = link_to(alert.incident_id, self._office.page_url) or f"{self._base_url}/{path.name}"
        references = [one.reference for one in earlier][-MAX_AREAS:]
        message = message_from(alert, self._office, references, sent_at=sent_at, web=web)
        document = document_from(message, self.name)
        write_whole(path, document)
        return written_from(path, message)

    def _strip(self, thread: Sequence[Written]) -> None:
        """Take the links to posts out of documents that are not the newest any more."""
        for one in thread:
            try:
                message = alert_from(one.path.read_bytes())
            except FileNotFoundError:
                continue
            without = without_evidence(message)
            if without != message:
                write_whole(one.path, bytes_from(without, ZONE))

    def _tidy(self) -> None:
        now = self._clock.now()
        over = {name: thread for name, thread in self._threads.items() if self._is_over(thread[-1], now)}
        if over:
            remove([one.path for thread in over.values() for one in thread])
            for name in over:
                del self._threads[name]
            self._write_feed()

    def _is_over(self, newest: Written, now: datetime) -> bool:
        return now - newest.sent_at > (self._keep if newest.is_closed else max(self._keep, SILENT_FOR))

    def _write_feed(self) -> None:
        newest = sorted((thread[-1] for thread in self._threads.values()), key=lambda one: one.sent_at, reverse=True)
        entries = [
            Entry(
                id=urn_of(*one.reference[:2]),
                title=one.title,
                updated_at=one.sent_at,
                content=one.title,
                link=f"{self._base_url}/{one.path.name}",
                link_type=ALERT_TYPE,
            )
            for one in newest[:MAX_ENTRIES]
        ]
        feed = feed_from(
            entries,
            id=urn_of(self._office.sender, FEED),
            title="Vigie : projets d’alerte (CAP 1.2), pour personnes habilitées",
            link=f"{self._base_url}/{FEED}",
            updated_at=newest[0].sent_at if newest else self._clock.now(),
        )
        write_whole(self._folder / FEED, feed)


def message_from(
    alert: Alert, office: Office, earlier: Sequence[Reference], *, sent_at: datetime, web: str
) -> CapAlert:
    """Return a revision as a message that follows the earlier ones of its thread."""
    message: MessageType = "Alert" if not earlier else "Cancel" if alert.level == "rejected" else "Update"
    scope: Scope = "Private" if office.addresses else "Restricted"
    return CapAlert(
        identifier=f"{file_stem(alert.incident_id)}.{alert.revision}",
        sender=office.sender,
        sent_at=sent_at,
        status=office.status,
        message=message,
        scope=scope,
        restriction="" if office.addresses else in_xml(office.restriction),
        addresses=" ".join(f'"{one}"' if " " in one else one for one in office.addresses),
        references=tuple(earlier),
        incidents=file_stem(alert.incident_id),
        infos=tuple(info_from(alert, office, language, sent_at=sent_at, web=web) for language in TAGS),
    )


def info_from(alert: Alert, office: Office, language: Language, *, sent_at: datetime, web: str) -> Info:
    """Return what a revision says in one language."""
    words = WORDS[language]
    mark = words["exercise"] if office.status == "Exercise" else DRAFT[language]
    begins_at = min(alert.onset, sent_at).replace(microsecond=0)
    response: ResponseType = "AllClear" if alert.level in CLOSED else "Assess"
    parameters = [("incident", alert.incident_id), ("revision", str(alert.revision)), ("level", alert.level)]
    parameters += [("precision", alert.place.level), ("provenance", alert.place.source)]
    parameters += [("unknown", code) for code in alert.unknowns]
    parameters += [("evidence", link) for link in links_to(alert)]
    return Info(
        language=TAGS[language],
        event=words[alert.hazard],
        categories=(CATEGORIES[alert.hazard],),
        responses=(response,),
        urgency=alert.urgency,
        severity=alert.severity,
        certainty=certainty_of(alert),
        codes=(("hazard", alert.hazard),),
        effective_at=begins_at,
        onset_at=begins_at,
        ends_at=sent_at + VALID_FOR,
        headline=in_xml(f"{mark} · {subject(alert, words)}"),
        description=in_xml(description_of(alert, language)),
        web=web,
        parameters=tuple((name, in_xml(value)) for name, value in parameters),
        areas=(area_from(alert, words["around"]),),
    )


def certainty_of(alert: Alert) -> Certainty:
    """Return how certain it is; posts alone are never an observation."""
    return "Likely" if alert.certainty == "Observed" and alert.level != "confirmed" else alert.certainty


def description_of(alert: Alert, language: Language) -> str:
    """Return why it is believed, and what is not known."""
    words = WORDS[language]
    to_verify = "" if alert.level in SETTLED else f"{words['to_verify'].capitalize()}."
    unknown = not_known(alert, words)
    sentences = (explained(alert, language), f"{unknown}." if unknown else "", to_verify)
    return " ".join(filter(None, sentences)) or subject(alert, words)


def area_from(alert: Alert, near: str) -> Area:
    """Return the zone: its circle, and the INSEE code of its commune or else of its département."""
    place = alert.place
    code = place.insee or (place.dep if place.country == "FR" else "")
    return Area(
        name=in_xml(f"{shown(place.name, limit=120)}, {near.format(km=f'{place.radius_km:.3g}')}"),
        geocodes=(("INSEE", code),) if code else (),
        circles=((place.lat, place.lon, place.radius_km),),
    )


def links_to(alert: Alert) -> list[str]:
    """Return the posts behind an open incident as links, or as their own ids; those taken back are not among them."""
    if alert.level in CLOSED:  # nothing is left to be verified
        return []
    return [item.url or post_id_of(item.post_key) for item in alert.evidence if not item.is_removed]


def document_from(message: CapAlert, name: str) -> bytes:
    """Return a message as a document that keeps all our rules.

    Errors  Undeliverable, with what is wrong
    """
    try:
        document = bytes_from(message, ZONE)
    except ValueError as error:
        raise Undeliverable(f"{name}: {message.identifier}: holds what XML cannot: {error}") from error
    problems = problems_in(document)
    if problems:
        raise Undeliverable(f"{name}: {message.identifier}: {' | '.join(problems)}")
    return document


def without_evidence(message: CapAlert) -> CapAlert:
    """Return a message without its links to posts."""
    infos = tuple(
        msgspec.structs.replace(info, parameters=tuple(pair for pair in info.parameters if pair[0] != "evidence"))
        for info in message.infos
    )
    return msgspec.structs.replace(message, infos=infos)


def threads_from(paths: Iterable[Path], sender: str) -> dict[str, list[Written]]:
    """Return what a folder holds of ours, by incident, in the order of the revisions."""
    threads: dict[str, list[Written]] = {}
    for path in paths:
        try:
            message = alert_from(path.read_bytes())
        except (MalformedRecord, OSError):  # somebody else's
            continue
        if message.sender == sender and message.infos and message.infos[0].parameter("revision").isdecimal():
            written = written_from(path, message)
            threads.setdefault(written.incident, []).append(written)
    return {name: sorted(thread, key=lambda one: one.revision) for name, thread in threads.items()}


def written_from(path: Path, message: CapAlert) -> Written:
    """Return what to remember of a document."""
    info = message.infos[0]
    return Written(
        path=path,
        incident=message.incidents,
        revision=int(info.parameter("revision")),
        level=info.parameter("level"),
        message=message.message,
        sent_at=message.sent_at,
        reference=Reference(message.sender, message.identifier, moment_text(message.sent_at, ZONE)),
        title=info.headline,
    )


def since_cancelled(thread: Sequence[Written]) -> list[Written]:
    """Return the part of a thread that still holds: what was cancelled cannot be updated."""
    cancelled = [number for number, one in enumerate(thread) if one.message == "Cancel"]
    return list(thread[cancelled[-1] + 1 :] if cancelled else thread)


def file_stem(incident_id: str) -> str:
    """Return an incident's id as it may stand in a file's name and in an identifier."""
    if _NOT_A_NAME.search(incident_id) or incident_id.startswith(".") or len(incident_id) > 100:  # noqa: PLR2004
        return f"incident-{key_of(incident_id)}"
    return incident_id
