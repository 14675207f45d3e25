"""Coming in and going out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access import accounts as of
from console.access import login
from console.access.account_rows import Refused
from console.access.accounts import accounts, first_admin
from console.access.doors import Doors
from console.access.passwords import is_it, why_refused
from console.access.sessions import hash_of
from console.archive.tables import session
from console.desk import Desk
from records import ManualClock
from tests.console.entering import PASSWORD, actions, csrf_of, post

Made = Callable[..., Any]


async def test_the_first_start_makes_an_admin_who_must_choose_a_password(
    desk: Desk, entered: Made, log_in: Made
) -> None:
    given = await first_admin(desk.engine, desk.clock.now())
    assert given
    async with entered() as client:
        await log_in(client, "admin", given)
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/password")
        assert (await client.get("/accounts")).headers["location"] == "/password"
        await post(client, "/password", "/password", old=given, new=PASSWORD, again=PASSWORD)
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/accounts")).status_code == 200


async def test_the_first_admin_is_made_once_on_both_databases(engine: AsyncEngine, clock: ManualClock) -> None:
    assert await first_admin(engine, clock.now())
    assert await first_admin(engine, clock.now()) is None
    assert [one.name for one in await accounts(engine)] == ["admin"]


async def test_a_login_leads_back_to_where_somebody_wanted_to_go(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    async with entered() as client:
        answer = await client.get("/?level=alert&x=1")
        assert answer.headers["location"] == "/login?next=/%3Flevel%3Dalert%26x%3D1"
        page = await client.get(answer.headers["location"])
        assert 'name="next" value="/?level=alert&amp;x=1"' in page.text
        assert (await log_in(client, "viewer", back="/?level=alert")).headers["location"] == "/?level=alert"


async def test_a_name_is_known_however_it_is_typed(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer", "Astreinte Préfecture")
    async with entered() as client:
        assert (await log_in(client, "  astreinte  PRE\u0301FECTURE ")).status_code == 303


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("viewer", "pas le bon du tout"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("viewer", ""),
        ("viewer", "x" * 9999),
    ],
    ids=["wrong password", "unknown", "disabled", "empty", "endless"],
)
async def test_whoever_is_refused_learns_nothing_of_why(
    desk: Desk, entered: Made, account: Made, log_in: Made, name: str, password: str
) -> None:
    await account("viewer")
    gone = await account("viewer", "gone")
    await of.disable(desk.engine, account_id=gone, by="tests", now=desk.clock.now())
    async with entered() as client:
        answer = await log_in(client, name, password)
        assert answer.status_code == 422
        assert "Le nom ou le mot de passe est faux." in answer.text
        assert (await client.get("/")).status_code == 303
    assert (await actions(desk.engine))[-1][1] == "login_failed"


async def test_a_login_is_a_new_session_and_ends_the_one_before(
    desk: Desk, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    async with entered() as client:
        client.cookies.set("vigie", "known-to-the-attacker")
        first = (await log_in(client, "viewer")).cookies["vigie"]
        assert first != "known-to-the-attacker"
        client.cookies.clear()
        client.cookies.set("vigie", first)
        second = (await post(client, "/login", name="viewer", password=PASSWORD)).cookies["vigie"]
        assert second != first
        client.cookies.clear()
        client.cookies.set("vigie", first)
        assert (await client.get("/")).status_code == 303


@pytest.mark.parametrize(
    ("span", "status"),
    [(timedelta(hours=11, minutes=59), 200), (timedelta(hours=12), 303)],
    ids=["within a shift", "idle"],
)
async def test_a_session_ends_when_nothing_was_heard_of_it_for_a_shift(
    clock: ManualClock, entered: Made, account: Made, log_in: Made, span: timedelta, status: int
) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        clock.advance(span)
        assert (await client.get("/")).status_code == status


async def test_a_session_ends_after_a_week_however_busy_it_was(
    clock: ManualClock, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        for _ in range(15):
            assert (await client.get("/")).status_code == 200
            clock.advance(timedelta(hours=11, minutes=12))
        assert (await client.get("/")).status_code == 303


async def test_who_logs_out_is_out_wherever_his_cookie_went(
    desk: Desk, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        cookie = client.cookies["vigie"]
        answer = await post(client, "/logout")
        assert answer.headers["location"] == "/login"
        assert "vigie" not in client.cookies
        client.cookies.set("vigie", cookie)
        assert (await client.get("/")).status_code == 303
    assert ("viewer", "logout") in await actions(desk.engine)


async def test_a_new_password_ends_the_other_sessions(
    clock: ManualClock, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    async with entered() as here, entered() as elsewhere:
        await log_in(here, "viewer")
        await log_in(elsewhere, "viewer")
        new = "encore quatre autres mots"
        answer = await post(here, "/password", old=PASSWORD, new=new, again=new)
        assert answer.headers["location"] == "/accounts/me?done=password"
        assert (await here.get("/")).status_code == 200
        assert (await elsewhere.get("/")).status_code == 303
        assert (await log_in(elsewhere, "viewer")).status_code == 422
        assert (await log_in(elsewhere, "viewer", new)).status_code == 303


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"old": "pas le bon du tout"}, "Ce n’est pas le mot de passe actuel."),
        ({"again": "autre chose que cela"}, "Les deux saisies diffèrent."),
        ({"new": "court", "again": "court"}, "au moins 12 caractères"),
        ({"new": PASSWORD, "again": PASSWORD}, "C’est le mot de passe actuel."),
    ],
    ids=["wrong", "differ", "short", "same"],
)
async def test_a_password_that_will_not_do_changes_nothing(
    entered: Made, account: Made, log_in: Made, fields: dict[str, str], why: str
) -> None:
    await account("viewer")
    good = {"old": PASSWORD, "new": "encore quatre autres mots", "again": "encore quatre autres mots"}
    async with entered() as client:
        await log_in(client, "viewer")
        answer = await post(client, "/password", **(good | fields))
        assert answer.status_code == 422
        assert why in answer.text
        assert 'href="#' in answer.text
    async with entered() as again:
        assert (await log_in(again, "viewer")).status_code == 303


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("quatre mots sans aucun lien", True),
        ("onze lettre", False),
        ("aaaabbbbaaaabbbb", False),
        ("permanence-du-sdis", False),
        ("vigie du port 2026", False),
        ("x1y2z3" * 50, False),
    ],
)
def test_a_password_is_long_and_no_first_guess(password: str, is_good: bool) -> None:
    assert (why_refused(password, "Permanence") is None) == is_good


async def test_the_archive_holds_no_cookie_and_no_password(
    desk: Desk, entered: Made, account: Made, log_in: Made
) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        cookie = client.cookies["vigie"]
    async with desk.engine.connect() as connection:
        kept = (await connection.execute(select(session.c.token_hash))).scalar_one()
    assert (kept == hash_of(cookie), kept == cookie) == (True, False)


@pytest.mark.parametrize(
    ("doors", "beginning", "is_secure"),
    [(Doors(), "vigie=", False), (Doors(is_https=True), "__Host-vigie=", True)],
    ids=["http", "https"],
)
async def test_the_cookie_is_for_this_host_alone_and_for_no_script(
    entered: Made, account: Made, log_in: Made, doors: Doors, beginning: str, is_secure: bool
) -> None:
    await account("viewer")
    async with entered(doors) as client:
        cookie = (await log_in(client, "viewer")).headers["set-cookie"]
    assert cookie.startswith(beginning)
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) == is_secure
    assert "Domain" not in cookie


async def test_the_language_stays_with_the_account(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    async with entered() as client:
        assert "Se connecter" in (await client.get("/login")).text
        await log_in(client, "viewer")
        answer = await post(client, "/language", language="en", next="/accounts/me")
        assert answer.headers["location"] == "/accounts/me"
        assert "My account" in (await client.get("/accounts/me")).text
    async with entered() as another:
        await log_in(another, "viewer")
        assert "My account" in (await another.get("/accounts/me")).text


async def test_the_demo_asks_nobody_at_this_machine_and_lets_nobody_else_in(entered: Made) -> None:
    doors = Doors(is_open=True)
    async with entered(doors) as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/accounts/me")).status_code == 403
        assert csrf_of(await client.get("/"))
    async with entered(doors, address="192.0.2.1") as stranger:
        assert (await stranger.get("/")).status_code == 303


async def test_the_first_password_is_told_before_it_holds(engine: AsyncEngine, clock: ManualClock) -> None:
    def killed(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await first_admin(engine, clock.now(), killed)
    assert await accounts(engine) == []
    told: list[str] = []
    assert await first_admin(engine, clock.now(), told.append) == told[0]


@pytest_asyncio.fixture(loop_scope="module")
async def renewed_meanwhile(desk: Desk, account: Made, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make an account whose password is renewed each time that an old one was found to fit; return its id."""
    account_id = await account("viewer")

    async def compared(kept: str | None, password: str) -> bool:
        fits = await is_it(kept, password)
        await of.renew_password(desk.engine, account_id=account_id, by="tests", now=desk.clock.now())
        return fits

    monkeypatch.setattr(login, "is_it", compared)
    return str(account_id)


async def test_a_password_that_is_renewed_while_it_is_compared_opens_nothing(
    desk: Desk, renewed_meanwhile: str
) -> None:
    assert await login.log_in(desk.engine, name="viewer", password=PASSWORD, now=desk.clock.now()) is None
    async with desk.engine.connect() as connection:
        assert (await connection.execute(select(session))).all() == []


async def test_a_password_that_is_renewed_while_somebody_changes_it_stays_renewed(
    desk: Desk, renewed_meanwhile: str
) -> None:
    with pytest.raises(Refused, match="not the present password"):
        await login.change_password(
            desk.engine, account_id=renewed_meanwhile, old=PASSWORD, new="une autre phrase", now=desk.clock.now()
        )
    (found,) = await accounts(desk.engine)
    assert found.must_change
