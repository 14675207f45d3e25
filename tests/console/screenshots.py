"""Pictures of the console's pages for the manual: `python -m tests.console.screenshots docs/console`.

Plays the morning at Le Havre, lets an officer and a volunteer do their work in it, and takes a picture of every page.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlencode

import structlog
from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.console import chromium
from tests.console.entering import PASSWORD
from tests.console.morning import Morning, playing
from tests.console.people import log_in

DESK, PHONE, WALL = (ViewportSize(width=w, height=h) for w, h in ((1366, 900), (390, 844), (1920, 1080)))
COLOURS = 240
LARGEST = 150_000  # bytes
HIGHEST = 1300  # pixels of a page in the manual; what is below it, one scrolls to
SLOWEST = 600_000  # milliseconds; the posts of two scenarios are read
QUESTION = "Voit-on des flammes, ou de la fumée seulement ? D’où exactement ?"
NOTE = "Centrale : rappeler l’exploitant à 10:15. École des Neiges : enfants gardés à l’intérieur."
REPORT = "Grosses flammes au-dessus du toit de la salle des machines, la fumée part vers le port"


class Album:
    """Takes pictures and keeps them in a folder."""

    def __init__(self, folder: Path, browser: Browser, morning: Morning) -> None:
        self._folder = folder
        self._browser = browser
        self._morning = morning

    @asynccontextmanager
    async def somebody(self, name: str, screen: ViewportSize = DESK) -> AsyncIterator[Page]:
        """Open a browser of somebody's own, at the time of the story."""
        context = await self._browser.new_context(
            locale="fr-FR", base_url=self._morning.address, viewport=screen, is_mobile=screen is PHONE
        )
        page = await context.new_page()
        try:
            if name:
                await log_in(page, name, PASSWORD)
            yield page
        finally:
            await context.close()

    async def take(
        self, page: Page, name: str, path: str = "", *, scheme: Literal["light", "dark"] = "light", whole: bool = True
    ) -> None:
        """Take a picture of a page: of all of it where it is not too high."""
        await page.emulate_media(color_scheme=scheme)
        if path:
            await page.goto(path)
        await page.wait_for_load_state()
        await page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
        await page.wait_for_timeout(1200)  # tiles of the map come one by one, and fade in
        screen = cast(ViewportSize, page.viewport_size)
        high = int(await page.evaluate("document.documentElement.scrollHeight"))
        height = min(max(high, 320), HIGHEST) if whole else screen["height"]
        await page.set_viewport_size({"width": screen["width"], "height": height})
        await page.wait_for_timeout(300)
        picture = Image.open(BytesIO(await page.screenshot())).convert("RGB")
        await page.set_viewport_size(screen)
        # the rare colours get their place by the method, the large areas their true ones by one round of k-means
        small = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        file = self._folder / f"{name}.png"
        small.save(file, optimize=True)
        if file.stat().st_size > LARGEST:
            sys.exit(f"{file}: {file.stat().st_size} bytes; {LARGEST} at most")


async def pictures(album: Album, morning: Morning) -> None:
    """Have the morning happen, and take the pictures as it goes on."""
    async with album.somebody("") as nobody:
        await album.take(nobody, "login", "/login")
    await morning.until("08:46")
    async with album.somebody("astreinte") as officer, album.somebody("benevole", PHONE) as volunteer:
        incident = await open_incident(officer, "Le Havre")
        await decide(officer, "acknowledge")
        await decide(officer, "verify", question=QUESTION)
        await morning.until("09:14")
        await officer.goto(incident)
        await decide(officer, "note", reason="Opérateur de la centrale appelé à 09:10 : personne ne répond encore.")
        await report(album, volunteer)
        await morning.until("09:20")
        await verify(album, volunteer)
        await morning.until("10:05")
        await silence(album, officer)
        await message(album, officer, incident)
        await digest(album, officer)
        await morning.settled()
        await watch(album, officer, incident)
    async with album.somebody("admin") as admin:
        await bench(album, admin)
        for name in ("tuning", "trust", "audit", "privacy", "accounts"):
            await album.take(admin, name, f"/{name}")


async def bench(album: Album, admin: Page) -> None:
    """Try a candidate with twice the watches on the morning that everybody knows by now, and on a night in Rouen."""
    await admin.goto("/tuning")
    await admin.locator("form[action='/tuning/candidates'] button").click()
    await admin.fill("#set-budget-watch", "28")
    await admin.locator("form:has(#set-budget-watch) button").last.click()
    address = admin.url.partition("?")[0]
    await admin.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for scenario in ("le_havre_2012", "lubrizol_2019"):
        await admin.check(f"#scenario-{scenario}")
    await admin.locator("form[action$='/trials'] button").click()
    await expect(admin.locator(".frontier canvas").first).to_be_visible(timeout=SLOWEST)
    await album.take(admin, "tuning-trial")
    await album.take(admin, "tuning-candidate", address)


async def watch(album: Album, officer: Page, incident: str) -> None:
    """Take the pages that a watch looks at all day."""
    for scheme in ("light", "dark"):
        dark = "-dark" if scheme == "dark" else ""
        await officer.goto("/")
        await expect(officer.locator(".incident-mark")).not_to_have_count(0)
        await album.take(officer, f"situation{dark}", scheme=scheme, whole=False)
        await officer.goto(incident)
        await expect(officer.locator(".chart canvas")).to_be_visible()
        await album.take(officer, f"incident{dark}", scheme=scheme)
    await officer.set_viewport_size(WALL)
    await officer.goto("/?wall=1")
    await expect(officer.locator(".incident-mark")).not_to_have_count(0)
    await album.take(officer, "wall", scheme="dark", whole=False)
    await officer.set_viewport_size(DESK)
    for name, path in (
        ("incidents", "/incidents"),
        ("record", f"{incident}/record"),
        ("sources", "/sources"),
        ("messages", "/messages"),
        ("verification", "/verification"),
        ("own-account", "/accounts/me"),
        ("accessibility", "/accessibility"),
    ):
        await album.take(officer, name, path)


async def open_incident(page: Page, words: str) -> str:
    """Open an incident from the situation; return its address."""
    await page.goto("/")
    await page.locator("table a[data-key=page]", has_text=words).first.click()
    await expect(page.locator("#head")).to_be_visible()
    return page.url


async def decide(page: Page, decision: str, **fields: str) -> None:
    """Fill in a form of an incident and send it."""
    marked = "[name=question]" if decision == "verify" else f"[name=decision][value={decision}]"
    form = page.locator(f"#actions form:has({marked})")
    if not await form.is_visible():
        await page.locator(f"#actions details:has({marked}) summary").click()
    for name, value in fields.items():
        await form.locator(f"[name={name}]").fill(value)
    await form.locator("button").click()
    await expect(page.locator("#done .notice-ok")).to_be_visible()


async def report(album: Album, page: Page) -> None:
    """File a report, by telephone."""
    await page.goto("/intake")
    await page.check("[name=what][value=fire]")
    await page.fill("[name=words]", REPORT)
    await page.fill("[name=place]", "Centrale thermique du Havre, Le Havre")
    await page.select_option("[name=seen_by]", "own_eyes")
    await album.take(page, "intake-phone")
    await page.click("button[name=step][value=preview]")
    await album.take(page, "intake-preview-phone")
    await page.click("button[name=step][value=send]")
    await album.take(page, "intake-report-phone")


async def verify(album: Album, page: Page) -> None:
    """Answer a question of the cell."""
    await page.goto("/verification")
    question = page.locator("article", has_text=QUESTION)
    await question.locator("form[action$='/take'] button").click()
    await album.take(page, "verification-phone")
    form = question.locator("form[action$='/answer']")
    await form.locator("[name=finding][value=true]").check()
    await form.locator("[name=answer]").fill("Flammes vues depuis le quai de Southampton, sur la salle des machines.")
    await form.locator("button").click()


async def silence(album: Album, page: Page) -> None:
    """Hold back what is said of the bridge."""
    asked = {"name": ("hazard", "place"), "sign": ("=", "="), "value": ("industrial", "Pont de Normandie")}
    await page.goto(f"/silences?{urlencode({**asked, 'minutes': '240', 'check': '1'}, doseq=True)}")
    await page.fill("#reason", "Odeur de la sucrerie, signalée chaque hiver")
    await album.take(page, "silences")
    await page.locator("#checked form button").click()


async def message(album: Album, page: Page, incident: str) -> None:
    """Fill in a message, and sign it."""
    await page.goto(f"/messages/new?incident={incident.rsplit('/', 1)[-1]}")
    await page.locator("#proposed ~ ul a").first.click()
    await expect(page.locator("#write")).to_be_visible()
    for blank in await page.locator("[name^='fact.']").all():
        if not await blank.input_value():
            await blank.fill("Port du Havre")
    await page.click("button[value=fill]")
    await album.take(page, "messages-new")
    await page.click("button[value=sign]")


async def digest(album: Album, page: Page) -> None:
    """Leave a note to whoever comes next."""
    await page.goto("/digests")
    await page.fill("[name=text]", NOTE)
    await page.locator("form[action='/digests/notes'] button").click()
    await album.take(page, "digests")


async def main(folder: Path) -> None:
    """Take all pictures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    program = chromium.program()
    if program is None:
        sys.exit("there is no Chromium here: install Debian's package chromium-headless-shell")
    with (
        tempfile.TemporaryDirectory() as scratch,
        chromium.running(Path(scratch) / "browser", program, "--hide-scrollbars") as address,
    ):
        async with async_playwright() as playwright, playing(Path(scratch)) as morning:
            browser = await playwright.chromium.connect_over_cdp(address)
            await pictures(Album(folder, browser, morning), morning)
            await browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.console.screenshots FOLDER")
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1])))
