"""Telling: looks up what changed, once for all viewers, and tells them, at most four times a second.

Shape   whatever the hub knows is only a reason to look: what is told is what the archive has after the last cursor. So
        nothing is lost when a process beside us wrote it, and nothing is told twice
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from console.archive import looking
from console.catalogue import Language
from console.desk import Desk
from console.live.frames import MOST_LINES, feed_frame, frame, incident_frame, listening_frame
from console.live.hub import Change
from console.live.listening import Listening, listening
from console.live.rows import Row
from console.live.tending import decided_between, last_decision, tended
from console.live.viewers import Cursor

PAUSE = 0.25  # seconds between two batches
LOOK = 5.0  # seconds, after which we look although nobody told us to
ALIVE = 15.0  # seconds between two signs of life
MOST_AT_ONCE = 500


class News(NamedTuple):
    """Incidents that changed after one cursor, each with the cursor that it brings a viewer to."""

    rows: tuple[tuple[Cursor, Row], ...]
    cursor: Cursor


async def begin(desk: Desk) -> None:
    """See to it that viewers are told."""
    await desk.viewers.begin(lambda: position(desk), lambda: tell(desk))


async def position(desk: Desk) -> Cursor:
    """Return how far the archive has got."""
    return Cursor(await looking.last_sequence(desk.engine), await last_decision(desk.engine))


async def news(desk: Desk, since: Cursor, until: Cursor) -> News:
    """Return the incidents that changed between two cursors, in the order of their revisions, and how far that goes."""
    found = await looking.changed_since(desk.engine, since.revision, MOST_AT_ONCE)
    changed = [(sequence, alert) for sequence, alert in found if sequence <= until.revision]
    known = {alert.incident_id for _, alert in changed}
    decided = await decided_between(desk.engine, since.decision, until.decision) - known
    beside = [await looking.incident(desk.engine, incident_id) for incident_id in sorted(decided)]
    by = await tended(desk.engine, known | decided)
    rows = [
        *((since, dossier.alert) for dossier in beside if dossier is not None),
        *((Cursor(sequence, since.decision), alert) for sequence, alert in changed),
    ]
    is_all = len(found) < MOST_AT_ONCE or len(changed) < len(found)
    return News(
        tuple((at, Row(alert, by.get(alert.incident_id))) for at, alert in rows), until if is_all else rows[-1][0]
    )


@dataclass
class _Told:
    """What was told last, so that it is not told again."""

    alive_at: float
    heard: dict[Language, bytes] = field(default_factory=dict)


async def tell(desk: Desk) -> None:
    """Tell all viewers what changes, until cancelled."""
    told = _Told(asyncio.get_running_loop().time())
    with desk.hub.listening() as listener:
        while True:
            changes = await listener.next(LOOK)
            await _tell_once(desk, changes, told)
            await asyncio.sleep(PAUSE)


async def _tell_once(desk: Desk, changes: Sequence[Change], told: _Told) -> None:
    viewers = desk.viewers
    until = await position(desk)
    found = await news(desk, viewers.cursor, until) if until != viewers.cursor else News((), until)
    heard = await hearing(desk)
    changed = [change.key for change in changes if change.kind == "feed"]
    batches = {language: _batch(desk, language, found, changed, heard, told) for language in viewers.languages}
    if any(batches.values()) or asyncio.get_running_loop().time() - told.alive_at >= ALIVE:
        told.alive_at = asyncio.get_running_loop().time()
        end = _end_frame(desk, found.cursor)
        batches = {language: batch + end for language, batch in batches.items()}
    viewers.tell(batches, found.cursor)


def _batch(
    desk: Desk, language: Language, found: News, changed: Sequence[str], heard: Listening, told: _Told
) -> bytes:
    templates = desk.templates[language]
    now = desk.clock.now()
    parts = [incident_frame(templates, row, at, now) for at, row in found.rows]
    if changed:
        lines = [line for one in changed if (line := desk.feed.line(one)) is not None]
        parts.append(feed_frame(templates, lines, gone=set(changed) - {line.line_id for line in lines}))
    strip = listening_frame(templates, heard)
    if told.heard.get(language) != strip:
        told.heard[language] = strip
        parts.append(strip)
    return b"".join(parts)


def _end_frame(desk: Desk, cursor: Cursor) -> bytes:
    """Return the end of a batch, which is a sign of life as well: a browser shows what it was told when it gets one."""
    return frame("alive", {"at": desk.clock.now()}, cursor)


async def hearing(desk: Desk) -> Listening:
    """Return how well Vigie hears now."""
    return listening(await looking.sources(desk.engine), desk.clock.now())


async def caught_up(desk: Desk, language: Language, since: Cursor, until: Cursor) -> bytes:
    """Return what a viewer needs who saw everything up to one cursor, to have seen everything up to another."""
    templates = desk.templates[language]
    parts: list[bytes] = []
    while since != until:
        found = await news(desk, since, until)
        parts += [incident_frame(templates, row, at, desk.clock.now()) for at, row in found.rows]
        since = found.cursor
    parts.append(listening_frame(templates, await hearing(desk)))
    parts.append(feed_frame(templates, desk.feed.lines(MOST_LINES), is_whole=True))
    return b"".join([*parts, _end_frame(desk, until)])
