"""Words: what posts say, kept apart from the revisions that show them, so that they can go from all of them at once.

Shape   an Alert in, the Alert without its words out, and the other way round
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.database import parts
from console.archive.numbers import numbers
from console.archive.tables import evidence, report, tombstone, unshown, verification
from records import Alert, Evidence, words_of

WORDS_KEPT = timedelta(days=30)
"""How long words are kept after they were said."""
REMOVED = "removed"
"""Stands for the author of a post whose words are gone."""

Shown = tuple[str, str]  # incident, post
Row = tuple[str, str, str]  # incident, post, words


class Said(NamedTuple):
    """The words of one post."""

    text: str
    url: str | None
    author_id: str


class Grave(NamedTuple):
    """What was taken back of one post or author."""

    at: datetime
    unless: str


def post_id_of(post_key: str) -> str:
    """Return what stands for a post's key."""
    return blake2b(post_key.encode(), digest_size=16).hexdigest()


def post_grave(post_id: str) -> str:
    """Return under which name a post is entered that was taken back."""
    return f"post/{post_id}"


def author_grave(author_id: str) -> str:
    """Return under which name an author is entered who took everything back."""
    return f"author/{post_id_of(author_id)}"


def storable(text: str) -> str:
    """Return a text without the one character that PostgreSQL cannot hold."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def without_words(alert: Alert) -> Alert:
    """Return a revision as it is stored: which posts it shows and what they weighed, and nothing that they say."""
    return replace(alert, evidence=tuple(replace(one, text="", url=None, author_id="") for one in alert.evidence))


def with_words(
    alert: Alert, rows: Sequence[int], said: Mapping[int, Said], unshown_until: Mapping[Shown, int]
) -> Alert:
    """Return a revision with the words of its posts as far as they stand."""
    shown = []
    for one, row in zip(alert.evidence, rows, strict=True):
        found = said.get(row)
        last = unshown_until.get((alert.incident_id, post_id_of(one.post_key)), 0)
        if found is None or alert.revision <= last:
            shown.append(replace(one, author_id=REMOVED, is_removed=True))
        else:
            shown.append(replace(one, text=found.text, url=found.url, author_id=found.author_id))
    return replace(alert, evidence=tuple(shown))


async def keep_words(connection: AsyncConnection, alerts: Sequence[Alert], now: datetime) -> list[list[int]]:
    """Keep the words of revisions; return for each of them the rows of its posts, 0 where words may not be shown."""
    incidents = {alert.incident_id for alert in alerts}
    until = await _note_unshown(connection, alerts)
    graves = await _graves(connection, (one for alert in alerts for one in alert.evidence))
    known = await _known(connection, incidents)
    new: dict[Row, Evidence] = {}
    taken_back: set[str | None] = set()
    wanted: list[list[Row | None]] = []
    for alert in alerts:
        wanted.append([])
        for one in alert.evidence:
            post_id = post_id_of(one.post_key)
            row = alert.incident_id, post_id, words_of(one.text)
            if alert.revision <= until.get(row[:2], 0) or _is_taken_back(one, post_id, graves):
                wanted[-1].append(None)
                taken_back.add(one.url)
            elif one.event_time <= now - WORDS_KEPT:
                wanted[-1].append(None)
            else:
                wanted[-1].append(row)
                new.setdefault(row, one)
    await blank_quotes(connection, taken_back)
    new = {row: one for row, one in new.items() if row not in known}
    known |= zip(new, await numbers(connection, "evidence", len(new)), strict=True)
    if new:
        await connection.execute(insert(evidence), [_row_of(known[row], row, one) for row, one in new.items()])
    return [[known[row] if row else 0 for row in rows] for rows in wanted]


def _row_of(number: int, row: Row, one: Evidence) -> dict[str, object]:
    incident_id, post_id, words = row
    return {
        "evidence_id": number,
        "incident_id": incident_id,
        "post_id": post_id,
        "event_time": one.event_time,
        "author_id": storable(one.author_id),
        "words": words,
        "text": storable(one.text),
        "url": storable(one.url) if one.url is not None else None,
    }


def _is_taken_back(one: Evidence, post_id: str, graves: Mapping[str, Grave]) -> bool:
    """Tell whether somebody has taken the words of a post back."""
    if one.is_removed:
        return True
    of_author = graves.get(author_grave(one.author_id)) if one.author_id else None
    if of_author is not None and one.event_time <= of_author.at:
        return True
    of_post = graves.get(post_grave(post_id))
    return of_post is not None and (of_post.unless == "" or words_of(one.text) != of_post.unless)


async def blank_quotes(connection: AsyncConnection, urls: Iterable[str | None]) -> None:
    """Take the words from what people wrote down of posts whose words went, as their links tell."""
    for part in parts({storable(url) for url in urls if url}):
        of_reports = report.c.url.in_(part)
        await connection.execute(update(report).where(of_reports).values(text="", photo_note="", url=None))
        await connection.execute(update(verification).where(verification.c.url.in_(part)).values(url=None))


async def _graves(connection: AsyncConnection, shown: Iterable[Evidence]) -> dict[str, Grave]:
    names: set[str] = set()
    for one in shown:
        names.add(post_grave(post_id_of(one.post_key)))
        names.add(author_grave(one.author_id))
    return await graves_of(connection, names)


async def graves_of(connection: AsyncConnection, names: Iterable[str]) -> dict[str, Grave]:
    """Return what was taken back, by the name under which it is entered."""
    found: dict[str, Grave] = {}
    for part in parts(names):
        rows = await connection.execute(select(tombstone).where(tombstone.c.name.in_(part)))
        found |= {row.name: Grave(row.at, row.unless) for row in rows}
    return found


async def _known(connection: AsyncConnection, incidents: Iterable[str]) -> dict[Row, int]:
    found: dict[Row, int] = {}
    columns = evidence.c
    for part in parts(incidents):
        rows = await connection.execute(
            select(columns.evidence_id, columns.incident_id, columns.post_id, columns.words).where(
                columns.incident_id.in_(part)
            )
        )
        found |= {(row.incident_id, row.post_id, row.words): row.evidence_id for row in rows}
    return found


async def _note_unshown(connection: AsyncConnection, alerts: Iterable[Alert]) -> dict[Shown, int]:
    """Enter which posts revisions show without words; return for all posts of their incidents until when that is."""
    said: dict[Shown, int] = defaultdict(int)
    for alert in alerts:
        for one in alert.evidence:
            if one.is_removed:
                shown = alert.incident_id, post_id_of(one.post_key)
                said[shown] = max(said[shown], alert.revision)
    known = await unshown_until(connection, {alert.incident_id for alert in alerts})
    for (incident_id, post_id), revision in said.items():
        if (incident_id, post_id) not in known:
            values = {"incident_id": incident_id, "post_id": post_id, "revision": revision}
            await connection.execute(insert(unshown).values(values))
        elif known[incident_id, post_id] < revision:
            of_it = (unshown.c.incident_id == incident_id) & (unshown.c.post_id == post_id)
            await connection.execute(update(unshown).where(of_it).values(revision=revision))
    return known | {shown: max(revision, known.get(shown, 0)) for shown, revision in said.items()}


async def unshown_until(connection: AsyncConnection, incidents: Iterable[str]) -> dict[Shown, int]:
    """Return up to which revision posts of incidents are shown without words."""
    found: dict[Shown, int] = {}
    for part in parts(incidents):
        rows = await connection.execute(select(unshown).where(unshown.c.incident_id.in_(part)))
        found |= {(row.incident_id, row.post_id): row.revision for row in rows}
    return found


async def said_in(connection: AsyncConnection, wanted: Iterable[int]) -> dict[int, Said]:
    """Return the words that stand, of the rows that are wanted."""
    found: dict[int, Said] = {}
    columns = evidence.c
    for part in parts(set(wanted) - {0}):
        rows = await connection.execute(
            select(columns.evidence_id, columns.text, columns.url, columns.author_id).where(
                columns.evidence_id.in_(part)
            )
        )
        found |= {row.evidence_id: Said(row.text, row.url, row.author_id) for row in rows}
    return found
