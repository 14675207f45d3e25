"""The list of incidents: what is open, unless somebody asks for something else."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from msgspec.structs import replace

from console.archive.taking import take
from console.desk import Desk
from console.pages import incidents
from records import Rumour
from tests.console.made import LE_HAVRE, an_alert, minutes, some_evidence

LYON = replace(LE_HAVRE, place_id="fr:69123", name="Lyon", insee="69123", dep="69")


@pytest_asyncio.fixture(loop_scope="module")
async def known(desk: Desk) -> Desk:
    told = [
        an_alert(incident_id="fire-a", level="alert", rumour=Rumour(signs=("denied",))),
        an_alert(incident_id="flood-b", hazard="flood", place=LYON, area="69", level="watch", joins="flood-z"),
        an_alert(incident_id="fire-c", level="resolved"),
        an_alert(incident_id="fire-d", level="watch", evidence=(some_evidence(text="un hangar brûle"),)),
    ]
    for number, one in enumerate(told):
        await take(desk.engine, [one], minutes(number))
    return desk


async def listed(client_as: Callable[..., Any], query: str = "") -> list[str]:
    async with client_as("viewer") as client:
        answer = await client.get(f"/incidents{query}")
    assert answer.status_code == 200, answer.text
    return re.findall(r'<a href="/incidents/([a-z]+-[a-z])"', answer.text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", ["fire-d", "flood-b", "fire-a"], id="what is open, the newest first"),
        pytest.param("?level=resolved", ["fire-c"], id="what is over"),
        pytest.param("?level=alert&level=resolved", ["fire-c", "fire-a"], id="two levels"),
        pytest.param("?level=none", ["fire-d", "flood-b", "fire-a"], id="no level of ours"),
        pytest.param("?hazard=flood", ["flood-b"], id="a hazard"),
        pytest.param("?hazard=none", ["fire-d", "flood-b", "fire-a"], id="no hazard of ours"),
        pytest.param("?area=69", ["flood-b"], id="an area"),
        pytest.param("?text=hangar", ["fire-d"], id="words of a post"),
        pytest.param("?text=lyon", ["flood-b"], id="the name of a place"),
        pytest.param("?since=2012-01-30T08:39", ["fire-d"], id="since, on the clock of the cell"),
        pytest.param("?since=2012-01-30T07:39Z", ["fire-d"], id="since, with its zone"),
        pytest.param("?page=9", ["fire-d", "flood-b", "fire-a"], id="beyond the last page"),
        pytest.param(f"?page={'9' * 5000}", ["fire-d", "flood-b", "fire-a"], id="far beyond"),
        pytest.param("?page=x", ["fire-d", "flood-b", "fire-a"], id="no page"),
    ],
)
async def test_the_list_holds_what_was_asked_for(
    known: Desk, client_as: Callable[..., Any], query: str, expected: list[str]
) -> None:
    assert await listed(client_as, query) == expected


async def test_one_place_among_several_is_not_listed_as_a_place_that_is_known(
    desk: Desk, client_as: Callable[..., Any]
) -> None:
    await take(desk.engine, [an_alert(unknowns=("place_uncertain",))], minutes(0))
    async with client_as("viewer", language="en") as client:
        page = (await client.get("/incidents")).text
    assert "place uncertain, perhaps there, 76" in page
    assert "municipality" not in page


async def test_an_empty_list_does_not_say_that_all_is_well(desk: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer", language="en") as client:
        page = (await client.get("/incidents")).text
    assert "That says nothing of what is not listened to" in page
    assert 'href="/sources"' in page.split("No incident fits")[1]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        pytest.param("<b>hier", "&lt;b&gt;hier", id="words"),
        pytest.param("0001-01-01T00:00", "0001-01-01T00:00", id="before any clock in UTC"),
        pytest.param("9999-12-31T23:59-23:00", "9999-12-31T23:59-23:00", id="after the last one"),
    ],
)
async def test_what_is_no_moment_comes_back_as_it_was_typed(
    desk: Desk, client_as: Callable[..., Any], typed: str, shown: str
) -> None:
    async with client_as("viewer", language="en") as client:
        answer = await client.get("/incidents", params={"since": typed, "text": "hangar"})
    assert answer.status_code == 422
    assert "This is no moment" in answer.text
    assert f'value="{shown}" aria-invalid="true"' in answer.text
    assert 'value="hangar"' in answer.text


async def test_a_long_list_has_pages_that_keep_what_was_asked(
    known: Desk, client_as: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "PER_PAGE", 2)
    async with client_as("viewer", language="en") as client:
        first = (await client.get("/incidents?hazard=fire&level=watch&level=alert&level=resolved&text=e")).text
        found = re.search(r'rel="next" href="([^"]+)"', first)
        assert found is not None
        address = found[1].replace("&amp;", "&")
        second = (await client.get(address)).text
    assert parse_qs(urlsplit(address).query) == {
        "hazard": ["fire"],
        "level": ["watch", "alert", "resolved"],
        "text": ["e"],
        "page": ["2"],
    }
    assert "Page 1 of 2" in first
    assert re.findall(r'<a href="/incidents/([a-z]+-[a-z])"', second) == ["fire-a"]


async def test_a_line_says_what_is_doubtful(known: Desk, client_as: Callable[..., Any]) -> None:
    async with client_as("viewer", language="en") as client:
        page = (await client.get("/incidents")).text
    assert "maybe a rumour" in page
    assert "part of another one" in page
    assert "no official word" in page


async def test_what_comes_from_outside_is_only_text(desk: Desk, client_as: Callable[..., Any]) -> None:
    hostile = "<script>alert(1)</script>"
    await take(desk.engine, [an_alert(place=replace(LE_HAVRE, name=hostile))], minutes(0))
    async with client_as("viewer") as client:
        page = (await client.get(f"/incidents?text={hostile}&area={hostile}")).text
        page += (await client.get("/incidents")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
