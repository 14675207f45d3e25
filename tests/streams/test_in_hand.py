"""Two batches of posts in hand: what comes of the second is told after all that comes of the first."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import faust

from detectors.detector import Detector
from detectors.profile import load_profile
from records import Claimed, DeadLetter, Post, Retraction, Signal, encode
from streams.detect import Detect
from streams.enrich import Enrich
from streams.publisher import KafkaPublisher
from streams.settings import StreamSettings
from streams.wiring import Steps, Wiring


class Slow(KafkaPublisher):
    """A stub of the way onto the topics, on which what one post takes back is held up; a real one is at no command."""

    def __init__(self, settings: StreamSettings) -> None:
        super().__init__(settings)
        self.told: list[str] = []
        self.may_go_on = asyncio.Event()

    async def retractions(self, retractions: Sequence[Retraction]) -> None:
        await self.may_go_on.wait()
        self.told += [f"back {one.post_key}" for one in retractions]

    async def signals(self, signals: Sequence[Any]) -> None:
        self.told += [f"signal {cast(Signal, one).post_key}" for one in signals]

    async def claims(self, changes: Mapping[str, Claimed | None]) -> None:
        """Take none."""

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        assert not letters


async def test_what_a_batch_takes_back_goes_out_before_the_signals_of_the_next(
    settings_for: Callable[..., StreamSettings],
    event: Callable[..., Any],
    enrich: Callable[[], Enrich],
    post: Callable[..., Post],
    clock: Any,
) -> None:
    settings = settings_for()
    app = faust.App("in-hand", broker=settings.kafka_url, datadir=str(settings.data_dir))
    worker = Wiring(app, settings, Steps(enrich=enrich(), detect=Detect(Detector(load_profile("world", None)))), clock)
    slow = worker.publisher = worker.letters.publisher = Slow(settings)
    batches = [[post(number=0, verb="delete", text="")], [post(number=1), post(number=2)], [post(number=3)]]
    tasks = [asyncio.create_task(worker._enrich([event(encode(one), offset=0) for one in batch])) for batch in batches]
    await asyncio.sleep(0.2)  # far longer than the stubs take to read and to place
    assert slow.told == []
    assert not any(task.done() for task in tasks)
    slow.may_go_on.set()
    await asyncio.gather(*tasks)
    assert slow.told == ["back stub:p0", "signal stub:p1", "signal stub:p2", "signal stub:p3"]
