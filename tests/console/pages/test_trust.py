"""The page of trust: figures with what they do not know, missed incidents, and a proposal that changes nothing."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from console.archive import audit
from console.archive.taking import take
from console.desk import Desk
from console.trust.missed import missed
from console.trust.watching import Watching
from detectors.profile import profile_text
from records import ManualClock, Place, SettingsError
from tests.console.conftest import CSRF
from tests.console.made import LE_HAVRE, a_pulse, minutes
from tests.console.trust.told import SINCE, UNTIL, past, told
from tests.console.tuning.bench import AgreedTuner
from vigie.trust_watch import TrustWatch

HOSTILE = '<script>alert("x")</script>'
FORM = {
    "csrf": CSRF,
    "nonce": "n1",
    "hazard": "fire",
    "place": "Le Havre",
    "began_at": "2012-01-30T08:00",
    "known_by": "caller",
    "words": HOSTILE,
}
DAY = 24 * 60


def flat(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())


def set_up(desk: Desk, **changes: Any) -> None:
    for name, value in changes.items():
        object.__setattr__(desk, name, value)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param(
            "en",
            (
                "What people decided is not the truth",
                "Nobody has confirmed or rejected anything of this period; 0 incidents were raised.",
                "Nothing was judged, so nobody knows.",
                "how much Vigie misses is not known",
                "This console was not given the profile's text.",
                "Nobody has looked yet.",
            ),
            id="English",
        ),
        pytest.param(
            "fr",
            (
                "n’est pas la vérité",
                "Personne n’a rien confirmé ni écarté de cette période",
                "ce que Vigie manque n’est pas connu",
                "Personne n’a encore regardé.",
            ),
            id="French",
        ),
    ],
)
async def test_without_anything_the_page_says_so(
    client_as: Callable[..., Any], language: str, words: tuple[str, ...]
) -> None:
    async with client_as("analyst", language=language) as client:
        page = flat(await client.get("/trust"))
    assert [one for one in words if one not in page] == []


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        pytest.param(3, "2 of 3 judged incidents were true</strong> too few for a share", id="three have no share"),
        pytest.param(
            20,
            "19 of 20 judged incidents were true</strong> between 76 and 99 % (95 % interval)",
            id="twenty have one",
        ),
    ],
)
async def test_a_share_is_told_with_how_far_it_may_be_off(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock, cases: int, words: str
) -> None:
    for number in range(cases):
        await take(desk.engine, [*told(f"fire-{number}", "confirm" if number else "reject")], minutes(60))
    clock.at = minutes(100)
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/trust"))
    assert words in page


async def test_the_period_is_chosen(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    await take(desk.engine, [*told("fire-1", "confirm")], minutes(60))
    clock.at = minutes(100 * DAY)
    async with client_as("analyst", language="en") as client:
        pages = {days: flat(await client.get(f"/trust?days={days}")) for days in ("28", "365", "x")}
    assert {days: "1 of 1 judged incidents" in page for days, page in pages.items()} == {
        "28": False,
        "365": True,
        "x": False,
    }


async def test_a_missed_incident_is_noted_shown_and_taken_back(client_as: Callable[..., Any], desk: Desk) -> None:
    asked_in: list[str] = []

    def slow(_name: str) -> tuple[Place, ...]:
        asked_in.append(threading.current_thread().name)
        return (LE_HAVRE,)

    set_up(desk, find_place=slow)
    async with client_as("analyst", language="en") as client:
        other = await client.post("/trust/missed", data={**FORM, "words": "un toit"})
        await client.post(f"/trust/missed/{other.headers['location'].rpartition('=')[2]}/withdraw", data={"csrf": CSRF})
        answers = [await client.post("/trust/missed", data=FORM) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        page = flat(await client.get(answers[0].headers["location"]))
        [one] = await missed(desk.engine, SINCE, UNTIL)
        assert "incidents that became known another way: 1; public posts spoke of 0" in page
        assert "The missed incident is noted." in page
        assert HOSTILE not in page
        gone = await client.post(f"/trust/missed/{one.missed_id}/withdraw", data={"csrf": CSRF})
        assert gone.status_code == 303
        again = await client.post(f"/trust/missed/{one.missed_id}/withdraw", data={"csrf": CSRF})
    assert again.status_code == 422
    assert "This was taken back already" in flat(again)
    assert await missed(desk.engine, SINCE, UNTIL) == []
    assert threading.main_thread().name not in asked_in, "the gazetteer takes seconds, and others wait meanwhile"
    assert [one.actor for one in await audit.entries(desk.engine)] == ["astreinte (analyst)"] * 4


async def test_what_an_address_says_leads_a_form_nowhere_else(client_as: Callable[..., Any]) -> None:
    async with client_as("analyst") as client:
        page = (await client.get("/trust", params={"done": "declared", "missed": "../../messages/1"})).text
    assert 'action="/trust/missed/..%2F..%2Fmessages%2F1/withdraw"' in page


async def test_a_form_that_cannot_be_used_keeps_what_was_typed(client_as: Callable[..., Any], desk: Desk) -> None:
    set_up(desk, find_place=lambda name: (LE_HAVRE, LE_HAVRE))
    async with client_as("analyst", language="en") as client:
        answer = await client.post("/trust/missed", data={**FORM, "known_by": "", "began_at": "soon"})
    page = flat(answer)
    assert answer.status_code == 422
    for words in ("Choose how it became known.", "This is no moment", "Several places bear this name", 'value="n1"'):
        assert words in page
    assert HOSTILE not in page
    assert await missed(desk.engine, SINCE, UNTIL) == []


async def test_the_budget_controller_proposes_and_nothing_runs_by_it(
    client_as: Callable[..., Any], desk: Desk, clock: ManualClock
) -> None:
    toml = profile_text("city")
    set_up(desk, watching=Watching(TrustWatch()), setup=replace(desk.setup, profile=toml), tuner=AgreedTuner())
    for number in range(30):
        rows = told(f"fire-{number}", "reject", at=number, profile="city/2")
        await take(desk.engine, [*rows], minutes(60))
    await take(desk.engine, [a_pulse(60 * hour) for hour in range(27 * 24)], minutes(27 * DAY))
    clock.at = minutes(28 * DAY)
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/trust"))
    assert "the profile city/2 has cost in the last four weeks, of which it is known of 27 days that it watched" in page
    assert "<strong>2.42</strong>" in page
    assert "higher thresholds, later watches" in page
    assert "version = &#34;3&#34;" in page
    assert '<form method="post" action="/tuning/candidates">' in page, "it can be begun as a candidate"
    assert desk.setup.profile == toml


async def test_a_profile_that_cannot_be_read_is_told(client_as: Callable[..., Any], desk: Desk) -> None:
    set_up(desk, watching=Watching(TrustWatch()), setup=replace(desk.setup, profile="this is no TOML"))
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/trust"))
    assert "The profile cannot be read" in page


async def test_what_has_drifted_is_told(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    seen: list[Any] = []
    set_up(desk, watching=Watching(TrustWatch(past), seen.append))
    assert desk.watching is not None
    await desk.watching.look(desk.engine, clock.now())
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/trust"))
    assert "<strong>Fire, likelihood ratio</strong>" in page
    assert "<strong>Fire, 76</strong>" in page
    assert "<strong>Flood" not in page
    assert seen == [desk.watching.drift]


async def test_without_a_recording_nobody_knows(client_as: Callable[..., Any], desk: Desk, clock: ManualClock) -> None:
    set_up(desk, watching=Watching(TrustWatch()))
    assert desk.watching is not None
    await desk.watching.look(desk.engine, clock.now())
    async with client_as("analyst", language="en") as client:
        page = flat(await client.get("/trust"))
    assert "Nothing was recorded, so nobody knows" in page


async def test_a_recording_that_cannot_be_read_costs_nothing_else(desk: Desk, clock: ManualClock) -> None:
    def broken(*_: object) -> Any:
        raise SettingsError("recording: not ours")

    watching = Watching(TrustWatch(broken))
    await watching.look(desk.engine, clock.now())
    assert (watching.drift, watching.looked_at) == (None, clock.now())
