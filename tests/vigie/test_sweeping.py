"""The promises about what is kept are looked after unasked: by the edge, and by whoever runs the machine."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from records import SourceUnavailable, SystemClock
from streams.sweep import LATE, Swept
from streams.taking_back import TakenBack
from streams.topics import GONE_BY, RAW, TOPICS
from vigie import sweeping
from vigie.cli import main
from vigie.metrics import RETENTION
from vigie.settings import Settings
from vigie.supervisor import Supervisor
from vigie.sweeping import Sweeping, show_promises, sweep_for_ever, table_of

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


async def test_the_edge_sweeps_again_and_again_even_after_a_broker_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []

    async def sometimes_away(*_: Any) -> None:
        swept.append("")
        if len(swept) == 1:
            raise SourceUnavailable("away")

    monkeypatch.setattr(sweeping, "FIRST_SECS", 0.0)
    monkeypatch.setattr(sweeping, "SWEEP", timedelta(0))
    monkeypatch.setattr(sweeping, "swept", sometimes_away)
    task = asyncio.create_task(sweep_for_ever(None, None, SystemClock()))  # type: ignore[arg-type]
    while len(swept) < 3:
        assert not task.done()
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait({task})


def test_what_is_kept_for_too_long_stands_out_in_the_table() -> None:
    over = Swept(topic="posts.v1", retention=RAW, oldest_at=AT - RAW - LATE - timedelta(minutes=1))
    fine = Swept(topic="signals.v1", retention=GONE_BY, oldest_at=AT - GONE_BY, put_back=("retention.ms",))
    assert (over.is_over_time(AT), fine.is_over_time(AT)) == (True, False)
    table = table_of(Sweeping([over, fine], TakenBack(2, 1)), AT)
    assert "2 posts and 1 alerts taken back" in str(table.title)
    assert [list(column.cells) for column in table.columns][3] == [
        "KEPT FOR TOO LONG",
        "settings put back: retention.ms",
    ]


def test_what_each_topic_may_keep_is_shown_beside_what_it_keeps() -> None:
    show_promises()
    shown = {sample.labels["topic"]: sample.value for one in RETENTION.collect() for sample in one.samples}
    assert shown == {topic.name: topic.retention.total_seconds() for topic in TOPICS if topic.retention}
    assert shown["posts.v1"] == 72 * 3600


def test_the_embedded_broker_that_nobody_can_reach_is_explained(written: Callable[[str], Path]) -> None:
    done = CliRunner().invoke(main, ["privacy", "sweep", "--settings", str(written(""))])
    assert done.exit_code == 2
    assert "embedded broker lives in `vigie run` only" in done.output


class Broker:
    """Stands for an embedded broker that runs and is small."""

    def check(self) -> None:
        """It runs."""

    def memory_bytes(self) -> int:
        return 0


@pytest.mark.parametrize(("age", "is_replaced"), [(GONE_BY - timedelta(hours=1), False), (GONE_BY, True)])
def test_an_embedded_broker_is_replaced_before_it_keeps_anything_for_too_long(
    age: timedelta, *, is_replaced: bool, loaded: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Supervisor(loaded("[console]\nport = 0\n"), None)
    replaced: list[bool] = []
    monkeypatch.setattr(supervisor, "broker", Broker())
    monkeypatch.setattr(supervisor, "broker_started_at", time.monotonic() - age.total_seconds())
    monkeypatch.setattr(supervisor, "_replace_broker", lambda *, is_alive: replaced.append(is_alive))
    for watched in (supervisor.worker, supervisor.edge):
        monkeypatch.setattr(watched, "look", lambda: None)
    supervisor._look()
    assert replaced == [True] * is_replaced
