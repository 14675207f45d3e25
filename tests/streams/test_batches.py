"""Batches: always finished before Faust lets go of them, or the process is gone before it can."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import DeadLetter, ManualClock, Post, encode
from records.profile_change import PROFILE_KEY
from streams.batches import BROKEN_STATUS, MAX_DETAIL, DeadLetters, InHand, by_partition
from streams.publisher import KafkaPublisher
from streams.topics import NUDGE, POSTS
from streams.wiring import KEPT_TOGETHER, kept_together


@given(st.lists(st.integers(0, 3), max_size=20))
def test_events_are_parted_by_partition_in_their_order(partitions: list[int]) -> None:
    events: Any = [_Event(partition, offset) for offset, partition in enumerate(partitions)]
    groups = [list(group) for group in by_partition(events)]
    assert all(len({event.message.partition for event in group}) == 1 for group in groups)
    assert all([e.message.offset for e in group] == sorted(e.message.offset for e in group) for group in groups)
    assert sorted(event.message.offset for group in groups for event in group) == list(range(len(partitions)))
    assert len(groups) == len(set(partitions))


class _Event:
    """A Faust event, as far as a batch looks."""

    def __init__(self, partition: int, offset: int) -> None:
        self.message = self
        self.partition = partition
        self.offset = offset


def test_sorts_what_can_be_read_from_what_cannot_and_loses_neither(
    event: Callable[..., Any], post: Callable[..., Post], clock: ManualClock, settings_for: Callable[..., Any]
) -> None:
    letters = DeadLetters(KafkaPublisher(settings_for()), clock)
    values = [encode(post(number=1)), b"", b"{", None, b'{"source":1}', encode(post(number=2))]
    events = [event(value, partition=2, offset=offset) for offset, value in enumerate(values)]
    good, dead = letters.sort(POSTS, events, Post)
    assert [(found.message.offset, record.id) for found, record in good] == [(0, "p1"), (5, "p2")]
    assert [(letter.offset, letter.reason, letter.value) for letter in dead] == [
        (1, "empty", b""),
        (2, "undecodable", b"{"),
        (3, "empty", b""),
        (4, "invalid", b'{"source":1}'),
    ]
    assert {(letter.topic, letter.partition, letter.died_at) for letter in dead} == {("posts.v1", 2, clock.now())}


def test_the_mark_that_a_sweep_leaves_is_no_value(
    event: Callable[..., Any], clock: ManualClock, settings_for: Callable[..., Any]
) -> None:
    letters = DeadLetters(KafkaPublisher(settings_for()), clock)
    assert letters.sort(POSTS, [event(None, key=NUDGE)], Post) == ([], [])


def test_a_dead_letter_s_detail_is_cut_and_its_value_is_not(
    event: Callable[..., Any], clock: ManualClock, settings_for: Callable[..., Any]
) -> None:
    letters = DeadLetters(KafkaPublisher(settings_for()), clock)
    letter = letters.letter(POSTS, event(b"x" * 5000), "step_failed", "y" * 5000)
    assert isinstance(letter, DeadLetter)
    assert (len(letter.detail), len(letter.value)) == (MAX_DETAIL, 5000)


async def test_a_batch_whose_agent_is_cancelled_is_finished_first() -> None:
    may_end = asyncio.Event()
    done: list[str] = []

    async def work(what: str) -> None:
        await may_end.wait()
        done.append(what)

    async def agent() -> None:
        in_hand = InHand(2)
        try:
            for what in ("one", "the other"):
                await in_hand.begin(work(what))
        finally:
            await in_hand.finish()

    task = asyncio.create_task(agent())
    await asyncio.sleep(0)
    task.cancel()
    asyncio.get_running_loop().call_soon(may_end.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["one", "the other"]


async def test_an_agent_that_is_cancelled_while_it_finishes_finishes_all_the_same() -> None:
    in_hand = InHand(2)
    may_end = asyncio.Event()
    done: list[str] = []

    async def work() -> None:
        await may_end.wait()
        done.append("all of it")

    await in_hand.begin(work())
    agent = asyncio.create_task(in_hand.finish())
    await asyncio.sleep(0)
    agent.cancel()
    await asyncio.sleep(0.01)
    assert not agent.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await agent
    assert done == ["all of it"]


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_so_many_batches_are_in_hand_and_no_more(most: int) -> None:
    in_hand = InHand(most)
    may_end = [asyncio.Event() for _ in range(5)]
    begun: list[int] = []
    done: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        await may_end[number].wait()
        done.append(number)

    async def agent() -> None:
        for number in range(5):
            await in_hand.begin(work(number))
        await in_hand.finish()

    task = asyncio.create_task(agent())
    for number in range(5):
        await asyncio.sleep(0.001)
        assert begun == list(range(min(5, number + most)))
        may_end[number].set()
    await task
    assert done == list(range(5))


async def test_nothing_in_hand_is_finished_at_once() -> None:
    await InHand(1).finish()


ENDS = {
    "a batch fails": """
async def work(): raise RuntimeError("no receipt")
async def main(): await InHand(1).begin(work())
""",
    "a batch fails while nobody waits for it": """
async def work(): raise RuntimeError("no receipt")
async def main():
    await InHand(2).begin(work())
    await asyncio.sleep(3600)
""",
    "a batch fails after its agent was cancelled": """
async def work():
    await asyncio.sleep(0.01)
    raise RuntimeError("no receipt")
async def main():
    in_hand = InHand(1)
    agent = asyncio.create_task(in_hand.begin(work()))
    await asyncio.sleep(0)
    agent.cancel()
    await in_hand.finish()
""",
    "a batch is not finished in time": """
batches.FINISH_SECS = 0.05
async def main():
    in_hand = InHand(2)
    await in_hand.begin(asyncio.sleep(3600))
    await in_hand.finish()
""",
    "our own state is wrong": """
async def work(): raise BrokenInvariant("no receipt")
async def main(): await InHand(1).begin(work())
""",
}


@pytest.mark.parametrize("way", ENDS)
def test_the_process_ends_before_anything_can_be_acknowledged_when(way: str) -> None:
    program = (
        "import asyncio\nfrom records import BrokenInvariant\nfrom streams import batches\n"
        f"from streams.batches import InHand\n{ENDS[way]}\n"
        "try:\n    asyncio.run(main())\nfinally:\n    print('acknowledged')\n"
    )
    ended = subprocess.run(  # noqa: S603  the program stands above
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout.count("acknowledged")) == (BROKEN_STATUS, 0)
    assert "will be read again" in ended.stdout + ended.stderr


def test_a_change_of_profile_is_kept_by_itself_and_signals_by_the_dozen(event: Callable[..., Any]) -> None:
    events = [
        event(key=PROFILE_KEY.encode() if number in (0, 3, 4) else b"fire/76", offset=number)
        for number in range(5 + 2 * KEPT_TOGETHER + 11)
    ]
    parts = [[one.message.offset for one in part] for part in kept_together(events, KEPT_TOGETHER)]
    assert parts[:4] == [[0], [1, 2], [3], [4]]
    assert [len(part) for part in parts[4:]] == [KEPT_TOGETHER, KEPT_TOGETHER, 11]
    assert [offset for part in parts for offset in part] == list(range(5 + 2 * KEPT_TOGETHER + 11))
