"""Who may do what: every address, every role, nobody, and a token of each role."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import product
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from console.access import sessions, tokens
from console.access.account_rows import change
from console.access.door import middleware
from console.access.doors import Doors
from console.access.pace import Pace
from console.access.roles import RIGHTS, ROLES, Role, common_part, within
from console.application import PAGES
from console.archive.database import writing
from console.desk import Desk
from console.pages.page import Page, Visit, routes

ANYBODY: frozenset[Role | None] = frozenset({None, *ROLES})
KNOWN: frozenset[Role | None] = frozenset(ROLES)
REPORTERS: frozenset[Role | None] = frozenset({"volunteer", "operator", "analyst", "admin"})
DECIDERS: frozenset[Role | None] = frozenset({"operator", "admin"})
AUDITORS: frozenset[Role | None] = frozenset({"analyst", "admin"})
ADMINS: frozenset[Role | None] = frozenset({"admin"})

TABLE: dict[str, frozenset[Role | None]] = {
    "accessibility": ANYBODY,
    "account": ADMINS,
    "accounts": ADMINS,
    "api_decide": DECIDERS,
    "api_description": ANYBODY,
    "api_features": KNOWN,
    "api_incident": KNOWN,
    "api_incidents": KNOWN,
    "api_report": REPORTERS,
    "api_silences": KNOWN,
    "api_sources": KNOWN,
    "audit": AUDITORS,
    "boundaries": KNOWN,
    "candidate": AUDITORS,
    "candidate_change": AUDITORS,
    "candidate_drop": AUDITORS,
    "candidate_make": AUDITORS,
    "check_audit": AUDITORS,
    "decide": DECIDERS,
    "declare_missed": AUDITORS,
    "digest_as_json": KNOWN,
    "digests": KNOWN,
    "end_session": KNOWN,
    "end_silence": DECIDERS,
    "export_audit": AUDITORS,
    "incident": KNOWN,
    "incident_newest": KNOWN,
    "incidents": KNOWN,
    "intake": REPORTERS,
    "intake_correct": REPORTERS,
    "intake_correction": REPORTERS,
    "intake_report": REPORTERS,
    "intake_take": REPORTERS,
    "intake_withdraw": REPORTERS,
    "language": ANYBODY,
    "live": KNOWN,
    "login": ANYBODY,
    "logout": ANYBODY,
    "make_silence": DECIDERS,
    "make_token": KNOWN,
    "messages": KNOWN,
    "messages_new": KNOWN,
    "messages_restore": DECIDERS,
    "messages_withdraw": DECIDERS,
    "messages_write": DECIDERS,
    "oidc": ANYBODY,
    "oidc_back": ANYBODY,
    "own_account": KNOWN,
    "password": ANYBODY,
    "privacy": KNOWN,
    "profile_approve": AUDITORS,
    "profile_back": AUDITORS,
    "profile_decline": AUDITORS,
    "profile_propose": AUDITORS,
    "purge": ADMINS,
    "record": KNOWN,
    "record_csv": KNOWN,
    "record_json": KNOWN,
    "reveal": KNOWN,
    "revoke_token": KNOWN,
    "shadow": AUDITORS,
    "shadow_begin": AUDITORS,
    "shadow_stop": AUDITORS,
    "silence": DECIDERS,
    "silences": KNOWN,
    "situation": KNOWN,
    "situation_features": KNOWN,
    "sources": KNOWN,
    "trial": AUDITORS,
    "trial_again": AUDITORS,
    "trial_ask": AUDITORS,
    "trial_state": AUDITORS,
    "trial_stop": AUDITORS,
    "trust": AUDITORS,
    "tuning": AUDITORS,
    "verification": REPORTERS,
    "verification_act": REPORTERS,
    "verification_ask": REPORTERS,
    "verification_pass_on": DECIDERS,
    "verification_take_back": DECIDERS,
    "verify": DECIDERS,
    "withdraw_missed": AUDITORS,
    "withdraw_note": DECIDERS,
    "write_note": DECIDERS,
}
"""Written by hand, name by name: it is what was decided, not what the program happens to do."""

ALLOWED = 299  # what answers here in place of every page
OFTEN = Doors(forms=Pace(burst=9999, per_second=9999.0), api=Pace(burst=9999, per_second=9999.0))


def test_every_page_has_a_line() -> None:
    assert sorted(page.name for page in PAGES) == sorted(TABLE)


async def here(_: Visit) -> Response:
    return Response(status_code=ALLOWED)


@pytest.fixture
def guarded(desk: Desk) -> Starlette:
    """Make the console with its guards and its addresses, where every page only says that it was reached."""
    pages = [replace(page, handler=here) for page in PAGES]
    return Starlette(routes=routes(pages, desk), middleware=middleware(desk, OFTEN))


async def answers(app: Starlette, headers: dict[str, str], csrf: str) -> dict[tuple[str, str], httpx.Response]:
    """Ask every page, by each of its methods."""
    found = {}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        for page, method in [(one, method) for one in PAGES for method in one.methods]:
            form = {"csrf": csrf} if method == "POST" else None
            found[page.name, method] = await client.request(method, address_of(page), data=form)
    return found


def address_of(page: Page) -> str:
    """Return an address of a page, with something in place of what it leaves open."""
    parts = (part.partition("}")[2] for part in page.path.split("{")[1:])
    return page.path.partition("{")[0] + "".join(f"x{part}" for part in parts)


def judged(found: dict[tuple[str, str], httpx.Response]) -> dict[tuple[str, str], bool]:
    """Tell for each page and method whether it was reached."""
    return {key: answer.status_code == ALLOWED for key, answer in found.items()}


def expected(role: Role | None) -> dict[tuple[str, str], bool]:
    """Return what the table says."""
    return {(page.name, method): role in TABLE[page.name] for page in PAGES for method in page.methods}


async def session_of(desk: Desk, account_id: str) -> tuple[dict[str, str], str]:
    """Begin a session; return the header that bears it, and its token for forms."""
    async with writing(desk.engine) as connection:
        token = await sessions.begin(connection, account_id, desk.clock.now())
    visitor = await sessions.visitor_of(desk.engine, token, desk.clock.now())
    assert visitor
    return {"cookie": f"vigie={token}"}, visitor.csrf


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_reaches_what_the_table_says(
    desk: Desk, guarded: Starlette, account: Callable[..., Any], role: Role
) -> None:
    headers, csrf = await session_of(desk, await account(role))
    assert judged(await answers(guarded, headers, csrf)) == expected(role)


@pytest.mark.parametrize("role", ROLES)
async def test_a_token_reaches_what_its_role_does_but_for_accounts_and_tuning(
    desk: Desk, guarded: Starlette, account: Callable[..., Any], role: Role
) -> None:
    account_id = await account("admin")
    async with writing(desk.engine) as connection:
        token = await tokens.make(connection, account_id, label="x", role=role, now=desk.clock.now(), days=1)
    found = judged(await answers(guarded, {"authorization": f"Bearer {token}"}, ""))
    tuning = {page.name for page in PAGES if page.path.startswith(("/tuning", "/trust"))}
    assert found == {
        key: may and TABLE[key[0]] != ADMINS and key[0] not in tuning for key, may in expected(role).items()
    }


async def test_nobody_known_reaches_what_is_for_anybody_and_is_told_where_to_log_in(guarded: Starlette) -> None:
    cookie = "A" * 43
    csrf = sha256(f"form {cookie}".encode()).hexdigest()
    found = await answers(guarded, {"cookie": f"vigie-form={cookie}"}, csrf)
    assert judged(found) == expected(None)
    for (name, method), answer in found.items():
        if None in TABLE[name]:
            continue
        is_api = next(page.is_api for page in PAGES if page.name == name)
        if is_api:
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        else:
            assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next="), (name, method)


async def test_whoever_must_choose_a_password_reaches_that_page_alone(
    desk: Desk, guarded: Starlette, account: Callable[..., Any]
) -> None:
    account_id = await account("admin")
    async with writing(desk.engine) as connection:
        await change(connection, account_id, must_change=True)
    headers, csrf = await session_of(desk, account_id)
    found = await answers(guarded, headers, csrf)
    assert judged(found) == expected(None)
    assert found["accounts", "GET"].headers["location"] == "/password"


async def test_the_demo_reaches_everything_at_this_machine(desk: Desk) -> None:
    doors = replace(OFTEN, is_open=True)
    pages = [replace(page, handler=csrf_here) for page in PAGES]
    app = Starlette(routes=routes(pages, desk), middleware=middleware(desk, doors))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        csrf = (await client.get("/")).text
    assert judged(await answers(app, {}, csrf)) == expected("admin")


async def csrf_here(visit: Visit) -> Response:
    return Response(visit.visitor.csrf, status_code=ALLOWED)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_itself_and_the_viewer(role: Role) -> None:
    assert {"viewer", role} <= set(within(role))
    assert all(RIGHTS[other] <= RIGHTS[role] for other in within(role))


@pytest.mark.parametrize(("one", "other"), [*product(ROLES, ROLES)])
def test_the_common_part_of_two_roles_gives_neither_more(one: Role, other: Role) -> None:
    assert RIGHTS[common_part(one, other)] <= RIGHTS[one] & RIGHTS[other]
    assert common_part(one, one) == one
