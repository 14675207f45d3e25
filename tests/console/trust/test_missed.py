"""Missed incidents: noted, taken back, counted for recall, and truth for a replay; all of it in the audit."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.keeping import keep
from console.archive.tables import missed as table
from console.archive.taking import take
from console.problem import Problem
from console.trust.missed import Missed, declare, missed, missed_truth, withdraw
from console.trust.missed_form import MOST_WORDS, missed_from
from console.trust.recall import recall
from tests.console.made import DAY, LE_HAVRE, an_alert, minutes, some_evidence
from tests.console.trust.told import SINCE, UNTIL, ruled

ANALYST = Visitor(name="analyste", role="analyst")
NOW = minutes(500)
ELSEWHERE = replace(LE_HAVRE, place_id="fr:76540", name="Rouen")
TYPED = {"hazard": "fire", "place": "Le Havre", "began_at": "2012-01-30T09:00", "known_by": "caller", "words": "toit"}


def a_missed(missed_id: str = "m1", **changes: Any) -> Missed:
    fields: dict[str, Any] = {
        "missed_id": missed_id,
        "hazard": "fire",
        "place": LE_HAVRE,
        "began_at": minutes(20),
        "known_by": "caller",
        "words": "un toit\x00",
        "made_by": ANALYST.name,
        "made_at": NOW,
        "withdrawn_by": "",
    }
    return Missed(**{**fields, **changes})


async def test_what_is_noted_twice_is_one_and_can_be_taken_back_once(engine: AsyncEngine) -> None:
    for _ in range(2):
        await declare(engine, ANALYST, a_missed())
    [found] = await missed(engine, SINCE, UNTIL)
    assert (found.place, found.began_at, found.words) == (LE_HAVRE, minutes(20), "un toit\N{REPLACEMENT CHARACTER}")
    assert [await withdraw(engine, ANALYST, name, NOW) for name in ("m1", "m1", "none")] == [True, False, False]
    assert await missed(engine, SINCE, UNTIL) == []
    async with engine.connect() as connection:
        [kept] = await connection.execute(select(table))
    assert (kept.withdrawn_by, kept.words) == ("analyste", "")
    lines = await audit.entries(engine, object_="m1")
    assert sorted(one.action for one in lines) == ["missed_declared", "missed_withdrawn"]
    assert all("toit" not in str(one.detail) for one in lines)


async def test_a_missed_incident_is_truth_without_posts(engine: AsyncEngine) -> None:
    await declare(engine, ANALYST, a_missed("m1"))
    await declare(engine, ANALYST, a_missed("m2", began_at=minutes(-5000)))
    [found] = await missed_truth(engine, SINCE, UNTIL)
    assert (found.incident_id, found.hazard, found.place, found.began_at) == (
        "missed:m1",
        "fire",
        LE_HAVRE,
        minutes(20),
    )
    assert found.post_ids == frozenset()


async def test_it_goes_as_incidents_do(engine: AsyncEngine) -> None:
    await declare(engine, ANALYST, a_missed())
    await keep(engine, minutes(500 + 5 * 365 * DAY - 1))
    assert len(await missed(engine, SINCE, UNTIL)) == 1
    await keep(engine, minutes(500 + 5 * 365 * DAY))
    assert await missed(engine, SINCE, UNTIL) == []


async def test_recall_is_of_what_became_known_another_way(engine: AsyncEngine) -> None:
    report, post = some_evidence(1, post_key="intake:r1", platform="vigie"), some_evidence(2)
    opened = [
        an_alert(incident_id="seen", revision=1, evidence=(report,), level="signal"),
        an_alert(incident_id="seen", revision=2, evidence=(report, post)),
        an_alert(incident_id="alone", revision=1, evidence=(report,)),
        an_alert(incident_id="public", revision=1, evidence=(post,)),
        an_alert(incident_id="public", revision=2, evidence=(post, report)),
        an_alert(incident_id="false", revision=1, evidence=(report,)),
        an_alert(incident_id="nobody", revision=1, evidence=(report,)),
        an_alert(incident_id="unknown", revision=1, evidence=()),
    ]
    said = [ruled(name, "confirm") for name in ("seen", "alone", "public", "unknown")]
    await take(engine, [*opened, *said, ruled("false", "reject")], minutes(100))
    assert await recall(engine, minutes(-9999), SINCE) == []
    await declare(engine, ANALYST, a_missed(hazard="flood"))
    whole, fires, floods = await recall(engine, SINCE, UNTIL)
    assert (whole.spoken_of.hits, whole.spoken_of.cases, whole.reported, whole.missed) == (1, 3, 2, 1)
    assert (fires.name, fires.spoken_of.hits, fires.spoken_of.cases) == ("fire", 1, 2)
    assert (floods.name, floods.spoken_of.hits, floods.spoken_of.cases) == ("flood", 0, 1)


def read(**changes: str) -> Missed | tuple[Problem, ...]:
    def find(name: str) -> tuple[Any, ...]:
        return {"Le Havre": (LE_HAVRE,), "both": (LE_HAVRE, ELSEWHERE)}.get(name, ())

    typed = {**TYPED, **changes}
    return missed_from(typed, missed_id="m1", by="analyste", now=NOW, zone="Europe/Paris", find_place=find)


def test_a_form_becomes_a_missed_incident() -> None:
    found = read()
    assert isinstance(found, Missed)
    assert (found.hazard, found.place, found.began_at, found.words) == ("fire", LE_HAVRE, minutes(23), "toit")
    chosen = read(place="both", place_id="fr:76540")
    assert isinstance(chosen, Missed)
    assert chosen.place == ELSEWHERE


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"hazard": ""}, ("hazard", "missing_hazard")),
        ({"hazard": "war"}, ("hazard", "missing_hazard")),
        ({"place": " "}, ("place", "missing_place")),
        ({"place": "x" * 201}, ("place", "too_long")),
        ({"place": "Atlantis"}, ("place", "unknown_place")),
        ({"place": "both"}, ("place_id", "which_place")),
        ({"began_at": "yesterday"}, ("began_at", "bad_moment")),
        ({"began_at": "2012-02-30T09:00"}, ("began_at", "bad_moment")),
        ({"began_at": "2012-01-31T09:00"}, ("began_at", "ahead")),
        ({"began_at": "2001-01-31T09:00"}, ("began_at", "too_old")),
        ({"known_by": "a bird"}, ("known_by", "missing_known_by")),
        ({"words": "x" * (MOST_WORDS + 1)}, ("words", "too_long")),
    ],
)
def test_what_cannot_be_used_is_told(changes: dict[str, str], problem: tuple[str, str]) -> None:
    found = read(**changes)
    assert isinstance(found, tuple)
    assert [(one.field, one.code) for one in found] == [problem]


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = read(**dict.fromkeys(TYPED, ""))
    assert isinstance(found, tuple)
    assert [one.field for one in found] == ["hazard", "place", "began_at", "known_by"]
