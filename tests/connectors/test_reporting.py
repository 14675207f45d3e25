"""Reporting: what becomes of each notification is said, with its reason, and never lost on the way."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from connectors.sinks.contract import TryLater, Undeliverable
from connectors.sinks.outbox import Outbox
from connectors.sinks.routing import Route, Router, matcher_from
from records import Alert, ManualClock, Notification, NotificationState, Silence, SourceUnavailable, decode, encode
from records.digest import Digest, DigestMade

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)


class Box:
    """A sink for people that takes all it is given, but for what it was told to fail with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures: list[Exception] = []

    async def send(self, alert: Alert) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def send_digest(self, digest: Digest) -> None:
        """Take it."""

    async def retract(self, alert: Alert) -> None:
        """Owe nothing."""


class Topic:
    """What was published, in its order; the broker may be away, or something may happen meanwhile."""

    def __init__(self) -> None:
        self.said: list[Notification] = []
        self.is_away = False
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def publish(self, notifications: Sequence[Notification]) -> None:
        if self.is_away:
            raise SourceUnavailable("kafka: away")
        self.said += notifications
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()

    def newest(self) -> dict[str, Notification]:
        return {one.key: one for one in self.said}

    def states(self) -> dict[tuple[str, int], NotificationState]:
        return {(one.receiver, one.revision): one.state for one in self.newest().values()}


class Desk:
    """An outbox on a clock that stands still until it is moved, and what it reports."""

    def __init__(self, folder: Path, *names: str, routes: list[Route] | None = None) -> None:
        self.file = folder / "outbox.sqlite"
        self.boxes = {name: Box(name) for name in names}
        self.routes = routes or [Route(name="all", receivers=tuple(self.boxes))]
        self.clock, self.topic = ManualClock(AT), Topic()
        self.silences: list[Silence] = []
        self.outbox = self.opened()

    def opened(self) -> Outbox:
        return Outbox(
            self.file,
            self.boxes.values(),
            clock=self.clock,
            router=Router(self.routes),
            silences=lambda: self.silences,
            chance=lambda: 1.0,
        )

    def restart(self) -> None:
        self.outbox.close()
        self.outbox = self.opened()

    async def tell(self, *alerts: Alert) -> None:
        await self.outbox.enqueue(alerts)
        await self.outbox.drain()

    async def wait(self, span: timedelta = timedelta(minutes=1)) -> None:
        self.clock.advance(span)
        await self.outbox.drain()

    async def report(self, most: int = 100) -> list[Notification]:
        """Report, and return what was said by that."""
        before = len(self.topic.said)
        await self.outbox.report(self.topic.publish, most=most)
        return self.topic.said[before:]


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = Desk(tmp_path, "cell")
    yield made
    made.outbox.close()


def revision(alert: Alert, number: int, level: str = "alert", **fields: Any) -> Alert:
    return replace(alert, incident_id="fire-1", revision=number, level=level, **fields)


def silence() -> Silence:
    return Silence(
        silence_id="s1",
        matchers=(matcher_from("hazard = fire"),),
        author="permanence",
        reason="exercice",
        starts_at=AT - timedelta(days=1),
        ends_at=AT + timedelta(days=7),
        made_at=AT,
    )


def digest() -> tuple[Digest, DigestMade]:
    since = AT - timedelta(hours=12)
    made = Digest(
        digest_id="digest/x",
        since=since,
        until=AT,
        new=(),
        ongoing=(),
        refuted=(),
        over=(),
        unseen=(),
        unheard_ways=(),
        figures={},
    )
    return made, DigestMade(digest_id=made.digest_id, since=since, until=AT, ends=())


# What became of it ---------------------------------------------------------------------------------------------------


async def is_sent(desk: Desk, alert: Alert) -> None:
    await desk.tell(revision(alert, 1))


async def waits(desk: Desk, alert: Alert) -> None:
    await desk.outbox.enqueue([revision(alert, 1)])


async def is_put_off(desk: Desk, alert: Alert) -> None:
    desk.boxes["cell"].failures = [TryLater("cell: answered 503")]
    await desk.tell(revision(alert, 1))


async def fails(desk: Desk, alert: Alert) -> None:
    desk.boxes["cell"].failures = [Undeliverable("cell: answered 410")]
    await desk.tell(revision(alert, 1))


async def is_held(desk: Desk, alert: Alert) -> None:
    desk.silences = [silence()]
    await desk.tell(revision(alert, 1))


async def waits_for_its_group(desk: Desk, alert: Alert) -> None:
    desk.routes = [Route(name="all", receivers=("cell",), group_by=("area",), group_wait=timedelta(minutes=5))]
    desk.restart()
    await desk.tell(revision(alert, 1, level="watch"))


async def is_superseded(desk: Desk, alert: Alert) -> None:
    await is_held(desk, alert)
    await desk.outbox.enqueue([revision(alert, 2)])
    await desk.wait()


async def only_takes_words_back(desk: Desk, alert: Alert) -> None:
    gone = tuple(replace(one, text="", url=None, is_removed=True) for one in alert.evidence)
    await desk.tell(revision(alert, 1))
    await desk.tell(revision(alert, 2, evidence=gone))


async def has_lost_its_receiver(desk: Desk, alert: Alert) -> None:
    await waits(desk, alert)
    desk.clock.advance(timedelta(minutes=1))
    desk.boxes = {"other": Box("other")}
    desk.restart()


@pytest.mark.parametrize(
    ("comes_to_it", "number", "expected"),
    [
        (waits, 1, ("waiting", "", AT, 0)),
        (is_put_off, 1, ("waiting", "cell: answered 503", AT, 1)),
        (is_sent, 1, ("sent", "", AT, 1)),
        (fails, 1, ("failed", "cell: answered 410", AT, 1)),
        (is_held, 1, ("held", "silence: silence s1 by permanence: exercice", AT, 0)),
        (waits_for_its_group, 1, ("held", "group: waits for others", AT, 0)),
        (is_superseded, 1, ("superseded", "a newer revision stands for it", LATER, 0)),
        (only_takes_words_back, 2, ("needless", "words: only words were taken back", AT, 0)),
        (has_lost_its_receiver, 1, ("failed", "there is no such receiver any more", LATER, 0)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_became_of_a_notification_is_said_with_its_reason_and_its_moment(
    desk: Desk, alert: Alert, comes_to_it: Any, number: int, expected: tuple[Any, ...]
) -> None:
    await comes_to_it(desk, alert)
    await desk.report()
    (one,) = [found for found in desk.topic.newest().values() if found.revision == number]
    assert (one.state, one.why, one.at, one.attempts) == expected
    assert (one.incident_id, one.receiver, one.route) == ("fire-1", "cell", "all")


async def test_the_end_of_what_a_receiver_was_never_told_of_is_needless(tmp_path: Path, alert: Alert) -> None:
    loud = Route(name="loud", receivers=("cell",), matchers=(matcher_from("level != watch"),))
    desk = Desk(tmp_path, "cell", routes=[loud])
    await desk.tell(revision(alert, 1, level="watch"), revision(alert, 2, level="resolved"))
    (one,) = await desk.report()
    assert (one.state, one.level, one.why.partition(":")[0]) == ("needless", "resolved", "never_told")
    desk.outbox.close()


async def test_a_digest_is_reported_as_one(desk: Desk) -> None:
    made, note = digest()
    await desk.outbox.enqueue_digest(made, ["cell"], note)
    await desk.outbox.drain()
    (one,) = await desk.report()
    assert (one.is_digest, one.digest_id, one.state) == (True, "digest/x", "sent")
    assert (one.incident_id, one.revision, one.level) == ("", 0, None)


async def test_who_is_called_since_nobody_looked_is_reported_by_the_route_that_called(
    tmp_path: Path, alert: Alert
) -> None:
    route = Route(name="cell", receivers=("cell",), escalate_after=timedelta(minutes=15), escalate_to=("duty",))
    desk = Desk(tmp_path, "cell", "duty", routes=[route])
    await desk.tell(revision(alert, 1))
    assert [one.receiver for one in await desk.report()] == ["cell"]
    await desk.wait(timedelta(minutes=16))
    (one,) = await desk.report()
    assert (one.receiver, one.route, one.state, one.at) == ("duty", "cell", "sent", AT + timedelta(minutes=16))
    desk.outbox.close()


async def test_no_words_of_posts_are_reported(desk: Desk, alert: Alert) -> None:
    await only_takes_words_back(desk, alert)
    await is_put_off(desk, replace(alert, incident_id="fire-2"))
    said = b"".join(encode(one) for one in await desk.report())
    (post,) = alert.evidence
    words = [word for word in (*post.text.split(), post.url or "", post.author_id) if len(word) > len("fumée")]
    assert said
    assert len(words) > 3
    assert not [word for word in words if word.encode() in said]


# Once, newest, and never lost ----------------------------------------------------------------------------------------


async def test_what_was_reported_is_not_said_again_and_what_changes_is_under_the_same_key(
    desk: Desk, alert: Alert
) -> None:
    await is_put_off(desk, alert)
    (first,) = await desk.report()
    assert await desk.report() == []
    desk.restart()
    assert await desk.report() == []
    await desk.wait()
    (second,) = await desk.report()
    assert first.key == second.key
    assert (first.state, second.state) == ("waiting", "sent")
    assert first.at < second.at


async def test_of_several_changes_the_last_one_alone_is_said(desk: Desk, alert: Alert) -> None:
    await is_put_off(desk, alert)
    await desk.wait()
    assert [one.state for one in await desk.report()] == ["sent"]


async def test_what_is_still_held_for_the_same_reason_is_no_news(desk: Desk, alert: Alert) -> None:
    await is_held(desk, alert)
    assert [one.state for one in await desk.report()] == ["held"]
    await desk.wait()
    assert await desk.report() == []
    desk.silences = []
    await desk.wait()
    assert [one.state for one in await desk.report()] == ["sent"]


async def test_what_the_broker_does_not_take_is_said_at_the_next_turn(desk: Desk, alert: Alert) -> None:
    await is_sent(desk, alert)
    desk.topic.is_away = True
    with pytest.raises(SourceUnavailable):
        await desk.report()
    desk.topic.is_away = False
    assert [one.state for one in await desk.report()] == ["sent"]


async def test_what_changes_while_it_is_published_is_said_anew(desk: Desk, alert: Alert) -> None:
    await waits(desk, alert)
    desk.topic.meanwhile = desk.outbox.drain
    assert [one.state for one in await desk.report()] == ["waiting"]
    assert [one.state for one in await desk.report()] == ["sent"], "the clock stood still, and it is another change"


async def test_what_the_disk_cannot_note_is_not_said_again_until_a_restart(
    desk: Desk, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(up_to: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    await is_sent(desk, alert)
    with monkeypatch.context() as patched:
        patched.setattr(desk.outbox._store, "forget_changes", full)
        assert len(await desk.report()) == 1
        assert await desk.report() == []
    desk.restart()
    assert [one.state for one in await desk.report()] == ["sent"]


async def test_many_are_said_in_batches_oldest_first(desk: Desk, alert: Alert) -> None:
    await desk.tell(*[revision(alert, number) for number in range(1, 6)])
    batches = [await desk.report(most=2) for _ in range(4)]
    assert [[one.revision for one in batch] for batch in batches] == [[1, 2], [3, 4], [5], []]


# Files and their ids -------------------------------------------------------------------------------------------------


async def test_a_file_of_an_earlier_version_goes_on_and_what_it_holds_is_reported(desk: Desk, alert: Alert) -> None:
    await is_superseded(desk, alert)
    await desk.report()
    desk.outbox.close()
    with sqlite3.connect(desk.file) as db:
        db.execute("DROP TABLE changes")
        db.execute("DROP TABLE identity")
    db.close()
    desk.topic = Topic()
    desk.outbox = desk.opened()
    await desk.report()
    assert desk.topic.states() == {("cell", 1): "superseded", ("cell", 2): "held"}
    desk.silences = []
    await desk.wait()
    await desk.report()
    assert desk.topic.states() == {("cell", 1): "superseded", ("cell", 2): "sent"}


async def test_the_same_from_two_outboxes_is_two_notifications(tmp_path: Path, alert: Alert) -> None:
    desks = [Desk(tmp_path / name, "cell") for name in ("one", "two")]
    for desk in desks:
        await is_sent(desk, alert)
        await desk.report()
    keys = {key for desk in desks for key in desk.topic.newest()}
    assert len(keys) == 2
    for desk in desks:
        desk.outbox.close()


async def test_what_comes_once_all_rows_are_forgotten_takes_no_other_s_place(desk: Desk, alert: Alert) -> None:
    await is_sent(desk, alert)
    await desk.report()
    assert desk.outbox.forget_before(LATER) == 1
    await desk.tell(replace(alert, incident_id="fire-2"))
    await desk.report()
    assert {one.incident_id for one in desk.topic.newest().values()} == {"fire-1", "fire-2"}


async def test_what_is_forgotten_before_it_was_reported_is_not_reported(desk: Desk, alert: Alert) -> None:
    await is_sent(desk, alert)
    desk.outbox.forget_before(LATER)
    assert await desk.report() == []
    with sqlite3.connect(desk.file) as db:
        assert db.execute("SELECT count(*) FROM changes").fetchone() == (0,)
    db.close()


# Killed --------------------------------------------------------------------------------------------------------------

REVISIONS, KILLS, PATIENCE_SECS = 400, 15, 120.0
NOTIFIER = """
import asyncio, os, sys
from pathlib import Path
import msgspec
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.outbox import Outbox
from records import Alert, SystemClock, decode, encode

folder, count = Path(sys.argv[1]), int(sys.argv[2])
alert = decode((folder / "alert.json").read_bytes(), Alert)
topic = os.open(folder / "topic.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

async def publish(notifications):
    await asyncio.sleep(0)
    os.write(topic, b"".join(encode(one) + b"\\n" for one in notifications))
    await asyncio.sleep(0.005)  # a broker that takes its time: here it is killed most often

async def main():
    outbox = Outbox(folder / "outbox.sqlite", [JsonLines(folder / "out.jsonl")], clock=SystemClock())
    telling = asyncio.create_task(outbox.run(look_every_secs=0.02))
    for start in range(0, count, 10):
        await outbox.enqueue(msgspec.structs.replace(alert, revision=1 + n) for n in range(start, start + 10))
        await outbox.report(publish, most=7)
    while any(state == "pending" for _, state in outbox.counts()) or await outbox.report(publish, most=7):
        await asyncio.sleep(0)
    telling.cancel()
    await asyncio.wait({telling})

asyncio.run(main())
"""


@pytest.mark.timeout(PATIENCE_SECS + 60)
def test_killed_at_any_point_all_is_reported_and_nothing_goes_back(tmp_path: Path, alert: Alert) -> None:
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(alert))
    topic = tmp_path / "topic.jsonl"
    command = [sys.executable, "-c", NOTIFIER, str(tmp_path), str(REVISIONS)]
    chance = random.Random("reporter")  # noqa: S311  where to strike, the same each time
    kills, deadline = 0, time.monotonic() + PATIENCE_SECS

    def size() -> int:
        return topic.stat().st_size if topic.exists() else 0

    while True:
        reporter = subprocess.Popen(  # noqa: S603  the program above
            command, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
        )
        before, life = size(), chance.randrange(1, 8_000)
        while reporter.poll() is None and (kills >= KILLS or size() < before + life):
            assert time.monotonic() < deadline, "not done in time"
            time.sleep(0.001)
        if reporter.poll() is not None:
            break
        reporter.send_signal(signal.SIGKILL)
        reporter.wait()
        kills += 1
    assert reporter.returncode == 0
    assert kills == KILLS
    said = [decode(line, Notification) for line in topic.read_bytes().splitlines()]
    newest = {one.key: one for one in said}
    assert sorted(one.revision for one in newest.values()) == list(range(1, REVISIONS + 1))
    assert {one.state for one in newest.values()} == {"sent"}
    for key in newest:
        moments = [one.at for one in said if one.key == key]
        assert moments == sorted(moments)
    assert len(said) > len(set(said)), "it was struck between the saying and its note"
    assert len(said) < REVISIONS * 2 + KILLS * 7, "hardly more is said than changes"
