"""The bench in a real browser, on the whole of Vigie: change, try, compare, shadow, approve as another, and go back."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from models.places import Gazetteer
from records import Signal
from tests.console.people import account, log_in_first, somebody
from tests.console.whole import Whole
from vigie.recording import Facts, Row, table_of
from vigie.recordings import Recordings
from vigie.settings import RECORDING, load

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(900)]

HEARD = iter(
    (
        "Gros incendie au Havre, je vois les flammes d'ici",
        "Inondation au Havre : l'eau monte dans notre rue, la cave est pleine",
        "énorme fumée noire au-dessus de la raffinerie à Harfleur, ça brûle fort",
        "explosion à Gonfreville-l'Orcher, les vitres ont tremblé, grosse flamme dans l'usine",
        "le feu a pris dans un immeuble à Montivilliers, les pompiers évacuent les gens",
        "on est coincés à l'étage à Sainte-Adresse, l'eau est entrée dans la maison",
        "au feu !! un entrepôt brûle à Fécamp, la fumée couvre le port",
        "Rouen : forte odeur de gaz et fumée blanche qui sort de l'usine, on suffoque",
    )
)
TAKEN_UP = "Workers decide by it: the newest alert since names it."
SLOWEST = 400_000  # a scenario's posts are read anew, on a machine that does other things as well


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    """Run Vigie on a machine that has recorded a fire of yesterday."""
    one = Whole(tmp_path)
    _record(load(tmp_path / "vigie.toml").data.dir, tmp_path)
    try:
        one.start()
        yield one
    finally:
        one.stop()


def _record(data: Path, folder: Path) -> None:
    begin = datetime.now(UTC) - timedelta(days=1)
    place = Gazetteer().home_place("76351")
    signals = [
        Signal(
            post_key=f"bluesky:old-{number}",
            source="bluesky",
            hazard="fire",
            place=place,
            event_time=begin + timedelta(minutes=2 * number),
            received_at=begin + timedelta(minutes=2 * number, seconds=2),
            probability=0.9,
            likelihood_ratio=20.0,
            witness_probability=0.8,
            actuality="now",
            author_id=f"old-author-{number}",
            text="",
        )
        for number in range(12)
    ]
    rows = [Row(one, 0, number, one.received_at) for number, one in enumerate(signals)]
    kept = Recordings(data / RECORDING if data.is_absolute() else folder / data / RECORDING)
    kept.write(kept.folder / f"{begin:%Y-%m-%d}.parquet", table_of(rows), Facts())


async def change(page: Page, **values: str) -> None:
    """Type values into the form of the settings, and send it."""
    for key, value in values.items():
        await page.fill(f"#set-{key.replace('__', '-')}", value)
    await page.get_by_role("button", name="Change it").click()


async def names_it(page: Page, whole: Whole, words: str) -> None:
    """Have people write of a fire until an alert says by which profile the workers decide."""
    notice = page.get_by_text(words)
    for _ in range(4):
        await whole.hear(next(HEARD))
        await asyncio.sleep(5)
        await page.goto("/tuning")
        if await notice.count():
            return
    raise AssertionError(await page.locator("main").inner_text())


async def edit(page: Page) -> None:
    """Begin a candidate; what cannot be is refused with the reason, what can be is shown as a difference."""
    await page.goto("/tuning")
    await page.get_by_role("button", name="Begin a candidate from it").click()
    await expect(page.locator("h1")).to_have_text("Candidate city 2.1")
    await change(page, budget__watch="0")
    await expect(page.locator(".error-summary")).to_contain_text("out of bounds; from 0.0001 to 10000")
    await change(page, budget__watch="14.0", budget__alert="20")
    await expect(page.locator(".error-summary")).to_contain_text("more than budget.watch = 14.0")
    await change(page, budget__watch="56.0", budget__alert="0.5")
    await expect(page.get_by_text("Changed. What it was tried as before")).to_be_visible()
    await expect(page.locator("table.settings").first).to_contain_text("budget.watch")


async def ask(page: Page, scenario: str) -> None:
    await page.get_by_text("Scenarios (").click()
    await page.check(f"#scenario-{scenario}")
    await page.get_by_role("button", name="Try it").click()


async def compare(page: Page) -> None:
    """See what a trial found, side by side and drawn."""
    await expect(page.get_by_role("heading", name="Side by side")).to_be_visible(timeout=SLOWEST)
    await expect(page.get_by_role("heading", name="The recording")).to_be_visible()
    await expect(page.get_by_role("heading", name="Two fires")).to_be_visible()
    await expect(page.locator(".frontier canvas").first).to_be_visible()
    await page.locator("#course").select_option(index=1)
    await expect(page.locator(".course canvas")).to_be_visible()


async def shadow(page: Page) -> None:
    """Let a candidate decide beside the live profile, and see what it would have said."""
    await page.select_option("#days", "1")
    await page.get_by_role("button", name="Let it decide beside").click()
    await expect(page.get_by_role("heading", name="In the shadow of the live profile")).to_be_visible()
    for _ in range(60):
        if not await page.get_by_text("Nothing is known yet.").count():
            break
        await asyncio.sleep(2)
        await page.reload()
    await expect(page.get_by_text("As of ")).to_be_visible()


async def test_a_profile_is_changed_tried_compared_shadowed_approved_promoted_and_taken_back(
    whole: Whole, driven: Browser, asked_outside: list[str], page_errors: list[str]
) -> None:
    async with (
        somebody(driven, whole, asked_outside, page_errors, language="en") as analyst,
        somebody(driven, whole, asked_outside, page_errors, language="en") as chief,
    ):
        async with somebody(driven, whole, asked_outside, page_errors, language="en") as admin:
            await log_in_first(admin, "admin", whole.first_password)
            passwords = {name: await account(admin, name, "analyst") for name in ("analyste", "chef")}
        await log_in_first(analyst, "analyste", passwords["analyste"])
        await log_in_first(chief, "chef", passwords["chef"])

        await edit(analyst)
        address = analyst.url.partition("?")[0]
        await analyst.uncheck("#recorded")
        await ask(analyst, "lubrizol_2019")
        await expect(analyst.locator("progress")).to_be_visible()
        await analyst.get_by_role("button", name="Stop it").click()
        await expect(analyst.get_by_text("Somebody stopped it.")).to_be_visible()
        await analyst.goto(address)
        await ask(analyst, "two_fires")
        await compare(analyst)
        await analyst.goto(address)
        await shadow(analyst)

        await analyst.goto(address)
        await analyst.fill("#reason", "Two fires, sooner")
        await analyst.get_by_role("button", name="Propose it").click()
        await expect(analyst.get_by_text("You have proposed it: somebody else approves it.")).to_be_visible()
        await chief.goto(address)
        if await chief.locator("#knows").count():
            await chief.check("#knows")
        await chief.get_by_role("button", name="Approve it").click()
        await expect(chief.get_by_text("proposed by analyste, approved by chef")).to_be_visible()
        await names_it(analyst, whole, TAKEN_UP)
        await expect(analyst.locator("#holds-title + p")).to_contain_text("city 2.1")

        await analyst.get_by_role("button", name="Go back to the settings’ file").click()
        await expect(analyst.get_by_text("What was in force before is so again.")).to_be_visible()
        await names_it(analyst, whole, TAKEN_UP)
        await expect(analyst.locator("#holds-title + p")).to_contain_text("which somebody went back to")
        await analyst.goto("/audit")
        for words in ("approved a profile", "went back to an earlier profile", "stopped a trial"):
            await expect(analyst.locator("tbody tr").filter(has_text=words).first).to_be_visible()
    assert asked_outside == []
    assert [one for one in page_errors if " 422 " not in one] == [], "so Chromium tells of what was refused"
