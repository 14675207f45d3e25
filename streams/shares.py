"""Shares: a batch of posts is read and placed share by share, and while one is placed others are read.

So a reader in a process of its own goes on while somebody places, over the end of a batch as well.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from models.reading import PostReading
from records import BrokenInvariant, Post
from streams import metrics
from streams.enrich import Enrich, Enriched

SHARE = 64  # posts that are read together, and placed in one go, in which nothing else goes on
FIRST_SHARE = 8  # so many first, for which nothing can be done meanwhile
AHEAD = 2  # shares that a reader is asked for before their turn

Begun = Callable[[], list[PostReading | Exception | None]]


def _unasked() -> list[PostReading | Exception | None]:
    raise BrokenInvariant("the reader is asked for a share after its turn")


@dataclass
class Share:
    """Some posts of a batch, and what gives their readings once a reader was asked for them."""

    posts: Sequence[Post]
    readings: Begun = _unasked


class Shares:
    """The shares of all batches that are in hand, in their order."""

    def __init__(self, step: Enrich) -> None:
        self.step = step
        self._turn = asyncio.Lock()  # of the batch that is placed: what was said before helps to place what comes after
        self._waiting: deque[Share] = deque()
        self._asked_for = 0

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
                results += placed(self.step, share.posts, await self._read(share))
                await asyncio.sleep(0)  # others want to go on, too
        return results

    async def _read(self, share: Share) -> list[PostReading | Exception | None]:
        """Return the readings of a share, and ask for another."""
        read = await asyncio.to_thread(share.readings)
        self._asked_for -= 1
        self._ask()
        for labels, count in Counter(made_of(one) for one in read if isinstance(one, PostReading)).items():
            metrics.READINGS.labels(*labels).inc(count)
        return read

    def _ask(self) -> None:
        while self._waiting and self._asked_for < AHEAD:
            share = self._waiting.popleft()
            share.readings = begin(self.step, share.posts)
            self._asked_for += 1


def parted(posts: Sequence[Post]) -> Iterator[Share]:
    """Yield the shares of a batch."""
    if posts:
        for start, end in pairwise((0, *range(FIRST_SHARE, len(posts), SHARE), len(posts))):
            yield Share(posts[start:end])


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
