"""Shares: a batch of posts is read and placed share by share, and while one is placed others are read.

A reader in a process of its own so always has something to read, and whoever places has what was read.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

from models.reading import PostReading
from records import BrokenInvariant, Post
from streams import metrics
from streams.enrich import Enrich, Enriched

SHARE = 64  # posts that are read while the share before is placed, during which nothing else goes on
FIRST_SHARE = 8  # so many first, for which nothing can be done meanwhile
AHEAD = 2  # shares that a reader is asked for before their turn, so that it never waits

Begun = Callable[[], list[PostReading | Exception | None]]


class Shares:
    """The shares of all batches that are in hand, in their order."""

    def __init__(self, step: Enrich) -> None:
        self.step = step
        self._turn = asyncio.Lock()  # of the batch that is placed: what was said before helps to place what comes after
        self._waiting: deque[Sequence[Post]] = deque()
        self._asked_for: deque[Begun] = deque()

    async def enriched(self, posts: Sequence[Post]) -> list[Enriched | Exception]:
        """Return what becomes of the posts of a batch, in order; those of a batch that is given later come later.

        Errors  BrokenInvariant where nothing can be read any more
        """
        shares = list(parted(posts))
        self._waiting += shares
        self._ask()
        results: list[Enriched | Exception] = []
        async with self._turn:
            for share in shares:
                results += placed(self.step, share, await self._read())
                await asyncio.sleep(0)  # others want to go on, too
        return results

    async def _read(self) -> list[PostReading | Exception | None]:
        """Return the readings of the next share, and ask for another."""
        read = await asyncio.to_thread(self._asked_for[0])
        self._asked_for.popleft()
        self._ask()
        for labels, count in Counter(made_of(one) for one in read if isinstance(one, PostReading)).items():
            metrics.READINGS.labels(*labels).inc(count)
        return read

    def _ask(self) -> None:
        while self._waiting and len(self._asked_for) < AHEAD:
            self._asked_for.append(begin(self.step, self._waiting.popleft()))


def parted(posts: Sequence[Post]) -> Iterator[Sequence[Post]]:
    """Yield the shares of a batch."""
    if posts:
        for start, end in pairwise((0, *range(FIRST_SHARE, len(posts), SHARE), len(posts))):
            yield posts[start:end]


def made_of(reading: PostReading) -> tuple[str, str]:
    """Return what the model has made of a post: of what hazard it speaks, if any, and when or how."""
    return reading.hazard, reading.actuality


def begin(step: Enrich, posts: Sequence[Post]) -> Begun:
    """Begin to read posts; what is returned gives the readings, and a post that breaks the step costs only itself."""
    try:
        begun = step.begin(posts)
    except BrokenInvariant:
        raise
    except Exception:  # noqa: BLE001  a bug in a step must not cost the batch
        begun = partial(step.read, posts)
    return partial(readings, step, posts, begun)


def readings(
    step: Enrich, posts: Sequence[Post], begun: Callable[[], list[PostReading | None]]
) -> list[PostReading | Exception | None]:
    """Return the reading of each post; a post that breaks the step costs only itself."""
    try:
        return list(begun())
    except BrokenInvariant:
        raise
    except Exception as error:  # noqa: BLE001  a bug in a step must not cost the batch
        if len(posts) == 1:
            return [error]
        return [reading for post in posts for reading in readings(step, [post], partial(step.read, [post]))]


def placed(
    step: Enrich, posts: Sequence[Post], read: Sequence[PostReading | Exception | None]
) -> list[Enriched | Exception]:
    """Return what becomes of each post that was read, in order; a post that breaks the step costs only itself."""
    results: list[Enriched | Exception] = []
    for post, reading in zip(posts, read, strict=True):
        if isinstance(reading, Exception):
            results.append(reading)
            continue
        try:
            results.append(step.place(post, reading))
        except BrokenInvariant:
            raise
        except Exception as error:  # noqa: BLE001  a bug in a step must not cost the batch
            results.append(error)
    return results
