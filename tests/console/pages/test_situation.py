"""The situation, as a page: what is open, what is said, and above all whether anybody is looking."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from console.archive.taking import take
from console.desk import Desk
from console.live.rows import ORDER
from console.pages.situation import MOST_ON_A_WALL
from records import CrisisClock
from records.alert import Rumour
from tests.console.made import INCIDENT, a_signal, a_status, a_verdict, an_alert, minutes

CALM = "Aucun incident en cours dans ce que Vigie entend."
BLIND = "Vigie ne voit rien"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def page(
    client_as: Callable[..., Any], address: str = "/", *, role: str = "operator", language: str = "fr"
) -> str:
    async with client_as(role, language=language) as client:
        answer = await client.get(address)
    assert answer.status_code == 200
    return str(answer.text)


async def keep(desk: Desk, *records: Any) -> None:
    await take(desk.engine, records, desk.clock.now())


def is_hidden(html: str, element_id: str) -> bool:
    (tag,) = re.findall(rf'<[^>]* id="{element_id}"[^>]*>|<[^>]* id="{element_id}" [^>]*>', html)
    return bool(re.search(r"\shidden[\s>]", tag))


async def test_whoever_may_see_gets_the_page(client_as: Callable[..., Any]) -> None:
    assert "Vigie" in await page(client_as, role="viewer")


async def test_nobody_known_is_asked_to_log_in(client_as: Callable[..., Any]) -> None:
    async with client_as(None) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/")


@pytest.mark.parametrize(
    ("statuses", "is_blind"),
    [
        pytest.param((), True, id="no source"),
        pytest.param((a_status(state="blind", why="HTTP 503"),), True, id="blind"),
        pytest.param((a_status(at=minutes(-6)),), True, id="stale"),
        pytest.param((a_status(state="off"),), True, id="ended"),
        pytest.param((a_status(),), False, id="listening"),
        pytest.param((a_status(), a_status("press", "blind", way="press")), False, id="one of two"),
    ],
)
async def test_no_incident_never_looks_like_not_looking(
    client_as: Callable[..., Any], desk: Desk, statuses: Any, is_blind: bool
) -> None:
    await keep(desk, *statuses)
    html = await page(client_as)
    assert CALM in html
    assert BLIND in html
    assert is_hidden(html, "calm") is is_blind
    assert is_hidden(html, "no-lines") is is_blind
    assert is_hidden(html, "blind-note") is not is_blind
    assert ("AVEUGLE</strong> " in html.partition('id="listening"')[2].partition("</header>")[0]) is is_blind


async def test_what_is_not_heard_is_told_since_when_and_why(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, a_status(), a_status("presse locale", "blind", way="press", since=minutes(-42), why="HTTP 503"))
    html = await page(client_as)
    assert "1 source écoutée sur 2." in html
    assert "presse locale (presse), depuis 30 janv. 07:55\u202f: HTTP 503".replace("\u202f", "\u00a0") in html
    assert "Non écouté" in html


async def test_incidents_stand_by_level_below_alerts_that_nobody_looks_after(
    client_as: Callable[..., Any], desk: Desk
) -> None:
    levels = ("watch", "alert", "signal", "confirmed", "monitoring", "watch", "resolved", "rejected")
    await keep(
        desk, *(an_alert(incident_id=f"i{n}", level=level, raised_at=minutes(n)) for n, level in enumerate(levels))
    )
    html = await page(client_as)
    assert re.findall(r'id="incident-(i\d)"', html) == ["i1", "i3", "i5", "i0", "i4", "i2"]


@pytest.mark.parametrize("level", ORDER[:5])
async def test_each_level_is_told_by_word_and_shape(client_as: Callable[..., Any], desk: Desk, level: str) -> None:
    await keep(desk, an_alert(level=level))
    html = await page(client_as)
    words = {
        "signal": ("Signal", "vu"),
        "watch": ("Veille", "pertinent, à vérifier"),
        "alert": ("Alerte", "recoupé, non confirmé"),
        "confirmed": ("Confirmé", "confirmé par des humains"),
        "monitoring": ("Suivi", "calme depuis un moment"),
    }[level]
    assert f'<span class="level level-{level}">{words[0]}</span> <span class="belief">{words[1]}</span>' in html


async def test_a_row_says_what_there_is_to_know(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(
        desk,
        an_alert(
            clock=CrisisClock(),
            rumour=Rumour(signs=("only_relays",)),
            posts=5,
            authors=3,
            witnesses=2,
            onset=minutes(-72),
        ),
        a_verdict("acknowledge", decided_by="cadre d'astreinte"),
    )
    html = " ".join(re.sub(r"<[^>]+>", " ", await page(client_as)).split())
    for said in (
        "1 h 12 depuis 07:25",
        "aucune autorité n’a parlé depuis 1 h 12",
        "commune, à 6 km près",
        "5 messages 3 auteurs indépendants 2 témoins",
        "rumeur possible",
        "rien que des reprises",
        "cadre d&#39;astreinte à 08:40",
    ):
        assert said in html, said
    assert "personne encore" not in html


async def test_an_incident_that_nobody_looks_after_says_so(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, an_alert())
    assert "personne encore" in await page(client_as)


async def test_a_place_that_is_uncertain_is_not_told_as_known(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, an_alert(unknowns=("place_uncertain",)))
    html = await page(client_as)
    assert "lieu incertain, peut-être là" in html
    assert "km près" not in html


async def test_hostile_words_are_shown_and_not_run(client_as: Callable[..., Any], desk: Desk) -> None:
    hostile = replace(an_alert().place, name=HOSTILE)
    await keep(
        desk,
        an_alert(incident_id=HOSTILE, place=hostile),
        a_verdict(incident_id=HOSTILE, decided_by=HOSTILE),
        a_status(HOSTILE, "blind", why=HOSTILE),
    )
    desk.feed.take([a_signal(1, text=HOSTILE, place=hostile, platform=HOSTILE)], minutes(1))
    html = await page(client_as)
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 7
    assert "<img src=x" not in html
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("", [1, 2], id="all"),
        pytest.param("who=press", [2], id="press"),
        pytest.param("who=witness&hazard=flood", [], id="none"),
        pytest.param("hazard=fire", [1], id="fire"),
        pytest.param("who=<script>", [1, 2], id="nonsense"),
    ],
)
async def test_the_feed_is_filtered_without_a_script(
    client_as: Callable[..., Any], desk: Desk, query: str, shown: list[int]
) -> None:
    desk.feed.take([a_signal(1), a_signal(2, author_kind="press", hazard="flood")], minutes(3))
    html = await page(client_as, f"/?{query}")
    assert [number for number in (1, 2) if f"à la centrale ({number})" in html] == shown


async def test_only_who_may_decide_is_offered_to(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, an_alert())
    assert "may-decide" in await page(client_as, role="operator")
    assert "may-decide" not in await page(client_as, role="viewer")


async def test_the_wall_has_no_forms_and_is_dark(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, an_alert(), a_status())
    desk.feed.take([a_signal(number) for number in range(1, 20)], minutes(30))
    html = await page(client_as, "/?wall=1")
    assert 'data-theme="dark"' in html
    assert "<form" not in html
    assert f"incident-{INCIDENT}" in html
    assert html.count('id="line-') == MOST_ON_A_WALL
    assert f'data-most="{MOST_ON_A_WALL}"' in html


async def test_the_map_gets_what_the_table_says(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, an_alert(incident_id="a"), an_alert(incident_id="b", level="resolved"))
    async with client_as("viewer") as client:
        answer = await client.get("/situation.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    assert [one["id"] for one in answer.json()["features"]] == ["a"]


async def test_without_boundaries_their_address_says_how_to_set_them(client_as: Callable[..., Any]) -> None:
    async with client_as("viewer") as client:
        answer = await client.get("/boundaries.geojson")
    assert answer.status_code == 404
    assert "[console] boundaries" in answer.json()["error"]


async def test_in_english_nothing_is_french(client_as: Callable[..., Any], desk: Desk) -> None:
    await keep(desk, an_alert(clock=CrisisClock()), a_status())
    html = await page(client_as, language="en")
    for said in ("Open incidents", "relevant, to verify", "no authority has spoken for", "Listening to 1 source."):
        assert said in html
    for said in ("Incidents en cours", "Veille", "depuis", "écoutée"):
        assert said not in html


@pytest.mark.parametrize("role", ["viewer", None])
async def test_the_statement_claims_no_conformity(client_as: Callable[..., Any], role: Any) -> None:
    async with client_as(role, language="fr") as client:
        html = (await client.get("/accessibility", headers={"accept-language": "fr"})).text
    assert "Aucun audit n’a encore été réalisé." in html
    assert "non évalué" in html
    assert not re.search(r"\b(est|totalement|partiellement) conforme", html)


@pytest.mark.parametrize("address", ["/", "/?wall=1", "/incidents", "/api/incidents", "/api/incidents.geojson"])
async def test_an_archive_that_is_still_being_filled_says_so(
    client_as: Callable[..., Any], desk: Desk, address: str
) -> None:
    await keep(desk, a_status())
    said = re.compile(r"INCOMPLET|\"is_filling\":true")
    desk.filling.begin(["alerts.v1", "sources.v1"])
    assert said.search(await page(client_as, address))
    desk.filling.caught_up("sources.v1")
    assert said.search(await page(client_as, address))
    desk.filling.caught_up("alerts.v1")
    assert not said.search(await page(client_as, address))


async def test_no_incident_in_an_archive_that_is_being_filled_is_no_calm(
    client_as: Callable[..., Any], desk: Desk
) -> None:
    await keep(desk, a_status())
    desk.filling.begin(["alerts.v1"])
    html = await page(client_as)
    assert is_hidden(html, "calm")
    assert is_hidden(html, "no-lines")
    desk.filling.caught_up("alerts.v1")
    html = await page(client_as)
    assert not is_hidden(html, "calm")
    assert not is_hidden(html, "no-lines")


@pytest.mark.parametrize(("role", "is_told"), [("admin", True), ("operator", False)])
async def test_who_has_chosen_his_password_is_told_so_and_an_admin_what_comes_next(
    client_as: Callable[..., Any], role: str, *, is_told: bool
) -> None:
    async with client_as(role) as client:
        html = (await client.get("/?done=password")).text
        assert "Votre mot de passe est choisi." in html
        assert ("créez un compte pour chaque poste" in html) is is_told
        assert "Votre mot de passe" not in (await client.get("/")).text
