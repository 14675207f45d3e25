"""Vigicrues against a local server of the real map, and with it what all polled sources share."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from connectors.contract import Reading
from connectors.cursors import ForgetfulCursors
from connectors.runner import Pace, run
from connectors.sources.polling import Held, Position, position_from
from connectors.sources.vigicrues import Vigicrues, wgs84_from_lambert93
from records import Bulletin, MalformedRecord, ManualClock, SettingsError, SourceUnavailable

ISSUED = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
REACHES = {"ZZ11": ("76",), "ZZ12": ("76", "80")}
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001, batch_posts=8)
OneOf = Callable[..., Vigicrues]


@pytest.fixture
def wire(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/vigicrues.py")


@pytest.fixture
async def server(wire: ModuleType) -> AsyncIterator[Any]:
    reaches = [wire.reach("ZZ11", "Arvelle amont", 1), wire.reach("ZZ12", "Arvelle aval", 1)]
    async with wire.Vigicrues(reaches, ISSUED).running() as running:
        yield running


@pytest.fixture
def one_of(server: Any, clock: ManualClock, witness: Any) -> OneOf:
    def one_of(**more: Any) -> Vigicrues:
        settings = {"reaches": REACHES, "poll_secs": 0.0, "connect_secs": 2.0, "base_url": server.url, **more}
        return Vigicrues(clock=clock, observer=witness, **settings)

    return one_of


@pytest.fixture
def source(one_of: OneOf) -> Vigicrues:
    return one_of()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def take(source: Vigicrues, count: int, after: str | None = None) -> list[Reading]:
    readings = []
    async with aclosing(source.read(after)) as found, asyncio.timeout(5):
        async for reading in found:
            readings.append(reading)
            if len(readings) == count:
                break
    return readings


async def first(source: Vigicrues, after: str | None = None) -> Reading:
    return (await take(source, 1, after))[0]


def told(reading: Reading) -> list[Bulletin]:
    found = [reading.post, *reading.also]
    assert all(isinstance(one, Bulletin) for one in found)
    return [one for one in found if isinstance(one, Bulletin)]


async def test_a_green_map_is_a_sign_of_life(source: Vigicrues, server: Any) -> None:
    assert [reading.post for reading in await take(source, 3)] == [None, None, None]
    assert server.answers == [200, 304, 304]
    assert server.requests[0][0] == "/services/InfoVigiCru.geojson"


async def test_a_colour_becomes_a_bulletin_for_each_departement(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ12", 3)
    bulletins = told(await first(source))
    assert [one.area for one in bulletins] == ["76", "80"]
    bulletin = bulletins[0]
    assert bulletin.bulletin_id == "vigicrues:ZZ12:76:2026-11-22T06:00:00Z"
    assert (bulletin.kind, bulletin.hazard, bulletin.colour) == ("river_level", "flood", "orange")
    assert (bulletin.issued_at, bulletin.ends_at) == (ISSUED, datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    assert bulletin.text == "Vigicrues, tronçon Arvelle aval : orange."
    assert bulletin.place is not None
    assert [bulletin.place.lat, bulletin.place.lon] == pytest.approx([49.52, 1.15])
    assert bulletin.place.radius_km == pytest.approx(9.6, abs=0.1)


async def test_only_the_areas_asked_for(one_of: OneOf, server: Any) -> None:
    server.colour("ZZ12", 3)
    assert [one.area for one in told(await first(one_of(areas=["80"])))] == ["80"]


async def test_the_same_colour_is_not_told_twice(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 2)
    reading, second = await take(source, 2)
    assert told(reading)
    assert second.post is None
    server.colour("ZZ11", 2, at=ISSUED + timedelta(minutes=30))  # a new edition that says the same
    assert (await first(source, second.cursor)).post is None


@pytest.mark.parametrize("has_etags", [True, False])
async def test_it_is_told_again_after_six_hours_under_the_same_id(
    has_etags: bool, one_of: OneOf, server: Any, clock: ManualClock
) -> None:
    server.colour("ZZ11", 2)
    server.has_etags = has_etags
    found: list[Reading] = []
    async with aclosing(one_of().read(None)) as readings:
        async for reading in readings:
            found.append(reading)
            clock.advance(timedelta(hours=2))
            if len(found) == 4:
                break
    first_told, *nothing, again = found
    assert [reading.post for reading in nothing] == [None, None]
    (one,), (other,) = told(first_told), told(again)
    assert one.bulletin_id == other.bulletin_id
    assert one.ends_at is not None
    assert other.ends_at == one.ends_at + timedelta(hours=6)


async def test_a_change_ends_what_was_told_before(source: Vigicrues, server: Any, clock: ManualClock) -> None:
    server.colour("ZZ11", 2)
    before = await first(source)
    clock.advance(timedelta(hours=1))
    server.colour("ZZ11", 4, at=clock.now())
    after = await first(source, before.cursor)
    new, ended = told(after)
    assert (new.colour, new.issued_at) == ("red", clock.now())
    assert (ended.bulletin_id, ended.colour) == (told(before)[0].bulletin_id, "yellow")
    assert ended.ends_at == clock.now()
    assert ended.text == "Vigicrues, tronçon Arvelle amont : jaune, levé."


async def test_green_ends_it_and_is_told_once(source: Vigicrues, server: Any, clock: ManualClock) -> None:
    server.colour("ZZ11", 3)
    before = await first(source)
    clock.advance(timedelta(hours=1))
    server.colour("ZZ11", 1, at=clock.now())
    after, later = await take(source, 2, before.cursor)
    green, ended = told(after)
    assert (green.colour, ended.colour, ended.ends_at) == ("green", "orange", clock.now())
    assert later.post is None
    assert position_from(later.cursor).held == {}


async def test_an_older_copy_of_the_map_changes_nothing(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 3)
    before = await first(source)
    server.colour("ZZ11", 1, at=ISSUED - timedelta(hours=1))
    after = await first(source, before.cursor)
    assert after.post is None
    assert position_from(after.cursor).issued_at == ISSUED


async def test_a_map_of_tomorrow_is_refused_and_does_not_hide_the_next(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 3, at=ISSUED + timedelta(days=30))
    before = await first(source)
    assert isinstance(before.post, MalformedRecord)
    server.colour("ZZ11", 3, at=ISSUED)
    assert told(await first(source, before.cursor))


async def test_a_map_that_nobody_renews_is_unavailable(source: Vigicrues, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=48))
    with pytest.raises(SourceUnavailable, match="not renewed since 2026-11-22 06:00"):
        await first(source)


async def test_an_old_path_is_followed(one_of: OneOf, server: Any) -> None:
    server.is_moved = True
    assert (await first(one_of())).post is None
    assert server.answers == [302, 200]


async def test_no_redirect_leads_to_another_server(one_of: OneOf, server: Any, wire: ModuleType) -> None:
    async with wire.Vigicrues(server.reaches, server.issued_at).running() as other:
        server.refuse_with = [(302, {"Location": f"{other.url}{wire.PATH}?key=secret"})]
        with pytest.raises(SourceUnavailable) as caught:
            await first(one_of())
        assert other.requests == []
    assert f"{server.url}{wire.PATH} has moved to {other.url}{wire.PATH}, which is not followed" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("location", ["http://[bad", "file:///etc/passwd", "//", "/services/1/InfoVigiCru.geojson"])
async def test_a_redirect_that_leads_nowhere_is_unavailable(location: str, one_of: OneOf, server: Any) -> None:
    server.refuse_with = [(302, {"Location": location})] * 6
    with pytest.raises(SourceUnavailable):
        await first(one_of())


async def test_names_in_another_case_are_read(source: Vigicrues, server: Any) -> None:
    names = {"lbentcru": "LbEntCru", "NivInfViCr": "nivinfvicr", "CdEntCru": "cdentcru"}
    server.colour("ZZ11", 2)
    for one in server.reaches:
        one["properties"] = {names.get(name, name): value for name, value in one["properties"].items()}
    assert told(await first(source))[0].text == "Vigicrues, tronçon Arvelle amont : jaune."


@pytest.mark.parametrize("level", [0, 5, None, "rouge", 2.5, True, [2]])
async def test_a_colour_that_is_none_is_refused_and_the_others_are_told(
    level: Any, source: Vigicrues, server: Any
) -> None:
    server.colour("ZZ11", level)
    server.colour("ZZ12", 2)
    bad, good = await take(source, 2)
    assert isinstance(bad.post, MalformedRecord)
    assert (bad.post.reason, str(bad.post)) == ("invalid", "ZZ11: no such colour")
    assert told(good)[0].colour == "yellow"


async def test_a_bad_colour_does_not_end_what_was_told(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 3)
    before = await first(source)
    server.colour("ZZ11", 0)
    after = await first(source, before.cursor)
    assert isinstance(after.post, MalformedRecord)
    assert position_from(after.cursor).held == position_from(before.cursor).held


async def test_a_reach_that_is_not_on_the_map_is_told(source: Vigicrues, server: Any) -> None:
    del server.reaches[0]
    reading = await first(source)
    assert isinstance(reading.post, MalformedRecord)
    assert "not on the map: ZZ11" in str(reading.post)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "undecodable"),
        (b"<html>", "undecodable"),
        (b"[]", "invalid"),
        (b'{"a":' + b"[" * 100_000, "undecodable"),
        (b'{"features":[]}', "invalid"),
        (b'{"features":[],"DtHrInfoVigiCru":"hier"}', "invalid"),
        (b'{"features":[],"DtHrInfoVigiCru":"0001-01-01T00:00:00+14:00"}', "invalid"),
        (b'{"features":{},"DtHrInfoVigiCru":"2026-11-22T06:00:00+00:00"}', "invalid"),
        (b'{"DtHrInfoVigiCru":"2026-11-22T06:00:00+00:00","features":[' + b"1," * 6000 + b"1]}", "too_long"),
    ],
)
async def test_what_is_no_map_is_refused(body: bytes, reason: str, source: Vigicrues, server: Any) -> None:
    server.body = body
    refused = (await first(source)).post
    assert isinstance(refused, MalformedRecord)
    assert (refused.reason, refused.value) == (reason if b"0001" not in body else refused.reason, b"")


async def test_an_answer_without_end_is_cut(one_of: OneOf, server: Any) -> None:
    server.body, server.piece = b" " * 5_000_000, 100_000
    refused = (await first(one_of(max_bytes=1_000_000))).post
    assert isinstance(refused, MalformedRecord)
    assert refused.reason == "too_long"


async def test_pieces_are_put_together(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 2)
    server.piece = 7
    assert told(await first(source))


@pytest.mark.parametrize("after", [0, 1, 100])
async def test_a_torn_answer_is_unavailable_and_nothing_is_lost(after: int, source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 2)
    server.abort_after = after
    with pytest.raises(SourceUnavailable):
        await first(source)
    assert told(await first(source))


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (503, {}, None),
        (429, {"Retry-After": "120"}, 120.0),
        (429, {"Retry-After": "Sun, 22 Nov 2026 07:05:00 GMT"}, 300.0),
        (429, {"Retry-After": "Sun, 22 Nov 2026 06:00:00 GMT"}, 0.0),
        (429, {"Retry-After": "9" * 30}, 21_600.0),
        (429, {"Retry-After": "bientôt".encode().decode("latin-1")}, None),
        (404, {}, None),
    ],
)
async def test_a_refusal_says_how_long_to_wait(
    status: int, headers: dict[str, str], seconds: float | None, source: Vigicrues, server: Any
) -> None:
    server.refuse_with = [(status, headers)]
    with pytest.raises(SourceUnavailable, match=f"status {status}") as caught:
        await first(source)
    assert caught.value.retry_after_secs == seconds


async def test_nobody_listening_is_unavailable(one_of: OneOf) -> None:
    with pytest.raises(SourceUnavailable, match="ConnectError"):
        await first(one_of(base_url="http://127.0.0.1:9"))


async def test_a_server_that_says_nothing_is_unavailable(one_of: OneOf) -> None:
    has_left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()
        await writer.wait_closed()
        has_left.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceUnavailable, match="TimeoutError"):
            await first(one_of(base_url=f"http://127.0.0.1:{port}", longest_secs=0.1))
        await has_left.wait()


async def test_a_long_absence_is_a_gap(source: Vigicrues, server: Any, clock: ManualClock, witness: Any) -> None:
    before = await first(source)
    clock.advance(timedelta(minutes=30))
    before = await first(source, before.cursor)
    assert witness.gaps == []
    clock.advance(timedelta(hours=5))
    server.colour("ZZ11", 1, at=clock.now())
    await first(source, before.cursor)
    assert witness.gaps == [5 * 3600]


async def test_two_changes_and_a_kill_between_them(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 2)
    server.colour("ZZ12", 3)
    one = await first(source)
    other = await first(source, one.cursor)
    assert [told(one)[0].colour, told(other)[0].colour] == ["yellow", "orange"]
    assert (await first(source, other.cursor)).post is None


async def test_torn_at_random_every_change_is_told(
    wire: ModuleType, clock: ManualClock, witness: Any, broker: Any, until: Any
) -> None:
    chance = random.Random(5)  # noqa: S311
    codes = [f"ZZ{number}" for number in range(100, 300)]
    told_colours = {code: chance.choice([2, 3, 4]) for code in codes}
    server = wire.Vigicrues([wire.reach(code, code, told_colours[code]) for code in codes], ISSUED)
    async with server.running():
        source = Vigicrues(
            reaches={code: ["76"] for code in codes},
            clock=clock,
            observer=witness,
            poll_secs=0.0,
            base_url=server.url,
        )
        cursors = ForgetfulCursors()
        for kill in (3, 40, 41, 150, 200):
            server.abort_after = chance.randrange(2000)
            task = asyncio.create_task(
                run(
                    source,
                    gate=lambda _: True,
                    publisher=broker,
                    cursors=cursors,
                    observer=witness,
                    clock=clock,
                    pace=QUICK,
                )
            )
            await until(lambda kill=kill: len({one.bulletin_id for one in broker.stated}) >= kill)
            broker.fails_with = RuntimeError("killed")  # so that the cursor of what was read is lost
            if kill == len(codes):
                task.cancel()
            await asyncio.wait({task})
            broker.fails_with = None
            assert task.cancelled() or isinstance(task.exception(), RuntimeError)
    colours = {2: "yellow", 3: "orange", 4: "red"}
    assert {one.bulletin_id.split(":")[1]: one.colour for one in broker.stated} == {
        code: colours[level] for code, level in told_colours.items()
    }
    assert len(witness.failures) == 5


async def test_back_off_asks_for_no_less_than_the_server_does(
    source: Vigicrues, server: Any, clock: ManualClock, witness: Any, broker: Any, until: Any
) -> None:
    server.refuse_with = [(429, {"Retry-After": "90"}), (503, {})]
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    task = asyncio.create_task(
        run(
            source,
            gate=lambda _: True,
            publisher=broker,
            cursors=ForgetfulCursors(),
            observer=witness,
            clock=clock,
            sleep=sleep,
        )
    )
    await until(lambda: witness.outcomes.total() >= 1)
    task.cancel()
    await asyncio.wait({task})
    assert waits[0] == 90.0
    assert 0 < waits[1] <= 1.0


async def test_what_is_not_read_does_not_leave(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 9)
    server.colour("ZZ12", 3)
    for one in server.reaches:
        one["properties"]["contact"] = "claire.secretnom@example.org"
    bad, good = await take(source, 2)
    assert isinstance(bad.post, MalformedRecord)
    assert json.loads(bad.post.value) == {"CdEntCru": "ZZ11", "NivInfViCr": 9}
    assert "secretnom" not in f"{bad}{good}"


@pytest.mark.parametrize("cursor", [None, "", "{", "[]", "12 34", '{"held":{"ZZ11":["mauve"]}}', '{"seen_at":"hier"}'])
async def test_a_cursor_that_is_none_of_ours_starts_anew(cursor: str | None, source: Vigicrues) -> None:
    assert (await first(source, cursor)).post is None


def test_what_is_held_is_forgotten_when_nothing_is_heard_of_it(source: Vigicrues, clock: ManualClock) -> None:
    old = Held("red", ISSUED - timedelta(days=9), ISSUED - timedelta(days=4))
    assert source._seen(Position(held={"ZZ99": old}), None).held == {}


@pytest.mark.parametrize(
    ("reaches", "areas"),
    [({}, ()), ({"ZZ11": ["Seine"]}, ()), ({"ZZ11": "76"}, ()), ({"Z Z": ["76"]}, ()), ({"ZZ11": ["76"]}, ["80"])],
)
def test_settings_that_watch_nothing_are_refused(reaches: Any, areas: Any, one_of: OneOf) -> None:
    with pytest.raises(SettingsError):
        one_of(reaches=reaches, areas=areas)


@pytest.mark.parametrize(
    ("x", "y", "lat", "lon"),
    [
        pytest.param(700_000, 6_600_000, 46.5, 3.0, id="origin of the projection"),
        pytest.param(890_006, 6_930_024, 49.441280583, 5.619440747, id="a station as Hub'Eau publishes it"),
        pytest.param(493_000, 6_937_000, 49.498645690482995, 0.14299600040309063, id="mouth of the Seine"),
        pytest.param(1_242_000, 6_050_000, 41.35214277796974, 9.464503050509514, id="south-east"),
        pytest.param(130_000, 6_850_000, 48.49902228737465, -4.727835908981133, id="west"),
    ],
)
def test_lambert_93_to_a_metre(x: float, y: float, lat: float, lon: float) -> None:
    """The last three were computed by PROJ (EPSG:2154 to EPSG:4326)."""
    assert list(wgs84_from_lambert93(x, y)) == pytest.approx([lat, lon], abs=1 / 111_200)


async def test_a_map_in_lambert_93_is_placed(source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 2)
    server.reaches[0]["geometry"]["coordinates"] = [[[493_000, 6_937_000], [493_000, 6_937_000]]]
    place = told(await first(source))[0].place
    assert place is not None
    assert [place.lat, place.lon] == pytest.approx([49.49865, 0.14300], abs=1e-5)


@pytest.mark.parametrize(
    "geometry",
    [None, {}, {"coordinates": None}, {"coordinates": []}, {"coordinates": [[[]]]}, {"coordinates": [[["1", 2]]]}],
)
async def test_a_reach_without_a_line_has_no_place(geometry: Any, source: Vigicrues, server: Any) -> None:
    server.colour("ZZ11", 2)
    server.reaches[0]["geometry"] = geometry
    assert told(await first(source))[0].place is None


async def test_the_demo_can_be_read(
    wire: ModuleType, one_of: OneOf, unused_port: int, witness: Any, broker: Any, until: Any
) -> None:
    demo = asyncio.create_task(wire.serve_demo(unused_port))
    clock = ManualClock(datetime.now(UTC))
    source = one_of(
        base_url=f"http://127.0.0.1:{unused_port}", reaches={"ZZ11": ["76"], "ZZ12": ["76"]}, poll_secs=0.05
    )
    source._clock = clock
    reader = asyncio.create_task(
        run(
            source,
            gate=lambda _: True,
            publisher=broker,
            cursors=ForgetfulCursors(),
            observer=witness,
            clock=clock,
            pace=QUICK,
        )
    )
    await until(lambda: [one.colour for one in broker.stated] == ["yellow"])
    for task in (reader, demo):
        task.cancel()
    await asyncio.wait({reader, demo})
