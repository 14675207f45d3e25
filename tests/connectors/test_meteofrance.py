"""Météo-France's vigilance against a local server of the real API."""

import asyncio
import json
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
from connectors.sources.meteofrance import MeteoFrance
from connectors.sources.polling import position_from
from records import Bulletin, MalformedRecord, ManualClock, SettingsError, SourceUnavailable

ISSUED = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.0, linger_secs=0.001)
HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
OneOf = Callable[..., MeteoFrance]


@pytest.fixture
def wire(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("servers/meteofrance.py")


@pytest.fixture
async def server(wire: ModuleType) -> AsyncIterator[Any]:
    async with wire.MeteoFrance([wire.domain("76"), wire.domain("7610")], ISSUED).running() as running:
        yield running


@pytest.fixture
def one_of(server: Any, clock: ManualClock, witness: Any) -> OneOf:
    def one_of(**more: Any) -> MeteoFrance:
        settings = {"areas": ["76"], "api_key": "a-key", "poll_secs": 0.0, "base_url": server.url, **more}
        return MeteoFrance(clock=clock, observer=witness, **settings)

    return one_of


@pytest.fixture
def source(one_of: OneOf) -> MeteoFrance:
    return one_of()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def take(source: MeteoFrance, count: int, after: str | None = None) -> list[Reading]:
    readings = []
    async with aclosing(source.read(after)) as found, asyncio.timeout(5):
        async for reading in found:
            readings.append(reading)
            if len(readings) == count:
                break
    return readings


async def first(source: MeteoFrance, after: str | None = None) -> Reading:
    return (await take(source, 1, after))[0]


def told(reading: Reading) -> list[Bulletin]:
    found = [reading.post, *reading.also]
    assert all(isinstance(one, Bulletin) for one in found)
    return [one for one in found if isinstance(one, Bulletin)]


async def test_a_green_map_is_a_sign_of_life(source: MeteoFrance, server: Any) -> None:
    assert [reading.post for reading in await take(source, 2)] == [None, None]
    assert server.answers == [200, 304]
    target, headers = server.requests[0]
    assert target == "/public/DPVigilance/v1/cartevigilance/encours"
    assert headers["apikey"] == "a-key"


async def test_a_phenomenon_becomes_a_bulletin(source: MeteoFrance, server: Any, wire: ModuleType) -> None:
    spans = ((ISSUED, ISSUED + 3 * HOUR, 2), (ISSUED + 3 * HOUR, ISSUED + 9 * HOUR, 3))
    server.today = [wire.domain("76", wire.phenomenon("2", 3, *spans))]
    (bulletin,) = told(await first(source))
    assert bulletin.bulletin_id == "meteofrance:76-2:76:2026-11-22T06:00:00Z"
    assert (bulletin.kind, bulletin.hazard, bulletin.colour) == ("vigilance", "flood", "orange")
    assert (bulletin.starts_at, bulletin.ends_at) == (ISSUED + 3 * HOUR, ISSUED + 9 * HOUR)
    assert bulletin.text == (
        "Vigilance Météo-France pluie-inondation, 76 : orange. "
        "jaune du 22/11 07h00 au 22/11 10h00 ; orange du 22/11 10h00 au 22/11 16h00"
    )


@pytest.mark.parametrize(
    ("number", "hazard"), [("1", "other"), ("2", "flood"), ("3", "other"), ("4", "flood"), ("9", "flood"), (2, "flood")]
)
async def test_what_bears_on_our_hazards(
    number: Any, hazard: str | None, source: MeteoFrance, server: Any, wire: ModuleType
) -> None:
    server.today = [wire.domain("76", wire.phenomenon(number, 2))]
    (bulletin,) = told(await first(source))
    assert (bulletin.hazard, bulletin.colour) == (hazard, "yellow")


@pytest.mark.parametrize("number", ["5", "6", "7", "8", "10"])
async def test_snow_heat_cold_and_avalanches_are_left_out(
    number: str, source: MeteoFrance, server: Any, wire: ModuleType
) -> None:
    server.today = [wire.domain("76", wire.phenomenon(number, 4))]
    assert (await first(source)).post is None


async def test_floods_of_rivers_have_no_intervals_and_hold_for_the_day(
    source: MeteoFrance, server: Any, wire: ModuleType
) -> None:
    server.today = [wire.domain("76", wire.phenomenon("4", 1))]
    server.tomorrow = [wire.domain("76", wire.phenomenon("4", "3"))]
    (bulletin,) = told(await first(source))
    assert (bulletin.colour, bulletin.starts_at, bulletin.ends_at) == ("orange", MIDNIGHT, MIDNIGHT + 24 * HOUR)


async def test_the_coast_belongs_to_its_departement(source: MeteoFrance, server: Any, wire: ModuleType) -> None:
    server.today = [wire.domain("76"), wire.domain("7610", wire.phenomenon("9", 3)), wire.domain("1410")]
    (bulletin,) = told(await first(source))
    assert (bulletin.area, bulletin.hazard) == ("76", "flood")
    assert bulletin.text.startswith("Vigilance Météo-France vagues-submersion, littoral du 76 : orange.")


async def test_other_departements_are_none_of_ours(source: MeteoFrance, server: Any, wire: ModuleType) -> None:
    server.today += [wire.domain("27", wire.phenomenon("2", 4)), wire.domain("FRA", wire.phenomenon("2", 4))]
    assert (await first(source)).post is None


async def test_what_is_over_gives_way_to_what_follows(
    source: MeteoFrance, server: Any, wire: ModuleType, clock: ManualClock
) -> None:
    spans = ((ISSUED, ISSUED + 2 * HOUR, 3), (ISSUED + 2 * HOUR, ISSUED + 4 * HOUR, 2))
    server.today = [wire.domain("76", wire.phenomenon("2", 3, *spans))]
    before = await first(source)
    clock.advance(1.5 * HOUR)
    between = await first(source, before.cursor)
    clock.advance(2 * HOUR)
    after = await first(source, between.cursor)
    assert [[one.colour for one in told(reading)] for reading in (before, between, after)] == [
        ["orange"],
        ["yellow"],
        ["green"],
    ]
    ids = {one.bulletin_id for reading in (before, between, after) for one in told(reading)}
    assert len(ids) == 1, "of one issue: each takes the place of the one before"


async def test_a_later_end_is_news_and_a_beginning_that_passed_is_none(
    source: MeteoFrance, server: Any, wire: ModuleType, clock: ManualClock
) -> None:
    server.today = [wire.domain("76", wire.phenomenon("2", 2, (ISSUED, ISSUED + 5 * HOUR, 2)))]
    before = await first(source)
    clock.advance(HOUR)
    server.issued_at = clock.now()
    server.today = [wire.domain("76", wire.phenomenon("2", 2, (clock.now(), ISSUED + 5 * HOUR, 2)))]
    same = await first(source, before.cursor)
    assert same.post is None
    server.today = [wire.domain("76", wire.phenomenon("2", 2, (clock.now(), ISSUED + 8 * HOUR, 2)))]
    longer, ended = told(await first(source, same.cursor))
    assert longer.ends_at == ISSUED + 8 * HOUR
    assert (ended.bulletin_id, ended.ends_at) == (told(before)[0].bulletin_id, clock.now())


async def test_a_beginning_that_moves_is_news(source: MeteoFrance, server: Any, wire: ModuleType) -> None:
    end = ISSUED + 9 * HOUR
    server.today = [wire.domain("76", wire.phenomenon("2", 2, (ISSUED + 4 * HOUR, end, 2)))]
    before = await first(source)
    server.today = [wire.domain("76", wire.phenomenon("2", 2, (ISSUED + 3 * HOUR, end, 2)))]
    (earlier,) = told(await first(source, before.cursor))
    assert earlier.starts_at == ISSUED + 3 * HOUR
    assert earlier.bulletin_id == told(before)[0].bulletin_id, "of the same issue"


async def test_green_ends_it(source: MeteoFrance, server: Any, wire: ModuleType, clock: ManualClock) -> None:
    server.today = [wire.domain("76", wire.phenomenon("3", 3))]
    before = await first(source)
    clock.advance(HOUR)
    server.today, server.issued_at = [wire.domain("76", wire.phenomenon("3", 1))], clock.now()
    after = await first(source, before.cursor)
    green, ended = told(after)
    assert (green.colour, ended.colour, ended.ends_at) == ("green", "orange", clock.now())
    assert (await first(source, after.cursor)).post is None


async def test_a_phenomenon_that_is_not_assessed_is_not_green(
    source: MeteoFrance, server: Any, wire: ModuleType, clock: ManualClock
) -> None:
    server.today = [wire.domain("76", wire.phenomenon("3", 3))]
    before = await first(source)
    server.today, server.issued_at = [wire.domain("76")], clock.now()
    after = await first(source, before.cursor)
    assert after.post is None
    assert position_from(after.cursor).held == position_from(before.cursor).held


async def test_what_forecasters_wrote_goes_with_it(source: MeteoFrance, server: Any, wire: ModuleType) -> None:
    server.today = [wire.domain("76", wire.phenomenon("2", 3), wire.phenomenon("3", 2))]
    server.blocs = [
        wire.bloc("FRA", None, "Ailleurs."),
        wire.bloc("76", "2", "De fortes  pluies", "sur le relief."),
        wire.bloc("76", None, "Soyez prudents."),
    ]
    rain, storms = [told(reading)[0].text for reading in await take(source, 2)]
    assert rain.endswith(". De fortes pluies sur le relief.")
    assert storms.endswith(". Soyez prudents.")


async def test_texts_are_asked_for_only_when_a_colour_is_up(source: MeteoFrance, server: Any, one_of: OneOf) -> None:
    await take(source, 2)
    assert len(server.requests) == 2
    await first(one_of(with_texts=False))
    assert all("textes" not in target for target, _ in server.requests)


async def test_without_texts_the_map_is_told(source: MeteoFrance, server: Any, wire: ModuleType) -> None:
    server.today, server.refuse_texts = [wire.domain("76", wire.phenomenon("2", 3))], True
    assert told(await first(source))[0].colour == "orange"


@pytest.mark.parametrize("body", [b"{", b'{"product":{}}', b'{"product":{"text_bloc_items":[{"domain_id":7}]}}'])
async def test_texts_that_cannot_be_read_are_refused_and_the_map_is_told(
    body: bytes, source: MeteoFrance, server: Any, wire: ModuleType
) -> None:
    server.today, server.texts_body = [wire.domain("76", wire.phenomenon("2", 3))], body
    bad, good = await take(source, 2)
    assert isinstance(bad.post, MalformedRecord)
    assert told(good)[0].colour == "orange"


async def test_a_wrong_key_is_said_and_does_not_leave(one_of: OneOf) -> None:
    with pytest.raises(SourceUnavailable, match="status 401: is the key right") as caught:
        await first(one_of(api_key="another-key"))
    assert "another-key" not in repr(caught.value)


async def test_the_key_follows_no_redirection(source: MeteoFrance, server: Any) -> None:
    server.refuse_with = [302]
    with pytest.raises(SourceUnavailable, match="status 302"):
        await first(source)
    assert len(server.requests) == 1


async def test_a_quota_says_until_when(source: MeteoFrance, server: Any) -> None:
    server.refuse_with, server.retry_after = [429], "Sun, 22 Nov 2026 07:01:00 GMT"
    with pytest.raises(SourceUnavailable, match="status 429") as caught:
        await first(source)
    assert caught.value.retry_after_secs == 60.0


@pytest.mark.parametrize("after", [0, 1, 500])
async def test_a_torn_answer_is_unavailable_and_nothing_is_lost(
    after: int, source: MeteoFrance, server: Any, wire: ModuleType
) -> None:
    server.today, server.abort_after = [wire.domain("76", wire.phenomenon("2", 3))], after
    with pytest.raises(SourceUnavailable):
        await first(source)
    server.piece = 11
    assert told(await first(source))[0].colour == "orange"


@pytest.mark.parametrize(
    "item",
    [
        {"phenomenon_id": "2", "phenomenon_max_color_id": 7, "redacteur": "paul.secretnom"},
        {"phenomenon_id": "2", "phenomenon_max_color_id": "rouge"},
        {"phenomenon_id": "2"},
        {"phenomenon_id": "2", "phenomenon_max_color_id": 3, "timelaps_items": [{"color_id": 3}]},
        {
            "phenomenon_id": "2",
            "phenomenon_max_color_id": 3,
            "timelaps_items": [
                {"begin_time": "0001-01-01T00:00:00Z", "end_time": "9999-12-31T23:00:00Z", "color_id": 3}
            ],
        },
        "orange",
    ],
)
async def test_a_bad_phenomenon_is_refused_and_the_others_are_told(
    item: Any, source: MeteoFrance, server: Any, wire: ModuleType
) -> None:
    server.today = [wire.domain("76", wire.phenomenon("3", 2))]
    server.today[0]["phenomenon_items"].append(item)
    bad, good = await take(source, 2)
    assert isinstance(bad.post, MalformedRecord)
    assert bad.post.reason == "invalid"
    assert "secretnom" not in f"{bad}"
    assert b"secretnom" not in bad.post.value
    assert told(good)[0].colour == "yellow"


async def test_a_departement_that_is_not_on_the_map_is_told(one_of: OneOf) -> None:
    reading = await first(one_of(areas=["76", "2A"]))
    assert isinstance(reading.post, MalformedRecord)
    assert "not on the map: 2A" in str(reading.post)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"product":{"update_time":"2026-11-22T06:00:00Z"}}', b"\xff\xfe"])
async def test_what_is_no_map_is_refused(body: bytes, source: MeteoFrance, server: Any) -> None:
    server.body = body
    refused = (await first(source)).post
    assert isinstance(refused, MalformedRecord)
    assert refused.value == b""


async def test_a_map_of_too_many_domains_is_too_long(source: MeteoFrance, server: Any) -> None:
    told_map = json.loads(server.document())
    told_map["product"]["periods"][0]["timelaps"]["domain_ids"] = [1] * 2001
    server.body = json.dumps(told_map).encode()
    refused = (await first(source)).post
    assert isinstance(refused, MalformedRecord)
    assert refused.reason == "too_long"


@pytest.mark.parametrize(
    "settings",
    [{"areas": []}, {"areas": "76"}, {"areas": ["971"]}, {"areas": ["Eure"]}, {"api_key": ""}, {"api_key": "a\nb"}],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], one_of: OneOf) -> None:
    with pytest.raises(SettingsError):
        one_of(**settings)


async def test_the_demo_can_be_read(
    wire: ModuleType, one_of: OneOf, unused_port: int, witness: Any, broker: Any, until: Any
) -> None:
    demo = asyncio.create_task(wire.serve_demo(unused_port))
    clock = ManualClock(datetime.now(UTC))
    source = one_of(base_url=f"http://127.0.0.1:{unused_port}", api_key="demo", poll_secs=0.05)
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
