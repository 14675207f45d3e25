"""What a receiver need not be told: that only words were taken back, and the end of what it was never told of."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.sinks.apprise import AppriseSink
from connectors.sinks.contract import TryLater, Undeliverable
from connectors.sinks.feeds import Feeds
from connectors.sinks.message import Voice
from connectors.sinks.needless import NEVER_TOLD, ONLY_WORDS, says_only_less
from connectors.sinks.outbox import Outbox
from connectors.sinks.routing import Route, Router, matcher_from
from connectors.sinks.terminal import Terminal
from records import Alert, ManualClock, Silence

AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


class Program:
    """A receiver that keeps what it is told: each revision it gets, and the words in it."""

    def __init__(self, name: str = "program") -> None:
        self.name = name
        self.got: list[tuple[int, str]] = []
        self.fails_with: Exception | None = None

    async def send(self, alert: Alert) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        self.got.append((alert.revision, "".join(item.text for item in alert.evidence)))

    def revisions(self) -> list[int]:
        return [revision for revision, _ in self.got]


class People(Program):
    """A receiver whose messages people read."""

    def __init__(self, name: str = "people") -> None:
        super().__init__(name)
        self.lost: list[int] = []

    async def retract(self, alert: Alert) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        self.lost.append(alert.revision)


class Desk:
    """An outbox on a clock that stands still until it is moved; it may be closed and opened again."""

    def __init__(self, folder: Path, witness: Any, *sinks: Any, routes: list[Route] | None = None) -> None:
        self.folder, self.witness, self.sinks = folder, witness, sinks
        self.clock = ManualClock(AT)
        self.silences: list[Silence] = []
        self.routes = routes or [Route(name="all", receivers=tuple(sink.name for sink in sinks))]
        self.outbox = self.opened()

    def opened(self) -> Outbox:
        return Outbox(
            self.folder / "outbox.sqlite",
            self.sinks,
            clock=self.clock,
            observer=self.witness,
            router=Router(self.routes),
            silences=lambda: self.silences,
        )

    def restart(self) -> None:
        self.outbox.close()
        self.outbox = self.opened()

    async def tell(self, *alerts: Alert) -> None:
        await self.outbox.enqueue(alerts)
        await self.outbox.drain()

    async def wait(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        await self.outbox.drain()
        await self.outbox.drain()

    def silence(self, *, is_on: bool = True) -> None:
        self.silences = (
            []
            if not is_on
            else [
                Silence(
                    silence_id="s1",
                    matchers=(matcher_from("hazard = fire"),),
                    author="permanence",
                    reason="exercice connu",
                    starts_at=AT,
                    ends_at=AT + timedelta(days=7),
                    made_at=AT,
                )
            ]
        )

    def passed_over(self) -> list[tuple[str, int, str]]:
        with sqlite3.connect(self.folder / "outbox.sqlite") as db:
            rows = "SELECT receiver, revision, detail FROM notifications WHERE state = 'superseded' ORDER BY id"
            return [tuple(row) for row in db.execute(rows)]

    def bytes_on_disk(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.glob("outbox.sqlite*"))


def revision(alert: Alert, number: int, level: str = "watch", **fields: Any) -> Alert:
    return replace(alert, incident_id="fire-1", revision=number, level=level, **fields)


def taken_back(alert: Alert) -> Alert:
    """Return the next revision, in which the words are gone, as the detectors make it."""
    evidence = tuple(replace(one, text="", url=None, author_id="removed", is_removed=True) for one in alert.evidence)
    return replace(alert, revision=alert.revision + 1, evidence=evidence)


@pytest.fixture
def words(alert: Alert) -> str:
    return alert.evidence[0].text


# Only words were taken back ------------------------------------------------------------------------------------------


async def test_people_are_not_told_again_that_words_are_gone_and_programs_are(
    tmp_path: Path, alert: Alert, witness: Any, words: str
) -> None:
    people, program = People(), Program()
    desk = Desk(tmp_path, witness, people, program)
    first = revision(alert, 1)
    await desk.tell(first)
    desk.restart()
    await desk.tell(taken_back(first))
    assert people.got == [(1, words)]
    assert people.lost == [2]
    assert program.got == [(1, words), (2, "")]
    assert witness.sinks["people", "words"] == 1
    assert desk.passed_over() == [("people", 2, ONLY_WORDS)]
    assert desk.outbox.waits_secs() == 0
    await desk.tell(revision(alert, 3, "alert"))
    assert (people.revisions(), program.revisions()) == ([1, 3], [1, 2, 3])


async def test_a_revision_with_news_is_told_although_words_are_gone_in_it(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    people = People()
    desk = Desk(tmp_path, witness, people)
    first = revision(alert, 1)
    await desk.tell(first, replace(taken_back(first), posts=first.posts + 1))
    assert people.revisions() == [1, 2]


def test_which_incident_it_joins_may_be_forgotten_and_that_is_no_news(alert: Alert) -> None:
    first = revision(alert, 1, joins="fire-9")
    assert says_only_less(replace(taken_back(first), joins=""), first)
    assert not says_only_less(replace(taken_back(first), joins="fire-8"), first)
    assert not says_only_less(taken_back(first), None)
    assert not says_only_less(revision(alert, 2), revision(alert, 1))


async def test_no_silence_and_no_route_keeps_from_a_program_that_words_are_gone(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    program = Program()
    loud = Route(name="loud", receivers=("program",), matchers=(matcher_from("level = alert"),))
    desk = Desk(tmp_path, witness, program, routes=[loud])
    second = revision(alert, 2, "watch")
    await desk.tell(revision(alert, 1, "alert"), second)
    desk.silence()
    await desk.tell(taken_back(second))
    assert program.got[-1] == (3, "")


async def test_who_missed_what_came_before_is_told_by_the_revision_that_takes_words_back(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    people = People()
    desk = Desk(tmp_path, witness, people)
    first = revision(alert, 1)
    second = revision(alert, 2, "alert")
    await desk.tell(first)
    people.fails_with = Undeliverable("410")
    await desk.tell(second)
    people.fails_with = None
    await desk.tell(taken_back(second))
    assert people.revisions() == [1, 3]


@pytest.mark.parametrize("is_at_once", [True, False])
async def test_what_waits_loses_words_that_were_taken_back_at_once(
    tmp_path: Path, alert: Alert, witness: Any, words: str, *, is_at_once: bool
) -> None:
    people, program = People(), Program()
    for sink in (people, program):
        sink.fails_with = TryLater("down")
    desk = Desk(tmp_path, witness, people, program)
    first = revision(alert, 1)
    if is_at_once:
        await desk.tell(first, taken_back(first))
    else:
        await desk.tell(first)
        assert words.encode()[-12:] in desk.bytes_on_disk()
        await desk.tell(taken_back(first))
    assert words.encode()[-12:] not in desk.bytes_on_disk()
    for sink in (people, program):
        sink.fails_with = None
    await desk.wait(minutes=5)
    assert people.got == [(1, "")], "the news of it, without the words"
    assert program.got == [(1, ""), (2, "")]


async def test_what_a_silence_holds_is_told_when_it_is_over_and_without_the_words(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    people, program = People(), Program()
    desk = Desk(tmp_path, witness, people, program)
    desk.silence()
    first = revision(alert, 1)
    await desk.tell(first)
    await desk.tell(taken_back(first))
    assert (people.got, program.got) == ([], [])
    desk.silences = []
    await desk.wait(minutes=1)
    assert people.got == [(1, "")]
    assert program.got == [(2, "")], "the newest stands for the one that was held"


async def test_a_person_s_way_that_cannot_forget_yet_is_asked_again(tmp_path: Path, alert: Alert, witness: Any) -> None:
    people = People()
    desk = Desk(tmp_path, witness, people)
    first = revision(alert, 1)
    await desk.tell(first)
    people.fails_with = OSError("disk full")
    await desk.tell(taken_back(first))
    assert people.lost == []
    people.fails_with = None
    desk.restart()
    await desk.wait(minutes=1)
    assert (people.lost, people.revisions()) == ([2], [1])


@pytest.mark.parametrize("made", [People, Program])
async def test_who_is_called_because_nobody_answered_is_called_though_words_were_taken_back_since(
    made: type[Program], tmp_path: Path, alert: Alert, witness: Any
) -> None:
    duty = made("duty")
    routes = [
        Route(name="watches", receivers=("duty",), matchers=(matcher_from("level = watch"),), goes_on=True),
        Route(name="cell", receivers=("box",), escalate_after=timedelta(minutes=15), escalate_to=("duty",)),
    ]
    desk = Desk(tmp_path, witness, duty, Program("box"), routes=routes)
    raised = revision(alert, 2, "alert")
    await desk.tell(revision(alert, 1), raised, taken_back(raised))
    before = duty.revisions()
    await desk.wait(minutes=16)
    assert duty.revisions()[len(before) :] == [3], "the newest, as an alert"


async def test_words_that_cannot_be_forgotten_yet_keep_no_alert_back(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    people = People()
    desk = Desk(tmp_path, witness, people)
    first = revision(alert, 1)
    await desk.tell(first)
    people.fails_with = OSError("disk full")
    await desk.tell(taken_back(first))
    for _ in range(8):
        await desk.wait(hours=1)
    people.fails_with = None
    await desk.tell(replace(alert, incident_id="fire-2", revision=1, level="alert"))
    assert people.revisions() == [1, 1], "another incident is told at once"


async def test_what_a_target_is_still_owed_loses_its_words(
    tmp_path: Path, alert: Alert, witness: Any, words: str, clock: ManualClock
) -> None:
    urls = tmp_path / "urls"
    urls.write_text("json://127.0.0.1:1/one\njson://127.0.0.1:1/two\n")
    kept = tmp_path / "kept.sqlite"
    sink = AppriseSink(urls, kept=kept, clock=clock, voice=Voice(with_quotes=True))
    first = revision(alert, 1)
    await sink._note([sink._debt(sink._targets[0], first)], [])
    assert words.encode()[-12:] in kept.read_bytes()
    await sink.retract(taken_back(first))
    assert words.encode()[-12:] not in kept.read_bytes()
    assert len(sink.owed()) == 1, "it is owed all the same"
    sink.close()


async def test_a_feed_shows_no_link_to_what_was_taken_back(
    tmp_path: Path, alert: Alert, witness: Any, clock: ManualClock
) -> None:
    feeds = Feeds(tmp_path / "feeds", clock=clock)
    desk = Desk(tmp_path, witness, feeds)
    first = revision(alert, 1)
    await desk.tell(first)
    assert b"9f8e" in (tmp_path / "feeds" / "incidents.geojson").read_bytes()
    await desk.tell(taken_back(first))
    assert b"9f8e" not in (tmp_path / "feeds" / "incidents.geojson").read_bytes()


def test_sinks_for_people_are_those_that_can_forget() -> None:
    assert hasattr(Terminal, "retract")
    assert hasattr(AppriseSink, "retract")
    assert not hasattr(Feeds, "retract")


# The end of what was never told --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["resolved", "rejected"])
async def test_nobody_is_told_the_end_of_what_was_only_a_signal(
    tmp_path: Path, alert: Alert, witness: Any, end: str
) -> None:
    program = Program()
    desk = Desk(tmp_path, witness, program)
    await desk.tell(revision(alert, 1, "signal"), revision(alert, 2, "signal"))
    desk.restart()
    await desk.tell(revision(alert, 3, end))
    assert program.got == []
    assert desk.passed_over() == [("program", 3, NEVER_TOLD)]
    assert witness.sinks["program", "never_told"] == 1
    assert desk.outbox.waits_secs() == 0


@pytest.mark.parametrize("level", ["watch", "alert", "confirmed"])
async def test_whoever_got_any_word_of_it_gets_its_end_and_nobody_else(
    tmp_path: Path, alert: Alert, witness: Any, level: str
) -> None:
    told, other = Program("told"), Program("other")
    routes = [
        Route(name="some", receivers=("told",), matchers=(matcher_from(f"level = {level}"),), goes_on=True),
        Route(name="ends", receivers=("told", "other"), matchers=(matcher_from("level =~ resolved|rejected"),)),
    ]
    desk = Desk(tmp_path, witness, told, other, routes=routes)
    await desk.tell(revision(alert, 1, level), revision(alert, 2, "resolved"))
    assert (told.revisions(), other.revisions()) == ([1, 2], [])


async def test_who_was_held_back_until_it_was_over_is_told_nothing_and_of_what_comes_after_all(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    program = Program()
    desk = Desk(tmp_path, witness, program)
    desk.silence()
    await desk.tell(revision(alert, 1, "watch"))
    await desk.tell(revision(alert, 2, "resolved"))
    desk.restart()
    desk.silences = []
    await desk.wait(minutes=1)
    assert program.got == []
    assert [revision for _, revision, _ in desk.passed_over()] == [1, 2]
    await desk.tell(revision(alert, 3, "alert"), revision(alert, 4, "resolved"))
    assert program.revisions() == [3, 4]


async def test_who_was_told_before_a_silence_is_told_the_end_after_it(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    program = Program()
    desk = Desk(tmp_path, witness, program)
    await desk.tell(revision(alert, 1, "watch"))
    desk.silence()
    await desk.tell(revision(alert, 2, "resolved"))
    assert program.revisions() == [1]
    desk.silences = []
    desk.restart()
    await desk.wait(minutes=1)
    assert program.revisions() == [1, 2]


async def test_who_could_not_be_told_that_it_began_is_told_in_order_once_he_can(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    program = Program()
    program.fails_with = TryLater("down")
    desk = Desk(tmp_path, witness, program)
    await desk.tell(revision(alert, 1, "watch"), revision(alert, 2, "resolved"))
    program.fails_with = None
    await desk.wait(minutes=1)
    assert program.revisions() == [1, 2]


async def test_who_refused_that_it_began_is_not_told_that_it_is_over(
    tmp_path: Path, alert: Alert, witness: Any
) -> None:
    program = Program()
    program.fails_with = Undeliverable("410")
    desk = Desk(tmp_path, witness, program)
    await desk.tell(revision(alert, 1, "watch"))
    program.fails_with = None
    await desk.tell(revision(alert, 2, "resolved"))
    assert program.got == []


@pytest.mark.parametrize("seen", [(), (1, 3), (2, 3)])
async def test_where_another_worker_may_have_told_that_it_began_the_end_is_told(
    tmp_path: Path, alert: Alert, witness: Any, seen: tuple[int, ...]
) -> None:
    program = Program()
    desk = Desk(tmp_path, witness, program)
    await desk.tell(*(revision(alert, number, "signal") for number in seen))
    await desk.tell(revision(alert, 4, "resolved"))
    assert program.revisions() == [4]


ENDS = ("resolved", "rejected")
LEVELS = st.sampled_from(["signal", "watch", "alert", "confirmed", "monitoring", "resolved", "rejected"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(LEVELS, st.booleans(), st.booleans()), min_size=1, max_size=8))
async def test_an_end_reaches_exactly_who_heard_of_it_whatever_held_back_and_whenever_we_were_killed(
    steps: list[tuple[str, bool, bool]], tmp_path: Path, alert: Alert, witness: Any
) -> None:
    program = Program()
    desk = Desk(Path(mkdtemp(dir=tmp_path)), witness, program)
    for number, (level, is_silent, is_killed) in enumerate(steps, 1):
        desk.silence(is_on=is_silent)
        await desk.tell(revision(alert, number, level))
        await desk.wait(minutes=1)
        if is_killed:
            desk.restart()
    desk.silences = []
    await desk.wait(minutes=1)
    desk.outbox.close()
    levels = [level for level, *_ in steps]
    told = [levels[number - 1] for number in program.revisions()]
    heard = [place for place, level in enumerate(told) if level not in ENDS]
    assert program.revisions() == sorted(program.revisions())
    assert not any(level in ENDS for level in told[: min(heard, default=len(told))])
    if levels[-1] != "signal" and (heard or levels[-1] not in ENDS):
        assert told[-1] == levels[-1]
