"""Telling: looks up what changed, once for all viewers, and tells them, at most four times a second.

Shape   whatever the hub knows is only a reason to look: what is told is what the archive has after the last change that
        was told. So nothing is lost when a process beside us wrote it, and nothing is told twice
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
from console.live.tending import tended

PAUSE = 0.25  # seconds between two batches
LOOK = 5.0  # seconds, after which we look although nobody told us to
ALIVE = 15.0  # seconds between two signs of life
MOST_AT_ONCE = 500


class News(NamedTuple):
    """Incidents that changed, each with the number of its last change, and up to which number that is all."""

    rows: tuple[tuple[int, Row], ...]
    until: int


async def begin(desk: Desk) -> None:
    """See to it that viewers are told."""
    await desk.viewers.begin(lambda: looking.last_sequence(desk.engine), lambda: tell(desk))


async def news(desk: Desk, since: int, until: int) -> News:
    """Return the incidents that changed after one change, up to another one, in the order of the changes."""
    found = await looking.changed_since(desk.engine, since, MOST_AT_ONCE)
    changed = [(number, alert) for number, alert in found if number <= until]
    by = await tended(desk.engine, {alert.incident_id for _, alert in changed})
    rows = tuple((number, Row(alert, by.get(alert.incident_id))) for number, alert in changed)
    is_all = len(found) < MOST_AT_ONCE or len(changed) < len(found)
    return News(rows, until if is_all else changed[-1][0])


class _Batch(NamedTuple):
    """What changed since the last batch."""

    rows: tuple[tuple[int, Row], ...]
    lines: Sequence[str]  # of the feed
    heard: Listening


@dataclass
class _Told:
    """What was told last, so that it is not told again."""

    alive_at: float
    heard: dict[Language, bytes] = field(default_factory=dict)


async def tell(desk: Desk) -> None:
    """Tell all viewers what changes, as long as there are any."""
    told = _Told(asyncio.get_running_loop().time())
    with desk.hub.listening() as listener:
        desk.viewers.wake = listener.wake
        while desk.viewers:
            changes = await listener.next(LOOK)
            await _tell_once(desk, changes, told)
            await asyncio.sleep(PAUSE)


async def _tell_once(desk: Desk, changes: Sequence[Change], told: _Told) -> None:
    viewers = desk.viewers
    until = await looking.last_sequence(desk.engine)
    found = await news(desk, viewers.told, until) if until != viewers.told else News((), until)
    heard = await hearing(desk)
    changed = [change.key for change in changes if change.kind == "feed"]
    batch = _Batch(found.rows, changed, heard)
    batches = {language: _worded(desk, language, batch, told) for language in viewers.languages}
    if any(batches.values()) or asyncio.get_running_loop().time() - told.alive_at >= ALIVE:
        told.alive_at = asyncio.get_running_loop().time()
        end = _end_frame(desk, found.until)
        batches = {language: frames + end for language, frames in batches.items()}
    viewers.tell(batches, found.until)


def _worded(desk: Desk, language: Language, batch: _Batch, told: _Told) -> bytes:
    templates = desk.templates[language]
    now = desk.clock.now()
    parts = [incident_frame(templates, row, number, now) for number, row in batch.rows]
    if batch.lines:
        lines = [line for one in batch.lines if (line := desk.feed.line(one)) is not None]
        parts.append(feed_frame(templates, lines, gone=set(batch.lines) - {line.line_id for line in lines}))
    strip = listening_frame(templates, batch.heard)
    if told.heard.get(language) != strip:
        told.heard[language] = strip
        parts.append(strip)
    return b"".join(parts)


def _end_frame(desk: Desk, until: int) -> bytes:
    """Return the end of a batch, which is a sign of life as well: a browser shows what it was told when it gets one."""
    return frame("alive", {"at": desk.clock.now()}, until)


async def hearing(desk: Desk) -> Listening:
    """Return how well Vigie hears now."""
    return listening(await looking.sources(desk.engine), desk.clock.now(), is_filling=not desk.filling.is_over)


async def caught_up(desk: Desk, language: Language, since: int, until: int) -> bytes:
    """Return what a viewer needs who saw everything up to one change, to have seen everything up to another."""
    templates = desk.templates[language]
    parts: list[bytes] = []
    while since != until:
        found = await news(desk, since, until)
        parts += [incident_frame(templates, row, number, desk.clock.now()) for number, row in found.rows]
        since = found.until
    parts.append(listening_frame(templates, await hearing(desk)))
    parts.append(feed_frame(templates, desk.feed.lines(MOST_LINES), is_whole=True))
    return b"".join([*parts, _end_frame(desk, until)])
