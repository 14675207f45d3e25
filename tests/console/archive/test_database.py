"""The database: one writer at a time, whoever else reads or waits."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive import tables
from console.archive.database import address_from, opened, parts, writing
from records import SettingsError

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


async def test_an_archive_of_a_later_version_is_refused_saying_what_would_do(database: str) -> None:
    engine = await opened(address_from(database))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(SettingsError, match=r"console\.database: .*later version of Vigie .*; run that one, or put"):
        await opened(address_from(database))


async def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database\n" * 500, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"console\.database: .*notes\.txt: file is not a database"):
        await opened(address_from(f"sqlite:///{tmp_path / 'notes.txt'}"))


async def test_what_cannot_be_written_is_not_told_with_its_words(engine: AsyncEngine) -> None:
    without_zone = datetime(2012, 1, 30)
    unfit = insert(tables.tombstone).values(name="Des mots que personne ne doit lire", at=without_zone, unless="")
    async with writing(engine) as connection:
        with pytest.raises(StatementError, match="a moment without a zone") as refused:
            await connection.execute(unfit)
    assert "Des mots" not in str(refused.value)
