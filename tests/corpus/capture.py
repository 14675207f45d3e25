"""Keeps what this version has written on topics half-way through the Le Havre morning, for later versions to read.

    python tests/corpus/capture.py VERSION

Writes `tests/corpus/VERSION.jsonl.gz`: the name of a topic, a key and a value a line, keys and values in base64; the
state table's topic among them. To be run once for each version, and its file never changed again.
"""

import asyncio
import gzip
import json
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from streams.reader import consumer_of, ends_of
from streams.topics import ALERTS, NOTIFICATIONS, POSTS, SIGNALS, Topic, changelog
from tests.survival.stage import Stage, story_posts
from vigie.broker import EmbeddedBroker

HERE = Path(__file__).parent
HALF = 700
"""Posts; the fire is an alert by then, and goes on."""


async def written(stage: Stage, topic: Topic) -> list[str]:
    """Return what stands on a topic, as lines."""
    lines: list[str] = []
    async with consumer_of(stage.streams, topic) as consumer:
        end = sum((await ends_of(stage.streams, consumer)).values())
        while len(lines) < end:
            for messages in (await consumer.getmany(timeout_ms=100)).values():
                for one in messages:
                    fields = (b64encode(part or b"").decode() for part in (one.key, one.value))
                    lines.append(json.dumps([topic.name, *fields]))
    return lines


def capture() -> list[str]:
    """Return what a worker has written when it has read the first half."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker() as broker:
        stage = Stage(Path(folder), kafka_url=broker.url, is_embedded=True)
        try:
            stage.worker.start()
            stage.publish(story_posts()[:HALF])
            stage.wait_until_drained()
            topics = (POSTS, SIGNALS, ALERTS, NOTIFICATIONS, changelog(stage.streams.app_id))
            return [line for topic in topics for line in asyncio.run(written(stage, topic))]
        finally:
            stage.close()


if __name__ == "__main__":
    packed = gzip.compress("\n".join(capture()).encode(), mtime=0)
    (HERE / f"{sys.argv[1]}.jsonl.gz").write_bytes(packed)
