"""The detectors' memory: a Faust table whose batches are written whole.

Faust would send each changed key by itself, which is dear, and would leave half a batch behind when a worker is killed.
So a batch of changes goes onto the changelog as one record batch, which the broker takes whole or not at all; and
when the broker has it, into the local store with the offset reached, in one write. The local store is then always the
changelog up to an offset, and Faust restores it as it does any table.
"""

import asyncio
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast

import faust
from faust.streams import _current_event
from faust.types import TP, EventT
from rocksdict import DbClosedError, WriteBatch

from streams.app import STORE_OPTIONS
from streams.pending import PENDING
from streams.publisher import BATCH_BYTES, KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import STATE_TABLE, changelog

ROOM = BATCH_BYTES - 1024  # for the records of a batch, whose own header is far smaller
RECORD_BYTES = 32  # that a record takes beside its key and its value, at most
HEAD = "head"  # the detectors' key under which each state begins
AGENDA = "agenda"  # the detectors' key under which a state key lists what waits for time


class Found(NamedTuple):
    """What a table holds when it was recovered."""

    states: set[str]  # `hazard/area`
    waiting: set[str]  # those under which something waits for time to pass
    pending: set[str]  # keys of revisions that were about to be told


class Memory:
    """The table, as the detect step reads it and as its batches are kept."""

    def __init__(self, app: faust.App, settings: StreamSettings, publisher: KafkaPublisher) -> None:
        self.app = app
        self.publisher = publisher
        self.changelog = changelog(settings.app_id).name
        self.table: Any = app.Table(
            STATE_TABLE,
            key_type=bytes,
            value_type=bytes,
            partitions=settings.partitions,
            options=dict(STORE_OPTIONS),
        )

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        return cast(bytes | None, self.table.get(key.encode()))

    def is_ours(self, partition: int) -> bool:
        """Tell whether a partition is still this worker's: what another one writes must not be written over."""
        return TP(self.changelog, partition) in self.app.assignor.assigned_actives()

    def turn_to(self, event: EventT[Any]) -> None:
        """Read from the partition of an event, until told otherwise: Faust takes it from this variable."""
        _current_event.set(weakref.ref(event))

    async def keep(
        self, partition: int, changes: Mapping[str, bytes | None], *, first: Mapping[str, bytes | None] | None = None
    ) -> None:
        """Keep a batch of changes, whole; None removes a key. What is to be kept `first` may be so in parts.

        Errors  SourceUnavailable when the broker does not take it: nothing of the changes was kept
                BrokenInvariant when they do not fit into one record batch
        """
        for batch in _batches(changes, first or {}):
            await self._keep_whole(partition, batch)

    async def _keep_whole(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        pairs = [(key.encode(), value) for key, value in changes.items()]
        offset = await self.publisher.send_whole(self.changelog, pairs, partition)
        store = self.table.data
        batch = WriteBatch(raw_mode=True)
        for key, value in pairs:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(store.offset_key, str(offset).encode())
        store._db_for_partition(partition).write(batch)

    async def compact(self) -> None:
        """Rewrite the local files: what was removed or changed stays in them until then."""
        for database in list(self.table.data._dbs.values()):
            with suppress(DbClosedError):  # the partition has just gone to another worker
                await asyncio.to_thread(database.compact_range, None, None)

    def found(self) -> Found:
        """Return what the table holds of each kind, in one pass."""
        found = Found(set(), set(), set())
        for key in list(self.table):
            hazard, area, rest = key.decode().split("/", 2)
            if rest == HEAD:
                found.states.add(f"{hazard}/{area}")
            elif rest == AGENDA:
                found.waiting.add(f"{hazard}/{area}")
            elif rest.startswith(PENDING):
                found.pending.add(f"{hazard}/{area}/{rest}")
        return found


def fit_together(changes: Mapping[str, bytes | None]) -> bool:
    """Tell whether changes fit into one record batch."""
    return _size(changes) <= ROOM


def _size(changes: Mapping[str, bytes | None]) -> int:
    return sum(_size_of(key, value) for key, value in changes.items())


def _size_of(key: str, value: bytes | None) -> int:
    return len(key.encode()) + len(value or b"") + RECORD_BYTES


def _batches(
    changes: Mapping[str, bytes | None], first: Mapping[str, bytes | None]
) -> Iterator[Mapping[str, bytes | None]]:
    """Yield what is kept together: all the changes in the last batch, with as much of the rest as fits."""
    batch: dict[str, bytes | None] = {}
    size = 0
    for key, value in first.items():
        if batch and size + _size_of(key, value) > ROOM:
            yield batch
            batch, size = {}, 0
        batch[key] = value
        size += _size_of(key, value)
    if batch and size + _size(changes) > ROOM:
        yield batch
        batch = {}
    if batch or changes:
        yield {**batch, **changes}
