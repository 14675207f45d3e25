"""People: who sits at a browser of his own before the whole of Vigie: how he opens it, and how he comes in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, expect

from tests.console.chromium import watch
from tests.console.entering import PASSWORD
from tests.console.whole import Whole

SLOW = 30_000  # milliseconds; a decision goes through the broker and the detectors, and comes back


@asynccontextmanager
async def somebody(
    driven: Browser, whole: Whole, asked_outside: list[str], page_errors: list[str], *, language: str = "fr"
) -> AsyncIterator[Page]:
    """Open a browser of somebody's own."""
    context = await driven.new_context(
        locale=f"{language}-{language.upper()}", base_url=whole.address, viewport={"width": 1280, "height": 900}
    )
    page = await context.new_page()
    page.set_default_timeout(SLOW)
    watch(context, page, asked_outside, page_errors)
    try:
        yield page
    finally:
        await context.close()


async def log_in(page: Page, name: str, password: str) -> None:
    """Log in."""
    await page.goto("/login")
    await page.fill("[name=name]", name)
    await page.fill("[name=password]", password)
    await page.press("[name=password]", "Enter")
    await expect(page).not_to_have_url(re.compile("/login"))


async def log_in_first(page: Page, name: str, password: str) -> None:
    """Log in with a one-time password, and choose another."""
    await log_in(page, name, password)
    await expect(page).to_have_url(re.compile("/password"))
    fields = page.locator("input[type=password]")
    for number, text in enumerate((password, PASSWORD, PASSWORD)):
        await fields.nth(number).fill(text)
    await fields.nth(2).press("Enter")
    await expect(page).not_to_have_url(re.compile("/password"))


async def account(admin: Page, name: str, role: str) -> str:
    """Make an account; return its one-time password."""
    await admin.goto("/accounts")
    form = admin.locator("form[action='/accounts']")
    await form.locator("[name=name]").fill(name)
    await form.locator("[name=role]").select_option(role)
    await form.locator("button").click()
    return await admin.locator(".notice-ok code").inner_text()
