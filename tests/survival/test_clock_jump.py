"""The clock of edge, worker and console is an hour ahead, and then an hour behind, in the middle of a burst.

The webhook is not well while it is ahead, so that what waits for another try is there when it jumps back.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.survival.burst import Burst
from vigie.broker import EmbeddedBroker

pytestmark = pytest.mark.broker
HOUR_SECS = 3600
PROGRAM = str(Path(__file__).with_name("on_another_clock.py"))


class Jumping(Burst):
    """A burst whose processes have a clock that is wrong."""

    def __init__(self, folder: Path, *, kafka_url: str, is_embedded: bool) -> None:
        super().__init__(folder, kafka_url=kafka_url, is_embedded=is_embedded)
        self.clock = folder / "clock"
        self.jump(0)
        for kept in self.kept.values():
            kept.child.command = [PROGRAM, str(self.clock), *kept.child.command]

    def jump(self, secs: int) -> None:
        """Have all clocks be wrong by so many seconds from now on."""
        whole = self.clock.with_suffix(".new")
        whole.write_text(str(secs))
        whole.replace(self.clock)

    def latest_try_at(self) -> float:
        """Return when the outbox means to try last what waits, 0 where nothing does."""
        with closing(sqlite3.connect(self.folder / "data" / "outbox.sqlite")) as outbox:
            query = "SELECT coalesce(max(next_try_at), 0) FROM notifications WHERE state = 'pending' AND attempts > 0"
            return float(outbox.execute(query).fetchone()[0])


@pytest.fixture
def burst(tmp_path: Path) -> Iterator[Jumping]:
    with EmbeddedBroker() as broker:
        made = Jumping(tmp_path, kafka_url=broker.url, is_embedded=True)
        yield made
        made.close()


def test_whatever_the_clock_says_nothing_is_lost_and_nobody_is_told_twice_or_an_hour_late(burst: Jumping) -> None:
    burst.receiver.is_well = False
    burst.start()
    burst.jump(HOUR_SECS)
    burst.wait_until("something is put off by the wrong clock", lambda: burst.latest_try_at() > time.time() + 1800)
    burst.wait_until("the edge has read all", lambda: burst.kept["edge"].is_done)
    burst.receiver.is_well = True
    burst.jump(-HOUR_SECS)
    burst.wait_until_done()
    came = burst.assert_sound()
    print(came)  # noqa: T201  with pytest -s
    assert came.is_soon
