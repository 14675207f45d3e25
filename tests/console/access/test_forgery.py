"""Requests that another site makes somebody's browser send."""

from collections.abc import Callable
from typing import Any

import pytest

from console.access.doors import Doors
from console.application import PAGES
from tests.console.entering import ADDRESS, csrf_of

Made = Callable[..., Any]
POSTS = {page.name: page.path for page in PAGES if "POST" in page.methods}


def address_of(path: str) -> str:
    """Return an address of a page, with something in place of what it leaves open."""
    return "".join(
        "x" if part.startswith("{") else part for part in path.replace("{", "\n{").replace("}", "}\n").split("\n")
    )


async def answers(client: Any, data: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, int]:
    """Return what each page that takes a form answers to one."""
    return {
        name: (await client.post(address_of(path), data=data, headers=headers)).status_code
        for name, path in POSTS.items()
    }


@pytest.mark.parametrize("wrong", ["none", "empty", "another's", "cut", "longer"])
async def test_no_form_is_taken_without_the_visitors_own_token(
    entered: Made, account: Made, log_in: Made, wrong: str
) -> None:
    await account("admin")
    await account("viewer")
    async with entered() as admin, entered() as other:
        await log_in(admin, "admin")
        await log_in(other, "viewer")
        mine, others = csrf_of(await admin.get("/")), csrf_of(await other.get("/"))
        assert mine != others
        given = {"empty": "", "another's": others, "cut": mine[:-1], "longer": mine + "x"}
        data = {} if wrong == "none" else {"csrf": given[wrong]}
        assert await answers(admin, data) == dict.fromkeys(POSTS, 403)
        assert (await admin.get("/accounts")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://[::1"},
        {"origin": "http://localhost.evil.example:8080"},
    ],
    ids=lambda headers: "=".join(next(iter(headers.items()))),
)
async def test_no_form_is_taken_from_another_site_even_with_the_token(
    entered: Made, account: Made, log_in: Made, headers: dict[str, str]
) -> None:
    await account("admin")
    async with entered() as admin:
        await log_in(admin, "admin")
        csrf = csrf_of(await admin.get("/"))
        assert await answers(admin, {"csrf": csrf}, headers) == dict.fromkeys(POSTS, 403)


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "same-origin", "origin": "null"}, {"origin": ADDRESS}, {"sec-fetch-site": "none"}],
    ids=["silent", "a form of ours", "a script of ours", "typed"],
)
async def test_our_own_forms_are_taken(entered: Made, account: Made, log_in: Made, headers: dict[str, str]) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        fields = {"csrf": csrf_of(await client.get("/")), "language": "fr"}
        assert (await client.post("/language", data=fields, headers=headers)).status_code == 303


async def test_a_script_of_ours_may_bring_the_token_in_a_header(entered: Made, account: Made, log_in: Made) -> None:
    await account("viewer")
    async with entered() as client:
        await log_in(client, "viewer")
        csrf = csrf_of(await client.get("/"))
        answer = await client.post("/language", data={"language": "fr"}, headers={"x-csrf-token": csrf})
        assert answer.status_code == 303


async def test_nobody_can_be_logged_in_as_somebody_else_by_another_site(entered: Made, account: Made) -> None:
    await account("viewer")
    async with entered() as attacker, entered() as victim:
        theirs = csrf_of(await attacker.get("/login"))
        await victim.get("/login")
        fields = {"csrf": theirs, "name": "viewer", "password": "quatre mots sans aucun lien"}
        assert (await victim.post("/login", data=fields)).status_code == 403
        assert "vigie" not in victim.cookies


async def test_the_demo_is_no_door_for_other_sites(entered: Made) -> None:
    async with entered(Doors(is_open=True)) as client:
        assert (await client.post("/language", data={"language": "en"})).status_code == 403
        csrf = csrf_of(await client.get("/"))
        assert (await client.post("/language", data={"language": "en", "csrf": csrf})).status_code == 303
