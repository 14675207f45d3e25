"""The audit: a chain without gap or fork, and whatever is done to it later shows, with its place."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import audit
from console.archive.database import address_from, opened, writing
from console.archive.tables import audit as table
from tests.console.made import minutes


async def write(engine: AsyncEngine, actor: str = "astreinte", **fields: Any) -> None:
    given: dict[str, Any] = {"action": "confirm", "object_": "fire-1", "detail": {}, "at": minutes(0)}
    async with writing(engine) as connection:
        await audit.note(connection, actor=actor, **{**given, **fields})


async def test_what_was_written_is_read_again_newest_first(engine: AsyncEngine) -> None:
    detail = {"reason": "vu « sur place »", "weights": [1.0, 0.1, 1e-9, 2**60], "at": minutes(1), "posts": ("a", "b")}
    paris = timezone(timedelta(hours=1))
    await write(engine, detail=detail, at=datetime(2012, 1, 30, 8, 37, 0, 123456, tzinfo=paris))
    await write(engine, actor="cadre\x00", object_="\x00", action="login")
    newest, first = await audit.entries(engine)
    assert (newest.number, newest.actor, newest.previous) == (2, "cadre\N{REPLACEMENT CHARACTER}", first.hash)
    assert first.at == datetime(2012, 1, 30, 7, 37, 0, 123456, tzinfo=UTC)
    assert first.detail == {**detail, "at": "2012-01-30T07:38:00Z", "posts": ["a", "b"]}
    assert await audit.broken_at(engine) is None


async def test_twenty_at_once_from_two_processes_make_one_chain(database: str) -> None:
    engines = [await opened(address_from(database)) for _ in range(2)]
    try:
        given = [(engines[number % 2], f"who {number}", number) for number in range(20)]
        await asyncio.gather(*(write(engine, actor=who, detail={"n": number}) for engine, who, number in given))
        found = await audit.entries(engines[0])
        assert [one.number for one in found] == list(range(20, 0, -1))
        assert {one.actor for one in found} == {who for _, who, _ in given}
        assert await audit.broken_at(engines[1]) is None
    finally:
        for engine in engines:
            await engine.dispose()


async def test_what_is_not_done_is_not_noted(engine: AsyncEngine) -> None:
    async def fail() -> None:
        async with writing(engine) as connection:
            await audit.note(connection, actor="a", action="b", object_="c", detail={}, at=minutes(0))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await write(engine)
    assert [one.number for one in await audit.entries(engine)] == [1]
    assert await audit.broken_at(engine) is None


CHANGES = {
    "at": minutes(9),
    "actor": "somebody else",
    "action": "reject",
    "object": "fire-2",
    "detail": {"n": 99},
    "previous": "0" * 64,
    "hash": "0" * 64,
}


@pytest.mark.parametrize("column", CHANGES)
async def test_a_changed_line_is_found(engine: AsyncEngine, column: str) -> None:
    await _five(engine)
    await _do(engine, update(table).where(table.c.number == 3).values({column: CHANGES[column]}))
    assert await audit.broken_at(engine) == 3


async def test_a_removed_line_is_found(engine: AsyncEngine) -> None:
    await _five(engine)
    await _do(engine, delete(table).where(table.c.number == 3))
    assert await audit.broken_at(engine) == 3


async def test_a_removed_line_is_found_though_those_after_it_were_renumbered(engine: AsyncEngine) -> None:
    await _five(engine)
    await _do(engine, delete(table).where(table.c.number == 3))
    for number in (4, 5):
        await _do(engine, update(table).where(table.c.number == number).values(number=number - 1))
    assert await audit.broken_at(engine) == 3


async def test_an_inserted_line_is_found(engine: AsyncEngine) -> None:
    await _five(engine)
    async with engine.connect() as connection:
        third = (await connection.execute(select(table).where(table.c.number == 3))).one()._asdict()
    for number in (5, 4, 3):
        await _do(engine, update(table).where(table.c.number == number).values(number=number + 1))
    await _do(engine, insert(table).values({**third, "actor": "nobody"}))
    assert await audit.broken_at(engine) == 3


async def test_lines_in_another_order_are_found(engine: AsyncEngine) -> None:
    await _five(engine)
    for old, new in ((3, 99), (4, 3), (99, 4)):
        await _do(engine, update(table).where(table.c.number == old).values(number=new))
    assert await audit.broken_at(engine) == 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, [5, 4, 3, 2, 1], id="all"),
        pytest.param({"most": 2}, [5, 4], id="a page"),
        pytest.param({"most": 2, "before": 4}, [3, 2], id="the next page"),
        pytest.param({"actor": "who 2"}, [2], id="of somebody"),
        pytest.param({"object_": "fire-4"}, [4], id="on something"),
        pytest.param({"action": "reject"}, [], id="of a kind"),
        pytest.param({"since": minutes(4)}, [5, 4], id="since"),
        pytest.param({"until": minutes(2)}, [1], id="until"),
        pytest.param({"actor": "' OR 1=1 --"}, [], id="hostile"),
    ],
)
async def test_entries(sqlite_engine: AsyncEngine, asked: dict[str, Any], expected: list[int]) -> None:
    await _five(sqlite_engine)
    assert [one.number for one in await audit.entries(sqlite_engine, **asked)] == expected


async def _five(engine: AsyncEngine) -> None:
    for number in range(1, 6):
        await write(engine, f"who {number}", object_=f"fire-{number}", detail={"n": number}, at=minutes(number))


async def _do(engine: AsyncEngine, statement: Any) -> None:
    async with writing(engine) as connection:
        await connection.execute(statement)
