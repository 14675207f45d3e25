"""The detectors' memory: a Faust table whose batches are written whole.

Faust would send each changed key by itself, which is dear, and would leave half a batch behind when a worker is killed.
So a batch of changes goes onto the changelog as one record batch, which the broker takes whole or not at all; and
when the broker has it, into the local store with the offset reached, in one write. The local store is then always the
changelog up to an offset, and Faust restores it as it does any table.
"""

import asyncio
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import faust
from faust.streams import _current_event
from faust.types import EventT
from rocksdict import DbClosedError, WriteBatch

from streams.app import STORE_OPTIONS
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.topics import STATE_TABLE, changelog

HEAD = "/head"  # the detectors' key under which each state begins
AGENDA = "/agenda"  # the detectors' key under which a state key lists what waits for time


class Memory:
    """The table, as the detect step reads it and as its batches are kept."""

    def __init__(self, app: faust.App, settings: StreamSettings, publisher: KafkaPublisher) -> None:
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

    def turn_to(self, event: EventT[Any]) -> None:
        """Read from the partition of an event, until told otherwise: Faust takes it from this variable."""
        _current_event.set(weakref.ref(event))

    async def keep(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Keep a batch of changes, whole; None removes a key.

        Errors  SourceUnavailable when the broker does not take it: nothing was kept
        """
        if not changes:
            return
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

    def state_keys(self) -> tuple[set[str], set[str]]:
        """Return all state keys, `hazard/area`, and those under which something waits for time to pass; in one pass."""
        held: set[str] = set()
        waiting: set[str] = set()
        for key in list(self.table):
            name = key.decode()
            if name.endswith(HEAD):
                held.add(name.removesuffix(HEAD))
            elif name.endswith(AGENDA):
                waiting.add(name.removesuffix(AGENDA))
        return held, waiting
