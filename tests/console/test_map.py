"""The map in a real browser: what it draws of the ground and of the incidents, and what it asks of nobody."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console.vendoring import page_files, read_packages
from tests.console.chromium import serving
from tests.console.made import LE_HAVRE

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "console" / "static"
AXE = next((Path(__file__).parent / "vendor").glob("axe-core-*/axe.min.js"))
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
AT = (LE_HAVRE.lon, LE_HAVRE.lat)
WIDTH, HEIGHT = 640, 400  # CSS pixels: few, for a processor draws the ground here
STYLE = f"body {{ margin: 0 }} #map {{ width: {WIDTH}px; height: {HEIGHT}px }}"

TESTED = """
import { makeMap } from "/static/map.js";
const asked = Object.fromEntries(new URLSearchParams(location.search));
const options = { pmtilesUrl: "/static/base.pmtiles", ...JSON.parse(asked.options ?? "{}") };
window.vigieMap = makeMap(document.getElementById("map"), options);
"""


def page_with_map() -> str:
    files = page_files(read_packages())
    styles = "".join(f'<link rel="stylesheet" href="/static/{path}">' for path in files if path.endswith("leaflet.css"))
    scripts = "".join(
        f'<script src="/static/{path}" integrity="{integrity}"></script>'
        for path, integrity in files.items()
        if path.endswith(("leaflet.js", "uPlot.iife.min.js"))
    )
    return f"""<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Carte</title>
<meta name="color-scheme" content="light dark"><link rel="icon" href="/static/icon.svg">{styles}
<link rel="stylesheet" href="/static/map.css"><link rel="stylesheet" href="/tested.css"></head>
<body><main><h1>Carte</h1><div id="map"></div></main>{scripts}<script type="module" src="/tested.js"></script>
</body></html>"""


def text(content: str, media_type: str) -> Callable[[Request], HTMLResponse]:
    return lambda _: HTMLResponse(content, media_type=media_type, headers={"content-security-policy": POLICY})


BOUNDARIES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "<b>Zone</b>"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[0, 49.4], [0.3, 49.4], [0.3, 49.6], [0, 49.6], [0, 49.4]]],
            },
        }
    ],
}


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[str]:
    app = Starlette(
        routes=[
            Route("/", text(page_with_map(), "text/html")),
            Route("/tested.js", text(TESTED, "text/javascript")),
            Route("/tested.css", text(STYLE, "text/css")),
            Route("/boundaries", lambda _: JSONResponse(BOUNDARIES)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    async with serving(app) as address:
        yield address


def feature(**changes: Any) -> dict[str, Any]:
    lon, lat = changes.pop("at", AT)
    properties = {
        "id": "fire-1",
        "level": "watch",
        "hazard": "fire",
        "precision": "point",
        "name": "Le Havre",
        "radius_km": 6,
        "href": "/incidents/fire-1",
    }
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {**properties, **changes},
    }


async def shown(page: Page, *features: dict[str, Any]) -> None:
    """Tell the map what there is, and wait until it has drawn it."""
    await page.evaluate(
        """features => { vigieMap.setIncidents(features);
            return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))) }""",
        list(features),
    )


MARKS = ".incident-mark"
IS_DRAWN = """() => {
  const tiles = [...document.querySelectorAll("canvas.leaflet-tile")];
  return tiles.length > 0 && tiles.every(tile => tile.classList.contains("leaflet-tile-loaded"));
}"""
COLOURS = """() => {
  const seen = new Set();
  for (const tile of document.querySelectorAll("canvas.leaflet-tile")) {
    const { data } = tile.getContext("2d").getImageData(0, 0, tile.width, tile.height);
    for (let i = 0; i < data.length; i += 4)
      seen.add("#" + [0, 1, 2].map(k => data[i + k].toString(16).padStart(2, "0")).join(""));
  }
  return [...seen];
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def map_page(chromium_page: Page, site: str) -> Page:
    await chromium_page.goto(site)
    await chromium_page.wait_for_function(IS_DRAWN)
    return chromium_page


@pytest.mark.parametrize(("scheme", "land", "water"), [("light", "#f7f5f0", "#cbdde9"), ("dark", "#232b32", "#0f1c28")])
async def test_ground_is_drawn_by_day_and_by_night_and_nothing_is_asked_of_another_host(
    scheme: Any, land: str, water: str, chromium_page: Page, site: str, asked_outside: list[str], page_errors: list[str]
) -> None:
    await chromium_page.emulate_media(color_scheme=scheme)
    await chromium_page.goto(site)
    await chromium_page.wait_for_function(IS_DRAWN)
    assert {land, water} <= set(await chromium_page.evaluate(COLOURS))
    assert asked_outside == []
    assert page_errors == []  # nor does any of the vendored scripts need what a strict policy forbids


async def test_a_screen_that_turns_dark_takes_the_map_along(map_page: Page) -> None:
    assert "#f7f5f0" in await map_page.evaluate(COLOURS)
    await map_page.emulate_media(color_scheme="dark")
    await map_page.wait_for_function(f"() => {{ const seen = ({COLOURS})(); return !seen.includes('#f7f5f0') }}")
    assert "#232b32" in await map_page.evaluate(COLOURS)


async def test_the_archive_is_read_in_parts(map_page: Page, site: str) -> None:
    sizes = []
    map_page.on("response", lambda answer: sizes.append((answer.status, answer.headers.get("content-range"))))
    await map_page.reload()
    await map_page.wait_for_function(IS_DRAWN)
    parts = [(status, part) for status, part in sizes if part]
    assert parts
    assert {status for status, _ in parts} == {206}


async def test_a_point_is_a_mark_an_area_a_dashed_circle_and_what_nobody_knows_is_not_drawn(map_page: Page) -> None:
    await shown(
        map_page,
        feature(id="a", precision="point"),
        feature(id="b", precision="commune", hazard="flood", at=(0.4, 49.5)),
        feature(id="c", precision="unknown"),
        {**feature(id="d"), "geometry": None},
    )
    assert await map_page.locator(MARKS).count() == 2
    assert await map_page.locator(".incident-mark.is-point").get_attribute("aria-label") == "Le Havre, veille, feu"
    area = map_page.locator(".incident-mark.is-area")
    assert await area.get_attribute("aria-label") == "Le Havre, veille, inondation, lieu connu à cette zone près"
    circle = map_page.locator(".incident-area")
    assert await circle.count() == 1
    assert await circle.evaluate("one => getComputedStyle(one).strokeDasharray") != "none"
    ring, mark = await circle.bounding_box(), await area.bounding_box()
    assert ring is not None
    assert mark is not None
    assert mark["y"] + mark["height"] == pytest.approx(ring["y"], abs=3)  # on the rim, not in the middle


LEVELS = ("signal", "watch", "alert", "confirmed", "monitoring", "resolved", "rejected")
HAZARDS = ("fire", "flood", "industrial", "other")


async def test_hazard_is_told_by_shape_and_level_by_letter(map_page: Page) -> None:
    await shown(
        map_page,
        *(
            feature(id=f"{level}-{hazard}", level=level, hazard=hazard, at=(row / 10, 49 + column / 10))
            for row, level in enumerate(LEVELS)
            for column, hazard in enumerate(HAZARDS)
        ),
    )
    told: list[list[str]] = await map_page.evaluate(
        """() => [...document.querySelectorAll(".incident-mark")].map(mark =>
            [mark.querySelector(".shape").getAttribute("d"), mark.querySelector("text").textContent])"""
    )
    assert len({tuple(one) for one in told}) == len(LEVELS) * len(HAZARDS)


async def test_marks_are_large_enough_and_reached_and_named_by_the_keyboard(map_page: Page) -> None:
    await shown(map_page, feature(id="a"), feature(id="b", name="Fécamp", level="alert", at=(0.38, 49.76)))
    names = []
    for _ in range(12):
        await map_page.keyboard.press("Tab")
        names.append(await map_page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert "Le Havre, veille, feu" in names
    assert "Fécamp, alerte, feu" in names
    for box in [await mark.bounding_box() for mark in await map_page.locator(MARKS).all()]:
        assert box is not None
        assert box["width"] >= 24
        assert box["height"] >= 24
    await map_page.locator(MARKS).first.focus()
    outline = await map_page.locator(MARKS).first.evaluate("mark => getComputedStyle(mark).outlineStyle")
    assert outline != "none"


async def test_enter_opens_the_incident(map_page: Page, site: str) -> None:
    await shown(map_page, feature())
    await map_page.locator(MARKS).focus()
    async with map_page.expect_navigation():
        await map_page.keyboard.press("Enter")
    assert map_page.url == f"{site}/incidents/fire-1"


async def test_a_change_is_shown_in_place_and_leaves_the_focus_where_it_is(map_page: Page) -> None:
    await shown(map_page, feature(id="a"), feature(id="b", at=(0.4, 49.6)))
    mark = map_page.locator(MARKS).first
    await mark.focus()
    await map_page.evaluate("window.before = document.activeElement")
    await shown(
        map_page,
        feature(id="c", at=(0.5, 49.6)),
        feature(id="a", level="alert", precision="commune", at=(0.2, 49.5)),
    )
    assert await map_page.evaluate("document.activeElement === window.before")
    assert str(await mark.get_attribute("aria-label")).startswith("Le Havre, alerte, feu")
    assert await map_page.locator(MARKS).count() == 2  # b is gone, c has come
    assert await map_page.locator(".incident-area").count() == 1


async def test_what_posts_and_people_write_is_text(map_page: Page, page_errors: list[str]) -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    await shown(
        map_page,
        feature(id="a", name=hostile, level=hostile, hazard=hostile, href="javascript:alert(1)"),
        feature(id="b", href="//elsewhere.example/"),
    )
    assert await map_page.locator("#map img[src=x]").count() == 0
    marks = map_page.locator(MARKS)
    assert hostile in str(await marks.first.get_attribute("aria-label"))
    assert [await mark.get_attribute("href") for mark in await marks.all()] == [None, None]
    assert [await mark.get_attribute("tabindex") for mark in await marks.all()] == ["0", "0"]  # still read out
    assert page_errors == []


async def test_two_hundred_incidents_and_fifty_updates_a_second_do_not_block_the_page(map_page: Page) -> None:
    beats: list[float] = await map_page.evaluate(
        """async make => {
            const features = level => Array.from({length: 200}, (_, i) => {
              const one = structuredClone(make);
              one.properties.id = `i${i}`;
              one.properties.level = i % 20 ? "watch" : level;
              if (i % 2) one.properties.precision = "commune";
              one.geometry.coordinates = [i % 20 / 4, 45 + Math.floor(i / 20) / 4];
              return one;
            });
            vigieMap.setIncidents(features("watch"));
            await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
            const beats = [];
            await new Promise(done => {
              let last = performance.now();
              const beat = setInterval(() => {
                const now = performance.now();
                beats.push(now - last);
                last = now;
                vigieMap.setIncidents(features(beats.length % 2 ? "alert" : "watch"));
                if (beats.length === 100) { clearInterval(beat); done(); }
              }, 20);
            });
            return beats;
        }""",
        feature(),
    )
    assert median(beats) < 100  # ms; 20 were asked for, on a machine that runs other tests beside
    assert await map_page.locator(MARKS).count() == 200


async def test_of_many_updates_in_one_frame_the_last_is_drawn(map_page: Page) -> None:
    await map_page.evaluate("make => { vigieMap.setIncidents([make]); vigieMap.setIncidents([]) }", feature(id="a"))
    await shown(map_page, feature(id="b"))
    drawn = await map_page.evaluate(
        """async ([one, other]) => {
            let changes = 0;
            const marks = document.querySelector(".leaflet-marker-pane");
            const observer = new MutationObserver(seen => { changes += seen.length });
            observer.observe(marks, { subtree: true, attributes: true, attributeFilter: ["aria-label"] });
            for (let i = 0; i < 50; i++) vigieMap.setIncidents([i % 2 ? one : other]);
            await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
            return [changes, document.querySelector(".incident-mark").getAttribute("aria-label")];
        }""",
        [feature(id="b", level="alert"), feature(id="b", level="confirmed")],
    )
    assert drawn == [1, "Le Havre, alerte, feu"]


async def test_boundaries_are_laid_over_and_set_the_first_view(
    chromium_page: Page, site: str, page_errors: list[str]
) -> None:
    await chromium_page.goto(f'{site}/?options={{"boundariesUrl":"/boundaries"}}')
    await chromium_page.evaluate("vigieMap.ready")
    outline = chromium_page.locator("path.boundary")
    box = await outline.bounding_box()
    assert box is not None
    assert box["width"] > HEIGHT * 0.39
    await chromium_page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    assert await chromium_page.locator(".leaflet-tooltip").text_content() == "<b>Zone</b>"
    assert page_errors == []


async def test_boundaries_that_cannot_be_had_are_said_to_be_missing(chromium_page: Page, site: str) -> None:
    await chromium_page.goto(f'{site}/?options={{"boundariesUrl":"/nowhere"}}')
    await chromium_page.evaluate("vigieMap.ready")
    said = await chromium_page.locator(".leaflet-control-attribution").text_content()
    assert "limites locales non chargées" in str(said)


async def test_tiles_from_the_network_lie_over_the_base_map_and_each_bears_its_attribution(
    chromium_page: Page, site: str
) -> None:
    online = '{"online":{"template":"http://tiles.example/{z}/{x}/{y}.png","attribution":"<b>IGN</b>"}}'
    await chromium_page.goto(f"{site}/?options={online}")
    await chromium_page.wait_for_function("document.querySelector('.leaflet-tile-pane img')")
    tile = str(await chromium_page.locator(".leaflet-tile-pane img").first.get_attribute("src"))
    assert tile.startswith("http://tiles.example/")
    said = str(await chromium_page.locator(".leaflet-control-attribution").text_content())
    assert "<b>IGN</b>" in said
    assert "Natural Earth" in said


@pytest.mark.parametrize(("motion", "moving"), [("no-preference", 2), ("reduce", 0)])
async def test_who_wants_no_motion_gets_none(motion: Any, moving: int, chromium_page: Page, site: str) -> None:
    await chromium_page.emulate_media(reduced_motion=motion)
    await chromium_page.goto(site)
    await chromium_page.wait_for_function(IS_DRAWN)
    assert await chromium_page.locator(".leaflet-fade-anim, .leaflet-proxy").count() == moving


async def test_the_home_of_the_settings_is_shown_first_and_incidents_elsewhere_do_not_move_it(
    chromium_page: Page, site: str
) -> None:
    await chromium_page.goto(f'{site}/?options={{"home":[49.49,0.11],"zoom":12}}')
    await shown(chromium_page, feature(id="a"), feature(id="b", at=(7.7, 48.6)))
    box = await chromium_page.locator(MARKS).first.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] / 2 == pytest.approx(WIDTH / 2, abs=10)


async def test_axe_finds_nothing_on_the_map(map_page: Page) -> None:
    await shown(map_page, feature(id="a"), feature(id="b", precision="commune", at=(0.4, 49.6)))
    await map_page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await map_page.evaluate("axe.run()")
    assert found["passes"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
