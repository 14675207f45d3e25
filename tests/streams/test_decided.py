"""What people have decided reaches every worker: silences, and who answers for what."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from records import ManualClock, Matcher, Place, Silence, Verdict, encode
from streams.decided import Decided
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from vigie.broker import EmbeddedBroker


def silence(clock: ManualClock, silence_id: str = "s1", *, hours: float = 2) -> Silence:
    now = clock.now()
    return Silence(
        silence_id=silence_id,
        matchers=(Matcher(name="hazard", value="fire"),),
        author="permanence",
        reason="exercice",
        starts_at=now,
        ends_at=now + timedelta(hours=hours),
        made_at=now,
    )


def verdict(clock: ManualClock) -> Verdict:
    return Verdict(
        incident_id="fire-1",
        hazard="fire",
        area="76",
        decision="acknowledge",
        decided_at=clock.now(),
        decided_by="permanence",
    )


def test_a_silence_is_in_force_until_it_ends_or_is_made_anew(clock: ManualClock) -> None:
    decided = Decided(clock)
    decided.take(encode(silence(clock)))
    decided.take(encode(silence(clock, "s2", hours=1)))
    assert {one.silence_id for one in decided.silences()} == {"s1", "s2"}
    decided.take(encode(silence(clock, "s2", hours=0)))
    assert {one.silence_id for one in decided.silences()} == {"s1"}
    clock.advance(timedelta(hours=2))
    assert decided.silences() == []


def test_an_older_word_on_a_silence_read_again_changes_nothing(clock: ManualClock) -> None:
    decided = Decided(clock)
    first = silence(clock)
    clock.advance(timedelta(minutes=1))
    ended = replace(first, ends_at=clock.now(), made_at=clock.now())
    for one in (first, ended, first):
        decided.take(encode(one))
    assert decided.silences() == []


def test_who_answers_for_an_incident_is_passed_on_and_what_is_no_decision_is_not_ours(clock: ManualClock) -> None:
    decided = Decided(clock)
    decided.take(encode(verdict(clock)))
    decided.take(b"{")
    decided.take(b'{"type":"tick"}')
    assert decided.answered.get_nowait() == verdict(clock)
    assert decided.answered.empty()
    assert decided.silences() == []


PLACE = Place(
    place_id="fr:76351",
    name="Le Havre",
    lat=49.49,
    lon=0.11,
    radius_km=6.0,
    level="commune",
    confidence=1.0,
    source="person",
    reasons=("vu",),
)


@pytest.mark.parametrize(
    ("decision", "fields", "is_answer"),
    [
        ("acknowledge", {}, True),
        ("confirm", {}, True),
        ("reject", {}, True),
        ("close", {}, True),
        ("relocate", {"place": PLACE}, True),
        ("change_hazard", {"read_as": "flood"}, True),
        ("merge", {"other": "fire-2"}, True),
        ("split", {"post_keys": ("twitter:1",)}, True),
        ("note", {}, False),
        ("withdraw", {"withdraws": "d1"}, False),
    ],
)
def test_whoever_decides_answers_for_an_incident_but_not_who_notes_or_takes_back(
    decision: Any, fields: dict[str, Any], is_answer: bool, clock: ManualClock
) -> None:
    decided = Decided(clock)
    decided.take(encode(replace(verdict(clock), decision=decision, **fields)))
    assert decided.answered.empty() != is_answer


@pytest.mark.broker
async def test_it_is_read_from_the_beginning_and_as_it_comes(
    broker: EmbeddedBroker, settings_for: Callable[..., StreamSettings], clock: ManualClock
) -> None:
    settings = settings_for(broker.url, partitions=2)
    await declare_topics(settings)
    publisher, decided = KafkaPublisher(settings), Decided(clock)
    await publisher.silences([silence(clock)])
    task = asyncio.create_task(decided.follow(settings))
    async with asyncio.timeout(30):
        await decided.is_up_to_date.wait()
    assert [one.silence_id for one in decided.silences()] == ["s1"], "all that stood there is known by then"
    await publisher.verdicts([verdict(clock)])
    async with asyncio.timeout(30):
        assert await decided.answered.get() == verdict(clock)
    task.cancel()
    await asyncio.wait({task})
    await publisher.stop()
