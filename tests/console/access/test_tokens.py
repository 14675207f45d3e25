"""Tokens of the API: what a program may do in somebody's name, and how long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from console.access import accounts as of
from console.archive.tables import api_token
from console.desk import Desk
from records import ManualClock
from tests.console.entering import actions, csrf_of, post

Made = Callable[..., Any]


async def token_of(client: Any, role: str = "viewer", days: str = "90") -> str:
    """Make a token as the page does."""
    answer = await post(client, "/accounts/me/tokens", label="tableau de bord", role=role, days=days)
    assert answer.status_code == 200, answer.text
    token: str = answer.text.split("<code>")[1].split("</code>")[0]
    return token


def bearing(token: str) -> dict[str, str]:
    """Return the header that bears a token."""
    return {"authorization": f"Bearer {token}"}


async def test_a_token_is_shown_once_and_kept_as_a_hash(desk: Desk, entered: Made, account: Made, log_in: Made) -> None:
    await account("operator")
    async with entered() as client:
        await log_in(client, "operator")
        token = await token_of(client)
        page = (await client.get("/accounts/me")).text
    assert token.startswith("vigie_")
    assert token not in page
    assert "tableau de bord" in page
    async with desk.engine.connect() as connection:
        kept = (await connection.execute(select(api_token))).one()
    assert token not in str(kept)
    assert ("operator", "token_made") in await actions(desk.engine)


async def test_a_token_reads_and_its_use_is_seen(entered: Made, account: Made, log_in: Made) -> None:
    await account("operator")
    async with entered() as client, entered() as program:
        await log_in(client, "operator")
        token = await token_of(client)
        assert "jamais" in (await client.get("/accounts/me")).text
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 200
        assert "jamais" not in (await client.get("/accounts/me")).text


@pytest.mark.parametrize(
    "header", ["Bearer vigie_wrong", "Bearer", "Basic dXNlcjpwYXNz", "vigie_x", "Bearer \x00"], ids=repr
)
async def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(
    entered: Made, account: Made, log_in: Made, header: str
) -> None:
    await account("operator")
    async with entered() as client:
        await log_in(client, "operator")
        answer = await client.get("/api/incidents", headers={"authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_token_ends(clock: ManualClock, entered: Made, account: Made, log_in: Made) -> None:
    await account("operator")
    async with entered() as client, entered() as program:
        await log_in(client, "operator")
        token = await token_of(client, days="1")
        clock.advance(timedelta(hours=23))
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 200
        clock.advance(timedelta(hours=1))
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 401


async def test_a_token_is_revoked_by_its_owner_alone(entered: Made, account: Made, log_in: Made) -> None:
    await account("operator")
    await account("viewer")
    async with entered() as client, entered() as other, entered() as program:
        await log_in(client, "operator")
        await log_in(other, "viewer")
        token = await token_of(client)
        page = await client.get("/accounts/me")
        (address,) = {part.split('"')[0] for part in page.text.split('action="')[1:] if "/tokens/" in part[:30]}
        await post(other, address)
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 200
        await client.post(address, data={"csrf": csrf_of(page)})
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 401


async def test_a_token_goes_with_its_account(desk: Desk, entered: Made, account: Made, log_in: Made) -> None:
    account_id = await account("operator")
    async with entered() as client, entered() as program:
        await log_in(client, "operator")
        token = await token_of(client)
        now = desk.clock.now()
        await of.disable(desk.engine, account_id=account_id, by="tests", now=now)
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 401
        await of.enable(desk.engine, account_id=account_id, by="tests", now=now)
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 200
        await of.renew_password(desk.engine, account_id=account_id, by="tests", now=now)
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 401


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": "admin"}, "role"),
        ({"role": "analyst"}, "role"),
        ({"role": "root"}, "role"),
        ({"days": "367"}, "days"),
        ({"days": "0"}, "days"),
        ({"days": "-1"}, "days"),
        ({"days": "٣"}, "days"),
        ({"label": ""}, "label"),
        ({"label": "x" * 65}, "label"),
    ],
)
async def test_a_token_that_cannot_be_is_refused_with_its_field(
    entered: Made, account: Made, log_in: Made, fields: dict[str, str], field: str
) -> None:
    await account("operator")
    async with entered() as client:
        await log_in(client, "operator")
        answer = await post(
            client, "/accounts/me/tokens", **{"label": "typed", "role": "viewer", "days": "90", **fields}
        )
        assert answer.status_code == 422
        assert f'<a href="#{field}">' in answer.text
        if "label" not in fields:
            assert 'value="typed"' in answer.text


async def test_a_token_loses_what_its_account_loses(desk: Desk, entered: Made, account: Made, log_in: Made) -> None:
    await account("admin", "other")
    account_id = await account("admin")
    async with entered() as client, entered() as program:
        await log_in(client, "admin")
        token = await token_of(client, "operator")
        await of.change_role(desk.engine, account_id=account_id, role="analyst", by="tests", now=desk.clock.now())
        answer = await program.get("/accounts/me", headers=bearing(token))
        assert answer.status_code == 403
        assert (await program.get("/api/incidents", headers=bearing(token))).status_code == 200


async def test_no_token_administers_tunes_or_makes_another(entered: Made, account: Made, log_in: Made) -> None:
    await account("admin")
    async with entered() as client, entered() as program:
        await log_in(client, "admin")
        header = bearing(await token_of(client, "admin"))
        assert (await program.get("/accounts", headers=header)).status_code == 403
        for what in ("approve", "propose"):
            answer = await program.post(f"/tuning/candidates/x/{what}", headers=header, data={})
            assert answer.status_code == 403
        fields = {"label": "x", "role": "viewer", "days": "90"}
        assert (await program.post("/accounts/me/tokens", headers=header, data=fields)).status_code == 403
        assert (await program.get("/password", headers=header)).status_code == 303
