"""The tables: migrations bring any database to the shape that the program expects."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from console.archive.database import address_from, opened, tried, writing
from console.archive.tables import metadata
from records import SettingsError


async def test_migrations_give_the_shape_that_the_program_expects(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_of_a_later_version_is_refused_and_left_alone(engine: AsyncEngine, database: str) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (opened, tried):
        with pytest.raises(SettingsError, match=r"database: has the shape of a later version of Vigie \(9999\); run"):
            await attempt(address_from(database))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


async def test_to_try_a_database_leaves_it_as_it_is(database: str) -> None:
    plain = create_async_engine(address_from(database))
    async with plain.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.execute(text("DROP TABLE alembic_version"))
    await tried(address_from(database))
    async with plain.connect() as connection:
        assert await connection.run_sync(lambda found: inspect(found).get_table_names()) == []
    await plain.dispose()


def test_a_new_archive_in_a_file_is_for_nobody_else_to_read(sqlite_engine: AsyncEngine) -> None:
    assert Path(str(sqlite_engine.url.database)).stat().st_mode & 0o077 == 0
