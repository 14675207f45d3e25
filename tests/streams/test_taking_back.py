"""What was deleted is looked up where no step holds it any more: earlier posts of who left, alerts long over."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from detectors.retracting import without_words
from records import Alert, ManualClock, Post, Retraction, SourceUnavailable, SystemClock, decode, words_of
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import standing
from streams.settings import StreamSettings
from streams.taking_back import SETTLED, TakenBack, take_back
from streams.topics import ALERTS, NUDGE, POSTS, RETRACTIONS, SIGNALS, OnSignals, Topic
from vigie.broker import EmbeddedBroker

pytestmark = pytest.mark.broker

GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"


@pytest.fixture
def told() -> Alert:
    """An alert that shows posts of three authors."""
    alert = decode(GOLDEN.read_bytes(), Alert)
    (shown,) = alert.evidence
    more = [replace(shown, post_key=f"stub:p{n}", author_id=f"a{n}", text=f"La fumée, {n}") for n in (1, 2)]
    return replace(alert, evidence=(shown, *more))


@pytest.fixture
async def settings(settings_for: Callable[..., StreamSettings]) -> AsyncIterator[StreamSettings]:
    with EmbeddedBroker() as broker:
        made = settings_for(broker.url, partitions=2)
        await declare_topics(made)
        yield made


@pytest.fixture
async def publisher(settings: StreamSettings) -> AsyncIterator[KafkaPublisher]:
    made = KafkaPublisher(settings)
    yield made
    await made.stop()


@pytest.fixture
def later() -> ManualClock:
    """A clock by which all that was written is settled."""
    return ManualClock(SystemClock().now() + SETTLED + timedelta(minutes=1))


def retraction(**what: Any) -> Retraction:
    return Retraction(at=SystemClock().now(), **what)


async def values_of(settings: StreamSettings, topic: Topic, record: Any) -> list[Any]:
    return [decode(message.value, record) async for message in standing(settings, topic) if message.value]


async def addressed(settings: StreamSettings) -> list[Retraction]:
    """Return what was sent to single states."""
    return [one for one in await values_of(settings, SIGNALS, OnSignals) if one.told is not None]


async def test_an_alert_that_still_shows_it_is_handed_to_its_state_and_once_only(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, told: Alert
) -> None:
    await publisher.alerts([replace(told, revision=2), told, replace(told, incident_id="fire-other", evidence=())])
    await publisher.retractions([retraction(post_key="stub:p1")])
    assert await take_back(settings, publisher, later) == TakenBack(0, 1)
    (one,) = await addressed(settings)
    assert (one.told, one.post_key, one.key) == (told, "stub:p1", f"{told.state_hazard}/76")
    assert await take_back(settings, publisher, later) == TakenBack(0, 0), "followed up"


async def test_of_two_that_are_taken_back_each_leaves_from_what_the_other_left(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, told: Alert
) -> None:
    await publisher.alerts([told])
    await publisher.retractions([retraction(post_key="stub:p1"), retraction(author_id="a2")])
    assert await take_back(settings, publisher, later) == TakenBack(0, 2)
    first, second = sorted(await addressed(settings), key=lambda one: one.told.revision)  # type: ignore[union-attr]
    assert [one.told.revision for one in (first, second) if one.told] == [3, 4]
    left = without_words(second.told, second.name)  # type: ignore[arg-type]
    assert [item.text for item in left.evidence] == [told.evidence[0].text, "", ""]


async def test_what_an_earlier_sweep_asked_for_is_asked_again_with_what_is_new(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, told: Alert
) -> None:
    await publisher.alerts([told])
    await publisher.retractions([retraction(post_key="stub:p1")])
    await take_back(settings, publisher, later)
    await publisher.retractions([retraction(post_key="stub:p2")])  # and no worker has heard of the first by now
    assert await take_back(settings, publisher, later) == TakenBack(0, 2)
    last = max(await addressed(settings), key=lambda one: one.told.revision if one.told else 0)
    assert last.told is not None
    left = without_words(last.told, last.name)
    assert [item.text for item in left.evidence] == [told.evidence[0].text, "", ""]


async def test_a_value_that_cannot_be_read_does_not_end_the_sweep(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, told: Alert
) -> None:
    await publisher.alerts([told])
    await publisher.send_raw(ALERTS.name, [(b"other", b'{"of":"another version"}')])
    await publisher.send_raw(POSTS.name, [(b"bad", b'{"author_id":"a1","verb":"create"}')])
    await publisher.send_raw(RETRACTIONS.name, [(b"bad", b"{")])
    await publisher.retractions([retraction(author_id="a1")])
    assert await take_back(settings, publisher, later) == TakenBack(0, 1)


@pytest.mark.parametrize(
    "what",
    [
        pytest.param({"post_key": "stub:p9"}, id="never shown"),
        pytest.param({"post_key": "stub:p1", "unless": words_of("La fumée, 1")}, id="shown as it is now"),
    ],
)
async def test_what_shows_nothing_of_it_stays(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, told: Alert, what: dict[str, str]
) -> None:
    await publisher.alerts([told])
    await publisher.retractions([retraction(**what)])
    assert await take_back(settings, publisher, later) == TakenBack(0, 0)
    assert await addressed(settings) == []


async def test_earlier_posts_of_who_left_are_deleted_one_by_one(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, post: Callable[..., Post]
) -> None:
    mine = [post("je vois de la fumée", number, author_id="gone") for number in (1, 2)]
    deleted = replace(mine[1], verb="delete", text="")
    other = post("moi aussi", 3, author_id="here")
    await publisher.posts([*mine, other, deleted])
    await publisher.send_raw(POSTS.name, [(b"broken", b"{"), (NUDGE, None)])
    await publisher.retractions([retraction(author_id="gone")])
    assert await take_back(settings, publisher, later) == TakenBack(1, 0)
    posts = [decode(m.value, Post) async for m in standing(settings, POSTS) if m.value and m.key != b"broken"]
    newest = {one.key: (one.verb, one.text) for one in posts}
    assert newest == {"stub:p1": ("delete", ""), "stub:p2": ("delete", ""), "stub:p3": ("create", "moi aussi")}
    assert len(posts) == 5, "what was deleted before is not deleted again"


async def test_what_was_just_taken_back_is_left_to_the_detectors_for_a_while(
    settings: StreamSettings, publisher: KafkaPublisher, later: ManualClock, told: Alert
) -> None:
    await publisher.alerts([told])
    await publisher.retractions([retraction(post_key="stub:p1")])
    assert await take_back(settings, publisher, SystemClock()) == TakenBack(0, 0)
    assert await take_back(settings, publisher, later) == TakenBack(0, 1), "and is not forgotten"


async def test_a_broker_that_does_not_answer_is_named(settings_for: Callable[..., StreamSettings]) -> None:
    settings = settings_for()
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:1"):
        await take_back(settings, KafkaPublisher(settings), SystemClock())
