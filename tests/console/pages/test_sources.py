"""The page of the sources: "no alert" never looks the same as "not looking"."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from console.archive.taking import take
from console.desk import Desk
from records import ManualClock
from tests.console.made import a_pulse, a_status, minutes

HOSTILE = '<script>alert("x")</script>'


async def shown(client_as: Callable[..., Any], language: str = "en") -> str:
    async with client_as("viewer", language=language) as client:
        answer = await client.get("/sources")
    assert answer.status_code == 200
    return " ".join(str(answer.text).split())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", "Nothing was told of any source. Vigie may not be looking at all.", id="English"),
        pytest.param(
            "fr", "Rien n’est connu d’aucune source. Il se peut que Vigie ne regarde pas du tout.", id="French"
        ),
    ],
)
async def test_without_a_source_the_page_says_so(client_as: Callable[..., Any], language: str, words: str) -> None:
    page = await shown(client_as, language)
    assert words in page
    assert {"en": "BLIND", "fr": "AVEUGLE"}[language] in page


async def test_a_source_is_shown_with_all_that_is_known_of_it(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    status = a_status(
        last_sign_at=minutes(-1),
        last_post_at=minutes(-2),
        lag_secs=4.0,
        gap_secs=61.0,
        failures=7,
        read=12345,
        refused=3,
        spent_usd=85.0,
        ceiling_usd=100.0,
    )
    await take(desk.engine, [status], clock.now())
    page = await shown(client_as, "fr")
    for told in ("bluesky", "à l’écoute", ">61<", ">7<", "12 345", "85 sur 100 USD", "près du plafond"):
        assert told in page
    assert 'class="state state-listening"' in page


async def test_a_status_that_nobody_renewed_is_never_shown_as_listening(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await take(desk.engine, [a_status()], clock.now())
    clock.advance(timedelta(minutes=6))
    page = await shown(client_as)
    assert 'class="state state-stale"' in page
    assert 'class="state state-listening"' not in page
    assert "the process that reads it says nothing any more" in page
    assert "no news of it" in page.split("When a source was not listened to")[1]


async def test_the_ways_by_which_nobody_would_reach_us_are_named(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    blind = a_status("mairie", "blind", way="page", since=minutes(-30), why="the page does not answer")
    await take(desk.engine, [a_status(), blind], clock.now())
    page = await shown(client_as)
    ways = page.split('id="ways-title"')[1].split("</section>")[0]
    assert "Pages of the town</strong> mairie (blind, since 30 Jan 08:07, the page does not answer)" in ways
    assert "Press</strong> no source of this kind is set" in ways
    assert "Open networks" not in ways


async def test_what_was_read_is_parted_by_source_and_by_way(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    await take(
        desk.engine,
        [
            a_status(),
            a_pulse(-10, outcomes={"kept": 1, "gated": 74}),
            a_pulse(-10, source="paris-normandie", outcomes={"kept": 20, "refused": 5}),
            a_pulse(-60 * 25, outcomes={"kept": 1000}),
        ],
        clock.now(),
    )
    page = await shown(client_as)
    shares = page.split('id="shares-title"')[1].split("</section>")[0]
    assert '<th scope="row">bluesky</th><td class="number">75 %</td>' in shares
    assert '<th scope="row">paris-normandie</th><td class="number">25 %</td>' in shares
    assert '<th scope="row">open networks</th><td class="number">75 %</td>' in shares
    assert '<th scope="row">not known</th>' in shares


async def test_the_last_seven_days_are_told_in_a_table_too(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    first = a_status(at=minutes(-3000), since=minutes(-3000))
    lost = a_status(state="blind", at=minutes(-120), since=minutes(-120), why="refused")
    await take(desk.engine, [first, lost, a_status(at=minutes(0), since=minutes(-90))], clock.now())
    page = await shown(client_as)
    assert "<td>blind</td>" in page
    assert "06:37</time>" in page
    assert "07:07</time>" in page
    assert "30 min" in page
    assert "refused" in page


async def test_what_a_source_says_is_text(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    await take(desk.engine, [replace(a_status(HOSTILE, "blind"), why=HOSTILE)], clock.now())
    page = await shown(client_as)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
