"""The stream: what changes reaches who looks, whole and once, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from httpx_sse import ServerSentEvent, aconnect_sse
from starlette.middleware import Middleware

from console.access.visitor import Visitor
from console.application import application
from console.archive import looking
from console.archive.taking import take
from console.desk import Desk
from console.live import telling, viewers
from console.live.frames import frame
from console.pages import live
from records import Retraction, Signal
from tests.console.chromium import serving
from tests.console.conftest import As
from tests.console.made import INCIDENT, a_retraction, a_signal, a_status, a_verdict, an_alert, minutes

Told = AsyncIterator[ServerSentEvent]


@pytest_asyncio.fixture(loop_scope="module")
async def address(desk: Desk) -> AsyncIterator[str]:
    """Serve the console to a viewer who reads French."""
    visitor = Visitor(account_id="wall", name="mur", role="viewer", language="fr")
    async with serving(application(desk, [Middleware(As, visitor=visitor)])) as found:
        yield found
        await desk.viewers.close()


@asynccontextmanager
async def looking_on(address: str, **headers: str) -> AsyncIterator[Told]:
    async with (
        httpx.AsyncClient(base_url=address, timeout=20) as client,
        aconnect_sse(client, "GET", "/live", headers=headers) as source,
    ):
        yield source.aiter_sse()


async def until(told: Told, kind: str) -> dict[str, Any]:
    """Return what the next event of a kind says."""
    async for event in told:
        if event.event == kind:
            found: dict[str, Any] = json.loads(event.data)
            return found
    raise AssertionError(f"the stream ended without {kind}")


async def when(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(0.01)


async def tell(desk: Desk, *records: Any) -> None:
    desk.hub.changed(*await take(desk.engine, records, desk.clock.now()))


async def test_who_looks_is_told_of_a_new_incident(address: str, desk: Desk) -> None:
    async with looking_on(address) as told:
        await until(told, "alive")
        await tell(desk, an_alert(level="alert"))
        found = await until(told, "incident")
    assert (found["id"], found["revision"], found["level"]) == (INCIDENT, 1, "alert")
    assert "Le Havre" in found["html"]
    assert "Alerte" in found["html"]
    assert found["feature"]["geometry"]["coordinates"] == [0.11, 49.49]


async def test_each_is_told_in_his_own_language(address: str, desk: Desk) -> None:
    async with looking_on(address) as french, looking_on(address, cookie="language=en") as english:
        await until(french, "alive")
        await until(english, "alive")
        await tell(desk, an_alert(level="watch"))
        assert "Veille" in (await until(french, "incident"))["html"]
        assert "Watch" in (await until(english, "incident"))["html"]


async def test_an_incident_that_is_over_leaves_list_and_map(address: str, desk: Desk) -> None:
    await tell(desk, an_alert())
    async with looking_on(address) as told:
        await until(told, "alive")
        await tell(desk, an_alert(revision=2, level="resolved"))
        found = await until(told, "incident")
    assert (found["level"], found["html"], found["feature"]) == ("resolved", "", None)


async def test_a_decision_is_told_although_it_makes_no_revision(address: str, desk: Desk) -> None:
    await tell(desk, an_alert())
    async with looking_on(address) as told:
        await until(told, "alive")
        await tell(desk, a_verdict("acknowledge", decided_by="cadre d’astreinte"))
        assert "cadre d’astreinte" in (await until(told, "incident"))["html"]


class Reader:
    """Reads the stream in pieces, as a browser does whose connection breaks again and again."""

    def __init__(self, address: str, last: int) -> None:
        self._address = address
        self._last = last  # revisions to come, of all incidents together
        self.number = 0
        self.seen: list[tuple[int, str, int]] = []

    @property
    def has_all(self) -> bool:
        return sum({incident_id: revision for _, incident_id, revision in self.seen}.values()) == self._last

    async def read(self, most: int) -> None:
        """Read so many incidents at most, then cut."""
        until = len(self.seen) + most
        async with looking_on(self._address, **{"Last-Event-ID": str(self.number)}) as told:
            async for event in told:
                self.number = int(event.id or self.number)
                if event.event == "incident":
                    said = json.loads(event.data)
                    self.seen.append((self.number, said["id"], said["revision"]))
                if self.has_all or len(self.seen) == until:
                    return


async def test_nothing_is_lost_or_doubled_when_the_connection_is_cut_in_mid_burst(
    address: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PAUSE", 0.01)
    incidents, revisions = 8, 25

    async def burst() -> None:
        for revision in range(1, revisions + 1):
            for incident in range(incidents):
                await tell(desk, an_alert(incident_id=f"fire-{incident:016x}", revision=revision))

    reader, cuts = Reader(address, incidents * revisions), 0
    writing = asyncio.create_task(burst())
    async with asyncio.timeout(60):
        while not reader.has_all:
            await reader.read(most=7)
            cuts += 1
    await writing
    numbers = [number for number, _, _ in reader.seen]
    assert numbers == sorted(set(numbers)), "told twice, or in another order"
    assert len({(incident_id, revision) for _, incident_id, revision in reader.seen}) == len(reader.seen)
    assert cuts > 5


async def test_who_comes_late_gets_no_more_than_what_he_missed(address: str, desk: Desk) -> None:
    await tell(desk, an_alert(incident_id="fire-1"))
    number = await looking.last_sequence(desk.engine)
    await tell(desk, an_alert(incident_id="fire-2"))
    async with looking_on(address, **{"Last-Event-ID": str(number)}) as told:
        kinds = []
        async for event in told:
            kinds.append((event.event, json.loads(event.data).get("id")))
            if event.event == "alive":
                break
    assert [one for one in kinds if one[0] == "incident"] == [("incident", "fire-2")]


async def test_who_knew_another_archive_loads_anew(address: str) -> None:
    async with looking_on(address, **{"Last-Event-ID": "999"}) as told:
        assert [event.event async for event in told] == ["reload"]


@pytest.mark.parametrize("said", ["", "-1", "1e3", "٣", "9" * 40, "1-2"])
async def test_a_number_that_is_none_begins_now(address: str, desk: Desk, said: str) -> None:
    await tell(desk, an_alert())
    async with (
        httpx.AsyncClient(base_url=address, params={"after": said}) as client,
        aconnect_sse(client, "GET", "/live") as source,
    ):
        async for event in source.aiter_sse():
            assert event.event != "incident"
            if event.event == "alive":
                break


async def test_there_is_a_sign_of_life_although_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LOOK", 0.01)
    monkeypatch.setattr(telling, "PAUSE", 0.01)
    monkeypatch.setattr(telling, "ALIVE", 0.05)
    async with looking_on(address) as told:
        for _ in range(3):
            await until(told, "alive")


async def test_a_source_that_is_lost_is_told_at_once(address: str, desk: Desk) -> None:
    await tell(desk, a_status(at=minutes(0)))
    async with looking_on(address) as told:
        assert (await until(told, "listening"))["blind"] is False
        await tell(desk, a_status(state="blind", at=minutes(1), since=minutes(1), why="HTTP 503"))
        found = await until(told, "listening")
    assert found["blind"] is True
    assert "AVEUGLE" in found["html"]


async def test_words_that_are_taken_back_are_told_to_go(address: str, desk: Desk) -> None:
    def feed(*records: Signal | Retraction) -> None:
        desk.hub.changed(*desk.feed.take(records, desk.clock.now()))

    async with looking_on(address) as told:
        assert (await until(told, "feed")) == {"whole": True, "lines": [], "gone": []}
        feed(a_signal(1, text="<b>de la fumée</b>"))
        (line,) = (await until(told, "feed"))["lines"]
        assert "&lt;b&gt;de la fumée" in line["html"]
        feed(a_retraction("facebook:e0001"))
        assert (await until(told, "feed")) == {"whole": False, "lines": [], "gone": [line["id"]]}


async def test_a_stream_asks_the_browser_back_before_its_rights_are_old(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST", 0.05)
    async with looking_on(address) as told:
        kinds = [event.event async for event in told]
    assert kinds[-1] == "again"


async def test_when_nobody_looks_nothing_is_looked_up(address: str, desk: Desk) -> None:
    async with looking_on(address) as told:
        await until(told, "alive")
        await when(lambda: len(desk.hub._listeners) == 1)
    await when(lambda: len(desk.viewers) == 0 and not desk.hub._listeners)
    async with looking_on(address) as told:
        await until(told, "alive")
        await tell(desk, an_alert())
        await until(told, "incident")


async def test_when_nobody_can_be_told_everybody_is_let_go(
    address: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with looking_on(address) as told:
        await until(told, "alive")
        with monkeypatch.context() as broken:

            async def fails(*_: Any) -> list[Any]:
                raise OSError("the archive is gone")

            broken.setattr(looking, "sources", fails)
            desk.hub.changed(*await take(desk.engine, [an_alert()], desk.clock.now()))
            assert [event.event async for event in told] == []
    async with looking_on(address) as told:
        await until(told, "alive")


async def test_the_process_can_let_everybody_go(address: str, desk: Desk) -> None:
    async with looking_on(address) as told:
        await until(told, "alive")
        await desk.viewers.close()
        assert [event.event async for event in told] == []
    assert not desk.hub._listeners


async def test_a_viewer_who_cannot_keep_up_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "MOST_WAITING", 2)
    everybody = viewers.Viewers()
    with everybody.viewing("fr") as slow, everybody.viewing("fr") as quick:
        for number in range(3):
            everybody.tell({"fr": b"%d" % number}, number)
            assert await quick.next() == b"%d" % number
        assert await slow.next() is None
        assert len(everybody) == 1


async def test_asking_for_the_head_of_a_stream_ends(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        answer = await client.head("/live")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_a_revision_is_worded_on_one_line() -> None:
    said = frame("incident", {"html": "a\nb\r\n\u2028"}, 7)
    assert said.count(b"\n") == 4
    assert b"\r" not in said
