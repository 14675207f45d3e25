"""The page of an incident: each block with what there is, and without."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from console.access.roles import Role
from console.access.visitor import Visitor
from console.archive import audit, saying
from console.archive.taking import take
from console.catalogue import words
from console.desk import Desk
from records import Context, CrisisClock, Declaration, ManualClock, Rumour
from records.alert import Correction
from tests.console.made import (
    INCIDENT,
    a_notification,
    a_post,
    a_report_row,
    a_retraction,
    a_signal,
    a_silence,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def text_of(page: str) -> str:
    """Return what a page says, without its marks."""
    plain = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", plain)).split())


def block(page: str, name: str) -> str:
    """Return what one part of the page says."""
    return text_of(page.split(f'<section class="card" id="{name}"')[1].split("</section>", maxsplit=1)[0])


def full() -> list[Any]:
    """Make an incident of which everything is known that can be."""
    notice = Context(
        bulletin_id="allo:1",
        source="allo-industrie",
        kind="operator_notice",
        text="Torche visible",
        issued_at=minutes(2),
        fits=False,
        because={"fr": "trop loin", "en": "too far"},
        url="https://allo.example/1",
    )
    first = an_alert(evidence=(some_evidence(1, contribution=3.0, likelihood_ratio=40.0, author_tier=2),))
    second = an_alert(
        revision=2,
        level="alert",
        score=0.6021,
        posts=5,
        authors=3,
        witnesses=2,
        copies=4,
        usual_per_hour=0.4,
        also=("Harfleur",),
        joins="fire-bigger",
        evidence=(
            *first.evidence,
            some_evidence(
                2,
                contribution=0.4,
                likelihood_ratio=2.0,
                platform="bluesky",
                doubts=("old_link",),
                copies=4,
                has_image=True,
            ),
        ),
        context=(notice,),
        clock=CrisisClock(
            first_post=minutes(-4), first_witness=minutes(-4), first_press=minutes(2), minutes=20, silent_minutes=20
        ),
        declaration=Declaration(outcome="undeclared", minutes=20, duty="DREAL d’astreinte", number="02 35 00 00 00"),
        rumour=Rumour(
            signs=("denied",),
            doubts={"old_link": 1},
            relays=4,
            denied_by="authority",
            denied_at=minutes(3),
            is_held=True,
        ),
        corrections=(Correction(what="hazard", by="chef", at=minutes(2), reason="vu"),),
        unknowns=("no_official_word", "place_uncertain"),
    )
    return [
        first,
        second,
        a_verdict("acknowledge"),
        a_verdict("note", reason="rappeler le port", decided_at=minutes(4)),
        a_notification(),
        a_notification(notification_id="w/2", receiver="sms", state="failed", why="refusé (503)", attempts=3),
        a_notification(notification_id="w/3", receiver="mairie", state="held", why="nuit"),
        *(a_signal(n) for n in range(3)),
        a_signal(9, event_time=minutes(-20)),
        a_silence(),
    ]


@pytest_asyncio.fixture(loop_scope="module")
async def known(desk: Desk, clock: ManualClock) -> Desk:
    clock.advance(timedelta(minutes=5))
    await take(desk.engine, full(), minutes(5))
    return desk


async def page_of(client_as: Callable[..., Any], role: Role = "operator", language: str = "en", query: str = "") -> str:
    async with client_as(role, language=language) as client:
        answer = await client.get(f"/incidents/{INCIDENT}{query}")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("why", "One person speaks of a fire.", id="the explanation"),
        pytest.param("why", "Strength: 4 times the alert threshold.", id="the score in words"),
        pytest.param("why", "Probability that something is on: 80 %.", id="the probability"),
        pytest.param("why", "no official word place uncertain", id="what is not known"),
        pytest.param("why", "denied by somebody who should know (authority, 30 Jan 08:40 )", id="signs of a rumour"),
        pytest.param("why", "waits for somebody who was there", id="the word alert is held"),
        pytest.param("why", "Hazard corrected · chef, 30 Jan 08:39 · vu", id="what people said otherwise"),
        pytest.param("why", "Threshold: Alert 50,000", id="thresholds"),
        pytest.param("why", "Profile city/1", id="the profile"),
        pytest.param("why", "rule burst/1", id="versions"),
        pytest.param("posts", "weighs most (3) by itself a very strong sign (× 40)", id="the heaviest post"),
        pytest.param("posts", "weighs some (0.4) by itself a weak sign (× 2)", id="a lighter post"),
        pytest.param("posts", "de la fumée noire à la centrale (1)", id="its words"),
        pytest.param("posts", "facebook witness trusted account", id="who"),
        pytest.param("posts", "4 copies folded into it link to an old page", id="copies and doubts"),
        pytest.param("posts", "Link to the post (example.org)", id="the host of its link"),
        pytest.param("rates", "0.4 posts an hour that would count", id="what is usual"),
        pytest.param("rates", "30 Jan 08:30 3 3 0.067", id="what was observed"),
        pytest.param("rates", "30 Jan 08:20 estimated beginning 0 0 0.067", id="a span without posts"),
        pytest.param("statements", "does not fit because: too far", id="why a notice does not fit"),
        pytest.param("statements", "Nobody announced anything of the kind, for 20 minutes.", id="undeclared"),
        pytest.param("statements", "DREAL d’astreinte, 02 35 00 00 00", id="whom to call"),
        pytest.param("messages", "For the population Fire not confirmed", id="which message for whom"),
        pytest.param("messages", "For those on duty", id="who gets one"),
        pytest.param("history", "Level: Watch, now Alert", id="what a revision changed"),
        pytest.param("history", "Begins as: Watch", id="how it began"),
        pytest.param("history", "Looked after · astreinte (operator)", id="a decision"),
        pytest.param("history", "Note · astreinte (operator) · rappeler le port", id="a note"),
        pytest.param("clock", "22 minutes since the estimated beginning", id="the clock runs on"),
        pytest.param("clock", "No authority has spoken for 22 minutes.", id="the silence, too"),
        pytest.param("clock", "Press 30 Jan 08:39 after 19 minutes", id="who spoke when"),
        pytest.param("clock", "First picture not yet", id="who has not"),
        pytest.param("place", "Precision place uncertain, perhaps there Chosen from", id="one place among several"),
        pytest.param("place", "Also named Harfleur", id="alternatives"),
        pytest.param("sources", "Independent authors 3 Witnesses 2", id="independence"),
        pytest.param("sources", "bluesky 1 0", id="per platform"),
        pytest.param("told", "sms revision 1, Watch not delivered refusé (503) 3 attempts", id="who was not told"),
        pytest.param("told", "mairie revision 1, Watch held back nuit", id="what is held"),
        pytest.param("told", "Silenced until 30 Jan 09:37 by astreinte (operator): exercice du SDIS", id="a silence"),
    ],
)
async def test_a_block_says_what_is_known(known: Desk, client_as: Callable[..., Any], name: str, said: str) -> None:
    assert said in block(await page_of(client_as), name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("why", "No explanation came with this revision."),
        ("why", "Nothing is marked as unknown."),
        ("posts", "No post is shown with this incident."),
        ("rates", "What is usual here was not told with this revision."),
        ("rates", "No counts are kept of this time."),
        ("statements", "Nothing beside this incident."),
        ("clock", "This revision bears no clock."),
        ("place", "municipality, within 6 km"),
        ("place", "no other place"),
        ("told", "Nobody was told of it, as far as is known here."),
        ("verifications", "Nobody was asked to verify anything."),
    ],
)
async def test_a_block_says_that_nothing_is_known(
    desk: Desk, client_as: Callable[..., Any], name: str, said: str
) -> None:
    bare = an_alert(evidence=(), explanation={}, unknowns=(), thresholds={})
    await take(desk.engine, [bare], minutes(0))
    assert said in block(await page_of(client_as), name)


async def test_the_french_page_has_no_english(known: Desk, client_as: Callable[..., Any]) -> None:
    said = text_of(await page_of(client_as, language="fr"))
    english = {
        message
        for (message, number), french in words("fr")._found.items()
        if number == 0 and message != french and "%" not in message and len(message.split()) > 2
    }
    assert len(english) > 100
    assert [message for message in english if message in said] == []
    assert "Force : 4 fois le seuil d’alerte." in said.replace("\N{NO-BREAK SPACE}", " ")


async def test_a_report_that_counts_is_shown(known: Desk, client_as: Callable[..., Any]) -> None:
    visitor = Visitor(name="astreinte")
    await saying.report(known, visitor, a_post(), a_report_row(post_key="facebook:e0001"))
    await saying.report(
        known, visitor, a_post(id="r2"), a_report_row(report_id="r2", post_key="vigie:r2", text="Autre")
    )
    said = block(await page_of(client_as), "verifications")
    assert "Flammes à la centrale, vues par un agent." in said
    assert "Autre" not in said


async def test_nobody_finds_an_incident_that_is_not_there(desk: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        assert (await client.get("/incidents/none")).status_code == 404


async def test_who_only_sees_gets_no_form_to_decide(known: Desk, client_as: Callable[..., Any]) -> None:
    page = await page_of(client_as, role="viewer")
    assert set(re.findall(r'<form method="post" action="([^"#]+)', page)) == {
        f"/incidents/{INCIDENT}/reveal",
        "/language",
        "/logout",
    }
    assert 'type="checkbox"' not in page


async def test_what_comes_from_outside_is_only_text(desk: Desk, client_as: Callable[..., Any]) -> None:
    notice = Context(
        bulletin_id="x", source=HOSTILE, kind="other", text=HOSTILE, issued_at=minutes(0), url="javascript:alert(3)"
    )
    place = replace(an_alert().place, name=HOSTILE, reasons=(HOSTILE,))
    hostile = an_alert(
        place=place,
        also=(HOSTILE,),
        evidence=(some_evidence(text=HOSTILE, platform=HOSTILE, url="javascript:alert(4)", post_key=HOSTILE),),
        context=(notice,),
        explanation={"fr": HOSTILE, "en": HOSTILE},
        profile=HOSTILE,
        versions={HOSTILE: HOSTILE},
    )
    decided = a_verdict("note", reason=HOSTILE, decided_by=HOSTILE)
    told = a_notification(receiver=HOSTILE, why=HOSTILE)
    await take(desk.engine, [hostile, decided, told], minutes(0))
    page = await page_of(client_as)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "javascript:" not in page
    assert page.count("&lt;script&gt;alert(1)") > 8


async def test_words_that_were_taken_back_are_shown_as_such(known: Desk, client_as: Callable[..., Any]) -> None:
    await take(known.engine, [a_retraction("facebook:e0001")], minutes(30))
    said = block(await page_of(client_as), "posts")
    assert "Taken back or changed by its author" in said
    assert "à la centrale (1)" not in said
    assert "à la centrale (2)" in said


async def test_a_link_is_shown_to_who_asks_and_that_is_noted(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer", language="en") as client:
        before = await client.get(f"/incidents/{INCIDENT}")
        shown = await client.post(
            f"/incidents/{INCIDENT}/reveal", data={"csrf": "a-token-of-the-tests", "post_key": "facebook:e0001"}
        )
    assert "https://example.org/e0001" not in before.text
    assert 'href="https://example.org/e0001" rel="noopener noreferrer"' in shown.text
    (entry,) = await audit.entries(known.engine, object_=INCIDENT)
    assert (entry.action, entry.actor, entry.detail) == (
        "link_shown",
        "astreinte (viewer)",
        {"post_key": "facebook:e0001"},
    )


async def test_a_script_gets_the_link_alone(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.post(
            f"/incidents/{INCIDENT}/reveal",
            data={"csrf": "a-token-of-the-tests", "post_key": "facebook:e0001"},
            headers={"accept": "application/json"},
        )
    assert answer.json() == {"url": "https://example.org/e0001", "host": "example.org"}
    assert answer.headers["cache-control"] == "no-store"


async def test_no_link_is_shown_of_a_post_that_is_not_of_it(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.post(
            f"/incidents/{INCIDENT}/reveal", data={"csrf": "a-token-of-the-tests", "post_key": "facebook:other"}
        )
    assert answer.status_code == 404
    assert await audit.entries(known.engine, object_=INCIDENT) == []


async def test_an_open_page_can_ask_what_is_the_newest(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = (await client.get(f"/incidents/{INCIDENT}/newest")).json()
        await take(known.engine, [an_alert(revision=3), a_verdict("close")], minutes(6))
        later = (await client.get(f"/incidents/{INCIDENT}/newest")).json()
    assert (answer["incident_id"], answer["revision"]) == (INCIDENT, 2)
    assert later["revision"] == 3
    assert later["decided"] > answer["decided"]


async def test_the_clock_of_what_is_over_stands_still(
    desk: Desk, clock: ManualClock, client_as: Callable[..., Any]
) -> None:
    over = an_alert(level="resolved", clock=CrisisClock(minutes=90, silent_minutes=40, first_authority=minutes(23)))
    await take(desk.engine, [over], minutes(0))
    clock.advance(timedelta(days=3))
    said = block(await page_of(client_as), "clock")
    assert "90 minutes since the estimated beginning" in said
    assert "An authority spoke after 40 minutes." in said
