"""The vendored scripts at work in a real browser, under a policy without inline code, inline styles or eval."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console.vendoring import page_files, read_packages
from tests.console.chromium import serving

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "console" / "static"
ONLY_OURS = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
POLICY = {"content-security-policy": ONLY_OURS}
ASKED = 'hx-get="/part" hx-target="#part"'
EVALUATED = 'hx-on:click="document.title = 1"'
PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Essai</title>
<link rel="icon" href="/static/icon.svg">
{tags}</head><body><button {asked} {evaluated}>Charger</button><p id="part"></p>
<div id="feed" hx-sse:connect="/feed"></div><div id="chart"></div><script src="/chart.js"></script></body></html>"""
CHART = 'new uPlot({ width: 300, height: 200, series: [{}, { stroke: "red" }] }, [[1, 2], [3, 4]], chart);'


def tags() -> str:
    written = []
    for path, integrity in page_files(read_packages()).items():
        if path.endswith(".js"):
            written.append(f'<script src="/static/{path}" integrity="{integrity}"></script>')
        if path.endswith(".css"):
            written.append(f'<link rel="stylesheet" href="/static/{path}" integrity="{integrity}">')
    return "".join(written)


def page(evaluated: str) -> Response:
    return HTMLResponse(PAGE.format(tags=tags(), asked=ASKED, evaluated=evaluated), headers=POLICY)


async def feed(_: Request) -> StreamingResponse:
    async def told() -> AsyncIterator[str]:
        yield "id: 1\ndata: <p>premier</p>\n\n"
        await asyncio.Event().wait()

    return StreamingResponse(told(), media_type="text/event-stream")


@pytest.fixture
async def site() -> AsyncIterator[str]:
    app = Starlette(
        routes=[
            Route("/", lambda _: page("")),
            Route("/evaluates", lambda _: page(EVALUATED)),
            Route("/part", lambda _: HTMLResponse("<b>arrivé</b>")),
            Route("/feed", feed),
            Route("/chart.js", lambda _: Response(CHART, media_type="text/javascript")),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    async with serving(app) as address:
        yield address


async def test_htmx_its_stream_and_charts_work_under_a_strict_policy(
    chromium_page: Page, site: str, asked_outside: list[str], page_errors: list[str]
) -> None:
    await chromium_page.goto(site)
    await chromium_page.get_by_role("button").click()
    await chromium_page.locator("#part b").wait_for()
    await chromium_page.locator("#feed p").wait_for()
    assert await chromium_page.locator("#feed").inner_text() == "premier"
    assert await chromium_page.locator("#chart canvas").count() == 1
    assert (page_errors, asked_outside) == ([], [])


async def test_code_in_an_attribute_is_what_the_policy_stops(
    chromium_page: Page, site: str, page_errors: list[str]
) -> None:
    await chromium_page.goto(f"{site}/evaluates")
    await chromium_page.get_by_role("button").click()
    await chromium_page.locator("#part b").wait_for()
    assert await chromium_page.title() == "Essai"
    assert any("unsafe-eval" in error for error in page_errors)
