"""The database: one writer at a time, whoever else reads or waits."""

import asyncio

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import tables
from console.archive.database import parts, writing

MANY = 40  # more than there are connections


async def test_who_waits_to_write_keeps_nobody_from_reading(engine: AsyncEngine) -> None:
    async with writing(engine):
        writers = [asyncio.create_task(_write(engine, f"n{number}")) for number in range(MANY)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5), engine.connect() as connection:
            assert (await connection.scalars(select(tables.counter.c.name))).all() == []
    await asyncio.gather(*writers)


async def test_writers_take_turns_in_the_order_in_which_they_came(engine: AsyncEngine) -> None:
    order: list[str] = []
    async with writing(engine):
        writers = [asyncio.create_task(_write(engine, f"n{number}", order)) for number in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*writers)
    assert order == [f"n{number}" for number in range(5)]


def test_values_in_parts_that_a_statement_can_hold() -> None:
    assert [len(part) for part in parts(range(1001))] == [500, 500, 1]
    assert list(parts([])) == []


async def _write(engine: AsyncEngine, name: str, order: list[str] | None = None) -> None:
    async with writing(engine) as connection:
        await connection.execute(insert(tables.counter).values(name=name, last=0))
        if order is not None:
            order.append(name)
