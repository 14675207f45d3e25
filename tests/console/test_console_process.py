"""The console's process: what people decide arrives, whatever dies meanwhile: it, its broker, or both."""

import asyncio
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit
from console.archive.database import address_from, opened
from records import Alert, Verdict, encode
from tests.console.console_process import Console
from tests.console.made import INCIDENT
from vigie.broker import EmbeddedBroker, free_port

pytestmark = pytest.mark.broker
MakesAlert = Callable[..., Alert]

FEW, MANY = (50, {"sqlite": 2, "postgresql": 1}), (200, {"sqlite": 10, "postgresql": 3})
"""Decisions, and kills by database."""
WITHIN_SECS = 40.0


@asynccontextmanager
async def acting(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {await console.token()}"}
    async with httpx.AsyncClient(base_url=console.address, headers=headers, timeout=30) as client:
        yield client


async def note(client: httpx.AsyncClient, number: int) -> str | None:
    """Write a note, as a form that may be sent again; return its id, None where nobody knows whether it arrived."""
    said = {"decision": "note", "reason": f"note {number}", "nonce": f"nonce-{number}"}
    try:
        answer = await client.post(f"/api/incidents/{INCIDENT}/decisions", json=said)
    except httpx.TransportError:
        return None
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WITHIN_SECS):
        while not await holds():  # noqa: ASYNC110  other processes set no event
            await asyncio.sleep(0.1)


async def all_handed_on(console: Console) -> None:
    async def holds() -> bool:
        return not (await console.kept()).waiting

    await until(holds)


async def shows(client: httpx.AsyncClient, revision: int) -> None:
    async def holds() -> bool:
        answer = await client.get(f"/api/incidents/{INCIDENT}")
        return answer.status_code == 200 and answer.json()["incident"]["revision"] == revision

    await until(holds)


@pytest.mark.parametrize(
    ("decisions", "times"), [FEW, pytest.param(*MANY, marks=pytest.mark.long)], ids=["a few times", "often"]
)
async def test_each_decision_stands_once_wherever_the_process_is_killed(
    database: str, tmp_path: Path, alert_with: MakesAlert, decisions: int, times: dict[str, int]
) -> None:
    chance = random.Random(20120130)  # noqa: S311
    kills = set(chance.sample(range(decisions), times[database.partition(":")[0]]))
    with EmbeddedBroker() as broker:
        console = Console(tmp_path, database, broker=broker.port)
        try:
            console.start()
            await console.answers(is_ready=True)
            await console.hear(alert_with(onset=datetime.now(UTC), raised_at=datetime.now(UTC)))
            async with acting(console) as client:
                await shows(client, 1)
                ids = [await _noted(console, client, one, chance if one in kills else None) for one in range(decisions)]
            await all_handed_on(console)
            decided, kept = await console.decided(), await console.kept()
        finally:
            console.stop()
    by_identity: dict[str, set[bytes]] = defaultdict(set)
    for one in decided:
        assert isinstance(one, Verdict)
        by_identity[one.identity].add(encode(one))
    assert len(set(ids)) == decisions
    assert by_identity.keys() == set(ids)
    assert all(len(said) == 1 for said in by_identity.values())  # said again, it says the same
    assert sorted(kept.decisions) == sorted(kept.audited) == sorted(ids)
    assert await _holds(database)


async def _noted(console: Console, client: httpx.AsyncClient, number: int, kills: random.Random | None) -> str:
    """Write a note, however often it takes; where that is wanted, kill the process at some moment of it."""
    if kills is not None:
        sending = asyncio.create_task(note(client, number))
        await asyncio.sleep(kills.uniform(0.0, 0.06))
        console.kill()
        await sending
        console.start()
        await console.answers()
    found = await note(client, number)
    assert found is not None, console.said
    return found


async def _has(console: Console, decisions: int) -> bool:
    return len(await console.decided()) >= decisions


async def _holds(database: str) -> bool:
    engine: AsyncEngine = await opened(address_from(database))
    try:
        return await audit.broken_at(engine) is None
    finally:
        await engine.dispose()


async def test_what_is_decided_while_the_broker_is_away_arrives_once_when_there_is_a_fresh_one(
    tmp_path: Path, alert_with: MakesAlert
) -> None:
    port, database = free_port(), f"sqlite:///{tmp_path / 'console.sqlite'}"
    console = Console(tmp_path, database, broker=port)
    broker = EmbeddedBroker(port=port)
    try:
        broker.start()
        console.start()
        await console.answers(is_ready=True)
        await console.hear(alert_with(onset=datetime.now(UTC), raised_at=datetime.now(UTC)))
        async with acting(console) as client:
            await shows(client, 1)
            before = await note(client, 1)
            await all_handed_on(console)
            broker.stop()
            meanwhile = [await note(client, number) for number in range(2, 6)]
            console.kill()
            console.start()
            await console.answers()
            meanwhile += [await note(client, number) for number in range(6, 9)]
            broker.start()
            console.tell(signal.SIGHUP)  # as the supervisor does
            await all_handed_on(console)
            await console.answers(is_ready=True)
            await until(lambda: _has(console, len(meanwhile) + 1))
            decided, kept = await console.decided(), await console.kept()
            await console.hear(alert_with(revision=2, onset=datetime.now(UTC), raised_at=datetime.now(UTC)))
            await shows(client, 2)
    finally:
        console.stop()
        broker.stop()
    said = [one.identity for one in decided if isinstance(one, Verdict)]
    ids = sorted(one for one in (before, *meanwhile) if one is not None)
    assert len(ids) == 8
    assert sorted(said) == ids  # what the broker that died had is on the fresh one, too
    assert sorted(kept.decisions) == sorted(kept.audited) == ids


async def test_metrics_stand_beside_the_pages(tmp_path: Path) -> None:
    port = free_port()
    with EmbeddedBroker() as broker:
        console = Console(tmp_path, f"sqlite:///{tmp_path / 'console.sqlite'}", broker=broker.port, metrics=port)
        try:
            console.start()
            await console.answers()
            async with httpx.AsyncClient() as client:
                said = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                assert (await client.get(f"{console.address}/metrics")).status_code == 404
            assert "# HELP vigie_drift_warnings" in said
            assert "vigie_console_viewers 0.0" in said
            assert "vigie_recording_lost 0.0" in said
            assert "vigie_read_total" not in said, "that is the edge's"
        finally:
            console.kill()
