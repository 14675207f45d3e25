"""The levels as somebody sees them who sees no colours: told apart by their shapes, and the graver ones stand out."""

from collections.abc import AsyncIterator
from io import BytesIO
from itertools import combinations
from typing import Literal, get_args

import pytest
import pytest_asyncio
from PIL import Image, ImageChops, ImageStat
from playwright.async_api import Page

from console.access.door import middleware
from console.access.doors import Doors
from console.application import application
from console.desk import Desk
from records.alert import Level
from tests.console.chromium import serving

pytestmark = pytest.mark.browser

LEVELS: tuple[Level, ...] = get_args(Level)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OTHER = 96  # of 255: from here on, a pixel is plainly another one
LEAST_OTHERS = 36  # pixels; a shape has some 225
WORDLESS = """levels => {
  document.querySelector("main").innerHTML = levels.map((level) =>
    `<p id="${level}" style="padding: 8px"><span class="level level-${level}"></span></p>`).join("");
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def address(desk: Desk) -> AsyncIterator[str]:
    async with serving(application(desk, middleware(desk, Doors()))) as found:
        yield found


async def seen(page: Page, address: str, scheme: Literal["light", "dark"]) -> dict[Level, Image.Image]:
    """Return each level without its word and without colours."""
    await page.goto(f"{address}/accessibility")
    await page.emulate_media(color_scheme=scheme)
    await page.evaluate(WORDLESS, LEVELS)
    pictures = {level: await page.locator(f"#{level} .level").screenshot() for level in LEVELS}
    return {level: Image.open(BytesIO(picture)).convert("L") for level, picture in pictures.items()}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_each_level_has_a_look_of_its_own_in_grey(
    chromium_page: Page, address: str, scheme: Literal["light", "dark"]
) -> None:
    levels = await seen(chromium_page, address, scheme)
    for one, other in combinations(LEVELS, 2):
        difference = ImageChops.difference(levels[one], levels[other])
        others = sum(difference.histogram()[OTHER:])
        assert others >= LEAST_OTHERS, f"{one} and {other} differ in {others} pixels"


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_alert_stands_out_most_then_a_watch(
    chromium_page: Page, address: str, scheme: Literal["light", "dark"]
) -> None:
    levels = await seen(chromium_page, address, scheme)
    ground = {"light": 255, "dark": 0}[scheme]
    weight = {level: abs(ground - float(ImageStat.Stat(picture).mean[0])) for level, picture in levels.items()}
    assert min(weight["alert"], weight["confirmed"]) > 1.2 * weight["watch"]
    assert weight["watch"] > 1.2 * max(weight["signal"], weight["resolved"], weight["rejected"])
