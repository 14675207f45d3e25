"""The runner: every reading counted once, the cursor after the posts, and a stop that loses nothing."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Capabilities, NotSaved, Reading
from connectors.cursors import ForgetfulCursors, SqliteCursors
from connectors.pseudonym import OBJECTED
from connectors.runner import Pace, run, wait_secs
from records import MalformedRecord, ManualClock, Media, Post, SourceUnavailable

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def post(number: int, text: str = "fumée", **more: Any) -> Post:
    fields: dict[str, Any] = {
        "source": "made",
        "id": str(number),
        "posted_at": AT,
        "received_at": AT,
        "author_id": "a",
        "lang": "fr",
    }
    return Post(text=text, **(fields | more))


class Made:
    """A source of given readings; an exception among them is raised once."""

    name = "made"
    capabilities = Capabilities()

    def __init__(self, steps: list[Any], *, is_trusted: bool = False, is_endless: bool = False) -> None:
        self.steps = list(enumerate(steps, start=1))
        self.is_trusted = is_trusted
        self.is_endless = is_endless
        self.starts: list[str | None] = []

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        self.starts.append(after)
        for step in list(self.steps):
            number, found = step
            if number <= int(after or 0):
                continue
            if isinstance(found, SourceUnavailable):
                self.steps.remove(step)
                raise found
            yield found if isinstance(found, Reading) else Reading(str(number), found)
        if self.is_endless:
            await asyncio.Event().wait()


Go = Callable[..., Any]


@pytest.fixture
def go(broker: Any, witness: Any, clock: ManualClock) -> Go:
    async def go(source: Made, **more: Any) -> ForgetfulCursors:
        cursors = more.pop("cursors", None) or ForgetfulCursors()

        async def sleep(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))

        settings = {
            "gate": lambda text: "fumée" in text,
            "publisher": broker,
            "cursors": cursors,
            "observer": witness,
            "clock": clock,
            "sleep": sleep,
            "chance": lambda: 1.0,
        }
        async with asyncio.timeout(10):
            await run(source, **(settings | more))
        assert isinstance(cursors, ForgetfulCursors)
        return cursors

    return go


async def test_every_reading_has_one_outcome(go: Go, broker: Any, witness: Any) -> None:
    bad = MalformedRecord("broken", reason="invalid", value=b"x")
    cursors = await go(
        Made([post(1), post(2, "rien"), None, bad, post(5, "", verb="delete"), post(6, "", verb="purge")])
    )
    assert witness.outcomes == {"kept": 3, "gated": 1, "not_a_post": 1, "refused": 1}
    assert witness.reasons == {"invalid": 1}
    assert [found.id for found in broker.kept] == ["1", "5", "6"]
    assert [(letter.topic, letter.value) for letter in broker.letters] == [("source:made", b"x")]
    assert broker.pulse_sums() == witness.outcomes
    assert cursors.load("made") == "6"


async def test_trusted_sources_pass_without_the_gate(go: Go, broker: Any) -> None:
    await go(Made([post(1, "rien")], is_trusted=True))
    assert len(broker.kept) == 1


async def test_an_edit_that_no_longer_matters_goes_on_without_its_words(go: Go, broker: Any) -> None:
    await go(Made([post(1, "rien", verb="update"), post(2, "la fumée", verb="update")]))
    assert [found.text for found in broker.kept] == ["", "la fumée"]


async def test_a_picture_may_speak_for_a_post(go: Go, broker: Any) -> None:
    await go(Made([post(1, "regardez", media=(Media(type="image", alt="fumée noire"),))]))
    assert len(broker.kept) == 1


async def test_waits_and_reads_again_after_the_last_reading(go: Go, broker: Any, witness: Any) -> None:
    gone = [SourceUnavailable("gone"), SourceUnavailable("gone"), SourceUnavailable("busy", retry_after_secs=7)]
    source = Made([post(1), *gone, post(5), SourceUnavailable("gone"), post(7)])
    await go(source)
    assert source.starts == [None, "1", "1", "1", "5"]
    assert [seconds for _, seconds in witness.failures] == [0.5, 1.0, 7.0, 0.5]
    assert [found.id for found in broker.kept] == ["1", "5", "7"]


@pytest.mark.parametrize(
    ("failures", "chance", "expected"), [(1, 0.0, 0.25), (1, 1.0, 0.5), (4, 1.0, 4.0), (50, 1.0, 60.0), (50, 0.0, 30.0)]
)
def test_waits_longer_and_by_chance(failures: int, chance: float, expected: float) -> None:
    assert wait_secs(failures, SourceUnavailable("x"), pace=Pace(), chance=chance) == expected


async def test_the_cursor_is_not_saved_when_the_broker_fails(go: Go, broker: Any, witness: Any) -> None:
    broker.fails_with = ConnectionError("no broker")
    cursors = ForgetfulCursors()
    with pytest.raises(ConnectionError):
        await go(Made([post(1)], is_endless=True), cursors=cursors)
    assert cursors.load("made") is None
    assert witness.outcomes.total() == 0


async def test_a_stop_hands_over_what_was_read(broker: Any, witness: Any, clock: ManualClock) -> None:
    cursors = ForgetfulCursors()
    task = asyncio.create_task(
        run(
            Made([post(i) for i in range(1, 101)], is_endless=True),
            gate=lambda _: True,
            publisher=broker,
            cursors=cursors,
            observer=witness,
            clock=clock,
            pace=Pace(linger_secs=60.0),
        )
    )
    for _ in range(5):
        await asyncio.sleep(0)
    assert broker.kept == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(broker.kept) == 100
    assert cursors.load("made") == "100"
    assert broker.pulse_sums() == {"kept": 100}


async def test_batches_are_bounded(go: Go, broker: Any) -> None:
    await go(Made([post(i) for i in range(1000)]))
    assert max(broker.batches) <= 256
    assert sum(broker.batches) == 1000


async def test_a_slow_source_is_not_kept_waiting(broker: Any, witness: Any, clock: ManualClock, until: Any) -> None:
    source = Made([post(1)], is_endless=True)
    task = asyncio.create_task(
        run(source, gate=lambda _: True, publisher=broker, cursors=ForgetfulCursors(), observer=witness, clock=clock)
    )
    await until(lambda: bool(broker.kept))
    task.cancel()
    await asyncio.wait({task})


async def test_pulses_come_by_the_minute_also_in_silence(
    broker: Any, witness: Any, clock: ManualClock, until: Any
) -> None:
    task = asyncio.create_task(
        run(
            Made([post(1), post(2, "rien"), post(3, lang="x" * 40)], is_endless=True),
            gate=lambda text: "fumée" in text,
            publisher=broker,
            cursors=ForgetfulCursors(),
            observer=witness,
            clock=clock,
            pace=Pace(turn_secs=0.001),
        )
    )
    await until(lambda: witness.outcomes.total() == 3)
    for minutes in (1, 2):
        clock.advance(timedelta(minutes=1))
        await until(lambda minute=AT + timedelta(minutes=minutes - 1): minute in {p.minute for p in broker.counted})
    task.cancel()
    await asyncio.wait({task})
    found = [(pulse.minute.minute, pulse.language, pulse.outcomes) for pulse in broker.counted]
    assert found == [(0, "", {"kept": 1}), (0, "fr", {"gated": 1, "kept": 1}), (1, "", {})]


async def test_a_blind_minute_has_no_pulse(broker: Any, witness: Any, clock: ManualClock) -> None:
    async def sleep(_: float) -> None:
        clock.advance(timedelta(minutes=5))
        await asyncio.sleep(0.01)

    await run(
        Made([SourceUnavailable("gone"), SourceUnavailable("gone"), post(3)]),
        gate=lambda _: True,
        publisher=broker,
        cursors=ForgetfulCursors(),
        observer=witness,
        clock=clock,
        sleep=sleep,
        pace=Pace(turn_secs=0.001),
    )
    assert all(pulse.outcomes for pulse in broker.counted)


def test_cursors_last(tmp_path: Path) -> None:
    path = tmp_path / "data" / "cursors.sqlite"
    first = SqliteCursors(path)
    first.save("a", "1")
    first.save("a", "2")
    first.close()
    again = SqliteCursors(path)
    assert (again.load("a"), again.load("b")) == ("2", None)
    again.close()


async def test_a_cursor_that_cannot_be_saved_keeps_nobody_from_reading_and_is_told_of_once(
    go: Go, broker: Any, witness: Any, tmp_path: Path
) -> None:
    class FullDisk(ForgetfulCursors):
        left = 2

        def save(self, source: str, cursor: str) -> None:
            if self.left:
                self.left -= 1
                raise NotSaved("disk is full")
            super().save(source, cursor)

    cursors = await go(Made([post(number) for number in range(1, 5)]), cursors=FullDisk(), pace=Pace(batch_posts=1))
    assert [found.id for found in broker.kept] == ["1", "2", "3", "4"]
    assert witness.unsaved_cursors == ["disk is full"]
    assert cursors.load("made") == "4"


def test_a_disk_that_takes_no_cursor_is_told_as_such(tmp_path: Path) -> None:
    cursors = SqliteCursors(tmp_path / "cursors.sqlite")
    cursors._db.execute(f"PRAGMA max_page_count = {cursors._db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(NotSaved, match="full"):
        cursors.save("made", "x" * 100_000)
    cursors.save("made", "1")
    assert cursors.load("made") == "1"
    cursors.close()


async def test_many_posts_in_many_batches_each_have_one_outcome(
    broker: Any, witness: Any, clock: ManualClock, tmp_path: Path
) -> None:
    readings = [Reading(str(i), post(i, "fumée" if i % 20 == 0 else "rien")) for i in range(120_000)]
    cursors = SqliteCursors(tmp_path / "cursors.sqlite")
    await run(
        Made(readings),
        gate=lambda text: "fumée" in text,
        publisher=broker,
        cursors=cursors,
        observer=witness,
        clock=clock,
    )
    cursors.close()
    assert witness.outcomes == {"kept": 6000, "gated": 114_000}


async def test_whoever_objected_is_not_read_by_a_trusted_source_either(
    broker: Any, witness: Any, clock: ManualClock
) -> None:
    posts = [post(1, author_id=OBJECTED), post(2), post(3, author_id=OBJECTED, verb="delete")]
    await run(
        Made(posts, is_trusted=True),
        gate=lambda _: False,
        publisher=broker,
        cursors=ForgetfulCursors(),
        observer=witness,
        clock=clock,
    )
    assert [kept.id for kept in broker.kept] == ["2", "3"]
    assert witness.outcomes["gated"] == 1
