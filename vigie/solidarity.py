"""Solidarity: what is needed and offered around incidents, from what stands on the topics, for `vigie solidarity`."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec
import structlog

from connectors.sinks.solidarity_wording import LABELS, about, line_of
from connectors.sinks.wording import Language, shown
from console.digests.digest import ON
from console.digests.solidarity_list import Listing, Row, listed, told
from records import Alert, Claim, Claimed, MalformedRecord, decode
from streams.reader import newest
from streams.settings import StreamSettings
from streams.topics import ALERTS, CLAIMS, Topic

log = structlog.get_logger()
T = TypeVar("T")


async def claims_of(settings: StreamSettings) -> list[Claim]:
    """Return what posts claim that still stand; what was deleted or edited away is not among it.

    Errors  SourceUnavailable when the broker does not answer
    """
    return [claim for claimed in await _newest(settings, CLAIMS, Claimed) for claim in claimed.claims]


async def nothing_listed(_: StreamSettings) -> list[Claim]:
    """Return no claims: the settings say that none is told."""
    return []


async def listings_of(settings: StreamSettings, since: datetime, until: datetime) -> list[Listing]:
    """Return the lists of incidents, of what was said since a moment.

    Errors  SourceUnavailable when the broker does not answer
    """
    alerts = await _newest(settings, ALERTS, Alert)
    claims = [claim for claim in await claims_of(settings) if claim.event_time >= since]
    return listed(sorted(alerts, key=_rank), claims, until)


def _rank(alert: Alert) -> tuple[bool, float]:
    return alert.level not in ON, -alert.onset.timestamp()


async def _newest(settings: StreamSettings, topic: Topic, record: type[T]) -> list[T]:
    """Return the newest record of each key."""
    return [one for value in (await newest(settings, topic)).values() for one in _read(value, topic, record)]


def _read(value: bytes, topic: Topic, record: type[T]) -> list[T]:
    try:
        return [decode(value, record)]
    except MalformedRecord as error:
        log.warning("left out of the list", topic=topic.name, error=str(error))
        return []


def text_of(listings: Iterable[Listing], language: Language) -> list[str]:
    """Return lists in words, each line with the post that says so, for who works with them on this machine."""
    labels = LABELS[language]
    lines = []
    for listing in listings:
        short = told(listing)
        lines += [f"{about(short, language)} · {listing.alert.incident_id}"]
        for kind, rows in _by_kind(listing):
            for row, one in zip(rows, getattr(short, f"{kind}s"), strict=True):
                lines += [f"- {line_of(kind, one, language)}", f"  « {shown(row.claim.text)} » {row.claim.url or ''}"]
        if listing.left_out:
            lines.append(f"- {labels['left_out'].format(place=about(short, language), number=listing.left_out)}")
        lines.append("")
    return [*lines, labels["note"]] if lines else [labels["none"]]


def json_of(listings: Iterable[Listing]) -> list[bytes]:
    """Return lists as JSON, an incident a line."""
    return [
        msgspec.json.encode(
            {"incident_id": listing.alert.incident_id, "left_out": listing.left_out}
            | {f"{kind}s": rows for kind, rows in _by_kind(listing)}
        )
        for listing in listings
    ]


def _by_kind(listing: Listing) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    return ("need", listing.needs), ("offer", listing.offers), ("call", listing.calls)
