"""Where partitions of the embedded broker really end: it tells it in what it answers to a fetch, and nowhere else."""

import time
from collections.abc import Mapping
from typing import Any, TypeVar

import aiokafka
from aiokafka import TopicPartition

FETCH_SECS = 10.0

Partition = TypeVar("Partition", bound=tuple[str, int])
"""A topic and the number of a partition, as Faust or as aiokafka writes them."""


async def true_end_offsets(bootstrap_servers: Any, ends: Mapping[Partition, int]) -> dict[Partition, int]:
    """Return end offsets as fetch answers tell them, for the partitions that are not empty.

    Errors  TimeoutError when a partition gives no answer in ten seconds
    """
    result = dict(ends)
    todo = {TopicPartition(*tp): tp for tp, end in ends.items() if end > 0}
    if not todo:
        return result  # and a consumer stopped before it did anything would cancel its caller
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, fetch_max_wait_ms=100)
    try:
        await consumer.start()  # asked to stop in the middle of it, it must be stopped as well
        consumer.assign(list(todo))
        for partition, tp in todo.items():
            consumer.seek(partition, ends[tp] - 1)
        deadline = time.monotonic() + FETCH_SECS
        while todo:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no high-water mark of {sorted(todo)} in {FETCH_SECS:.0f} s")
            await consumer.getmany(timeout_ms=100)
            for partition in [partition for partition in todo if consumer.highwater(partition) is not None]:
                tp = todo.pop(partition)
                result[tp] = max(result[tp], consumer.highwater(partition))
    finally:
        await consumer.stop()
    return result
