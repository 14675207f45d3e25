"""Coming in, with a real browser: its forms, its cookies, its policy, and who cannot see or use a mouse."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Page

from console.access.accounts import first_admin
from console.access.door import middleware
from console.access.doors import Doors
from console.application import application
from console.desk import Desk
from tests.console.chromium import serving
from tests.console.entering import PASSWORD

pytestmark = pytest.mark.browser

AXE = next((Path(__file__).parents[1] / "vendor").glob("axe-core-*/axe.min.js")).read_text(encoding="utf-8")
RULES = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }"


@pytest_asyncio.fixture(loop_scope="module")
async def address(desk: Desk) -> AsyncIterator[str]:
    async with serving(application(desk, middleware(desk, Doors()))) as found:
        yield found


async def violations(page: Page) -> list[Any]:
    """Return what axe finds wrong with a page."""
    await page.evaluate(AXE)
    said = await page.evaluate(f"axe.run({RULES})")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in said["violations"]]


async def enter(page: Page, address: str, name: str, password: str) -> None:
    await page.goto(f"{address}/login")
    await page.get_by_label("Nom du compte").fill(name)
    await page.get_by_label("Mot de passe").fill(password)
    await send(page)


async def send(page: Page) -> None:
    """Send the form of the field that has the focus, and wait for what comes."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_an_administrator_comes_in_and_lets_others_in_by_keyboard_alone(
    desk: Desk, address: str, chromium_page: Page, page_errors: list[str], asked_outside: list[str]
) -> None:
    page, given = chromium_page, await first_admin(desk.engine, desk.clock.now())
    assert given
    await enter(page, address, "admin", given)
    await page.wait_for_url("**/password")
    for label, text in (("Mot de passe actuel", given), ("Nouveau mot de passe", PASSWORD)):
        await page.get_by_label(label, exact=True).fill(text)
    await page.get_by_label("Nouveau mot de passe, une seconde fois").fill(PASSWORD)
    await send(page)
    await page.wait_for_url(f"{address}/?done=password")
    await page.goto(f"{address}/accounts")
    await page.get_by_label("Nom", exact=True).fill("Permanence")
    await page.get_by_label("Rôle", exact=True).select_option("operator")
    await page.get_by_role("button", name="Créer le compte").press("Enter")
    shown = await page.get_by_role("status").text_content()
    assert re.search(r"Permanence.*[a-z2-9]{5}(-[a-z2-9]{5}){3}", shown or "", re.S)
    assert page_errors == []
    assert asked_outside == []


async def test_a_session_is_out_of_reach_of_scripts_and_ends_at_logout(
    address: str, account: Callable[..., Any], chromium_page: Page, page_errors: list[str]
) -> None:
    await account("viewer")
    await enter(chromium_page, address, "viewer", PASSWORD)
    await chromium_page.goto(f"{address}/accounts/me")
    assert "vigie" not in await chromium_page.evaluate("document.cookie")
    (cookie,) = [one for one in await chromium_page.context.cookies() if one.get("name") == "vigie"]
    assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Lax")
    await chromium_page.get_by_role("button", name="English").first.click()
    assert await chromium_page.locator("h1").text_content() == "My account"
    await chromium_page.get_by_role("button", name="Log out").click()
    await chromium_page.wait_for_url("**/login")
    await chromium_page.goto(f"{address}/accounts/me")
    assert chromium_page.url == f"{address}/login?next=/accounts/me"
    assert page_errors == []


async def test_no_other_page_can_frame_us(address: str, chromium_page: Page, page_errors: list[str]) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        body = f'<iframe src="{address}/login"></iframe>'.encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body})

    async with serving(page) as elsewhere:
        await chromium_page.goto(elsewhere)
    assert any("frame-ancestors" in said or "X-Frame-Options" in said for said in page_errors)


@pytest.mark.parametrize(("language", "scheme"), [("fr", "light"), ("en", "dark")])
async def test_axe_finds_nothing_in_what_only_coming_in_and_giving_access_show(
    address: str, account: Callable[..., Any], chromium_page: Page, language: str, scheme: Literal["light", "dark"]
) -> None:
    """All other pages, as they are when they are asked for: test_every_page."""
    page = chromium_page
    await page.context.add_cookies([{"name": "language", "value": language, "url": address}])
    await page.emulate_media(color_scheme=scheme)
    found: dict[str, list[Any]] = {}
    await account("admin")
    await page.goto(f"{address}/login")
    await page.locator("#name").fill("admin")
    await page.locator("#password").fill("un faux mot de passe")
    await send(page)
    found["login, refused"] = await violations(page)
    await page.locator("#password").fill(PASSWORD)
    await send(page)
    await page.goto(f"{address}/accounts")
    await page.locator("form[action='/accounts'] input#name").fill("ADMIN")
    await send(page)
    found["accounts, refused"] = await violations(page)
    await page.locator("form[action='/accounts'] input#name").fill("third")
    await send(page)
    found["accounts, made"] = await violations(page)
    await page.goto(f"{address}/accounts/me")
    await page.locator("#label").fill("tableau")
    await send(page)
    await page.locator(".notice code").first.wait_for()
    found["token, made"] = await violations(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
