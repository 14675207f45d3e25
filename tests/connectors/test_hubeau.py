"""Hub'Eau against a local server of the real API."""

import asyncio
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
from connectors.sources.hubeau import KEPT_FOR, HubEau, Recent, Station
from connectors.sources.polling import position_from
from records import Bulletin, MalformedRecord, ManualClock, SettingsError, SourceUnavailable

START = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
STEP = timedelta(minutes=5)
CODE, OTHER = "Z999999901", "Z999999902"
STATION = Station(code=CODE, areas=("76", "80"), name="Arvelle à Dourbe", yellow_m=1.0, orange_m=1.5, red_m=2.0)
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001, batch_posts=8)
OneOf = Callable[..., HubEau]


@pytest.fixture
def wire(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/hubeau.py")


@pytest.fixture
async def server(wire: ModuleType) -> AsyncIterator[Any]:
    async with wire.HubEau([]).running() as running:
        yield running


@pytest.fixture
def one_of(server: Any, clock: ManualClock, witness: Any) -> OneOf:
    def one_of(*stations: Station, **more: Any) -> HubEau:
        settings = {"stations": stations or (STATION,), "poll_secs": 0.0, "base_url": server.url, **more}
        return HubEau(clock=clock, observer=witness, **settings)

    return one_of


@pytest.fixture
def measured(server: Any, wire: ModuleType) -> Callable[..., None]:
    """Return what adds heights in millimetres, one every five minutes."""

    def measured(*heights: Any, code: str = CODE, **more: Any) -> None:
        begun = sum(1 for one in server.rows if one["code_station"] == code)
        for number, height in enumerate(heights, begun):
            server.rows.append(wire.row(code, START + number * STEP, height, **more))

    return measured


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def take(source: HubEau, count: int, after: str | None = None) -> list[Reading]:
    readings = []
    async with aclosing(source.read(after)) as found, asyncio.timeout(5):
        async for reading in found:
            readings.append(reading)
            if len(readings) == count:
                break
    return readings


def told(reading: Reading) -> list[Bulletin]:
    found = [reading.post, *reading.also]
    assert all(isinstance(one, Bulletin) for one in found)
    return [one for one in found if isinstance(one, Bulletin)]


def colours(readings: list[Reading]) -> list[str | None]:
    return [reading.post.colour if isinstance(reading.post, Bulletin) else None for reading in readings]


async def test_a_poll_without_measures_is_a_sign_of_life(one_of: OneOf, server: Any) -> None:
    assert [reading.post for reading in await take(one_of(), 2)] == [None, None]
    assert server.requests[0] == {
        "code_entite": [CODE],
        "grandeur_hydro": ["H"],
        "date_debut_obs": ["2026-11-22T05:00:00Z"],
        "sort": ["asc"],
        "size": ["1000"],
    }


async def test_each_measure_gives_one_reading_and_a_crossing_a_bulletin(
    one_of: OneOf, measured: Callable[..., None]
) -> None:
    measured(600.0, 999.0, 1000.0, 1200.0, 1500.0, 2400.0)
    readings = await take(one_of(), 7)
    assert colours(readings) == [None, None, "yellow", None, "orange", "red", None]
    bulletins = told(readings[2])
    assert [one.area for one in bulletins] == ["76", "80"]
    yellow = bulletins[0]
    assert yellow.bulletin_id == f"hubeau:{CODE}:76:2026-11-22T05:40:00Z"
    assert (yellow.kind, yellow.hazard, yellow.issued_at) == ("river_level", "flood", START + 2 * STEP)
    assert yellow.text == "Hauteur d'eau, Arvelle à Dourbe : jaune. 1,00 m, 0,40 m au-dessus du plus bas de l'heure."
    assert yellow.place is not None
    assert (yellow.place.lat, yellow.place.lon, yellow.place.level) == (49.4431, 1.0998, "point")
    assert yellow.ends_at == START + 2 * STEP + timedelta(hours=24)


async def test_a_change_ends_what_was_told_before(one_of: OneOf, measured: Callable[..., None]) -> None:
    measured(1100.0, 1600.0)
    yellow, orange = await take(one_of(), 2)
    ended = [one for one in told(orange) if one.colour == "yellow"]
    assert [one.bulletin_id for one in ended] == [one.bulletin_id for one in told(yellow)]
    assert {one.ends_at for one in ended} == {START + STEP}


async def test_a_wave_on_the_gauge_does_not_ring_twice(one_of: OneOf, measured: Callable[..., None]) -> None:
    measured(1001.0, 999.0, 1001.0, 951.0, 949.0, 999.0)
    assert colours(await take(one_of(), 6)) == ["yellow", None, None, None, "green", None]


async def test_a_fast_rise_is_yellow_however_low(one_of: OneOf, measured: Callable[..., None]) -> None:
    station = Station(code=CODE, areas=("76",), rise_m_per_hour=0.3)
    measured(100.0, 250.0, 399.0, 400.0, 390.0, *[400.0] * 12)
    assert colours(await take(one_of(station), 17)) == [None] * 3 + ["yellow"] + [None] * 10 + ["green", None, None]


async def test_it_is_told_again_after_six_hours(one_of: OneOf, measured: Callable[..., None]) -> None:
    measured(*[1100.0] * 145)
    source = one_of()
    source._clock = ManualClock(START + 145 * STEP)
    cursor = f'{{"last":{{"{CODE}":"2026-11-22T05:00:00Z"}}}}'
    told_again = [reading for reading in await take(source, 145, cursor) if reading.post]
    assert [told(reading)[0].bulletin_id for reading in told_again] == [f"hubeau:{CODE}:76:2026-11-22T05:30:00Z"] * 3
    assert [told(reading)[0].ends_at for reading in told_again] == [
        START + timedelta(hours=hours) for hours in (24, 30, 36)
    ]


async def test_pages_are_followed_by_their_cursor(one_of: OneOf, measured: Callable[..., None], server: Any) -> None:
    server.next_host = "http://elsewhere.example"  # only the query of `next` is taken
    measured(*range(600, 625))
    assert len(await take(one_of(page_size=10), 25)) == 25
    assert server.answers == [206, 206, 200]
    assert [query.get("cursor") for query in server.requests] == [None, ["10"], ["20"]]


async def test_resumes_after_the_cursor_with_the_hour_before_it(
    one_of: OneOf, measured: Callable[..., None], server: Any
) -> None:
    station = Station(code=CODE, areas=("76",), rise_m_per_hour=0.3)
    measured(100.0, 200.0)
    before = await take(one_of(station), 2)
    measured(400.0)
    after = await take(one_of(station), 2, before[-1].cursor)
    assert colours(after) == ["yellow", None], "measured from 100, which the first reader saw"
    assert server.requests[-2]["date_debut_obs"] == ["2026-11-22T04:35:00Z"]


async def test_torn_at_random_each_measure_is_there(
    one_of: OneOf, measured: Callable[..., None], server: Any, broker: Any, witness: Any, until: Any
) -> None:
    chance = random.Random(3)  # noqa: S311
    heights = [600.0 if number % 2 else 1100.0 for number in range(300)]
    measured(*heights)
    cursors = ForgetfulCursors()
    cursors.save("hubeau", f'{{"last":{{"{CODE}":"2026-11-22T05:00:00Z"}}}}')
    source = one_of(page_size=40)
    source._clock = ManualClock(START + 300 * STEP)
    for kill in (10, 90, 91, 200, 300):
        server.abort_at_random = [chance.randrange(20_000), 10**9, chance.randrange(200)]
        task = asyncio.create_task(
            run(
                source,
                gate=lambda _: True,
                publisher=broker,
                cursors=cursors,
                observer=witness,
                clock=source._clock,
                pace=QUICK,
            )
        )
        await until(lambda kill=kill: len({one.issued_at for one in broker.stated}) >= kill)
        broker.fails_with = RuntimeError("killed")  # so that the cursor of what was read is lost
        if kill == len(heights):
            task.cancel()
        await asyncio.wait({task})
        broker.fails_with = None
        assert task.cancelled() or isinstance(task.exception(), RuntimeError)
    issued = {one.issued_at for one in broker.stated}
    assert issued == {START + number * STEP for number in range(300)}, "each crossing was told"
    assert len(witness.failures) >= 5


async def test_a_month_that_is_gone_is_a_gap(
    one_of: OneOf, measured: Callable[..., None], server: Any, witness: Any, clock: ManualClock
) -> None:
    measured(600.0)
    before = await take(one_of(), 1)
    clock.at = START + KEPT_FOR + timedelta(hours=5)
    server.rows.clear()
    after = await take(one_of(), 2, before[-1].cursor)
    assert witness.gaps == [5 * 3600.0], "once"
    assert position_from(after[-1].cursor).last == {CODE: START + timedelta(hours=5)}


async def test_one_station_that_fails_does_not_hide_the_others(
    one_of: OneOf, measured: Callable[..., None], server: Any
) -> None:
    other = Station(code=OTHER, areas=("27",), yellow_m=1.0)
    measured(1100.0, code=OTHER)
    server.refuse_station = CODE
    source = one_of(STATION, other)
    assert colours(await take(source, 1)) == ["yellow"]
    with pytest.raises(SourceUnavailable, match="status 500"):  # once all were asked
        await take(source, 2)


async def test_each_station_keeps_its_own_place(one_of: OneOf, measured: Callable[..., None], server: Any) -> None:
    other = Station(code=OTHER, areas=("27",), yellow_m=1.0)
    measured(600.0, 600.0, 600.0)
    measured(600.0, code=OTHER)
    before = await take(one_of(STATION, other), 4)
    measured(1100.0, code=OTHER)  # older than the last of the first station
    after = await take(one_of(STATION, other), 2, before[-1].cursor)
    assert colours(after) == [None, "yellow"]


async def test_what_comes_twice_or_out_of_order_is_read_once_and_in_order(
    one_of: OneOf, measured: Callable[..., None], server: Any
) -> None:
    server.sends_twice = server.is_unsorted = True
    measured(600.0, 1100.0, 1600.0)
    assert colours(await take(one_of(), 3)) == [None, "yellow", "orange"]


@pytest.mark.parametrize(
    "more",
    [
        {"resultat_obs": "haut", "agent": "lea.secretnom"},
        {"resultat_obs": 1e30},
        {"date_obs": "hier"},
        {"date_obs": "2027-11-22T05:30:00Z"},
        {"latitude": 149.0},
        {"code_station": 12},
    ],
)
async def test_a_bad_row_is_refused_and_the_others_are_read(
    more: dict[str, Any], one_of: OneOf, measured: Callable[..., None], server: Any
) -> None:
    measured(600.0, 1100.0)
    server.rows[0].update(more)
    if more.get("code_station"):
        server.body = b'{"data":[{"date_obs":"2026-11-22T05:30:00Z","code_station":12}]}'
        readings = await take(one_of(), 1)
    else:
        readings = await take(one_of(), 2)
        assert "yellow" in colours(readings)
    (bad,) = [reading.post for reading in readings if isinstance(reading.post, MalformedRecord)]
    assert bad.reason == "invalid"
    assert b"secretnom" not in bad.value
    assert "secretnom" not in str(bad)


async def test_a_measure_from_our_future_counts_as_of_now_and_hides_no_other(
    one_of: OneOf, measured: Callable[..., None], server: Any, wire: ModuleType, clock: ManualClock
) -> None:
    measured(600.0)
    begun = clock.now()
    server.rows.append(wire.row(CODE, begun + timedelta(minutes=40), 1100.0))
    async with aclosing(one_of().read(None)) as readings, asyncio.timeout(5):
        _, early = [await anext(readings) for _ in range(2)]
        clock.advance(timedelta(minutes=10))
        server.rows.insert(1, wire.row(CODE, begun + timedelta(minutes=5), 600.0))
        later = [await anext(readings) for _ in range(2)]
        clock.advance(timedelta(minutes=40))
        passed = await anext(readings)
    assert {(one.colour, one.issued_at, one.received_at) for one in told(early)} == {("yellow", begun, begun)}
    assert position_from(early.cursor).last == {CODE: begun}
    assert colours(later) == ["green", None], "what is measured meanwhile is read, what was dated ahead is not again"
    assert passed.post is None


@pytest.mark.parametrize("more", [{"resultat_obs": None}, {"code_station": None}, {"grandeur_hydro": "Q"}])
async def test_rows_without_a_height_of_the_station_say_nothing(
    more: dict[str, Any], one_of: OneOf, measured: Callable[..., None], server: Any
) -> None:
    measured(9000.0)
    server.rows[0].update(more)
    server.rows[0]["code_site"] = CODE
    assert (await take(one_of(), 1))[0].post is None


async def test_doubt_is_said(one_of: OneOf, measured: Callable[..., None]) -> None:
    measured(1100.0, libelle_qualification_obs="Douteuse")
    assert "1,10 m (mesure douteuse)," in told((await take(one_of(), 1))[0])[0].text


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"data":null}', b'{"data":[],"next":"http://[bad"}', b'{"a":' + b"[" * 100_000]
)
async def test_what_is_no_page_is_refused(body: bytes, one_of: OneOf, server: Any) -> None:
    server.body = body
    refused = (await take(one_of(), 1))[0].post
    assert isinstance(refused, MalformedRecord)
    assert refused.reason in {"undecodable", "invalid"}
    assert refused.value == b""


async def test_an_answer_without_end_is_cut(one_of: OneOf, server: Any) -> None:
    server.body, server.piece = b" " * 3_000_000, 100_000
    refused = (await take(one_of(max_bytes=1_000_000), 1))[0].post
    assert isinstance(refused, MalformedRecord)
    assert refused.reason == "too_long"


async def test_pages_without_end_are_left_for_the_next_poll(
    one_of: OneOf, measured: Callable[..., None], server: Any
) -> None:
    measured(*[600.0] * 60)
    source = one_of(page_size=1)
    source._clock = ManualClock(START + 60 * STEP)
    readings = await take(source, 55, f'{{"last":{{"{CODE}":"2026-11-22T05:00:00Z"}}}}')
    assert position_from(readings[-1].cursor).last == {CODE: START + 54 * STEP}
    assert "cursor" not in server.requests[50]


@pytest.mark.parametrize(("status", "seconds"), [(503, None), (429, 30.0), (400, None), (403, None)])
async def test_a_refusal_is_unavailable(status: int, seconds: float | None, one_of: OneOf, server: Any) -> None:
    server.refuse_with = [(status, {"Retry-After": "30"} if seconds else {})]
    source = one_of()
    with pytest.raises(SourceUnavailable, match=f"status {status}") as caught:
        await take(source, 1)
    assert caught.value.retry_after_secs == max(seconds or 0.0, source._poll_secs), "nobody is asked again at once"


async def test_no_redirect_is_followed_and_both_addresses_are_named(one_of: OneOf, server: Any) -> None:
    server.refuse_with = [(301, {"Location": "http://elsewhere.example/api"})]
    with pytest.raises(SourceUnavailable, match=f"{server.url}/api/.* has moved to http://elsewhere.example/api"):
        await take(one_of(), 1)
    assert len(server.answers) == 1


async def test_a_station_that_is_watched_no_longer_is_forgotten(one_of: OneOf) -> None:
    cursor = '{"last":{"Y000000001":"2026-11-22T05:00:00Z"}}'
    assert position_from((await take(one_of(), 1, cursor))[0].cursor).last == {}


def test_the_last_hour_is_bounded() -> None:
    recent = Recent()
    for second in range(10_000):
        recent.rise(START + timedelta(seconds=second), 1.0)
    assert len(recent.heights) == 240


@pytest.mark.parametrize(
    "station",
    [
        Station(code="Z9", areas=("76",), yellow_m=1.0),
        Station(code=CODE, areas=(), yellow_m=1.0),
        Station(code=CODE, areas=("Seine",), yellow_m=1.0),
        Station(code=CODE, areas=("76",)),
        Station(code=CODE, areas=("76",), yellow_m=2.0, red_m=1.0),
        Station(code=CODE, areas=("76",), rise_m_per_hour=-1.0),
    ],
)
def test_stations_that_cannot_be_watched_are_refused(station: Station, one_of: OneOf) -> None:
    with pytest.raises(SettingsError):
        one_of(station)


def test_no_station_and_one_twice_are_refused(one_of: OneOf) -> None:
    with pytest.raises(SettingsError):
        one_of(stations=())
    with pytest.raises(SettingsError):
        one_of(STATION, STATION)


async def test_the_demo_can_be_read(
    wire: ModuleType, one_of: OneOf, unused_port: int, witness: Any, broker: Any, until: Any
) -> None:
    demo = asyncio.create_task(wire.serve_demo(unused_port))
    cursors = ForgetfulCursors()
    clock = ManualClock(datetime.now(UTC))
    source = one_of(base_url=f"http://127.0.0.1:{unused_port}", poll_secs=0.05)
    source._clock = clock
    reader = asyncio.create_task(
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
    await until(lambda: bool(position_from(cursors.load("hubeau")).last))
    for task in (reader, demo):
        task.cancel()
    await asyncio.wait({reader, demo})
