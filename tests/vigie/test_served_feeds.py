"""Folders and feeds as receivers: made from the settings, kept up beside the outbox, served where a port is given."""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from connectors.sinks.cap import CapFolder
from connectors.sinks.contract import TryLater, UnobservedSinks
from connectors.sinks.feeds import GEOJSON, Feeds
from connectors.sinks.upkeep import UpkeptOutbox
from records import Alert, ManualClock, SettingsError, decode
from vigie import served_feeds
from vigie.receiver_assembly import sink_from
from vigie.served_feeds import ServedFeeds
from vigie.settings import Settings

GOLDEN = (Path(__file__).parents[1] / "golden" / "alert.json").read_bytes()
ALERT = decode(GOLDEN, Alert)
CAP = '[[receivers]]\nkind = "cap"\nfolder = "cap"\nbase_url = "https://v.example/cap"\nsender = "vigie@v.example"\n'
FEEDS = '[[receivers]]\nkind = "feeds"\nfolder = "feeds"\n'

Loads = Callable[[str], Settings]


class Told(UnobservedSinks):
    """An observer that counts."""

    def __init__(self) -> None:
        self.sent_to: Counter[str] = Counter()
        self.later: list[str] = []

    def sent(self, receiver: str, *, after_secs: Sequence[float]) -> None:
        self.sent_to[receiver] += 1

    def put_off(self, receiver: str, error: TryLater, *, retry_secs: float) -> None:
        self.later.append(str(error))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(ALERT.raised_at)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free: int = server.getsockname()[1]
    return free


async def told_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  what is waited for does not know of us
            await asyncio.sleep(0.01)


def test_the_settings_make_what_they_say(loaded: Loads, clock: ManualClock, tmp_path: Path, port: int) -> None:
    settings = loaded(f'{CAP}{FEEDS}{FEEDS}name = "served"\nport = {port}\n')
    cap, feeds, served = (sink_from(receiver, settings, clock) for receiver in settings.receivers)
    assert isinstance(cap, CapFolder)
    assert isinstance(feeds, Feeds)
    assert isinstance(served, ServedFeeds)
    assert (cap.name, feeds.name, served.name) == ("cap", "feeds", "served")
    assert (tmp_path / "feeds" / GEOJSON).is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told_by_its_setting(
    loaded: Loads, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "feeds").mkdir(mode=0o500)
    settings = loaded(FEEDS)
    with pytest.raises(SettingsError, match=r"receivers\.feeds\.folder: cannot write to .*; give a folder"):
        sink_from(settings.receivers[0], settings, clock)


@pytest.mark.parametrize("receiver", [CAP, FEEDS])
def test_a_file_in_place_of_a_folder_is_told_by_its_setting(
    receiver: str, loaded: Loads, clock: ManualClock, tmp_path: Path
) -> None:
    for name in ("cap", "feeds"):
        (tmp_path / name).touch()
    settings = loaded(receiver)
    with pytest.raises(SettingsError, match=r"receivers\.(cap|feeds)\.folder: cannot write to .*; give a folder"):
        sink_from(settings.receivers[0], settings, clock)


async def test_an_outbox_serves_what_it_tells_and_lets_go_when_it_is_stopped(
    loaded: Loads, clock: ManualClock, tmp_path: Path, port: int
) -> None:
    settings = loaded(f"{CAP}{FEEDS}port = {port}\n")
    told = Told()
    sinks = [sink_from(receiver, settings, clock) for receiver in settings.receivers]
    outbox = UpkeptOutbox(tmp_path / "outbox.sqlite", sinks, clock=clock, observer=told)
    await outbox.enqueue([ALERT])
    running = asyncio.create_task(outbox.run(look_every_secs=0.01))
    await told_until(lambda: told.sent_to.total() == 2)
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/{GEOJSON}")
    assert [feature["id"] for feature in answer.json()["features"]] == [ALERT.incident_id]
    running.cancel()
    await asyncio.wait({running})
    outbox.close()
    with socket.create_server(("127.0.0.1", port)):  # free again
        pass
    assert told.later == []


async def test_an_address_that_is_taken_costs_the_serving_and_not_the_feeds(
    loaded: Loads, clock: ManualClock, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_feeds, "TRY_AGAIN_SECS", 0.01)
    settings = loaded(f"{FEEDS}port = {port}\n")
    sink = sink_from(settings.receivers[0], settings, clock)
    assert isinstance(sink, ServedFeeds)
    told = Told()
    with socket.create_server(("127.0.0.1", port)):
        await sink.keep_up(told)
    assert told.later[0].startswith(f"receivers.feeds: cannot listen on 127.0.0.1:{port}: ")
    await sink.send(ALERT)
    assert ALERT.incident_id in (tmp_path / "feeds" / GEOJSON).read_text()


async def test_what_is_over_leaves_without_news(loaded: Loads, clock: ManualClock, tmp_path: Path) -> None:
    settings = loaded(f"{CAP}keep_days = 2\n{FEEDS}")
    cap, feeds = (sink_from(receiver, settings, clock) for receiver in settings.receivers)
    assert isinstance(cap, CapFolder)
    assert isinstance(feeds, Feeds)
    rejected = msgspec.structs.replace(ALERT, revision=ALERT.revision + 1, level="rejected")
    for sink in (cap, feeds):
        await sink.send(ALERT)
        await sink.send(rejected)
    clock.advance(timedelta(days=2, hours=1))
    for sink in (cap, feeds):
        await sink.keep_up(Told())
    assert list((tmp_path / "cap").glob("*.xml")) == []
    assert ALERT.incident_id not in (tmp_path / "feeds" / GEOJSON).read_text()
