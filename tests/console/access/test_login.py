"""Coming in and going out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.accounts import accounts, first_admin
from console.access.doors import Doors
from console.archive.tables import audit, session
from console.desk import Desk
from records import ManualClock

from tests.console.conftest import PASSWORD, csrf_of


async def test_the_first_start_makes_an_admin_who_must_choose_a_password(
    desk: Desk, entered: Callable[..., Any], log_in: Callable[..., Any]
) -> None:
    given = await first_admin(desk.engine, desk.clock.now())
    assert given
    async with entered() as client:
        await log_in(client, "admin", given)
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/password")
        assert (await client.get("/accounts")).headers["location"] == "/password"
        page = await client.get("/password")
        fields = {"csrf": csrf_of(page), "old": given, "new": PASSWORD, "again": PASSWORD}
        await client.post("/password", data=fields)
        assert (await client.get("/")).status_code == 200


async def test_a_second_start_makes_none(desk: Desk) -> None:
    assert await first_admin(desk.engine, desk.clock.now())
    assert await first_admin(desk.engine, desk.clock.now()) is None
    assert [one.name for one in await accounts(desk.engine)] == ["admin"]


async def test_both_databases_make_the_first_admin(engine: AsyncEngine, clock: ManualClock) -> None:
    assert await first_admin(engine, clock.now())
    assert await first_admin(engine, clock.now()) is None


async def test_a_login_leads_back_to_where_somebody_wanted_to_go(
    entered: Callable[..., Any], account: Callable[..., Any], log_in: Callable[..., Any]
) -> None:
    await account("viewer")
    async with entered() as client:
        answer = await client.get("/?level=alert&x=1")
        assert answer.headers["location"] == "/login?next=/%3Flevel%3Dalert%26x%3D1"
        page = await client.get(answer.headers["location"])
        assert 'name="next" value="/?level=alert&amp;x=1"' in page.text
        assert (await log_in(client, "viewer", back="/?level=alert")).headers["location"] == "/?level=alert"
