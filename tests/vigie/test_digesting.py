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
from console.digest import digest_from
from models.solidarity_words import THINGS
from records import Alert, Claim, Claimed, ManualClock, Pulse, SettingsError, SourceStatus, SourceUnavailable, decode
from records.digest import Digest
from streams.app import declare_topics
from streams.publisher import KafkaPublisher
from vigie.broker import EmbeddedBroker
from vigie.cli import main
from vigie.digesting import Digesting, Shifts
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
    """Takes digests."""

    def __init__(self) -> None:
        self.got: list[tuple[str, tuple[str, ...]]] = []

    async def enqueue_digest(self, digest: Digest, receivers: Any) -> int:
        self.got.append((digest.digest_id, tuple(receivers)))
        return 1


async def test_each_shift_has_one_digest_and_a_broker_that_is_away_is_asked_again() -> None:
    clock, box, away = ManualClock(datetime(2026, 11, 22, 5, 59, tzinfo=UTC)), Box(), [True]

    async def read(_: Any, since: datetime, until: datetime) -> Digest:
        if away.pop() if away else False:
            raise SourceUnavailable("away")
        return digest_from([], [], [], [], since=since, until=until)

    digesting = Digesting(Shifts([time(7), time(19)], PARIS), box, ["terminal"], clock, read)
    await digesting.look(None)  # type: ignore[arg-type]
    assert box.got == [], "the last shift ended eleven hours ago"
    clock.advance(timedelta(minutes=2))
    for _ in range(3):
        await digesting.look(None)  # type: ignore[arg-type]
    assert box.got == [("digest/2026-11-22T06:00Z", ("terminal",))]
    clock.advance(timedelta(hours=12))
    await digesting.look(None)  # type: ignore[arg-type]
    assert [name for name, _ in box.got] == ["digest/2026-11-22T06:00Z", "digest/2026-11-22T18:00Z"]


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
        await outbox.enqueue_digest(made([]), ["reader", "deaf", "nobody"])
        await outbox.drain()
    assert reader.digests == ["digest/2026-11-22T18:00Z"]
    assert outbox.counts() == {("reader", "sent"): 1}
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
