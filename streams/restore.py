"""The detectors' state across brokers that forget.

The worker's tables lie on disk and outlive the embedded broker; the table's changelog, from which Faust restores, does
not. So before a worker starts on a fresh broker, what its tables held is put on the new changelog.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import structlog
from aiokafka.partitioner import murmur2
from rocksdict import AccessType, Options, Rdict

from detectors.shelf import CHANGES, newest_changes
from records import BrokenInvariant
from streams.declaring import table_dir
from streams.publisher import KafkaPublisher
from streams.reader import newest
from streams.settings import StreamSettings
from streams.topics import ALERTS, DECISIONS, NOTIFICATIONS, STATE_TABLE, changelog

log = structlog.get_logger()

FAUST_KEYS = b"__faust\0"
SAVED = "tables.saved"


async def restore_on_fresh_broker(settings: StreamSettings) -> int:
    """Put the saved state on the changelog of a fresh broker, where topics are declared; return how many keys.

    The profile that people put in force is for every partition, the newest that one of them has.

    The state stays on disk until `forget_saved`, so that a broker that dies again meanwhile costs nothing.
    """
    saved = settings.data_dir / SAVED
    tables = table_dir(settings)
    if tables.exists():
        if saved.exists():  # the last restore never got as far as a ready worker: the older copy is the whole one
            shutil.rmtree(tables)
        else:
            tables.rename(saved)
    if not saved.exists():
        return 0
    publisher = KafkaPublisher(settings)
    restored = 0
    try:
        for partition, pairs in _by_partition(_pairs(saved), settings.partitions).items():
            await publisher.send_raw(changelog(settings.app_id).name, pairs, partition=partition)
            restored += len(pairs)
    finally:
        await publisher.stop()
    log.info("state restored on a fresh broker", keys=restored)
    return restored


Carried = dict[str, list[tuple[bytes, bytes]]]
"""Keys and values by topic."""


async def carried(settings: StreamSettings) -> Carried:
    """Return what a broker that is about to go has of what people must not lose.

    That is decisions, the newest alerts, and who was told of what. What was taken away stays away. Claims stay behind:
    an author who leaves could not be followed to them without his posts.

    Errors  SourceUnavailable when the broker does not answer
    """
    return {topic.name: list((await newest(settings, topic)).items()) for topic in (DECISIONS, ALERTS, NOTIFICATIONS)}


async def put_back(settings: StreamSettings, kept: Carried) -> None:
    """Put on a fresh broker, where topics are declared, what the one before it had.

    Errors  SourceUnavailable when the broker does not take it
    """
    publisher = KafkaPublisher(settings)
    try:
        for topic, pairs in kept.items():
            await publisher.send_raw(topic, pairs)
    finally:
        await publisher.stop()


def forget_saved(settings: StreamSettings) -> None:
    """Remove the saved copy: a worker has read it back."""
    shutil.rmtree(settings.data_dir / SAVED, ignore_errors=True)


def _pairs(tables: Path) -> Iterator[tuple[bytes, bytes]]:
    """Return the keys and values of all partitions of the table, without Faust's own."""
    for path in sorted(tables.glob(f"**/{STATE_TABLE}-*.db")):
        database: Any = Rdict(str(path), options=Options(raw_mode=True), access_type=AccessType.read_write())
        try:
            table = {bytes(key): bytes(value) for key, value in database.items() if not key.startswith(FAUST_KEYS)}
        finally:
            database.close()
        yield from table.items()


def _by_partition(pairs: Iterable[tuple[bytes, bytes]], partitions: int) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return the pairs by the partition that owns them; what holds for all, the newest of it, for each."""
    groups: dict[int, list[tuple[bytes, bytes]]] = {}
    profiles: list[bytes] = []
    for key, value in pairs:
        if key == CHANGES.encode():
            profiles.append(value)
            continue
        groups.setdefault(partition_of(key, partitions), []).append((key, value))
    newest = newest_changes(profiles)
    if newest is not None:
        for partition in range(partitions):
            groups.setdefault(partition, []).append((CHANGES.encode(), newest))
    return groups


def partition_of(state_key: bytes, partitions: int) -> int:
    """Return the partition of `signals.v1` that owns a key of the table: that of its first two parts.

    Errors  BrokenInvariant when the key has no two parts
    """
    parts = state_key.split(b"/", 2)
    if len(parts) < 3:  # noqa: PLR2004  hazard, area, rest
        raise BrokenInvariant(f"detector table: key {state_key!r} does not start with hazard/area/")
    owner: int = (murmur2(b"/".join(parts[:2])) & 0x7FFFFFFF) % partitions
    return owner
