"""Recorder: follows `signals.v1` into files, so that there is a past to replay; and what was taken back, out of them.

It holds what it heard for a few minutes and then writes the day's file anew, with how far it has read: a restart goes
on there. What it cannot write it keeps, up to a bound, and then it stops reading: the topic has it meanwhile.

Shape   at least once; what another broker has once more, is known again
Errors  none: a full disk, a broken file and a broker that is away are told, counted, and tried again
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog
from msgspec.structs import replace

from records import Clock, MalformedRecord, Retraction, SettingsError, Signal, SourceUnavailable, decode, encode
from streams.declaring import declare_topics
from streams.reader import standing
from streams.resuming import Lying, Mark, follow_on
from streams.settings import StreamSettings
from streams.topics import RETRACTIONS, SIGNALS, OnSignals
from vigie.anew import begun_anew, ended
from vigie.recording import SCHEMA, Row, is_recorded, table_of
from vigie.recordings import Held, Recordings
from vigie.unnaming import Names, Sought, unnamed

log = structlog.get_logger()

FLUSH_SECS = 300.0
"""How often what was heard is written: so much is lost when an embedded broker and the console die in one moment."""
MARKED_EVERY = timedelta(hours=1)
"""How often it is written how far it has read, where there was nothing to record."""
TOGETHER = 50_000  # retractions that are looked for at once; a network has millions in three days
AGAIN_SECS = 30.0  # after something went wrong
MOST_HELD = 200_000  # records in memory; then reading waits
SEEN_BEFORE = timedelta(days=2)
"""How far back what another broker has is looked for: longer than anything stands on the topic."""

Identity = tuple[Any, ...]


class Recorder:
    """Records what stands on the signals' topic, or, where that is off, only forgets in files what was taken back."""

    def __init__(
        self, recordings: Recordings, settings: StreamSettings, clock: Clock, *, keep: timedelta, is_on: bool = True
    ) -> None:
        self._recordings = recordings
        self._settings = settings
        self._clock = clock
        self._keep = keep
        self._is_on = is_on
        self._again = asyncio.Event()
        self._turn = asyncio.Lock()  # taking in and writing are done in a thread, one at a time
        self._thread = ThreadPoolExecutor(1, "recorder")  # always the same: each keeps memory of its own
        self._held: list[Row] = []
        self._marks: dict[int, Mark] = {}
        self._lost = 0
        self._written_at = clock.now()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._before: Counter[Identity] | None = None
        self._is_catching_up = True
        self._looks_back = True
        self._recorded = self._failed = 0
        self.trouble = ""
        """What is wrong; empty where all is well."""

    @property
    def state(self) -> dict[str, int | bool]:
        """Return how it goes, in words that anybody may read: rows written, waiting, lost; whether writing fails."""
        return {
            "is_failing": bool(self.trouble),
            "written": self._recorded,
            "waiting": len(self._held),
            "lost": self._lost,
            "failed": self._failed,
        }

    def read_again(self) -> None:
        """Look for where it was left once more: there is another broker."""
        self._again.set()

    async def run(self) -> None:
        """Record for ever; before it ends, write what it holds."""
        while True:
            try:
                with self._recordings.alone() as is_alone:
                    if is_alone:
                        await self._run_alone()
                    log.warning("somebody else records here already", folder=str(self._recordings.folder))
            except OSError as error:
                self.trouble = str(error)
                log.error("nothing is recorded", error=str(error))  # noqa: TRY400
            await asyncio.sleep(AGAIN_SECS)

    async def _run_alone(self) -> None:
        writing = asyncio.create_task(self._write_for_ever())
        try:
            await begun_anew(self._read, self._again)
        finally:
            await ended(writing)
            self._tried_to_write()

    async def _read(self) -> None:
        while True:
            try:
                await self._in_turn(self.begin)
                await declare_topics(self._settings)  # a Kafka may make what is asked for, with partitions of its own
                batches = follow_on(self._settings, SIGNALS, self._marks, at_end=self._caught_up)
                async with aclosing(batches) as found:
                    async for lying in found:
                        await self._in_turn(self.take, lying)
                        await self._has_room.wait()
            except (SourceUnavailable, SettingsError, OSError) as error:
                log.warning("nothing new is recorded", error=str(error))
            except Exception as error:  # a bug of ours must not end the console
                log.exception("nothing new is recorded", error=repr(error))
            await asyncio.sleep(AGAIN_SECS)

    async def _in_turn(self, work: Any, *arguments: Any) -> Any:
        """Do something in the thread, one at a time; asked to stop, see it through."""
        async with self._turn:
            doing = asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
            try:
                return await asyncio.shield(doing)
            except asyncio.CancelledError:
                await asyncio.wait({doing})
                raise

    async def _look_back(self) -> None:
        """Forget what was taken back while nobody listened, and stands among the signals no more.

        Once all is read and written that does stand there: it says where in their order it was taken back.
        """
        async with aclosing(standing(self._settings, RETRACTIONS)) as messages:
            held: list[Retraction] = []
            async for message in messages:
                with suppress(MalformedRecord):
                    held.append(decode(message.value, Retraction))
                if len(held) >= TOGETHER:
                    await self._in_turn(self.forget, held)
                    held = []
        await self._in_turn(self.forget, held)

    def begin(self) -> None:
        """Read from the files how far they go, where nothing was read since."""
        if not self._marks:
            _, _, facts = self._recordings.present(self._clock.now())
            self._marks, self._lost = dict(facts.marks), facts.lost
        self._is_catching_up, self._before = True, None
        self._looks_back = True

    def _caught_up(self) -> None:
        self._is_catching_up, self._before = False, None

    def take(self, lying: Sequence[Lying]) -> None:
        """Hold what was read; what was recorded from another broker is not held twice."""
        now = self._clock.now()
        for one in lying:
            self._note_gap(one)
            row = _row_of(one, now)
            if row is not None and self._is_wanted(row, one):
                self._held.append(row)
            self._marks[one.partition] = one.mark
        if len(self._held) >= MOST_HELD:
            self._has_room.clear()

    def _is_wanted(self, row: Row, lying: Lying) -> bool:
        if not is_recorded(row.record) or not (self._is_on or isinstance(row.record, Retraction)):
            return False
        return not (lying.is_anew and self._is_catching_up and self._was_heard(row))

    def _note_gap(self, one: Lying) -> None:
        """Count what the topic has let go of before it could be read; what another broker has begins below the mark."""
        mark = self._marks.get(one.partition)
        if one.is_anew and mark is not None and one.offset > mark.offset + 1:
            self._lost += one.offset - mark.offset - 1
            log.error("recording has a gap", partition=one.partition, records=one.offset - mark.offset - 1)

    def _was_heard(self, row: Row) -> bool:
        if self._before is None:
            since = self._clock.now() - SEEN_BEFORE
            rows = chain(self._recordings.rows(since), self._held)
            self._before = Counter(_identity(one.record) for one in rows)
        known = _identity(row.record)
        if not self._before[known]:
            return False
        self._before[known] -= 1
        return True

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECS if self.trouble else FLUSH_SECS)
            is_all_read = not self._is_catching_up
            await self._in_turn(self._tried_to_write)
            if self._looks_back and is_all_read and not self.trouble:
                await self._tried_to_look_back()

    async def _tried_to_look_back(self) -> None:
        try:
            await self._look_back()
        except (SourceUnavailable, OSError) as error:
            log.warning("not looked for what was taken back: it is tried again", error=str(error))
        except Exception as error:  # a bug of ours must not end the recording
            log.exception("not looked for what was taken back: it is tried again", error=repr(error))
        else:
            self._looks_back = False

    def _tried_to_write(self) -> None:
        try:
            self.write()
        except Exception as error:  # noqa: BLE001  a full disk above all; nor must a bug of ours end the recording
            self.trouble = str(error) or repr(error)
            self._failed += 1
            say = log.error if isinstance(error, OSError | SettingsError) else log.exception
            say("recording cannot be written: it is tried again", error=self.trouble, waiting=len(self._held))
        else:
            if self.trouble:
                log.info("recording is written again")
            self.trouble = ""

    def write(self) -> None:
        """Write what is held, have all files forget what was taken back, and let go of what is too old."""
        now = self._clock.now()
        if self._held or now - self._written_at >= MARKED_EVERY:
            path, known, facts = self._recordings.present(now)
            table = self._with_held(path, known)
            if table.num_rows != known.num_rows or table != known or now - self._written_at >= MARKED_EVERY:
                self._recordings.write(path, table, replace(facts, marks=dict(self._marks), lost=self._lost))
                self._written_at = now
            self._recorded += table.num_rows - known.num_rows
            self._held = []
            self._has_room.set()
            del table, known
            pa.default_memory_pool().release_unused()  # arrow keeps it otherwise, for the next time
        gone = self._recordings.let_go(now, self._keep)
        if gone:
            log.info("recordings let go", files=gone)

    def _with_held(self, path: Path, known: pa.Table) -> pa.Table:
        """Return a file with what is held, without the names of what was taken back; see to the other files."""
        said = table_of(row for row in self._held if not isinstance(row.record, Retraction))
        retractions = [row.record for row in self._held if isinstance(row.record, Retraction)]
        table = pa.concat_tables([known, said])
        if not retractions:
            return table
        held, names = self._held_of(retractions, table, path)
        if held.found:
            table = pa.concat_tables([known, table_of(sorted_in(self._held, held.found))])
        return unnamed(table, names)

    def _held_of(
        self, retractions: Sequence[Retraction], table: pa.Table, path: Path | None = None
    ) -> tuple[Held, Names]:
        """Have all files but one forget what was taken back; return what stood in them and a table, and the new names.

        Of an edited post the older words are taken back, and no words stand here.
        """
        authors = {one.author_id for one in retractions}
        sought = Sought({one.post_key for one in retractions}, authors)
        held = self._recordings.holding(sought, but=path)
        held.found |= sought.held_by(table)
        held.posts |= sought.posts_in(table)
        names = Names()
        names.take(posts=held.posts.union(one.post_key for one in retractions if not one.unless), authors=authors)
        others = [one for one in self._recordings.all if one != path] if held.posts else held.files
        self._recordings.forget(names, others)
        return held, names

    def forget(self, retractions: Sequence[Retraction]) -> None:
        """Have all files forget what was taken back."""
        if not retractions or not self._recordings.all:
            return
        self._held_of(retractions, SCHEMA.empty_table())


def _row_of(one: Lying, now: datetime) -> Row | None:
    """Return what was read as a row; None for what says nothing, and for what is a dead letter by now."""
    if one.value is None:
        return None
    try:
        return Row(decode(one.value, OnSignals), one.partition, one.offset, min(one.at or now, now))
    except MalformedRecord:
        return None


def sorted_in(rows: Sequence[Row], found: set[tuple[int, str]]) -> list[Row]:
    """Return rows with each retraction where it concerns something: once a partition, and in no other.

    It comes on every partition. Where the one of the right partition is not among the rows, another one stands for it.
    """
    own = {(row.partition, row.record) for row in rows if isinstance(row.record, Retraction)}
    done: set[tuple[int, Retraction]] = set()
    result = []
    for row in rows:
        if not isinstance(row.record, Retraction):
            result.append(row)
            continue
        for place in sorted(partition for partition, name in found if name == row.record.name):
            known = (place, row.record)
            if known not in done and (place == row.partition or known not in own):
                done.add(known)
                result.append(row._replace(partition=place))
    return result


def _identity(record: Any) -> Identity:
    """Return by what a record is known again, its names apart: those may be forgotten by then."""
    if isinstance(record, Signal):
        return (
            record.hazard,
            record.place.place_id,
            record.source,
            record.event_time,
            record.received_at,
            record.likelihood_ratio,
            record.fingerprint,
        )
    return (encode(record),)
