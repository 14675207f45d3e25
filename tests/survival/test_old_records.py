"""What earlier versions have written, on the topics of this one: read, gone on from, and told of once.

`tests/corpus/` has, of each version, what lay on its topics half-way through the morning: posts, signals, alerts, and
the state table's entries.
"""

import gzip
import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from records import Alert, Post, decode
from streams.declaring import all_topics
from streams.topics import ALERTS, DEAD_LETTERS, POSTS, SIGNALS, TOPICS, OnSignals

if TYPE_CHECKING:
    from tests.survival.stage import Stage

CORPUS = sorted((Path(__file__).parents[1] / "corpus").glob("*.jsonl.gz"))
KINDS = {topic.name: topic.record for topic in TOPICS} | {SIGNALS.name: OnSignals}
Written = tuple[str, bytes, bytes]
"""A topic, a key and a value."""


@pytest.fixture(params=CORPUS, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def written(request: pytest.FixtureRequest) -> list[Written]:
    lines = gzip.decompress(request.param.read_bytes()).splitlines()
    return [(topic, b64decode(key), b64decode(value)) for topic, key, value in map(json.loads, lines)]


def of(written: list[Written], topic: str) -> Iterator[tuple[bytes, bytes | None]]:
    return ((key, value or None) for name, key, value in written if name == topic)


def test_every_record_that_an_earlier_version_wrote_is_read(written: list[Written]) -> None:
    read = Counter(topic for topic, _, value in written if topic in KINDS and decode(value, KINDS[topic]))
    assert {POSTS.name, SIGNALS.name, ALERTS.name} <= set(read)


@pytest.mark.broker
def test_the_morning_goes_on_from_what_an_earlier_version_knew(
    stage: "Stage", posts: tuple[Post, ...], undisturbed: dict[tuple[str, int], bytes], written: list[Written]
) -> None:
    for topic in all_topics(stage.streams):
        stage.publish_raw(topic, list(of(written, topic.name)))
    before = {value for _, value in of(written, ALERTS.name)}
    assert before
    known = {key for key, _ in of(written, POSTS.name)}
    stage.worker.start()
    stage.publish([post for post in posts if post.key.encode() not in known])
    stage.wait_until_ready()
    stage.wait_until_drained()
    revisions = stage.revisions()
    assert before <= set(revisions.values()), "what was told stands"
    assert {key: decode(value, Alert).level for key, value in revisions.items()} == {
        key: decode(value, Alert).level for key, value in undisturbed.items()
    }
    assert not stage.values(DEAD_LETTERS)
    to_be_told = sorted((alert.incident_id, alert.revision) for alert in stage.to_be_told())
    assert sorted(stage.lines()) == to_be_told
    assert sorted((incident, revision) for _, incident, revision in stage.receiver.told) == to_be_told
    assert stage.stop_worker() == 0
