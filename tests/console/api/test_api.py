"""What programs get, and what they do in somebody's name."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import fields, replace

from console.access import tokens
from console.access.roles import Role
from console.api.answers import incident_from, silence_from, source_from, whole_from
from console.api.geojson import feature_from
from console.archive import saying
from console.archive.database import writing
from console.archive.dossier import Dossier, Recorded
from console.archive.taking import Record, take
from console.desk import Desk
from console.pages import api
from console.pages.api import OPERATIONS
from records import ManualClock, Post, Rumour, Verdict
from records.alert import CrisisClock
from tests.console.entering import actions, csrf_of
from tests.console.made import (
    INCIDENT,
    LE_HAVRE,
    a_notification,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

Made = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="module")
async def filled(desk: Desk) -> Desk:
    """Put in the archive: incidents with a place and without, a silence, sources that are heard and that are not."""
    unsure = an_alert(incident_id="flood-2", hazard="flood", unknowns=("place_uncertain",), area="14")
    over = an_alert(incident_id="fire-3", level="resolved")
    records: list[Record] = [
        an_alert(rumour=Rumour(signs=("denied",))),
        unsure,
        over,
        a_verdict("acknowledge"),
        a_notification(),
        a_silence(),
        a_status("bluesky"),
        a_status("mastodon", "blind", why="401"),
        a_status("rss", at=minutes(-30)),
        a_status("hub", "unsure", since=minutes(-50)),
        a_status("x", "off"),
    ]
    await take(desk.engine, records, desk.clock.now())
    return desk


@pytest.fixture
def program(desk: Desk, entered: Made, account: Made) -> Made:
    """Return what makes a client with a token of a role."""

    @asynccontextmanager
    async def made(role: Role = "viewer") -> AsyncIterator[httpx.AsyncClient]:
        account_id = await account(role)
        async with writing(desk.engine) as connection:
            token = await tokens.make(connection, account_id, label="x", role=role, now=desk.clock.now(), days=9)
        async with entered() as client:
            client.headers["authorization"] = f"Bearer {token}"
            yield client

    return made


async def test_open_incidents_come_with_what_vigie_is_blind_to(filled: Desk, program: Made) -> None:
    async with program() as client:
        found = (await client.get("/api/incidents")).json()
    assert {one["incident_id"] for one in found["incidents"]} == {INCIDENT, "flood-2"}
    assert found["listening"] == 1
    said = [(one["source"], one["state"]) for one in found["blind"]]
    assert said == [("mastodon", "blind"), ("rss", "stale"), ("hub", "unsure")]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("level=resolved", {"fire-3"}),
        ("level=resolved&level=watch", {"fire-3", INCIDENT, "flood-2"}),
        ("hazard=flood", {"flood-2"}),
        ("area=14", {"flood-2"}),
        ("text=Le Havre", {INCIDENT, "flood-2"}),
        ("text=nowhere", set()),
        ("since=2012-01-30T07:36:59Z", {INCIDENT, "flood-2"}),
        ("since=2012-01-30T08:37:01%2B01:00", set()),
        ("limit=1&offset=2", set()),
    ],
)
async def test_incidents_are_chosen_by(filled: Desk, program: Made, query: str, ids: set[str]) -> None:
    async with program() as client:
        answer = await client.get(f"/api/incidents?{query}")
    assert {one["incident_id"] for one in answer.json()["incidents"]} == ids


async def test_pages_of_incidents_miss_none_and_repeat_none(filled: Desk, program: Made) -> None:
    levels, seen, offset = "level=watch&level=resolved", [], 0
    async with program() as client:
        while offset is not None:
            page = (await client.get(f"/api/incidents?{levels}&limit=1&offset={offset}")).json()
            seen += [one["incident_id"] for one in page["incidents"]]
            offset = page["next_offset"]
    assert sorted(seen) == sorted({INCIDENT, "flood-2", "fire-3"})


@pytest.mark.parametrize(("ahead", "next_offset"), [(1, 1), (0, None)], ids=["as far as it goes", "further"])
async def test_no_offset_is_given_that_would_be_refused(
    filled: Desk, program: Made, monkeypatch: pytest.MonkeyPatch, ahead: int, next_offset: int | None
) -> None:
    monkeypatch.setattr(api, "MOST_AHEAD", ahead)
    async with program() as client:
        assert (await client.get("/api/incidents?limit=1")).json()["next_offset"] == next_offset


@pytest.mark.parametrize(
    "query",
    [
        "level=purple",
        "limit=0",
        "limit=201",
        "limit=x",
        "offset=-1",
        "since=yesterday",
        "since=2012-01-30T08:37:01",
        "since=0001-01-01T00:00:00%2B14:00",
        "colour=red",
        "area=76&area=14",
        "text=" + "x" * 201,
    ],
)
async def test_what_cannot_be_asked_is_refused_in_words(filled: Desk, program: Made, query: str) -> None:
    async with program() as client:
        answer = await client.get(f"/api/incidents?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_one_incident_comes_whole_and_without_the_way_to_an_author(filled: Desk, program: Made) -> None:
    async with program() as client:
        answer = await client.get(f"/api/incidents/{INCIDENT}")
    found = answer.json()
    assert found["incident"]["rumour_signs"] == ["denied"]
    assert found["evidence"][0]["text"] == "de la fumée noire à la centrale (1)"
    assert [one["decision"] for one in found["decisions"]] == ["acknowledge"]
    assert [one["state"] for one in found["notifications"]] == ["sent"]
    assert "example.org" not in answer.text
    assert some_evidence().author_id not in answer.text


@pytest.mark.parametrize("incident_id", ["nothing", "..%2f..%2fetc%2fpasswd", "%F0%9F%94%A5", "' OR 1=1 --"])
async def test_an_incident_that_is_none_is_not_found(filled: Desk, program: Made, incident_id: str) -> None:
    async with program() as client:
        answer = await client.get(f"/api/incidents/{incident_id}")
    assert answer.status_code == 404
    assert list(answer.json()) in (["error"], ["error", "fields"])


async def test_a_map_gets_longitude_first_and_no_centre_for_a_place_that_is_not_known(
    filled: Desk, program: Made
) -> None:
    async with program() as client:
        answer = await client.get("/api/incidents.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()
    assert found["type"] == "FeatureCollection"
    features = {one["id"]: one for one in found["features"]}
    assert features[INCIDENT]["geometry"] == {"type": "Point", "coordinates": [0.11, 49.49]}
    properties = features[INCIDENT]["properties"]
    assert (properties["precision"], properties["provenance"], properties["radius_km"]) == ("commune", "text", 6.0)
    assert features["flood-2"]["geometry"] is None
    assert features["flood-2"]["properties"]["precision"] == "unknown"
    assert found["blind"]


def test_moments_are_told_in_utc_whatever_zone_they_came_in() -> None:
    at = minutes(0).astimezone(timezone(timedelta(hours=1)))
    told = an_alert(onset=at, raised_at=at, evidence=(some_evidence(event_time=at),), clock=CrisisClock(first_post=at))
    dossier = Dossier(
        alert=told,
        revisions=(Recorded(sequence=1, recorded_at=minutes(0), alert=told),),
        decisions=(),
        notifications=(a_notification(at=at),),
        messages=(),
        verifications=(),
        rates=(),
    )
    found = whole_from(dossier)
    silence = silence_from(a_silence(starts_at=at, ends_at=at), minutes(0))
    source = source_from(a_status(at=at, since=at, last_post_at=at), None)
    said = [
        *(found.incident.onset, found.incident.raised_at, found.evidence[0].event_time, found.revisions[0].raised_at),
        *(found.notifications[0].at, found.clock and found.clock.first_post, silence.starts_at, silence.ends_at),
        *(source.at, source.since, source.last_post_at),
    ]
    assert [one and one.isoformat() for one in said] == ["2012-01-30T07:37:00+00:00"] * len(said)


def test_a_wide_place_stays_one_though_nobody_knows_where_in_it() -> None:
    place = replace(LE_HAVRE, level="dep", radius_km=60.0)
    wide = an_alert(unknowns=("place_uncertain",), place=place)
    assert feature_from(incident_from(wide)).properties.precision == "dep"


async def test_silences_tell_whether_they_hold(filled: Desk, clock: ManualClock, program: Made) -> None:
    async with program() as client:
        (found,) = (await client.get("/api/silences")).json()["silences"]
        assert (found["is_in_force"], found["matchers"][0]["name"]) == (True, "hazard")
        clock.advance(timedelta(hours=2))
        (found,) = (await client.get("/api/silences")).json()["silences"]
        assert found["is_in_force"] is False


async def test_sources_are_what_the_page_says_of_them(filled: Desk, program: Made) -> None:
    async with program() as client:
        found = {one["source"]: one for one in (await client.get("/api/sources")).json()["sources"]}
    assert {name: one["state"] for name, one in found.items()} == {
        "bluesky": "listening", "mastodon": "blind", "rss": "stale", "hub": "unsure", "x": "off",
    }  # fmt: skip
    assert found["rss"]["since"] == "2012-01-30T07:07:00Z"


@pytest.mark.parametrize(
    ("body", "decision"),
    [
        ({"decision": "acknowledge"}, "acknowledge"),
        ({"decision": "confirm", "confirmed_by": "authority", "reason": "COD 76"}, "confirm"),
        ({"decision": "reject", "rejected_as": "hoax"}, "reject"),
        ({"decision": "close"}, "close"),
        ({"decision": "note", "reason": "rappelé le CODIS"}, "note"),
        ({"decision": "change_hazard", "read_as": "industrial"}, "change_hazard"),
        ({"decision": "relocate", "place": {"lat": 49.48, "lon": 0.14, "radius_km": 0.5}}, "relocate"),
        ({"decision": "withdraw", "withdraws": "acknowledge-1"}, "withdraw"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_program_decides_in_the_name_of_its_account(
    filled: Desk, program: Made, body: dict[str, Any], decision: str
) -> None:
    async with program("operator") as client:
        answer = await client.post(f"/api/incidents/{INCIDENT}/decisions", json=body)
        assert answer.status_code == 201, answer.text
    (waiting,) = await saying.waiting(filled.engine)
    assert isinstance(waiting.record, Verdict)
    assert (waiting.record.decision, waiting.record.decided_by) == (decision, "operator")
    assert waiting.record.decision_id == answer.json()["id"]
    assert ("operator", decision) in await actions(filled.engine)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"decision": "confirm"}, 422, {"by": "missing_by"}),
        ({"decision": "relocate"}, 422, {"name": "missing_place"}),
        ({"decision": "relocate", "place": {"lat": 49.5}}, 422, {"lat": "half_position"}),
        ({"decision": "merge", "other": "nowhere"}, 422, {"other": "missing_other"}),
        ({"decision": "split", "post_keys": ["unknown"]}, 422, {"post_keys": "missing_posts"}),
        ({"decision": "withdraw", "withdraws": "nothing"}, 422, {"withdraw": "unknown_decision"}),
        ({"decision": "explode"}, 422, {}),
        ({"decision": "note", "reason": "x", "colour": "red"}, 422, {}),
        ({"decision": "relocate", "place": {"lat": 91.0, "lon": 0.0}}, 422, {}),
        ({}, 422, {}),
        ([], 422, {}),
        ({"decision": "note", "reason": "a\0b"}, 400, {}),
    ],
)
async def test_a_decision_that_cannot_be_is_refused_with_its_field(
    filled: Desk, program: Made, body: Any, status: int, fields: dict[str, str]
) -> None:
    async with program("operator") as client:
        answer = await client.post(f"/api/incidents/{INCIDENT}/decisions", json=body)
    assert (answer.status_code, answer.json().get("fields", {})) == (status, fields)
    assert await saying.waiting(filled.engine) == []


async def test_a_decision_sent_twice_is_one_and_taken_back_twice_a_conflict(filled: Desk, program: Made) -> None:
    path = f"/api/incidents/{INCIDENT}/decisions"
    body = {"decision": "note", "reason": "vu", "nonce": "n1"}
    async with program("operator") as client:
        first, second = [(await client.post(path, json=body)).json() for _ in range(2)]
        assert first == second
        other = (await client.post(path, json={**body, "nonce": "n2"})).json()
        assert other != first
        back = {"decision": "withdraw", "withdraws": first["id"]}
        assert (await client.post(path, json=back)).status_code == 201
        assert (await client.post(path, json=back)).status_code == 409
        assert (await client.post("/api/incidents/nothing/decisions", json=body)).status_code == 404
    assert len(await saying.waiting(filled.engine)) == 3


async def test_a_program_reports_what_was_seen(filled: Desk, program: Made) -> None:
    body = {"what": "fire", "seen_by": "own_eyes", "lat": 49.48, "lon": 0.14, "report_id": "0123456789abcdef"}
    async with program("volunteer") as client:
        answers = [await client.post("/api/reports", json=body) for _ in range(2)]
        other = await client.post("/api/reports", json={**body, "words": "fumée noire"})
    first, second = [(one.status_code, one.json()) for one in answers]
    assert first == second
    assert (first[0], other.status_code) == (201, 201)
    waiting, of_other = await saying.waiting(filled.engine)
    assert (waiting.object_, of_other.object_) == (f"vigie:{first[1]['id']}", f"vigie:{other.json()['id']}")
    assert isinstance(waiting.record, Post)
    post = waiting.record
    assert (post.platform, post.is_trusted, post.author_kind) == ("vigie", True, "volunteer")
    assert ("volunteer", "report_made") in await actions(filled.engine)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lat": None, "lon": None}, "place"),
        ({"lat": 49.0, "lon": None}, "lat"),
        ({"lat": None, "lon": None, "place": "Nulle-Part"}, "place"),
        ({"seen_at": "2011-01-01T00:00:00Z"}, "seen_at"),
        ({"seen_at": "2031-01-01T00:00:00Z"}, "seen_at"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
)
async def test_a_report_that_cannot_be_is_refused_with_its_field(
    filled: Desk, program: Made, changes: dict[str, Any], field: str
) -> None:
    body = {"what": "fire", "seen_by": "own_eyes", "lat": 49.48, "lon": 0.14, **changes}
    async with program("operator") as client:
        answer = await client.post("/api/reports", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"decision": "note", "reason": "\\ud800"}', "application/json", 400),
        (b'{"decision":' + b"[" * 50_000, "application/json", 422),
        (b"[" * 500_000, "application/json", 422),
        (b"decision=note", "application/x-www-form-urlencoded", 415),
        (b'{"decision": "note"}', "text/plain", 415),
        (b'{"decision": "note"}', "", 415),
        (b'"' + b"x" * 1024 * 1024 + b'"', "application/json", 413),
    ],
    ids=["cut", "empty", "no UTF-8", "half a letter", "deep", "deeper", "form", "text", "unsaid", "large"],
)
async def test_a_body_that_is_none_is_refused_calmly(
    filled: Desk, program: Made, content: bytes, kind: str, status: int
) -> None:
    async with program("operator") as client:
        headers = {"content-type": kind} if kind else {}
        answer = await client.post(f"/api/incidents/{INCIDENT}/decisions", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_a_page_of_ours_may_use_the_api_with_its_token_alone(
    filled: Desk, entered: Made, account: Made, log_in: Made
) -> None:
    await account("operator")
    path, body = f"/api/incidents/{INCIDENT}/decisions", {"decision": "note", "reason": "vu"}
    async with entered() as client:
        await log_in(client, "operator")
        assert (await client.post(path, json=body)).status_code == 403
        headers = {"x-csrf-token": csrf_of(await client.get("/accounts/me"))}
        assert (await client.post(path, json=body, headers=headers)).status_code == 201


def test_no_address_can_be_asked_by_author() -> None:
    asked = {field.name for operation in OPERATIONS if operation.query for field in fields(operation.query)}
    assert {"hazard", "area", "text"} <= asked
    assert not [name for name in asked if "author" in name]
    assert not [operation.path for operation in OPERATIONS if "author" in operation.path]
