"""Poison on every topic in the middle of a burst, with every process killed on top: set aside, all else unchanged.

What the worker reads and cannot use becomes a dead letter, whole. Edge and console pass it over.
"""

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from records import DeadLetter, decode
from streams.topics import ALERTS, CONTEXT, DEAD_LETTERS, DECISIONS, POSTS, SIGNALS, TOPICS, Topic
from tests.survival.burst import Burst, strike
from vigie.broker import EmbeddedBroker

pytestmark = pytest.mark.broker
GOLDEN = Path(__file__).parents[1] / "golden"
RECORDS = {POSTS: "post", SIGNALS: "signal", CONTEXT: "bulletin", DECISIONS: "verdict", ALERTS: "alert"}
"""What the worker reads, and of what kind."""
GARBAGE = (
    None,  # a tombstone
    b"",
    b"\xff\xfe\x00 no text",
    b"{",
    b"[" * 5_000,
    b"null",
    b'"a text"',
    b"[1, 2, 3]",
    b"{}",
    b'{"id": 1, "text": [], "revision": "x", "incident_id": null}',
    b"x" * 900_000,
)
KEYS = (None, b"", b"\xff", b"fire/76", b"stranger")


def of_a_later_version(topic: Topic) -> bytes:
    """Return what is right in all but one field that nobody knows yet."""
    value = (GOLDEN / f"{RECORDS.get(topic, 'post')}.json").read_bytes().strip()
    return value[:-1] + b',"of_a_later_version":1}'


@cache
def poison_for(topic: Topic) -> list[bytes | None]:
    return [*GARBAGE, of_a_later_version(topic)]


class Poisoned(Burst):
    """A burst that looks away from poison when it looks at what stands on topics."""

    def values(self, topic: Topic, count: int | None = None) -> list[bytes]:
        found = super().values(topic, count)
        if topic is DEAD_LETTERS:
            return [value for value in found if not is_of_poison(value)]
        return [value for value in found if value not in poison_for(topic)]

    def poison(self, chance: random.Random) -> None:
        for topic in TOPICS:
            keys = [chance.choice(KEYS[1:] if value is None else KEYS) for value in poison_for(topic)]
            self.publish_raw(topic, list(zip(keys, poison_for(topic), strict=True)))

    def letters(self) -> list[DeadLetter]:
        """Return the letters that tell of poison."""
        found = (value for value in super().values(DEAD_LETTERS) if value not in poison_for(DEAD_LETTERS))
        return [decode(value, DeadLetter) for value in found]


def is_of_poison(letter: bytes) -> bool:
    """Tell whether a value on the topic of dead letters is poison, or tells of it."""
    if letter in poison_for(DEAD_LETTERS):
        return True
    return decode(letter, DeadLetter).value in all_poison()


@cache
def all_poison() -> frozenset[bytes]:
    """Return what a letter that tells of poison holds."""
    return frozenset(value or b"" for topic in TOPICS for value in poison_for(topic))


@pytest.fixture
def burst(tmp_path: Path) -> Iterator[Poisoned]:
    with EmbeddedBroker() as broker:
        made = Poisoned(tmp_path, kafka_url=broker.url, is_embedded=True)
        yield made
        made.close()


def test_it_is_set_aside_whole_and_all_else_is_as_if_it_had_not_been_there(burst: Poisoned) -> None:
    chance = random.Random(11)  # noqa: S311  under which keys, and whom to strike when, the same each time
    burst.start()
    burst.poison(chance)
    strike(burst, chance)
    burst.poison(chance)
    burst.wait_until_done()
    came = burst.assert_sound()
    print(came)  # noqa: T201  with pytest -s
    assert came.is_soon
    letters = burst.letters()
    for topic in RECORDS:
        told = [letter for letter in letters if letter.topic == topic.name]
        assert {letter.value for letter in told} == {value or b"" for value in poison_for(topic)}
        assert len({letter.offset for letter in told}) == 2 * len(poison_for(topic)), "each of them, by its place"
