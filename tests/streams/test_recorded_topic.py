"""A topic read again as a source: each post once, from where it was left, at its own pace or faster."""

import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Reading, Unobserved
from connectors.cursors import ForgetfulCursors
from connectors.runner import Pace, run
from records import MalformedRecord, ManualClock, Post, Signal, SourceUnavailable, encode
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.recorded_topic import RecordedTopic
from streams.settings import StreamSettings
from streams.topics import Topic
from vigie.broker import EmbeddedBroker, free_port

pytestmark = pytest.mark.broker
MakeSettings = Callable[..., StreamSettings]
MakePost = Callable[..., Post]
COUNT = 30
AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


@pytest.fixture
async def recorded(
    broker: EmbeddedBroker, settings_for: MakeSettings, post: MakePost, request: pytest.FixtureRequest
) -> tuple[StreamSettings, str]:
    """Provide a topic of three partitions with thirty posts, a minute between each, and a value that is none."""
    settings = settings_for(broker.url, partitions=3)
    name = f"recorded-{abs(hash(request.node.name))}"
    await declare_topics(settings, [Topic(name=name, record=Signal)])
    publisher = KafkaPublisher(settings)
    pairs: list[Any] = [(f"{n}".encode(), encode(post(number=60 * n))) for n in range(COUNT)]
    await publisher.send_raw(name, [*pairs, (b"bad", b"no post")])
    await publisher.stop()
    return settings, name


async def readings(source: RecordedTopic, after: str | None = None, most: int = 1000) -> list[Reading]:
    found: list[Reading] = []
    async with aclosing(source.read(after)) as steps:
        async for reading in steps:
            found.append(reading)
            if len(found) == most:
                break
    return found


def ids(found: list[Reading]) -> list[str]:
    return sorted(reading.post.id for reading in found if isinstance(reading.post, Post))


async def test_each_post_is_read_once_and_then_it_ends(recorded: tuple[StreamSettings, str]) -> None:
    source = RecordedTopic(*recorded, clock=ManualClock(AT), name="archive")
    found = await readings(source)
    assert ids(found) == sorted(f"p{60 * n}" for n in range(COUNT))
    assert {reading.post.source for reading in found if isinstance(reading.post, Post)} == {"archive"}
    (bad,) = [reading.post for reading in found if isinstance(reading.post, MalformedRecord)]
    assert bad.reason == "undecodable"
    assert bad.value == b"", "whom it names cannot be known"


async def test_it_goes_on_where_it_was_left(recorded: tuple[StreamSettings, str]) -> None:
    source = RecordedTopic(*recorded, clock=ManualClock(AT))
    first = await readings(source, most=11)
    rest = await readings(source, first[-1].cursor)
    assert len(first) + len(rest) == COUNT + 1
    assert sorted(ids(first) + ids(rest)) == sorted(f"p{60 * n}" for n in range(COUNT))
    assert await readings(source, rest[-1].cursor) == []


async def test_it_takes_its_time_where_it_is_told_to(
    broker: EmbeddedBroker, settings_for: MakeSettings, post: MakePost
) -> None:
    settings, name = settings_for(broker.url, partitions=1), "paced"  # in one partition there is an order for sure
    await declare_topics(settings, [Topic(name=name, record=Signal)])
    publisher = KafkaPublisher(settings)
    await publisher.send_raw(name, [(b"key", encode(post(number=60 * n))) for n in range(COUNT)])
    await publisher.stop()
    clock = ManualClock(AT)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(timedelta(seconds=seconds))

    await readings(RecordedTopic(settings, name, clock=clock, speed=60.0, sleep=sleep))
    assert waited == [pytest.approx(1.0)] * (COUNT - 1)


async def test_a_topic_that_is_not_there_is_said_to_be_missing(
    broker: EmbeddedBroker, settings_for: MakeSettings
) -> None:
    source = RecordedTopic(settings_for(broker.url), "nothing", clock=ManualClock(AT))
    with pytest.raises(SourceUnavailable, match="there is no topic nothing"):
        await readings(source)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_no_broker_is_a_source_that_is_unavailable(settings_for: MakeSettings) -> None:
    source = RecordedTopic(settings_for(f"kafka://127.0.0.1:{free_port()}"), "nothing", clock=ManualClock(AT))
    with pytest.raises(SourceUnavailable, match="topic nothing"):
        await readings(source)


class Killed(BaseException):
    """The process is no more."""


class MortalBroker:
    """Takes posts until the process is killed: before it has the batch, or after."""

    def __init__(self, kills: list[int], chance: random.Random) -> None:
        self.taken: list[str] = []
        self.kills = kills
        self.chance = chance

    async def posts(self, posts: Sequence[Post]) -> None:
        due = bool(self.kills) and len(set(self.taken)) + len(posts) >= self.kills[0]
        if not due or self.chance.random() < 0.5:
            self.taken += [post.id for post in posts]
        if due:
            self.kills.pop(0)
            raise Killed

    async def bulletins(self, bulletins: Any) -> None:
        raise AssertionError("posts were expected")

    async def dead_letters(self, letters: Any) -> None:
        raise AssertionError(f"nothing was wrong with {letters}")

    async def pulses(self, pulses: Any) -> None:
        """Counts are no matter here."""


@pytest.mark.timeout(300)
async def test_after_fifty_kills_at_random_points_of_ten_thousand_posts_none_is_missing(
    broker: EmbeddedBroker, settings_for: MakeSettings, post: MakePost
) -> None:
    settings, name, count = settings_for(broker.url, partitions=3), "killed", 10_000
    await declare_topics(settings, [Topic(name=name, record=Signal)])
    publisher = KafkaPublisher(settings)
    await publisher.send_raw(name, [(f"{n}".encode(), encode(post(number=n))) for n in range(count)])
    await publisher.stop()
    chance = random.Random("kills of a topic")  # noqa: S311  where to strike, the same each time
    cursors, clock = ForgetfulCursors(), ManualClock(AT)
    mortal = MortalBroker(sorted(chance.sample(range(1, count), 50)), chance)
    lives = 0
    while True:
        lives += 1
        try:
            await run(
                RecordedTopic(settings, name, clock=clock),
                gate=lambda _: True,
                publisher=mortal,
                cursors=cursors,
                observer=Unobserved(),
                clock=clock,
                pace=Pace(batch_posts=24, linger_secs=0.001, stop_secs=1.0),
            )
        except Killed:
            continue
        break
    assert set(mortal.taken) == {f"p{n}" for n in range(count)}
    assert (mortal.kills, lives) == ([], 51)
    assert len(mortal.taken) - count <= 50 * 2 * 24, "no more is read again than a batch on its way and one that fills"
    assert await readings(RecordedTopic(settings, name, clock=clock), cursors.load("recorded")) == []
