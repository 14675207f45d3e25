"""The digest: what is new, on, over, refuted, declared, unseen and asked, once a shift and on demand."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.sinks.digest_wording import LABELS, html_from, text_from
from connectors.sinks.outbox import Outbox
from connectors.sinks.solidarity_wording import LABELS as SOLIDARITY
from connectors.sinks.solidarity_wording import THINGS as THINGS_IN_WORDS
from connectors.sinks.terminal import Terminal
from connectors.sinks.wording import LANGUAGES
from console.digests.digest import digest_from, made_from
from models.solidarity_words import THINGS
from records import (
    Alert,
    Claim,
    Claimed,
    ManualClock,
    Pulse,
    Rumour,
    SettingsError,
    SourceStatus,
    SourceUnavailable,
    decode,
)
from records.digest import Digest, DigestMade
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from vigie.broker import EmbeddedBroker
from vigie.cli import main
from vigie.digesting import Digesting, Shifts, digests_made
from vigie.settings import Settings
from vigie.telling import digest_plan

PARIS = ZoneInfo("Europe/Paris")
UNTIL = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(hours=12)
GOLDEN = Path(__file__).parents[1] / "golden" / "alert.json"


def alert(number: int, level: str, *, onset: float, raised: float, **fields: Any) -> Alert:
    """Return an alert with hours before the end."""
    golden = decode(GOLDEN.read_bytes(), Alert)
    return replace(
        golden,
        incident_id=f"fire-{number}",
        level=level,
        onset=UNTIL - timedelta(hours=onset),
        raised_at=UNTIL - timedelta(hours=raised),
        **fields,
    )


def pulse(source: str, minute: int, **outcomes: int) -> Pulse:
    at = SINCE + timedelta(minutes=minute)
    return Pulse(source=source, minute=at, language="fr", area="", outcomes=outcomes)


def status(source: str, state: Any = "listening", **fields: Any) -> SourceStatus:
    return SourceStatus(source=source, way="network", state=state, at=UNTIL, since=SINCE, **fields)


def made(alerts: list[Alert], statuses: Any = (), pulses: Any = (), ways: Any = ()) -> Digest:
    return digest_from(alerts, statuses, pulses, ways, since=SINCE, until=UNTIL)


def claim(kind: Any, thing: str, **fields: Any) -> Claim:
    at = UNTIL - timedelta(hours=1)
    place = decode(GOLDEN.read_bytes(), Alert).place
    given = {"post_key": f"stub:{kind}-{thing}", "source": "stub", "event_time": at, "received_at": at, "place": place}
    text = f"les mots du message, {kind} {thing}"
    return Claim(**{**given, "kind": kind, "thing": thing, "confidence": 0.6, "text": text, **fields})


def test_what_may_be_a_rumour_is_told_of_though_it_is_for_the_map_alone() -> None:
    relayed = Rumour(signs=("only_relays",), relays=40)
    denied = Rumour(signs=("doubtful", "denied"), denied_by="operator", denied_at=UNTIL - timedelta(hours=2))
    digest = made(
        [
            alert(1, "watch", onset=3, raised=3, rumour=denied),
            alert(2, "signal", onset=2, raised=2, rumour=relayed),
            alert(3, "signal", onset=20, raised=20, rumour=relayed),  # of an earlier shift
            alert(4, "signal", onset=2, raised=2),
            alert(5, "watch", onset=3, raised=3),
        ]
    )
    assert ids(digest.rumours) == ["fire-1", "fire-2"]
    assert all(not one.evidence for one in digest.rumours), "a digest bears no words of posts"
    told = text_from(digest, "fr")
    assert "PEUT-ÊTRE DES RUMEURS" in told
    assert "messages douteux, démenti par un exploitant à 17:00 · fire-1" in told
    assert "circule sans que personne dise l’avoir vu · fire-2" in told
    assert "doubtful posts, denied by an operator at 17:00 · fire-1" in html_from(digest, "en")
    assert "RUMEURS" not in text_from(made([alert(5, "watch", onset=3, raised=3)]), "fr")


def ids(alerts: tuple[Alert, ...]) -> list[str]:
    return [one.incident_id for one in alerts]


def test_incidents_are_told_by_what_became_of_them_in_the_shift() -> None:
    digest = made(
        [
            alert(1, "watch", onset=2, raised=2),
            alert(2, "alert", onset=3, raised=1),
            alert(3, "confirmed", onset=30, raised=20),
            alert(4, "rejected", onset=5, raised=4),
            alert(5, "rejected", onset=40, raised=30),
            alert(6, "resolved", onset=20, raised=6),
            alert(7, "signal", onset=2, raised=2),
            alert(8, "monitoring", onset=15, raised=1),
        ]
    )
    assert ids(digest.new) == ["fire-2", "fire-1"], "the graver first"
    assert ids(digest.ongoing) == ["fire-3", "fire-8"]
    assert (ids(digest.refuted), ids(digest.over)) == (["fire-4"], ["fire-6"])
    assert digest.figures["signals"] == 1
    assert all(one.evidence == () for one in (*digest.new, *digest.ongoing, *digest.refuted, *digest.over))


def test_the_newest_revision_counts_in_whatever_order_they_come() -> None:
    first, last = alert(1, "watch", onset=2, raised=2), alert(1, "resolved", onset=2, raised=1)
    for revisions in ([first, replace(last, revision=9)], [replace(last, revision=9), first]):
        digest = made(revisions)
        assert (digest.new, ids(digest.over)) == ((), ["fire-1"])


def test_minutes_without_a_pulse_are_minutes_that_nobody_looked() -> None:
    whole = [pulse("bluesky", minute, kept=1, gated=9) for minute in range(-10, 720)]
    holed = [pulse("press", minute, gated=2) for minute in range(-10, 720) if not 100 <= minute < 130]
    digest = made([], [status("bluesky"), status("press")], [*whole, *holed])
    assert [(one.source, one.minutes) for one in digest.unseen] == [("press", 30)]
    assert digest.figures["read"] == 720 * 10 + 690 * 2
    assert (digest.figures["kept"], digest.figures["gated"]) == (720, 720 * 9 + 690 * 2)


def test_a_source_that_is_blind_now_is_told_although_it_never_sent_a_pulse_and_one_that_is_off_is_not() -> None:
    digest = made([], [status("mastodon", "blind", why="401: the token"), status("exercise", "off")])
    assert [(one.source, one.state, one.why) for one in digest.unseen] == [("mastodon", "blind", "401: the token")]


def test_a_source_whose_process_died_long_ago_is_told_with_all_the_time_since() -> None:
    dead = replace(status("bluesky"), at=SINCE - timedelta(hours=2))
    died_now = replace(status("press"), at=UNTIL - timedelta(hours=1))
    digest = made([], [dead, died_now], [pulse("mastodon", minute, gated=1) for minute in range(-10, 720)])
    assert [(one.source, one.minutes, one.state) for one in digest.unseen] == [
        ("bluesky", 719, "blind"),
        ("press", 59, "blind"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_written_in_both_languages_with_what_there_is_and_what_there_is_not(language: Any) -> None:
    refuted = alert(4, "rejected", onset=5, raised=4)
    digest = made(
        [alert(1, "alert", onset=2, raised=2), refuted],
        [status("press", "blind", why="503 <script>")],
        ways=["people"],
    )
    text, page = text_from(digest, language), html_from(digest, language)
    labels = LABELS[language]
    for heading in ("new", "ongoing", "refuted", "over", "declared", "unseen", "questions", "figures"):
        assert labels[heading].upper() in text
        assert labels[heading] in page or labels[heading].replace("'", "&#x27;") in page
    assert "Les Neiges" in text
    assert "Allo Industrie" in text, "what an operator stated"
    assert labels["fits_not"] in text
    assert labels["people"] in text
    assert labels["none"] in text
    assert "19:00" in text, "by the clock on the wall"
    assert "503 <script>" in text
    assert "<script>" not in page
    assert "fumée noire à la centrale" not in text, "no post's words"


def test_a_quiet_shift_says_that_nothing_was_missed() -> None:
    text = text_from(made([]), "fr")
    assert LABELS["fr"]["all_seen"] in text
    assert text.count("- rien\n") >= 5


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "fr",
            (
                "- Les Neiges (incendie) : besoin · hébergement (4 personnes) · Les Neiges · 22/11 18:00\n",
                "- Les Neiges (incendie) : offre · bras · Les Neiges · 22/11 18:00\n",
                "- Les Neiges (incendie) : appel · vêtements, couvertures · Les Neiges · 22/11 18:00\n",
                "- Non vérifié : lu dans des messages publics. La cellule ne transmet aucune donnée personnelle.\n",
            ),
        ),
        (
            "en",
            (
                "- Les Neiges (fire): need · shelter (4 personnes) · Les Neiges · 22/11 18:00\n",
                "- Les Neiges (fire): offer · hands · Les Neiges · 22/11 18:00\n",
                "- Les Neiges (fire): call · clothes, blankets · Les Neiges · 22/11 18:00\n",
                "- Not verified: read in public posts. The crisis cell passes on no personal data.\n",
            ),
        ),
    ],
)
def test_needs_and_offers_around_an_incident_are_told_with_a_note_and_without_words_of_posts(
    language: Any, lines: tuple[str, ...]
) -> None:
    claims = [
        claim("offer", "hands"),
        claim("need", "shelter", quantity=4, measure="4 personnes", url="https://example.org/p"),
        claim("need", "clothes", is_call=True),
    ]
    digest = digest_from([alert(1, "watch", onset=2, raised=2)], [], [], [], claims, since=SINCE, until=UNTIL)
    text, page = text_from(digest, language), html_from(digest, language)
    assert "".join(lines) in text
    assert all(escape(line.strip("- \n")) in page for line in lines)
    assert "les mots du message" not in text + page
    assert "example.org" not in text + page


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_is_needed_or_offered_nothing_is_said_of_it(language: Any) -> None:
    text = text_from(made([alert(1, "watch", onset=2, raised=2)]), language)
    assert SOLIDARITY[language]["heading"].upper() not in text
    assert SOLIDARITY[language]["note"] not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_there_was_no_room_for_is_counted(language: Any) -> None:
    claims = [claim("need", "tools", post_key=f"p{n}", text=f"numéro {n}") for n in range(14)]
    digest = digest_from([alert(1, "watch", onset=2, raised=2)], [], [], [], claims, since=SINCE, until=UNTIL)
    assert {"fr": "4 de plus", "en": "4 more"}[language] in text_from(digest, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_thing_has_a_word(language: Any) -> None:
    assert THINGS_IN_WORDS[language].keys() == set(THINGS)


# Shifts --------------------------------------------------------------------------------------------------------------


def test_the_last_shift_that_is_over_is_found_over_midnight_and_clock_changes() -> None:
    shifts = Shifts([time(7), time(19)], PARIS)
    span = shifts.span_before(datetime(2026, 11, 22, 7, 0, tzinfo=UTC))
    assert span == (datetime(2026, 11, 21, 18, 0, tzinfo=UTC), datetime(2026, 11, 22, 6, 0, tzinfo=UTC))
    span = shifts.span_before(datetime(2026, 10, 25, 6, 30, tzinfo=UTC))  # the night of 13 hours
    assert span == (datetime(2026, 10, 24, 17, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC))
    assert Shifts([], PARIS).span_before(UNTIL) is None


@given(
    st.lists(st.times(), min_size=1, max_size=4, unique=True),
    st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 30), timezones=st.just(UTC)),
)
def test_a_shift_that_is_over_ended_within_the_last_day_or_so(times: list[time], now: datetime) -> None:
    span = Shifts([at.replace(fold=0) for at in times], PARIS).span_before(now)
    assert span is not None
    began, ended = span
    assert began < ended <= now
    assert now - ended <= timedelta(hours=25)


class Box:
    """Takes digests, each once."""

    def __init__(self, *told: Alert) -> None:
        self.got: list[Digest] = []
        self.made: list[DigestMade] = []
        self.told = told

    async def enqueue_digest(self, digest: Digest, receivers: Any, made: DigestMade) -> int:
        assert digest.digest_id not in self.names()
        self.got.append(digest)
        self.made.append(made)
        return 1

    async def digests_made(self) -> list[DigestMade]:
        return list(self.made)

    async def told_incidents(self) -> list[Alert]:
        return list(self.told)

    def names(self) -> list[str]:
        return [one.digest_id for one in self.got]


class Worker:
    """One of several that may make digests; what was made and what stands on the alerts' topic is known to all."""

    def __init__(self, clock: ManualClock, made: list[DigestMade], alerts: list[Alert], box: Box | None = None) -> None:
        self.clock, self.made, self.alerts, self.box = clock, made, alerts, box or Box()
        self.away: list[bool] = []  # for each time that the broker is asked
        self.is_ours = True
        self.digesting = Digesting(
            Shifts([time(7), time(19)], PARIS),
            self.box,
            ["terminal"],
            clock,
            read=self.read,
            read_made=self.read_made,
        )

    async def read(self, _: Any, since: datetime, until: datetime, made: Any, known: Any) -> Digest:
        return digest_from([*known, *self.alerts], [], [], [], since=since, until=until, made=made)

    async def read_made(self, _: Any) -> list[DigestMade]:
        self.refuse()
        return list(self.made)

    async def publish(self, made: Any) -> None:
        self.refuse()
        self.made.extend(made)

    def refuse(self) -> None:
        if self.away.pop(0) if self.away else False:
            raise SourceUnavailable("away")

    async def look(self) -> None:
        await self.digesting.look(None, self.publish, lambda: self.is_ours)  # type: ignore[arg-type]


MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
DIGEST_AT = [f"digest/2026-11-2{day}T{hour}Z" for day, hour in ((2, "06:00"), (2, "18:00"), (3, "06:00"))]


async def test_each_shift_has_one_digest_and_a_broker_that_is_away_is_asked_again() -> None:
    clock = ManualClock(MORNING - timedelta(minutes=1))
    worker = Worker(clock, [], [])
    await worker.look()
    assert worker.box.names() == [], "the last shift ended eleven hours ago"
    clock.advance(timedelta(minutes=2))
    worker.away = [True, True]
    for _ in range(3):
        await worker.look()
    assert worker.box.names() == DIGEST_AT[:1]
    clock.advance(timedelta(hours=12))
    await worker.look()
    assert worker.box.names() == DIGEST_AT[:2]


async def test_an_end_that_reaches_the_topic_after_its_digest_is_in_the_next_one_and_no_end_is_in_two() -> None:
    worker = Worker(ManualClock(MORNING + timedelta(seconds=30)), [], [alert(1, "resolved", onset=20, raised=13)])
    await worker.look()
    worker.alerts.append(alert(2, "rejected", onset=20, raised=12.1))  # of 6:54, and written after 7:00
    worker.alerts.append(replace(alert(1, "resolved", onset=20, raised=13), revision=9))  # a post of it was taken back
    for _ in range(2):
        worker.clock.advance(timedelta(hours=12))
        await worker.look()
    told = [(ids(one.over), ids(one.refuted)) for one in worker.box.got]
    assert told == [(["fire-1"], []), ([], ["fire-2"]), ([], [])]


async def test_an_incident_that_ends_twice_has_two_ends() -> None:
    worker = Worker(ManualClock(MORNING), [], [alert(1, "resolved", onset=20, raised=13)])
    await worker.look()
    worker.alerts.append(replace(alert(1, "resolved", onset=20, raised=1), revision=9))
    worker.clock.advance(timedelta(hours=12))
    await worker.look()
    assert [ids(one.over) for one in worker.box.got] == [["fire-1"], ["fire-1"]]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_after_a_shift_without_a_digest_the_next_reaches_back_to_the_last_and_says_so(language: Any) -> None:
    made: list[DigestMade] = []
    clock = ManualClock(MORNING)
    await Worker(clock, made, []).look()
    clock.advance(timedelta(hours=12 + 3))  # down at 19:00, and for more than two hours
    worker = Worker(clock, made, [alert(1, "resolved", onset=5, raised=3), alert(2, "rejected", onset=1, raised=-2)])
    await worker.look()
    assert worker.box.got == [], "too late for that one"
    clock.advance(timedelta(hours=9))
    await worker.look()
    [digest] = worker.box.got
    assert (digest.digest_id, digest.since, digest.last_until) == (DIGEST_AT[2], MORNING, MORNING)
    assert (ids(digest.over), ids(digest.refuted)) == (["fire-1"], ["fire-2"])
    said = {"fr": "le dernier est du 22/11 07:00", "en": "the last one is of 22/11 07:00"}[language]
    assert said in text_from(digest, language)
    assert said in html_from(digest, language)
    assert "22/11 07:00 (" in text_from(digest, language)


async def test_it_reaches_back_a_week_at_most_but_tells_of_every_end_since_the_last() -> None:
    made = [made_from(digest_from([], [], [], [], since=MORNING - timedelta(hours=12), until=MORNING))]
    clock = ManualClock(MORNING + timedelta(days=10))
    worker = Worker(clock, made, [alert(1, "resolved", onset=5, raised=-24)])
    await worker.look()
    [digest] = worker.box.got
    assert (digest.since, digest.last_until) == (clock.now() - timedelta(days=7), MORNING)
    assert ids(digest.over) == ["fire-1"]


async def test_another_worker_that_takes_over_makes_none_again_and_goes_on_from_there() -> None:
    clock, made = ManualClock(MORNING), list[DigestMade]()
    alerts = [alert(1, "resolved", onset=20, raised=13)]
    first, second = Worker(clock, made, alerts), Worker(clock, made, alerts)
    await first.look()
    await second.look()
    assert (first.box.names(), second.box.names()) == (DIGEST_AT[:1], [])
    clock.advance(timedelta(hours=12))
    await second.look()
    assert second.box.names() == DIGEST_AT[1:2]
    assert second.box.got[0].over == ()


async def test_who_loses_the_partition_while_reading_leaves_the_digest_to_its_new_worker() -> None:
    worker = Worker(ManualClock(MORNING), [], [])
    worker.is_ours = False
    await worker.look()
    assert worker.box.names() == []
    worker.is_ours = True
    await worker.look()
    assert worker.box.names() == DIGEST_AT[:1]


@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_digest_that_could_not_be_noted_is_noted_later_as_it_was_told(*, is_killed: bool) -> None:
    clock, made, box = ManualClock(MORNING), list[DigestMade](), Box()
    alerts = [alert(1, "resolved", onset=20, raised=13)]
    worker = Worker(clock, made, alerts, box)
    worker.away = [False, True]
    await worker.look()
    assert (box.names(), made) == (DIGEST_AT[:1], [])
    alerts.append(alert(2, "resolved", onset=20, raised=12.1))
    worker = Worker(clock, made, alerts, box) if is_killed else worker
    await worker.look()
    assert [[end.incident_id for end in one.ends] for one in made] == [["fire-1"]]
    clock.advance(timedelta(hours=12))
    await worker.look()
    assert [ids(one.over) for one in box.got] == [["fire-1"], ["fire-2"]]


async def test_where_the_broker_forgets_all_what_was_told_from_here_is_known_all_the_same() -> None:
    clock = ManualClock(MORNING)
    box = Box(alert(1, "resolved", onset=20, raised=13), alert(2, "resolved", onset=5, raised=3))
    await Worker(clock, [], [], box).look()
    clock.advance(timedelta(hours=24))  # off at nineteen
    made: list[DigestMade] = []
    await Worker(clock, made, [], box).look()
    assert [(one.since, ids(one.over)) for one in box.got] == [
        (MORNING - timedelta(hours=12), ["fire-1"]),
        (MORNING, ["fire-2"]),
    ]
    assert [one.digest_id for one in made] == [DIGEST_AT[0], DIGEST_AT[2]], "the new broker is told"


def test_the_end_of_what_was_only_a_signal_is_no_news_unless_nobody_knows_that_it_was_no_more() -> None:
    def revisions(number: int, *levels: str) -> list[Alert]:
        return [replace(alert(number, level, onset=5, raised=4), revision=at) for at, level in enumerate(levels, 1)]

    compacted = revisions(3, "signal", "signal", "resolved")[2:]
    digest = made([*revisions(1, "signal", "resolved"), *revisions(2, "signal", "watch", "resolved"), *compacted])
    assert ids(digest.over) == ["fire-2", "fire-3"]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90), st.booleans()), max_size=12), st.sets(st.integers(1, 7))
)
async def test_every_end_is_in_exactly_one_digest_however_late_it_is_written_and_whatever_shift_is_missed(
    plan: list[tuple[int, int, bool]], missed: set[int]
) -> None:
    """Times are in hours after the first digest began; eight shifts, and one more for what was late."""
    clock, made_so_far, box = ManualClock(MORNING), list[DigestMade](), Box()
    await Worker(clock, made_so_far, [], box).look()
    for shift in range(1, 16):
        clock.advance(timedelta(hours=12))
        hours = 12 * shift
        written = [
            alert(number, "rejected" if is_false else "resolved", onset=0, raised=0)
            for number, (at, late, is_false) in enumerate(plan)
            if at + late <= hours
        ]
        ends = [
            replace(
                one, onset=MORNING, raised_at=MORNING + timedelta(hours=plan[int(one.incident_id[5:])][0], minutes=1)
            )
            for one in written
        ]
        if shift not in missed:
            await Worker(clock, made_so_far, ends, box).look()
    told = [one.incident_id for digest in box.got for one in (*digest.over, *digest.refuted)]
    assert sorted(told) == sorted(f"fire-{number}" for number in range(len(plan)))


# Through the outbox and the broker ----------------------------------------------------------------------------------


class Reader(Terminal):
    """A sink that remembers the digests that it was told of."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.digests: list[str] = []

    async def send_digest(self, digest: Digest) -> None:
        self.digests.append(digest.digest_id)


class Deaf:
    """A sink that can tell of no digest."""

    name = "deaf"

    async def send(self, alert: Alert) -> None:
        raise AssertionError("there was no alert")


async def test_a_digest_goes_once_to_those_who_can_be_told_of_one(tmp_path: Path) -> None:
    reader = Reader("reader")
    outbox = Outbox(tmp_path / "outbox.sqlite", [reader, Deaf()], clock=ManualClock(UNTIL))
    for _ in range(2):
        await outbox.enqueue_digest(made([]), ["reader", "deaf", "nobody"], made_from(made([])))
        await outbox.drain()
    assert reader.digests == ["digest/2026-11-22T18:00Z"]
    assert outbox.counts() == {("reader", "sent"): 1}
    assert await outbox.digests_made() == [made_from(made([]))]
    outbox.close()


async def test_the_outbox_remembers_incidents_that_somebody_was_told_of_and_no_words(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", [Reader("reader")], clock=ManualClock(UNTIL))
    faint = [replace(alert(1, level, onset=2, raised=2), revision=at) for at, level in ((1, "signal"), (2, "resolved"))]
    loud = [replace(alert(2, level, onset=2, raised=2), revision=at) for at, level in ((1, "watch"), (2, "resolved"))]
    await outbox.enqueue([*faint, *loud])
    assert await outbox.told_incidents() == [replace(loud[1], evidence=())]
    outbox.forget_before(UNTIL + timedelta(days=1))
    assert (await outbox.told_incidents(), await outbox.digests_made()) == ([], [])
    outbox.close()


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.mark.broker
def test_on_demand_it_is_made_from_what_stands_on_the_topics(
    broker: EmbeddedBroker,
    loaded: Callable[[str], Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("VIGIE_BROKER_PORT", str(broker.port))
    settings = loaded("[kafka]\npartitions = 2\n")
    now = datetime.now(UTC)
    golden = decode(GOLDEN.read_bytes(), Alert)

    async def fill() -> None:
        await declare_topics(settings.streams())
        publisher = KafkaPublisher(settings.streams())
        await publisher.alerts([replace(golden, onset=now - timedelta(hours=1), raised_at=now - timedelta(minutes=50))])
        said = claim("need", "shelter", event_time=now, post_key="stub:p1", url="https://example.org/p1")
        gone = replace(said, post_key="stub:p2", thing="tools")
        await publisher.claims({one.post_key: Claimed(post_key=one.post_key, claims=(one,)) for one in (said, gone)})
        await publisher.claims({gone.post_key: None})
        await publisher.statuses([replace(status("press", "blind", why="503"), at=now, since=now)])
        minute = now.replace(second=0, microsecond=0) - timedelta(minutes=30)
        await publisher.pulses([Pulse(source="bluesky", minute=minute, language="fr", area="", outcomes={"gated": 5})])
        await publisher.stop()

    asyncio.run(fill())
    done = CliRunner().invoke(main, ["digest", "--settings", str(tmp_path / "vigie.toml"), "--language", "en"])
    assert done.exit_code == 0, done.output
    assert "Les Neiges" in done.output
    assert "press : blind at this moment (503)" in done.output
    assert "bluesky : 28 minutes not read" in done.output or "bluesky : 29 minutes not read" in done.output
    assert "5 read" in done.output
    assert "Les Neiges (fire): need · shelter" in done.output
    assert "tools" not in done.output, "it was taken back"

    asked = ["solidarity", "--settings", str(tmp_path / "vigie.toml")]
    done = CliRunner().invoke(main, [*asked, "--language", "en"])
    assert done.exit_code == 0, done.output
    assert "« les mots du message, need shelter » https://example.org/p1" in done.output
    (line,) = CliRunner().invoke(main, [*asked, "--json"]).output.splitlines()
    (row,) = json.loads(line)["needs"]
    assert (row["claim"]["post_key"], row["voices"]) == ("stub:p1", 1)


@pytest.mark.broker
async def test_that_a_digest_was_made_is_known_to_whoever_reads_the_topic(
    broker: EmbeddedBroker, loaded: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIE_BROKER_PORT", str(broker.port))
    streams = loaded("[kafka]\npartitions = 2\n").streams()
    await declare_topics(streams)
    publisher, box = KafkaPublisher(streams), Box()
    golden = decode(GOLDEN.read_bytes(), Alert)
    await publisher.alerts([replace(golden, level="resolved", onset=SINCE, raised_at=MORNING - timedelta(hours=1))])
    other = Box()
    for one in (box, other):  # a worker, and one on another machine that takes over
        shifts = Shifts([time(7), time(19)], PARIS)
        await Digesting(shifts, one, ["terminal"], ManualClock(MORNING)).look(
            streams, publisher.digests_made, lambda: True
        )
    await publisher.stop()
    assert (box.names(), other.names()) == (DIGEST_AT[:1], [])
    assert [(one.digest_id, len(one.ends)) for one in await digests_made(streams)] == [(DIGEST_AT[0], 1)]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('[digest]\nreceivers = ["cell"]\n', "digest.receivers: there is no receiver 'cell'; there are none"),
        ('[digest]\nzone = "Mars"\n', "digest.zone: there is no zone 'Mars'; write such as Europe/Paris"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(loaded: Callable[[str], Settings], toml: str, expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        digest_plan(loaded(toml))
    assert str(refused.value) == expected
