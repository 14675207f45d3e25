"""The vendored scripts at work in a real browser, under a policy without inline code, inline styles or eval."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console.vendoring import page_files, read_packages
from tests.console.chromium import serving

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "console" / "static"
ONLY_OURS = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
POLICY = {"content-security-policy": ONLY_OURS}
PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Essai</title>
<link rel="icon" href="/static/icon.svg">
{tags}</head><body><div id="chart"></div><script src="/chart.js"></script></body></html>"""
CHART = 'new uPlot({ width: 300, height: 200, series: [{}, { stroke: "red" }] }, [[1, 2], [3, 4]], chart);'


def tags() -> str:
    written = []
    for path, integrity in page_files(read_packages()).items():
        if path.endswith(".js"):
            written.append(f'<script src="/static/{path}" integrity="{integrity}"></script>')
        if path.endswith(".css"):
            written.append(f'<link rel="stylesheet" href="/static/{path}" integrity="{integrity}">')
    return "".join(written)


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[str]:
    app = Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse(PAGE.format(tags=tags()), headers=POLICY)),
            Route("/chart.js", lambda _: Response(CHART, media_type="text/javascript")),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    async with serving(app) as address:
        yield address


async def test_maps_and_charts_work_under_a_strict_policy(
    chromium_page: Page, site: str, asked_outside: list[str], page_errors: list[str]
) -> None:
    await chromium_page.goto(site)
    await chromium_page.locator("#chart canvas").wait_for()
    assert await chromium_page.evaluate("[typeof L.map, typeof protomapsL.leafletLayer]") == ["function", "function"]
    assert (page_errors, asked_outside) == ([], [])
