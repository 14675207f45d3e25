"""Batches of posts read and placed share by share: the reader is always ahead, and nothing changes its place."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.reading import PostReading
from records import Post
from streams import shares
from streams.enrich import Enrich
from streams.shares import AHEAD, FIRST_SHARE, SHARE, Shares, parted

MakePost = Callable[..., Post]


@given(st.integers(0, 5 * SHARE))
def test_shares_hold_each_post_once_in_its_order(count: int) -> None:
    posts: Any = list(range(count))
    found = list(parted(posts))
    assert [post for share in found for post in share.posts] == posts
    assert all(0 < len(share.posts) <= SHARE for share in found)
    assert all(len(share.posts) <= FIRST_SHARE for share in found[:1])


class Slow:
    """A reader that reads when it is told to, and says what it was asked for; around the stub of the tests."""

    version = "slow/1"

    def __init__(self, reader: Any) -> None:
        self.reader = reader
        self.asked: list[int] = []  # texts of each question, in their order
        self.is_asked = asyncio.Event()
        self.may_read = threading.Semaphore(0)

    def check(self) -> None:
        """Be there."""

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        return self.begin(texts, langs)()

    def begin(self, texts: Sequence[str], langs: Sequence[str | None]) -> Callable[[], list[PostReading]]:
        self.asked.append(len(texts))
        self.is_asked.set()

        def readings() -> list[PostReading]:
            self.may_read.acquire()
            found: list[PostReading] = self.reader.read(texts, langs)
            return found

        return readings


async def test_the_next_batch_is_read_while_the_last_shares_of_one_are_placed(
    enrich: Callable[[], Enrich], post: MakePost, monkeypatch: Any
) -> None:
    order: list[str] = []
    real = shares.placed

    def noted(step: Enrich, posts: Sequence[Post], read: Any) -> Any:
        order.extend(one.id for one in posts)
        return real(step, posts, read)

    monkeypatch.setattr(shares, "placed", noted)
    step = enrich()
    slow = Slow(step.reader)
    whole = Shares(replace(step, reader=slow))
    one = [post(number=number) for number in range(FIRST_SHARE + SHARE)]
    other = [post(number=1000 + number) for number in range(FIRST_SHARE + 2 * SHARE)]
    first, second = asyncio.create_task(whole.enriched(one)), asyncio.create_task(whole.enriched(other))
    await asyncio.sleep(0)
    assert slow.asked == [FIRST_SHARE, SHARE]
    assert len(slow.asked) == AHEAD
    slow.is_asked.clear()
    slow.may_read.release()
    await slow.is_asked.wait()
    assert slow.asked == [FIRST_SHARE, SHARE, FIRST_SHARE], "of the next batch, though this one is not placed"
    slow.may_read.release(10)
    assert [len(await task) for task in (first, second)] == [len(one), len(other)]
    assert order == [each.id for each in (*one, *other)]
    assert slow.asked == [FIRST_SHARE, SHARE, FIRST_SHARE, SHARE, SHARE]


async def test_a_batch_of_what_breaks_the_reader_takes_nothing_from_the_others(
    enrich: Callable[[], Enrich], post: MakePost
) -> None:
    whole = Shares(enrich())
    batches = [[post("fire=0.9 @" if number % 2 else "boom", number=number)] * (number + 1) for number in range(5)]
    results = await asyncio.gather(*(whole.enriched(batch) for batch in (*batches, [])))
    assert [len(result) for result in results] == [1, 2, 3, 4, 5, 0]
    assert all(isinstance(one, Exception) for one in (*results[0], *results[2], *results[4]))
    assert all(getattr(one, "outcome", "") == "signal" for one in (*results[1], *results[3]))
