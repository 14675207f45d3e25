"""What is needed and offered, shown with an incident and in the digest: without who says so, and never as if read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from console.archive.taking import take
from console.desk import Desk
from records import Claim, SourceUnavailable
from tests.console.made import INCIDENT, LE_HAVRE, an_alert, minutes

ADDRESS = f"/incidents/{INCIDENT}"
MARSEILLE = structs.replace(LE_HAVRE, place_id="fr:13055", name="Marseille", lat=43.3, lon=5.4, dep="13")


def a_claim(**changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "kind": "need",
        "thing": "shelter",
        "post_key": "bluesky:c1",
        "source": "bluesky",
        "event_time": minutes(-5),
        "received_at": minutes(-5),
        "place": LE_HAVRE,
        "confidence": 0.9,
        "quantity": 4,
        "measure": "4 personnes",
        "text": "<b>Nous</b> cherchons où dormir, 4 personnes",
        "url": "https://bsky.app/profile/somebody/post/1",
    }
    return Claim(**{**fields, **changes})


@pytest_asyncio.fixture(loop_scope="module")
async def told(desk: Desk) -> Desk:
    await take(desk.engine, [an_alert(), an_alert(incident_id="fire-signal", level="signal")], minutes(0))
    return desk


def reading(desk: Desk, *claims: Claim) -> Desk:
    async def read() -> list[Claim]:
        return list(claims)

    return replace(desk, read_claims=read)


def unreadable(desk: Desk) -> Desk:
    async def read() -> list[Claim]:
        raise SourceUnavailable("kafka: away")

    return replace(desk, read_claims=read)


async def shown(client_as: Callable[..., Any], desk: Desk, path: str) -> str:
    async with client_as("viewer", language="en", desk=desk) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    return str(answer.text)


@pytest.mark.parametrize("path", [ADDRESS, "/digests"])
async def test_what_is_needed_around_an_incident_is_listed_without_who_says_so(
    told: Desk, client_as: Callable[..., Any], path: str
) -> None:
    offer = a_claim(kind="offer", thing="food", post_key="bluesky:c2", quantity=None, measure="", text="soupe")
    html = await shown(client_as, reading(told, a_claim(), offer), path)
    assert "<strong>Need</strong> · shelter (4 personnes) · Le Havre" in html
    assert "<strong>Offer</strong> · food" in html
    assert "Not verified" in html
    assert "bsky.app" not in html
    assert "<b>Nous" not in html


async def test_an_incident_shows_the_words_and_a_digest_does_not(told: Desk, client_as: Callable[..., Any]) -> None:
    desk = reading(told, a_claim())
    assert "cherchons où dormir" in await shown(client_as, desk, ADDRESS)
    assert "cherchons où dormir" not in await shown(client_as, desk, "/digests")


@pytest.mark.parametrize("path", [ADDRESS, "/digests"])
async def test_nothing_is_listed_where_the_settings_want_nobody_told(
    told: Desk, client_as: Callable[..., Any], path: str
) -> None:
    assert told.read_claims is None
    html = await shown(client_as, told, path)
    assert "eeds and offers" not in html


@pytest.mark.parametrize("path", [ADDRESS, "/digests"])
async def test_a_list_that_cannot_be_read_does_not_look_empty(
    told: Desk, client_as: Callable[..., Any], path: str
) -> None:
    assert "that nothing is listed means nothing" in await shown(client_as, unreadable(told), path)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param((), id="none"),
        pytest.param((a_claim(place=MARSEILLE),), id="far away"),
    ],
)
async def test_an_incident_around_which_nothing_is_needed_has_no_list(
    told: Desk, client_as: Callable[..., Any], claims: tuple[Claim, ...]
) -> None:
    assert "Needs and offers" not in await shown(client_as, reading(told, *claims), ADDRESS)


async def test_a_signal_has_no_list(told: Desk, client_as: Callable[..., Any]) -> None:
    assert "Needs and offers" not in await shown(client_as, reading(told, a_claim()), "/incidents/fire-signal")


async def test_the_digest_for_programs_bears_them_too(told: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer", desk=reading(told, a_claim())) as client:
        found = (await client.get("/digests.json")).json()
    assert [one["needs"][0]["thing"] for one in found["claims"]] == ["shelter"]
    assert "bsky.app" not in str(found)
