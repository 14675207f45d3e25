"""The page of the digests: what is told of a span, and what those who go tell those who come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace as with_changes
from datetime import time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit
from console.archive.dossier import SourceChange
from console.archive.taking import Read, take
from console.desk import Desk
from console.digests import handover
from console.digests.shift_digest import as_of, changes_of_shift, digest_of, usual_beginning
from records import ManualClock, decode
from records.digest import Digest
from tests.console.conftest import CSRF
from tests.console.entering import flat
from tests.console.made import LE_HAVRE, a_digest, a_pulse, a_status, a_verdict, an_alert, minutes, some_evidence

HOSTILE = '<script>alert("x")</script>'
SPAN = {"since": "2012-01-30T08:00", "until": "2012-01-30T09:00"}  # on the wall: 37 minutes before, 23 after


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", "Nothing was read in this span: that nothing is told here means nothing.", id="English"),
        pytest.param(
            "fr", "Rien n’a été lu pendant cette période : que rien ne soit dit ici ne signifie rien.", id="French"
        ),
    ],
)
async def test_without_anything_read_nothing_told_means_nothing(
    client_as: Callable[..., Any], language: str, words: str
) -> None:
    async with client_as("viewer", language=language) as client:
        answer = await client.get("/digests")
    assert answer.status_code == 200
    assert words in flat(answer)


async def fill(desk: Desk, clock: ManualClock) -> None:
    """A morning: one fire goes on, one was rejected, one was never more than a signal and ended."""
    rejected = {"incident_id": "fire-rejected", "place": replace(LE_HAVRE, name="Harfleur")}
    faint = {"incident_id": "fire-faint", "place": replace(LE_HAVRE, name="Montivilliers")}
    told = [
        an_alert(onset=minutes(-20)),
        an_alert(**rejected, onset=minutes(-30), raised_at=minutes(-30)),
        an_alert(**rejected, onset=minutes(-30), raised_at=minutes(-10), revision=2, level="rejected"),
        an_alert(**faint, onset=minutes(-30), raised_at=minutes(-30), level="signal"),
        an_alert(**faint, onset=minutes(-30), raised_at=minutes(-10), revision=2, level="resolved"),
    ]
    heard = [a_pulse(number) for number in range(-100, 23) if not -30 <= number < -20]
    await take(desk.engine, [a_status(at=minutes(22), since=minutes(-100)), *heard, *told], minutes(0))
    clock.advance(timedelta(minutes=30))


async def test_a_digest_tells_what_is_on_what_ended_and_what_was_not_seen(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await fill(desk, clock)
    async with client_as("viewer", language="en") as client:
        page = flat(await client.get("/digests", params=SPAN))
    parts = {
        name: page.split(f'id="{name}-title">')[1].split("</section>")[0]
        for name in ("new", "refuted", "over", "unseen")
    }
    assert "Le Havre" in parts["new"]
    assert "nobody looks after it" in parts["new"]
    assert "Harfleur" in parts["refuted"]
    assert "Nothing." in parts["over"]
    assert "Montivilliers" not in page  # nobody was told of it
    assert "bluesky</strong> (open networks): 10 minutes not read" in parts["unseen"]
    assert "no official word" in page


@pytest.mark.parametrize(
    ("unknowns", "said"),
    [
        pytest.param((), "(municipality)", id="known"),
        pytest.param(("place_uncertain",), "(place uncertain, perhaps there)", id="one among several"),
    ],
)
async def test_a_digest_says_how_precisely_a_place_is_known(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, unknowns: tuple[str, ...], said: str
) -> None:
    await take(desk.engine, [an_alert(unknowns=unknowns)], minutes(0))
    clock.advance(timedelta(minutes=30))
    async with client_as("viewer", language="en") as client:
        assert said in flat(await client.get("/digests", params=SPAN))


async def test_who_looks_after_an_incident_is_named(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await fill(desk, clock)
    await take(desk.engine, [a_verdict()], clock.now())
    async with client_as("viewer", language="fr") as client:
        page = flat(await client.get("/digests", params=SPAN))
    assert "pris en charge par astreinte (operator)" in page


async def test_a_digest_of_a_past_span_knows_nothing_of_later(engine: AsyncEngine) -> None:
    later = an_alert(revision=2, level="alert", raised_at=minutes(40))
    await take(engine, [Read(an_alert(), at=minutes(1)), Read(later, at=minutes(40))], minutes(60))
    ending = an_alert(revision=3, level="rejected", raised_at=minutes(50))
    await take(
        engine, [Read(ending, at=minutes(50)), a_status(state="blind", at=minutes(55), since=minutes(45))], minutes(60)
    )
    before = await digest_of(engine, minutes(-60), minutes(30))
    after = await digest_of(engine, minutes(-60), minutes(60))
    assert [(one.level, one.evidence) for one in before.new] == [("watch", ())]
    assert before.unseen == ()
    assert [one.level for one in after.refuted] == ["rejected"]
    assert [one.source for one in after.unseen] == ["bluesky"]


async def test_the_end_of_what_was_never_more_than_a_signal_is_no_news(engine: AsyncEngine) -> None:
    def told(name: str, *levels: str) -> list[Any]:
        return [
            an_alert(incident_id=name, revision=number, level=level, raised_at=minutes(number))
            for number, level in enumerate(levels, 1)
        ]

    alerts = [*told("faint", "signal", "resolved"), *told("watched", "signal", "watch", "resolved")]
    cut = told("cut", "signal", "signal", "resolved")[1:]  # nobody knows what its first revision was
    await take(engine, [*alerts, *cut], minutes(5))
    digest = await digest_of(engine, minutes(-60), minutes(60))
    assert sorted(one.incident_id for one in digest.over) == ["cut", "watched"]


async def test_the_digest_is_there_for_programs_too(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await fill(desk, clock)
    async with client_as("viewer") as client:
        answer = await client.get("/digests.json", params=SPAN)
        wrong = await client.get("/digests.json", params={"since": "never"})
    digest = decode(answer.content, Digest)
    assert [one.incident_id for one in digest.new] == ["fire-0123456789abcdef"]
    assert (digest.since, digest.until) == (minutes(-37), minutes(23))
    assert (wrong.status_code, wrong.json()) == (422, {"error": "since: bad_moment"})


@pytest.mark.parametrize(
    ("span", "field", "words"),
    [
        pytest.param({"since": "yesterday"}, "since", "This is no moment", id="no moment"),
        pytest.param({"until": "0000-00-00"}, "until", "This is no moment", id="no day"),
        pytest.param({"until": "2012-02-01T08:00"}, "until", "still to come", id="to come"),
        pytest.param(
            {"since": "2012-01-30T08:00", "until": "2012-01-30T07:00"}, "since", "ends before", id="backwards"
        ),
        pytest.param({"since": "2012-01-01T08:00"}, "since", "seven days at most", id="a month"),
    ],
)
async def test_a_span_that_cannot_be_is_refused(
    client_as: Callable[..., Any], span: dict[str, str], field: str, words: str
) -> None:
    async with client_as("viewer", language="en") as client:
        answer = await client.get("/digests", params=span)
    assert answer.status_code == 422
    assert words in flat(answer).split(f'id="{field}-error"')[1].split("</span>")[0]


async def test_a_handover_note_stands_on_its_digest_until_it_is_taken_back(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    typed = {
        **SPAN,
        "until": "2012-01-30T08:37",
        "csrf": CSRF,
        "nonce": "n1",
        "text": "La route de l’usine est fermée.",
    }
    async with client_as("operator", language="fr") as client:
        written = [await client.post("/digests/notes", data=typed) for _ in range(2)]
        page = flat(await client.get(written[0].headers["location"]))
        elsewhere = flat(
            await client.get("/digests", params={"since": "2012-01-29T08:00", "until": "2012-01-30T08:00"})
        )
        assert page.count("La route de l’usine est fermée.") == 1
        assert "La route de l’usine" not in elsewhere
        [entry] = await audit.entries(desk.engine)
        assert (entry.action, entry.actor) == ("handover_note", "astreinte (operator)")
        note_id = entry.object_.removeprefix("handover/")
        taken = await client.post(f"/digests/notes/{note_id}/withdraw", data=typed)
        page = flat(await client.get(taken.headers["location"]))
        again = await client.post(f"/digests/notes/{note_id}/withdraw", data=typed)
    assert "La route de l’usine est fermée." not in page
    assert "Retirée par astreinte (operator)." in page
    assert again.status_code == 422
    assert [entry.action for entry in await audit.entries(desk.engine)] == ["handover_note_withdrawn", "handover_note"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"text": "La route est rouverte."}, id="other words"),
        pytest.param({"until": "2012-01-30T08:30"}, id="on another span"),
    ],
)
async def test_who_goes_back_and_changes_a_note_has_written_another(
    client_as: Callable[..., Any], desk: Desk, changes: dict[str, str]
) -> None:
    typed = {**SPAN, "until": "2012-01-30T08:37", "csrf": CSRF, "nonce": "n1", "text": "La route est fermée."}
    async with client_as("operator") as client:
        for form in (typed, {**typed, **changes}, {**typed, **changes}, typed):
            assert (await client.post("/digests/notes", data=form)).status_code == 303
    assert len(await handover.notes(desk.engine, minutes(-60), minutes(0))) == 2


async def test_a_note_sent_and_taken_back_many_times_at_once_is_one(engine: AsyncEngine) -> None:
    def write() -> Awaitable[None]:
        return handover.write(engine, "n1", "La route est fermée.", about=minutes(0), by="astreinte", now=minutes(0))

    await asyncio.gather(*(write() for _ in range(5)))
    assert len(await handover.notes(engine, minutes(-1), minutes(0))) == 1
    taken = await asyncio.gather(*(handover.withdraw(engine, "n1", by="astreinte", now=minutes(1)) for _ in range(5)))
    assert sorted(taken) == [False] * 4 + [True]
    assert len(await audit.entries(engine)) == 2


async def test_every_note_is_read_however_many_there_are(
    sqlite_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "AT_ONCE", 3)
    names = [f"n{number}" for number in range(8)]
    for name in names:
        await handover.write(sqlite_engine, name, name, about=minutes(0), by="astreinte", now=minutes(0))
        await handover.withdraw(sqlite_engine, name, by="relève", now=minutes(1))
    found = await handover.notes(sqlite_engine, minutes(-1), minutes(0))
    assert [(one.text, one.withdrawn_by) for one in found] == [(name, "relève") for name in names]


@pytest.mark.parametrize(("text", "words"), [(" ", "The note is empty."), ("x" * 4001, "The note is too long")])
async def test_a_note_that_cannot_be_is_refused_as_it_was_typed(
    client_as: Callable[..., Any], desk: Desk, text: str, words: str
) -> None:
    typed = {**SPAN, "until": "2012-01-30T08:37", "csrf": CSRF, "nonce": "n1", "text": text}
    async with client_as("operator", language="en") as client:
        answer = await client.post("/digests/notes", data=typed)
    assert answer.status_code == 422
    assert words in flat(answer).split('id="text-error"')[1].split("</span>")[0]
    assert text.strip() in answer.text
    assert await audit.entries(desk.engine) == []


async def test_who_may_not_decide_writes_no_note(client_as: Callable[..., Any], desk: Desk) -> None:
    async with client_as("volunteer") as client:
        answer = await client.post("/digests/notes", data={"csrf": CSRF, "text": "x"})
    assert answer.status_code == 403
    assert await audit.entries(desk.engine) == []


async def test_what_people_and_posts_say_is_text(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    hostile = an_alert(place=replace(LE_HAVRE, name=HOSTILE), evidence=(some_evidence(text=HOSTILE),))
    await take(desk.engine, [hostile, a_status(HOSTILE, "blind", why=HOSTILE)], clock.now())
    async with client_as("operator") as client:
        typed = {"csrf": CSRF, "nonce": "n1", "text": HOSTILE}
        written = await client.post("/digests/notes", data=typed)
        page = (await client.get(written.headers["location"])).text
        refused = (await client.get("/digests", params={"since": HOSTILE})).text
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page + refused


async def test_the_digests_that_were_made_are_listed(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await take(desk.engine, [a_digest()], clock.now())
    async with client_as("viewer", language="en") as client:
        page = flat(await client.get("/digests"))
    assert "from 29 Jan 20:00 until 30 Jan 08:00" in page
    assert "From 29 Jan 2012 20:37 until 30 Jan 2012 08:37" in page  # that change was just now


SHIFTS = (time(7), time(19))


@pytest.mark.parametrize(
    ("shifts", "minute", "since"),
    [
        pytest.param(SHIFTS, 0, minutes(-97), id="in the middle of a shift: since it began"),
        pytest.param(SHIFTS, -90, minutes(-97 - 720), id="just after a change: since the one before"),
        pytest.param((), 0, minutes(-720), id="nobody knows of shifts: twelve hours"),
    ],
)
def test_most_want_to_know_since_the_last_change_of_shift(shifts: tuple[time, ...], minute: int, since: Any) -> None:
    changes = changes_of_shift(shifts, [], "Europe/Paris", minutes(minute))
    assert usual_beginning(changes, minutes(minute)) == since


def test_digests_that_were_made_tell_of_shifts_that_are_not_set() -> None:
    made = [a_digest(), replace(a_digest(), until=minutes(-900)), replace(a_digest(), until=minutes(5))]
    changes = changes_of_shift((), made, "Europe/Paris", minutes(0))
    assert changes == [minutes(-37), minutes(-900)]


async def test_the_shifts_of_the_settings_come_first(client_as: Callable[..., Any], desk: Desk) -> None:
    object.__setattr__(desk, "setup", with_changes(desk.setup, shifts=SHIFTS))
    async with client_as("viewer", language="en") as client:
        page = flat(await client.get("/digests"))
    assert "From 30 Jan 2012 07:00 until 30 Jan 2012 08:37" in page


def test_a_source_is_shown_as_it_was_at_a_moment() -> None:
    now = a_status(state="blind", at=minutes(60), since=minutes(40), why="refused")
    unknown = a_status("mairie", at=minutes(60), since=minutes(50))
    changes = [
        SourceChange(source="bluesky", since=minutes(-60), state="listening", why=""),
        SourceChange(source="bluesky", since=minutes(40), state="blind", why="refused"),
        SourceChange(source="mairie", since=minutes(50), state="listening", why=""),
    ]
    [then] = as_of([now, unknown], changes, minutes(30))
    assert (then.source, then.state, then.since, then.at, then.why) == (
        "bluesky",
        "listening",
        minutes(-60),
        minutes(30),
        "",
    )
