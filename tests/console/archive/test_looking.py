"""Looking: what is asked for is found, nothing else, and the newest first."""

from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import looking, tables
from console.archive.database import writing
from console.archive.taking import Read, take
from tests.console.made import INCIDENT, LE_HAVRE, a_verdict, an_alert, minutes, some_evidence

NANTES = replace(LE_HAVRE, name="Saint-Étienne", dep="42")
INCIDENTS = [
    an_alert(incident_id="fire-1", evidence=(some_evidence(text="100 % de fumée, « PANACHE »"),)),
    an_alert(incident_id="fire-2", place=NANTES, area="", evidence=()),
    an_alert(incident_id="flood-3", hazard="flood", level="alert", evidence=(some_evidence(text="inondation"),)),
    an_alert(incident_id="fire-4", level="resolved", evidence=()),
]


@pytest_asyncio.fixture(loop_scope="module")
async def filled(engine: AsyncEngine) -> AsyncEngine:
    """Open an archive with four incidents, told of minute by minute."""
    await take(engine, [Read(one, minutes(place)) for place, one in enumerate(INCIDENTS)], minutes(10))
    return engine


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["flood-3", "fire-2", "fire-1"], id="what is not over"),
        pytest.param({"levels": ["resolved"]}, ["fire-4"], id="what is over"),
        pytest.param({"levels": []}, [], id="no level"),
        pytest.param({"most": 1}, ["flood-3"], id="a few"),
        pytest.param({"hazard": "flood"}, ["flood-3"], id="a hazard"),
        pytest.param({"area": "42"}, ["fire-2"], id="an area, though only the place says it"),
        pytest.param({"since": minutes(1)}, ["flood-3", "fire-2"], id="told of since"),
        pytest.param({"text": "saint-etienne"}, ["fire-2"], id="a place, without accents and capitals"),
        pytest.param({"text": "panache"}, ["fire-1"], id="a word of a post"),
        pytest.param({"text": "100 %"}, ["fire-1"], id="a sign that stands for others elsewhere"),
        pytest.param({"text": "%"}, ["fire-1"], id="that sign alone"),
        pytest.param({"text": "fire-2"}, ["fire-2"], id="an id"),
        pytest.param({"text": " "}, ["flood-3", "fire-2", "fire-1"], id="nothing"),
        pytest.param({"text": "' OR 1=1 --"}, [], id="hostile"),
        pytest.param({"hazard": "' OR 1=1 --"}, [], id="hostile hazard"),
    ],
)
async def test_incidents(filled: AsyncEngine, asked: dict[str, Any], expected: list[str]) -> None:
    assert [one.incident_id for one in await looking.heads(filled, **asked)] == expected


async def test_what_changed_is_told_once_with_its_last_number(filled: AsyncEngine) -> None:
    last = await looking.last_sequence(filled)
    assert await looking.changed_since(filled, last) == []
    await take(filled, [a_verdict(incident_id="fire-1"), an_alert(incident_id="fire-2", revision=2)], minutes(11))
    await take(filled, [an_alert(incident_id="fire-2", revision=3)], minutes(12))
    found = await looking.changed_since(filled, last)
    assert [(one.incident_id, one.revision) for _, one in found] == [("fire-1", 1), ("fire-2", 3)]
    assert found[-1][0] == await looking.last_sequence(filled)
    assert await looking.changed_since(filled, last, most=1) == found[:1]
    assert await looking.changed_since(filled, found[0][0]) == found[1:]


async def test_nothing_is_known_of_an_incident_that_is_none(filled: AsyncEngine) -> None:
    assert await looking.incident(filled, "fire-0") is None


async def test_a_dossier_holds_messages_and_verifications(engine: AsyncEngine) -> None:
    await take(engine, [an_alert()], minutes(1))
    message = {
        "message_id": "m1", "incident_id": INCIDENT, "template_id": "fire.first", "channel": "sms", "language": "fr",
        "text": "Incendie en cours.", "map_version": "1", "signed_by": "cadre", "signed_at": minutes(2),
        "state": "signed",
    }  # fmt: skip
    verification = {
        "verification_id": "v1", "incident_id": INCIDENT, "report_id": "", "question": "Vu ?", "state": "to_verify",
        "finding": "", "answer": "", "url": None, "asked_by": "cadre", "asked_at": minutes(3), "taken_by": "",
        "taken_at": None, "answered_by": "", "answered_at": None, "passed_on_by": "", "passed_on_at": None,
    }  # fmt: skip
    async with writing(engine) as connection:
        await connection.execute(insert(tables.message).values(**message))
        await connection.execute(insert(tables.verification).values(**verification))
    dossier = await looking.incident(engine, INCIDENT)
    assert dossier is not None
    assert [(one.text, one.signed_at) for one in dossier.messages] == [("Incendie en cours.", minutes(2))]
    assert [(one.question, one.taken_at) for one in dossier.verifications] == [("Vu ?", None)]


async def test_heads_are_the_same_incidents_without_the_words_of_posts(filled: AsyncEngine) -> None:
    bare = await looking.heads(filled)
    whole = await looking.newest_of(filled, [*(one.incident_id for one in bare), "fire-0"])
    assert len(whole) == len(bare)
    assert [(one.revision, one.level, one.posts) for one in bare] == [
        (one.revision, one.level, one.posts) for one in map(whole.__getitem__, (one.incident_id for one in bare))
    ]
    assert {post.text for one in whole.values() for post in one.evidence} == {
        post.text for one in INCIDENTS for post in one.evidence
    }
    assert {post.text for one in bare for post in one.evidence} == {""}
    assert [one.incident_id for one in await looking.heads(filled, levels=["resolved"])] == ["fire-4"]
    assert [one.incident_id for one in await looking.heads(filled, most=1)] == ["flood-3"]
