"""Numbers: each is given out once, in the order of the writers, whatever is deleted or filled again."""

from typing import Literal

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.tables import counter

Series = Literal["change", "evidence"]
"""`change`: of all changes of incidents; `evidence`: of the words of posts."""


async def numbers(connection: AsyncConnection, series: Series, count: int) -> range:
    """Return the next numbers, within a transaction that writes."""
    if not count:
        return range(0)
    given = await connection.execute(
        update(counter).where(counter.c.name == series).values(last=counter.c.last + count).returning(counter.c.last)
    )
    last = given.scalar_one_or_none()
    if last is None:
        last = count
        await connection.execute(insert(counter).values(name=series, last=last))
    return range(last - count + 1, last + 1)


async def last_number(connection: AsyncConnection, series: Series) -> int:
    """Return the last number that was given out; 0 before the first."""
    return await connection.scalar(select(counter.c.last).where(counter.c.name == series)) or 0
