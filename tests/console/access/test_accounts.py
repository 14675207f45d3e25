"""Accounts: made, changed and ended, by whoever administers, and never the last of those."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access import accounts as of
from console.access.account_rows import Refused
from console.access.sessions import hash_of, id_of
from console.archive import audit
from console.desk import Desk
from records import ManualClock
from tests.console.entering import PASSWORD, actions, csrf_of, post

Made = Callable[..., Any]


async def test_an_account_is_made_with_a_password_shown_once(
    desk: Desk, entered: Made, account: Made, log_in: Made
) -> None:
    await account("admin")
    async with entered() as client, entered() as new:
        await log_in(client, "admin")
        answer = await post(client, "/accounts", "/accounts", name="Permanence SDIS", role="operator")
        assert answer.status_code == 200
        password = answer.text.split("<code>")[1].split("</code>")[0]
        assert password not in (await client.get("/accounts")).text
        assert (await log_in(new, "permanence sdis", password)).status_code == 303
        assert (await new.get("/")).headers["location"] == "/password"
    assert ("admin", "account_made") in await actions(desk.engine)


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 65, "a\u202eb", "a\u200bb", "ADMIN", " admin ", "ａｄｍｉｎ", "line\nline\x07"],
    ids=["empty", "blank", "long", "reversing", "unseen", "taken", "spaced", "wide", "bell"],
)
async def test_a_name_that_could_be_taken_for_another_is_refused(
    entered: Made, account: Made, log_in: Made, name: str
) -> None:
    await account("admin")
    async with entered() as client:
        await log_in(client, "admin")
        answer = await post(client, "/accounts", "/accounts", name=name, role="viewer")
        assert answer.status_code == 422
        assert '<a href="#name">' in answer.text
        assert 'aria-invalid="true"' in answer.text


async def test_a_role_that_is_none_is_refused(entered: Made, account: Made, log_in: Made) -> None:
    await account("admin")
    async with entered() as client:
        await log_in(client, "admin")
        answer = await post(client, "/accounts", "/accounts", name="x", role="root")
        assert answer.status_code == 422
        assert "Ce rôle n’existe pas." in answer.text


@pytest.mark.parametrize("fields", [{"do": "disable"}, {"do": "change_role", "role": "viewer"}], ids=["out", "down"])
async def test_the_last_administrator_stays(
    desk: Desk, entered: Made, account: Made, log_in: Made, fields: dict[str, str]
) -> None:
    last = await account("admin")
    gone = await account("admin", "second")
    await of.disable(desk.engine, account_id=gone, by="tests", now=desk.clock.now())
    async with entered() as client:
        await log_in(client, "admin")
        answer = await post(client, f"/accounts/{last}", "/accounts", **fields)
        assert answer.status_code == 422
        assert "Personne d’autre n’administre Vigie ici." in answer.text
        assert (await client.get("/accounts")).status_code == 200


async def test_two_administrators_cannot_put_each_other_out_at_once(engine: AsyncEngine, clock: ManualClock) -> None:
    for name in ("one", "two"):
        await of.create(engine, name=name, role="admin", by="tests", now=clock.now())
    tried = [
        of.disable(engine, account_id=one.account_id, by="tests", now=clock.now()) for one in await of.accounts(engine)
    ]
    ended = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(one, Refused) for one in ended) == 1
    assert sum(one.role == "admin" and not one.is_disabled for one in await of.accounts(engine)) == 1


@pytest.mark.parametrize("do", ["disable", "end_sessions", "renew_password"])
async def test_what_ends_an_account_ends_its_sessions_at_once(
    entered: Made, account: Made, log_in: Made, do: str
) -> None:
    await account("admin")
    other = await account("viewer")
    async with entered() as client, entered() as viewer:
        await log_in(client, "admin")
        await log_in(viewer, "viewer")
        assert (await viewer.get("/")).status_code == 200
        await post(client, f"/accounts/{other}", "/accounts", do=do)
        assert (await viewer.get("/")).headers["location"].startswith("/login")
        assert (await log_in(viewer, "viewer")).status_code == (303 if do == "end_sessions" else 422)


async def test_a_disabled_account_can_come_back(entered: Made, account: Made, log_in: Made) -> None:
    await account("admin")
    other = await account("viewer")
    async with entered() as client, entered() as viewer:
        await log_in(client, "admin")
        for do in ("disable", "enable"):
            assert (await post(client, f"/accounts/{other}", "/accounts", do=do)).status_code == 303
        assert (await log_in(viewer, "viewer")).status_code == 303


async def test_another_role_holds_from_the_next_request_on(entered: Made, account: Made, log_in: Made) -> None:
    await account("admin")
    other = await account("viewer")
    async with entered() as client, entered() as second:
        await log_in(client, "admin")
        await log_in(second, "viewer")
        assert (await second.get("/accounts")).status_code == 403
        await post(client, f"/accounts/{other}", "/accounts", do="change_role", role="admin")
        assert (await second.get("/accounts")).status_code == 200


@pytest.mark.parametrize(
    ("path", "do"), [("/accounts/unknown", "disable"), ("/accounts/me", "disable"), ("", "delete"), ("", "")]
)
async def test_what_cannot_be_done_is_refused_in_words(
    entered: Made, account: Made, log_in: Made, path: str, do: str
) -> None:
    await account("admin")
    other = await account("viewer")
    async with entered() as client:
        await log_in(client, "admin")
        answer = await post(client, path or f"/accounts/{other}", "/accounts", do=do)
        assert answer.status_code == 422
        assert "error-summary" in answer.text


async def test_every_action_on_accounts_is_in_the_audit(desk: Desk, entered: Made, account: Made, log_in: Made) -> None:
    await account("admin")
    other = await account("viewer")
    before = len(await actions(desk.engine))
    async with entered() as client:
        await log_in(client, "admin")
        for do in ("change_role", "end_sessions", "renew_password", "disable", "enable"):
            await post(client, f"/accounts/{other}", "/accounts", do=do, role="operator")
    assert (await actions(desk.engine))[before:] == [
        ("admin", "login"),
        ("admin", "role_changed"),
        ("admin", "sessions_ended"),
        ("admin", "password_renewed"),
        ("admin", "account_disabled"),
        ("admin", "account_enabled"),
    ]
    assert await audit.broken_at(desk.engine) is None
    kept = str([entry.detail for entry in await audit.entries(desk.engine)])
    assert PASSWORD not in kept


async def test_sessions_of_ones_own_are_seen_and_ended(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    async with entered() as here, entered() as elsewhere:
        await log_in(here, "viewer")
        await log_in(elsewhere, "viewer")
        page = await here.get("/accounts/me")
        assert page.text.count("celle-ci") == 1
        (address,) = {part.split('"')[0] for part in page.text.split('action="')[1:] if "/sessions/" in part[:30]}
        await here.post(address, data={"csrf": csrf_of(page)})
        assert (await elsewhere.get("/")).status_code == 303
        assert (await here.get("/")).status_code == 200


async def test_nobody_ends_a_session_of_somebody_else(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    await account("operator")
    async with entered() as viewer, entered() as operator:
        await log_in(viewer, "viewer")
        await log_in(viewer, "viewer")
        await log_in(operator, "operator")
        token = viewer.cookies["vigie"]
        await post(operator, f"/accounts/me/sessions/{id_of(hash_of(token))}")
        assert (await viewer.get("/")).status_code == 200
