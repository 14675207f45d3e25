"""CAP against a local server: feeds, alerts, their updates and ends, and every way in which it may go wrong."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from connectors.cap import alert_from, circle
from connectors.contract import Reading
from connectors.runner import Pace, run
from connectors.sources.cap import (
    MAX_ALERT_BYTES,
    MAX_ENTRIES,
    NUTS3,
    Cap,
    Known,
    Ours,
    Standing,
    Told,
    department,
    entries_from,
    seconds_in,
    standing_from,
    told_by,
)
from records import Bulletin, MalformedRecord, ManualClock, SettingsError, SourceUnavailable

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


@pytest.fixture
def servers(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/cap.py")


@pytest.fixture
async def server(servers: ModuleType) -> AsyncIterator[Any]:
    async with servers.CapServer().running() as running:
        yield running


class Turns:
    """The waits between two looks, ended by the test."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[None] = asyncio.Queue()
        self.asked: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.given.get()

    def give(self) -> None:
        self.given.put_nowait(None)


@pytest.fixture
def turns() -> Turns:
    return Turns()


Make = Callable[..., Cap]


@pytest.fixture
def make(server: Any, clock: ManualClock, witness: Any, turns: Turns) -> Make:
    def make(*paths: str, **more: Any) -> Cap:
        settings = {"base_url": server.url, "paths": paths or ("/feeds/atom",), "sleep": turns.sleep} | more
        return Cap(clock=clock, observer=witness, **settings)

    return make


async def take(source: Cap, count: int, after: str | None = None) -> list[Reading]:
    async with aclosing(source.read(after)) as steps, asyncio.timeout(5):
        return [await anext(steps) for _ in range(count)]


def bulletins(readings: list[Reading]) -> list[Bulletin]:
    found = [one for reading in readings for one in (reading.post, *reading.also)]
    return [one for one in found if isinstance(one, Bulletin)]


def told(value: bytes, seen: dict[str, Known | None] | None = None, **ours: Any) -> Told:
    return told_by(alert_from(value), seen or {}, ours=Ours(**ours), source="cap", received_at=NOW)


def xml(info: str = "", **more: str) -> bytes:
    head = {"identifier": "a", "sender": "s", "sent": "2026-11-22T07:00:00+01:00", "status": "Actual"}
    head |= {"msgType": "Alert", "scope": "Public"} | more
    tags = "".join(f"<{name}>{value}</{name}>" for name, value in head.items() if value)
    infos = f"<info>{info}</info>" if info else ""
    return f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">{tags}{infos}</alert>'.encode()


async def test_an_alert_becomes_a_bulletin_for_each_departement(make: Make, server: Any, servers: ModuleType) -> None:
    server.alerts = [servers.Alert(identifier="a.1")]
    (reading,) = await take(make(), 1)
    first, second = bulletins([reading])
    assert (first.area, second.area) == ("76", "27")
    assert (first.kind, first.hazard, first.colour) == ("vigilance", "flood", "orange")
    assert first.text == "Vigilance orange inondation (Seine-Maritime) : Des crues sont possibles."
    assert (first.issued_at, first.starts_at) == (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert first.ends_at == datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert first.url == "https://vigilance.example.org/"
    assert first.bulletin_id.rpartition(":")[0] == second.bulletin_id.rpartition(":")[0]


@pytest.mark.parametrize("path", ["/feeds/atom", "/feeds/rss"])
async def test_a_feed_is_read_oldest_first_and_each_alert_once(
    path: str, make: Make, server: Any, servers: ModuleType
) -> None:
    server.alerts = [
        servers.Alert(identifier=f"a.{hour}", sent=f"2026-11-22T0{hour}:00:00+01:00", event=f"E{hour}")
        for hour in range(4)
    ]
    readings = await take(make(path), 4)
    assert [one.post.text[:2] for one in readings if isinstance(one.post, Bulletin)] == ["E0", "E1", "E2", "E3"]
    assert len(server.requests) == 1 + 4, "one request for the feed, one for each alert"


async def test_one_document_an_address(make: Make, server: Any, servers: ModuleType, turns: Turns) -> None:
    alert = servers.Alert(identifier="a.1")
    server.alerts = [alert]
    async with aclosing(make(alert.path).read(None)) as steps:
        first = await anext(steps)
        server.raw[alert.path] = servers.document(
            servers.Alert(identifier="a.2", message="Update", references=("a.1",), event="Crue"), {}
        )
        turns.give()
        second = await anext(steps)
    ids = [[one.bulletin_id for one in bulletins([reading])] for reading in (first, second)]
    assert ids[0] == ids[1]


async def test_an_entry_may_carry_its_alert(make: Make, server: Any) -> None:
    carried = xml("<category>Met</category><event>Orages</event><area><areaDesc>x</areaDesc></area>").decode()
    server.entries = [
        f'<entry><updated>2026-11-22T07:00:00Z</updated><content type="text/xml">{carried}</content></entry>'
    ]
    (reading,) = await take(make(ours=Ours(area="76")), 1)
    assert [one.text for one in bulletins([reading])] == ["Orages (x)"]
    assert len(server.requests) == 1


async def test_a_look_without_news_is_a_sign_of_life_and_asks_conditionally(
    make: Make, server: Any, servers: ModuleType, turns: Turns
) -> None:
    server.alerts = [servers.Alert(identifier="a.1")]
    async with aclosing(make(every_secs=120).read(None)) as steps:
        await anext(steps)
        turns.give()
        quiet = await anext(steps)
        server.has_etag = False
        turns.give()
        still_quiet = await anext(steps)
    assert (quiet.post, still_quiet.post) == (None, None)
    asked = [headers.get("if-none-match") for path, headers in server.requests if path == "/feeds/atom"]
    assert asked[0] is None
    assert asked[1]
    assert len([path for path, _ in server.requests if path != "/feeds/atom"]) == 1, "the alert was fetched once"
    assert turns.asked == [120, 120]


async def test_an_update_bears_the_same_ids_and_ends_what_it_leaves_out(
    make: Make, server: Any, servers: ModuleType
) -> None:
    server.alerts = [
        servers.Alert(identifier="a.1"),
        servers.Alert(
            identifier="a.2",
            sent="2026-11-22T07:30:00+01:00",
            message="Update",
            references=("a.1",),
            areas=servers.AREAS[:1],
            level="4; red; Extreme",
        ),
    ]
    first, second = await take(make(), 2)
    (seine, eure), (seine_now, eure_now) = bulletins([first]), bulletins([second])
    assert seine_now.bulletin_id == seine.bulletin_id
    assert (seine_now.colour, seine_now.ends_at) == ("red", seine.ends_at)
    assert eure_now.bulletin_id == eure.bulletin_id
    assert eure_now.ends_at == datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("has_info", [True, False])
@pytest.mark.parametrize("references", [("a.1",), ("a.2",), ("a.1", "a.2")])
async def test_a_cancellation_ends_what_was_stated(
    has_info: bool, references: tuple[str, ...], make: Make, server: Any, servers: ModuleType
) -> None:
    server.alerts = [
        servers.Alert(identifier="a.1"),
        servers.Alert(identifier="a.2", sent="2026-11-22T07:10:00+01:00", message="Update", references=("a.1",)),
        servers.Alert(
            identifier="a.3",
            sent="2026-11-22T07:20:00+01:00",
            message="Cancel",
            references=references,
            has_info=has_info,
        ),
    ]
    readings = await take(make(), 3)
    stated, over = bulletins(readings[:1]), bulletins(readings[2:])
    assert [one.bulletin_id for one in over] == [one.bulletin_id for one in stated]
    assert {one.ends_at for one in over} == {datetime(2026, 11, 22, 6, 20, tzinfo=UTC)}
    assert {one.kind for one in over} == {"vigilance"}
    assert {one.colour for one in over} == {None}


async def test_a_cancellation_of_what_we_never_saw_ends_what_it_names(servers: ModuleType) -> None:
    unseen = servers.Alert(identifier="a.1")
    cancel = servers.Alert(identifier="a.2", message="Cancel", references=("a.1",))
    ids = [one.bulletin_id for one in told(servers.document(unseen, {})).bulletins]
    over = told(servers.document(cancel, {})).bulletins
    assert [one.bulletin_id for one in over] == ids
    assert {one.ends_at for one in over} == {NOW - timedelta(hours=1)}


async def test_an_alert_that_comes_after_its_update_comes_too_late(
    make: Make, server: Any, servers: ModuleType, turns: Turns
) -> None:
    old = servers.Alert(identifier="a.1")
    new = servers.Alert(identifier="a.2", message="Update", references=("a.1",), sent="2026-11-22T07:30:00+01:00")
    server.alerts = [new]
    async with aclosing(make().read(None)) as steps:
        first = await anext(steps)
        server.alerts = [old, new]
        turns.give()
        late = await anext(steps)
    assert bulletins([first])
    assert (late.post, late.also) == (None, ())


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        ({"status": "Test"}, []),
        ({"status": "Draft"}, []),
        ({"status": "System"}, []),
        ({"scope": "Restricted"}, []),
        ({"scope": "Private"}, []),
        ({"msgType": "Ack"}, []),
        ({"msgType": "Error"}, []),
        ({"status": "Exercise"}, ["exercise"]),
        ({}, ["vigilance"]),
    ],
)
def test_only_what_speaks_to_the_public_is_told(more: dict[str, str], kinds: list[str]) -> None:
    info = "<category>Met</category><event>Orages</event><severity>Severe</severity>"
    found = told(xml(info, **more), area="76").bulletins
    assert [one.kind for one in found] == kinds
    assert [one.colour for one in found if one.kind == "exercise"] in ([], [None])


def test_an_exercise_ends_no_alert() -> None:
    info = "<category>Met</category><event>Orages</event>"
    real = told(xml(info), area="76")
    seen: dict[str, Known | None] = {alert_from(xml(info)).key: real.known}
    drill = xml(status="Exercise", msgType="Cancel", identifier="b", references="s,a,2026-11-22T07:00:00+01:00")
    assert {one.bulletin_id for one in told(drill, seen, area="76").bulletins}.isdisjoint(
        {one.bulletin_id for one in real.bulletins}
    )


@pytest.mark.parametrize(
    ("severity", "level", "colour"),
    [
        ("Moderate", "", "yellow"),
        ("Severe", "", "orange"),
        ("Extreme", "", "red"),
        ("Minor", "", None),
        ("Unknown", "", None),
        ("Minor", "2; yellow; Moderate", "yellow"),
        ("Severe", "1; green; Minor", "green"),
    ],
)
def test_the_colour(severity: str, level: str, colour: str | None) -> None:
    parameter = f"<parameter><valueName>awareness_level</valueName><value>{level}</value></parameter>" if level else ""
    (found,) = told(xml(f"<event>x</event><severity>{severity}</severity>{parameter}"), area="76").bulletins
    assert found.colour == colour


@pytest.mark.parametrize(
    ("category", "event", "awareness", "hazard"),
    [
        ("Met", "Flood warning", "", "flood"),
        ("Met", "Vigilance crues", "", "flood"),
        ("Met", "Vagues-submersion", "", "flood"),
        ("Met", "x", "12; flooding", "flood"),
        ("Met", "x", "13; rain-flood", "flood"),
        ("Met", "x", "8; forest-fire", "fire"),
        ("Met", "Feux de forêt", "", "fire"),
        ("Fire", "x", "", "fire"),
        ("Met", "Firework display", "", "other"),
        ("Met", "Pluie", "10; Rain", "other"),
        ("Met", "Orages", "3; Thunderstorm", "other"),
        ("Transport", "x", "", None),
        ("CBRNE", "Gaz", "", "industrial"),
        ("Met", "Vent", "1; Wind", "other"),
    ],
)
def test_the_hazard(category: str, event: str, awareness: str, hazard: str | None) -> None:
    info = f"<category>{category}</category><event>{event}</event>"
    info += f"<parameter><valueName>awareness_type</valueName><value>{awareness}</value></parameter>"
    info += "<eventCode><valueName>OET</valueName><value>OET-1</value></eventCode>" if category == "CBRNE" else ""
    (found,) = told(xml(info), area="76", hazards={"OET:OET-1": "industrial", "1; Wind": "other"}).bulletins
    assert found.hazard == hazard


def test_french_is_preferred_then_english_then_their_own() -> None:
    def text(*languages: str) -> str:
        infos = "</info><info>".join(f"<language>{one}</language><event>{one}</event>" for one in languages)
        return ", ".join(one.text for one in told(xml(infos), area="76").bulletins)

    assert text("de-DE", "en-GB", "fr-FR") == "fr-FR"
    assert text("de-DE", "en-GB") == "en-GB"
    assert text("de-DE", "it-IT") == "de-DE"


@pytest.mark.parametrize(
    ("name", "value", "area"),
    [
        ("NUTS3", "FR232", "76"),
        ("NUTS3", "FR831", "2A"),
        ("NUTS3", "DE271", ""),
        ("INSEE", "76351", "76"),
        ("INSEE_DEP", "974", "974"),
        ("INSEE", "97411", "974"),
        ("INSEE", "Rouen", ""),
        ("EMMA_ID", "FR003", "27"),
        ("ZONE", "north", "14"),
        ("OTHER", "north", ""),
    ],
)
def test_codes_of_areas(name: str, value: str, area: str) -> None:
    assert department(name, value, {"FR003": "27", "ZONE:north": "14"}) == area


def test_every_departement_of_the_mainland_has_its_code() -> None:
    numbers = [f"{number:02d}" for number in range(1, 96) if number != 20]
    assert sorted(NUTS3.values()) == sorted([*numbers, "2A", "2B"])
    assert (NUTS3["FR823"], NUTS3["FR615"], NUTS3["FR102"]) == ("06", "64", "77")


@pytest.mark.parametrize(
    ("ours", "areas"),
    [
        ({}, ["76", "14"]),
        ({"areas": frozenset({"14"})}, ["14"]),
        ({"areas": frozenset({"33"})}, []),
        ({"area": "27"}, ["76", "14", "27"]),
    ],
)
def test_the_areas_kept(ours: dict[str, Any], areas: list[str]) -> None:
    codes = "".join(
        f"<area><areaDesc>{code}</areaDesc><geocode><valueName>NUTS3</valueName><value>{code}</value></geocode></area>"
        for code in ("FR232", "FR251", "DE271")
    )
    info = f"<event>x</event>{codes}<area><areaDesc>elsewhere</areaDesc></area>"
    assert [one.area for one in told(xml(info), **ours).bulletins] == areas


def test_what_is_drawn_becomes_a_circle_around_it() -> None:
    polygon = "<polygon>49.48,0.10 49.48,0.16 49.51,0.16 49.51,0.10 49.48,0.10</polygon>"
    info = f"<event>x</event><area><areaDesc>Port</areaDesc>{polygon}<circle>49.495,0.13 10</circle></area>"
    (found,) = told(xml(info), area="76").bulletins
    assert found.place
    assert (round(found.place.lat, 3), round(found.place.lon, 3)) == (49.495, 0.13)
    assert found.place.radius_km == pytest.approx(10)
    assert (found.place.name, found.place.dep) == ("Port", "76")
    (alone,) = told(xml(f"<event>x</event><area><areaDesc>Port</areaDesc>{polygon}</area>"), area="76").bulletins
    assert alone.place
    assert alone.place.radius_km == pytest.approx(2.74, abs=0.1)


@pytest.mark.parametrize("text", ["1,2", "91,0 1", "1,2 -1", "1,2 nan", "1 2 3", "1,2 99999"])
def test_bad_circles(text: str) -> None:
    with pytest.raises(ValueError, match=r"no such|unpack|convert|float"):
        circle(text)


BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">&c;</alert>'
)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"", "undecodable", id="nothing"),
        pytest.param(b"<alert>", "undecodable", id="cut off"),
        pytest.param(b"{}", "undecodable", id="JSON"),
        pytest.param(b"<html/>", "invalid", id="a page"),
        pytest.param(b"<alert/>", "invalid", id="another namespace"),
        pytest.param(BOMB, "invalid", id="entities"),
        pytest.param(xml(sent=""), "invalid", id="no time"),
        pytest.param(xml(sent="hier"), "invalid", id="a bad time"),
        pytest.param(xml(identifier=""), "invalid", id="no identifier"),
        pytest.param(xml("<area><polygon>1,2 x</polygon></area>"), "invalid", id="a bad polygon"),
        pytest.param(xml("<area><circle>95,2 1</circle></area>"), "invalid", id="off the Earth"),
        pytest.param(xml(f"<area><polygon>{'1,2 ' * 20_001}</polygon></area>"), "too_long", id="too many points"),
        pytest.param(b"<a>" * 300 + b"</a>" * 300, "undecodable", id="too deep"),
    ],
)
def test_what_is_no_alert(value: bytes, reason: str) -> None:
    with pytest.raises(MalformedRecord) as caught:
        alert_from(value)
    assert caught.value.reason == reason


def test_an_entity_never_reads_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("eve_secret", encoding="utf-8")
    value = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><feed>&e;</feed>'.encode()
    with pytest.raises(MalformedRecord) as caught:
        entries_from(value, "http://127.0.0.1/")
    assert "eve_secret" not in str(caught.value)


async def test_a_bad_alert_is_set_aside_and_the_others_are_read(make: Make, server: Any, servers: ModuleType) -> None:
    server.alerts = [
        servers.Alert(identifier=f"a.{number}", sent=f"2026-11-22T0{number}:00:00Z") for number in range(5)
    ]
    server.raw[server.alerts[0].path] = b"<alert"
    server.always[server.alerts[1].path] = servers.Answer(404)
    server.raw[server.alerts[2].path] = b" " * (MAX_ALERT_BYTES + 1)
    readings = await take(make(), 5)
    reasons = [one.post.reason if isinstance(one.post, MalformedRecord) else "" for one in readings]
    assert reasons == ["undecodable", "invalid", "too_long", "", ""]


async def test_a_link_into_another_network_is_not_followed(make: Make, server: Any, servers: ModuleType) -> None:
    async with servers.CapServer([servers.Alert(identifier="a.1")]).running() as other:
        links = [f"{other.url}{other.alerts[0].path}", "file:///etc/hostname", "http://[::1", ""]
        server.entries = [f'<entry><id>{one}</id><link href="{one}"/></entry>' for one in links]
        readings = await take(make(), 3)
        assert [type(one.post) for one in readings] == [MalformedRecord] * 3
        server.always["/feeds/rss"] = servers.Answer(302, {"Location": f"{other.url}/feeds/rss"})
        with pytest.raises(SourceUnavailable, match="link_hosts"):
            await take(make("/feeds/rss"), 1)
        assert other.requests == []
        host = other.url.removeprefix("http://")
        (allowed,) = await take(make("/feeds/rss", link_hosts=[host]), 1)
    assert bulletins([allowed])


@pytest.mark.parametrize(
    ("status", "headers", "retry"),
    [
        (429, {"Retry-After": "120"}, 120),
        (503, {"Retry-After": "Sun, 22 Nov 2026 07:01:30 GMT"}, 90),
        (500, {}, None),
        (403, {}, None),
        (404, {}, None),
    ],
)
async def test_a_feed_that_is_refused_is_unavailable(
    status: int, headers: dict[str, str], retry: float | None, make: Make, server: Any, servers: ModuleType
) -> None:
    server.always["/feeds/atom"] = servers.Answer(status, headers)
    with pytest.raises(SourceUnavailable, match=str(status)) as caught:
        await take(make(), 1)
    assert caught.value.retry_after_secs == retry


async def test_nobody_listening_is_unavailable(make: Make) -> None:
    with pytest.raises(SourceUnavailable):
        await take(make(base_url="http://127.0.0.1:9"), 1)


async def test_a_feed_that_fails_does_not_keep_another_from_being_read(
    make: Make, server: Any, servers: ModuleType
) -> None:
    server.alerts = [servers.Alert(identifier="a.1")]
    source = make("/feeds/none", "/feeds/atom")
    (reading,) = await take(source, 1)
    assert bulletins([reading])
    with pytest.raises(SourceUnavailable, match="404"):
        await take(source, 1, reading.cursor)


@pytest.mark.parametrize("answers", [[500], [429], [500, 500]])
async def test_an_alert_that_is_not_given_now_is_asked_for_again(
    answers: list[int], make: Make, server: Any, servers: ModuleType
) -> None:
    server.alerts = [
        servers.Alert(identifier=f"a.{number}", sent=f"2026-11-22T0{number}:00:00Z") for number in range(3)
    ]
    first = server.alerts[0].path
    server.once[first] = [servers.Answer(status) for status in answers]
    source, cursor, found = make(), None, []
    for _ in range(len(answers) + 1):
        try:
            async with aclosing(source.read(cursor)) as steps:
                async for reading in steps:
                    cursor = reading.cursor
                    found += bulletins([reading])
                    if len({one.bulletin_id for one in found}) == 6:
                        break
        except SourceUnavailable:
            continue
    assert len({one.bulletin_id for one in found}) == len(found) == 6


async def test_what_is_no_feed_is_told_once(make: Make, server: Any, servers: ModuleType, turns: Turns) -> None:
    server.has_etag = False
    server.raw["/feeds/atom"] = b"<html><body>Maintenance</body></html>"
    async with aclosing(make().read(None)) as steps:
        first = await anext(steps)
        turns.give()
        second = await anext(steps)
    assert isinstance(first.post, MalformedRecord)
    assert second.post is None


async def test_slow_chunks_make_no_difference(make: Make, server: Any, servers: ModuleType) -> None:
    server.alerts = [servers.Alert(identifier="a.1")]
    server.slow_chunks = True
    assert len(bulletins(await take(make(), 1))) == 2


async def test_a_feed_in_which_nothing_is_left_of_before_is_a_gap(
    make: Make, server: Any, servers: ModuleType, clock: ManualClock, witness: Any
) -> None:
    server.shown = 1
    server.alerts = [servers.Alert(identifier="a.1", sent="2026-11-22T06:00:00Z")]
    (before,) = await take(make(), 1)
    clock.advance(timedelta(hours=3))
    await take(make(), 1, before.cursor)
    assert witness.gaps == []
    server.alerts.append(servers.Alert(identifier="a.2", sent="2026-11-22T09:00:00Z"))
    await take(make(), 1, before.cursor)
    assert witness.gaps == [3 * 3600]


async def test_memory_is_bounded(make: Make, server: Any, turns: Turns) -> None:
    cursor, many = "", 450
    async with aclosing(make().read(None)) as steps:
        for turn in range(3):
            alerts = [xml("<event>x</event>", identifier=f"{turn}.{number}").decode() for number in range(many)]
            server.entries = [f"<entry><content>{alert}</content></entry>" for alert in alerts]
            for _ in alerts:
                cursor = (await anext(steps)).cursor
            turns.give()
    assert 2 * many <= len(standing_from(cursor).seen) <= 1000
    assert len(cursor) < 40_000


async def test_of_a_long_feed_only_so_much_is_read_at_a_time(make: Make, server: Any) -> None:
    alerts = [xml("<event>x</event>", identifier=str(number)).decode() for number in range(MAX_ENTRIES + 9)]
    server.entries = [f"<entry><content>{alert}</content></entry>" for alert in alerts]
    readings = await take(make(), MAX_ENTRIES)
    assert standing_from(readings[-1].cursor).n == MAX_ENTRIES
    value = server.body_of("/feeds/atom")
    assert len(entries_from(value, server.url)) == MAX_ENTRIES


@pytest.mark.parametrize("cursor", ["", "x", "[]", '{"n":"a"}', '{"seen":7}', "\ud800"])
def test_a_cursor_that_is_not_ours_is_the_beginning(cursor: str) -> None:
    assert standing_from(cursor) == Standing()


@pytest.mark.parametrize("header", ["", "soon", "-1", "Sun, 22 Nov 2026 06:00:00 GMT"])
def test_a_bad_retry_after_asks_for_nothing(header: str) -> None:
    assert not seconds_in(header, NOW)


@pytest.mark.parametrize("more", [{"paths": ()}, {"base_url": "ftp://x", "paths": ("/a",)}])
def test_bad_addresses_are_settings_errors(more: dict[str, Any], clock: ManualClock, witness: Any) -> None:
    with pytest.raises(SettingsError):
        Cap(clock=clock, observer=witness, **more)
    with pytest.raises(SettingsError):
        Ours(area="Seine-Maritime")


class Kept:
    """Cursors in memory."""

    def __init__(self) -> None:
        self.cursor: str | None = None

    def load(self, source: str) -> str | None:
        return self.cursor

    def save(self, source: str, cursor: str) -> None:
        self.cursor = cursor


async def test_killed_and_torn_at_any_moment_no_alert_is_missing(
    make: Make, server: Any, servers: ModuleType, broker: Any, witness: Any, clock: ManualClock, until: Any
) -> None:
    server.alerts = [
        servers.Alert(identifier=f"a.{one}", sent=f"2026-11-22T06:{one // 60:02d}:{one % 60:02d}Z", event=f"E{one}")
        for one in range(200)
    ]
    expected = {f"E{one}" for one in range(200)}
    cursors, chance = Kept(), random.Random(5)  # noqa: S311
    given, left = broker.bulletins, 0

    async def until_killed(bulletins: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError("killed")
        await given(bulletins)

    def found() -> set[str]:
        return {one.text.partition(" ")[0] for one in broker.stated}

    broker.bulletins = until_killed
    for batches in [*(chance.randrange(1, 6) for _ in range(8)), 1000]:
        left = batches
        server.abort_after = chance.randrange(20)
        task = asyncio.create_task(
            run(
                make(),
                gate=lambda _: True,
                publisher=broker,
                cursors=cursors,
                observer=witness,
                clock=clock,
                pace=Pace(batch_posts=7, linger_secs=0.0, stop_secs=0.0, first_wait_secs=0.0, longest_wait_secs=0.0),
            )
        )
        await until(lambda task=task: task.done() or found() == expected)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or isinstance(task.exception(), ConnectionError)
    assert found() == expected
    assert witness.failures
    assert len(broker.stated) < 3 * len(expected), "it begins anew instead of resuming"
