"""The situation in a real browser: what moves, what does not, and what is said when nothing more is heard."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import Page, expect
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access.visitor import Visitor
from console.application import application
from console.archive.taking import take
from console.desk import Desk
from console.pages.situation import MOST_ON_A_WALL
from records import CrisisClock
from tests.console.chromium import serving
from tests.console.conftest import CSRF, As
from tests.console.made import LE_HAVRE, a_retraction, a_signal, a_status, a_verdict, an_alert, minutes

pytestmark = pytest.mark.browser

AXE = next((Path(__file__).parents[1] / "vendor").glob("axe-core-*/axe.min.js"))
LEVELS = ("signal", "watch", "alert", "confirmed", "monitoring")
COUNTS_TONES = (
    "window.tones = 0; const start = OscillatorNode.prototype.start;"
    "OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); };"
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)


class Strict:
    """Sends the policy under which the pages are served."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY.encode())]
            await send(message)

        await self._app(scope, receive, guarded)


@pytest_asyncio.fixture(loop_scope="module")
async def address(desk: Desk) -> AsyncIterator[str]:
    """Serve a console that listens, with an incident of each level and two lines of the feed."""
    await tell(
        desk,
        a_status(last_sign_at=minutes(0)),
        a_status("presse", "blind", way="press", why="HTTP 503"),
        *(
            an_alert(incident_id=f"fire-{level}", level=level, clock=CrisisClock(), raised_at=minutes(-1))
            for level in LEVELS
        ),
        a_verdict(incident_id="fire-watch"),
    )
    desk.feed.take([a_signal(1), a_signal(2, author_kind="press", hazard="flood", cluster_ids=("t:1",))], minutes(3))
    visitor = Visitor(account_id="a", name="astreinte", role="operator", language="fr", csrf=CSRF, way="session")
    async with serving(application(desk, [Middleware(As, visitor=visitor), Middleware(Strict)])) as found:
        yield found
        await desk.viewers.close()


async def tell(desk: Desk, *records: Any) -> None:
    desk.hub.changed(*await take(desk.engine, records, desk.clock.now()))


async def look(page: Page, address: str, query: str = "") -> None:
    """Open the page and wait until it follows."""
    async with page.expect_response(lambda answer: "/live" in answer.url):
        await page.goto(f"{address}/{query}")
    await expect(page.locator("#lines li")).not_to_have_count(0)


async def order(page: Page) -> list[str]:
    found: list[str] = await page.locator("#rows tr").evaluate_all("rows => rows.map((row) => row.dataset.level)")
    return found


async def test_the_pause_comes_first_by_keyboard(chromium_page: Page, address: str) -> None:
    await look(chromium_page, address)
    await chromium_page.keyboard.press("Tab")
    await expect(chromium_page.locator("#pause")).to_be_focused()


async def test_a_new_alert_comes_by_itself_is_marked_and_said_once(
    chromium_page: Page, address: str, desk: Desk
) -> None:
    page = chromium_page
    await look(page, address)
    await tell(desk, an_alert(incident_id="fire-new", level="alert", raised_at=minutes(9)))
    row = page.locator("#incident-fire-new")
    await expect(row).to_be_visible()
    assert await order(page) == ["alert", "alert", "confirmed", "watch", "monitoring", "signal"]
    assert await page.locator("#rows tr").nth(0).get_attribute("id") == "incident-fire-new"
    await expect(row).to_have_class("is-new")
    await expect(page.locator("#announced")).to_have_text("Alerte\u00a0: incendie, Le Havre")
    await expect(page.locator("#incidents-count")).to_have_text("6")
    await expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")


async def test_focus_and_what_is_read_stay_where_they_are(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await page.set_viewport_size({"width": 800, "height": 420})
    await look(page, address)
    row, read = page.locator("#incident-fire-signal"), page.locator("#incident-fire-monitoring")
    await row.locator(".at-act a").focus()
    await read.evaluate("one => scrollBy(0, one.getBoundingClientRect().top - 100)")
    top = "one => one.getBoundingClientRect().top"
    before = await read.evaluate(top)
    await tell(desk, an_alert(incident_id="fire-signal", revision=2, level="alert", posts=9, raised_at=minutes(5)))
    await expect(row).to_contain_text("9 messages")
    assert (await order(page))[1] == "alert"
    await expect(row.locator(".at-act a")).to_be_focused()
    assert await read.evaluate(top) == pytest.approx(before, abs=1)
    await tell(desk, an_alert(incident_id="fire-signal", revision=3, level="alert", posts=10, raised_at=minutes(5)))
    await expect(row).to_contain_text("10 messages")
    await expect(row.locator(".at-act a")).to_be_focused()
    assert await read.evaluate(top) == pytest.approx(before, abs=1)


async def test_a_pause_holds_back_what_does_not_rise_and_says_how_much_waits(
    chromium_page: Page, address: str, desk: Desk
) -> None:
    page = chromium_page
    await look(page, address)
    pause = page.locator("#pause")
    await pause.click()
    await tell(desk, an_alert(incident_id="fire-watch", revision=2, level="watch", posts=7))
    await tell(desk, an_alert(incident_id="fire-monitoring", revision=2, level="resolved"))
    desk.hub.changed(*desk.feed.take([a_signal(3)], minutes(5)))
    await expect(pause).to_have_text("Reprendre (3 en attente)")
    await expect(page.locator("#held")).to_be_visible()
    await expect(page.locator("#incident-fire-watch")).not_to_contain_text("7 messages")
    await expect(page.locator("#incident-fire-monitoring")).to_be_visible()
    await expect(page.locator("#lines li")).to_have_count(2)
    await pause.click()
    await expect(page.locator("#incident-fire-watch")).to_contain_text("7 messages")
    await expect(page.locator("#incident-fire-monitoring")).to_have_count(0)
    await expect(page.locator("#lines li")).to_have_count(3)
    await expect(page.locator("#held")).to_be_hidden()


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"incident_id": "fire-new", "level": "alert"}, id="a new alert"),
        pytest.param({"incident_id": "fire-new", "level": "watch"}, id="a new watch"),
        pytest.param(
            {"incident_id": "fire-watch", "level": "alert", "revision": 2}, id="a watch that becomes an alert"
        ),
    ],
)
async def test_what_is_new_or_rises_is_seen_said_and_heard_during_a_pause(
    chromium_page: Page, address: str, desk: Desk, told: dict[str, Any]
) -> None:
    page = chromium_page
    await page.add_init_script(COUNTS_TONES)
    await look(page, address)
    await page.locator("#sound").click()
    await expect(page.locator("#sound")).to_have_text("Son : actif")
    before = await page.evaluate("tones")
    await page.locator("#pause").click()
    await tell(desk, an_alert(**told, posts=7))
    row = page.locator(f"#incident-{told['incident_id']}")
    await expect(row).to_contain_text("7 messages")
    await expect(row.locator(f".level-{told['level']}")).to_be_visible()
    await expect(page.locator("#announced")).to_contain_text("incendie, Le Havre")
    assert await page.evaluate("tones") > before
    await expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")


async def test_a_page_behind_others_is_heard_too(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await page.add_init_script(COUNTS_TONES)
    await look(page, address)
    await page.locator("#sound").click()
    await expect(page.locator("#sound")).to_have_text("Son : actif")
    before = await page.evaluate("tones")
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true }); window.requestAnimationFrame = () => 0;"
    )
    await tell(desk, an_alert(incident_id="fire-new", level="alert"))
    await expect(page.locator("#incident-fire-new")).to_have_count(1)
    assert await page.evaluate("tones") > before


async def test_what_nobody_looks_after_comes_first_and_a_colleague_is_named(
    chromium_page: Page, address: str, desk: Desk
) -> None:
    page = chromium_page
    await look(page, address)
    assert (await order(page))[:2] == ["alert", "confirmed"]
    await page.locator("#announced").evaluate("one => { one.textContent = ''; }")
    await tell(desk, a_verdict(incident_id="fire-alert", decided_by="collègue", decision_id="taken"))
    await expect(page.locator("#incident-fire-alert .at-who")).to_contain_text("collègue")
    assert (await order(page))[:2] == ["confirmed", "alert"]
    await tell(desk, a_verdict("withdraw", incident_id="fire-alert", withdraws="taken"))
    await expect(page.locator("#incident-fire-alert .at-who")).to_contain_text("personne encore")
    assert (await order(page))[:2] == ["alert", "confirmed"]
    assert await page.locator("#announced").text_content() == "", "no level has changed"


async def test_what_is_over_leaves_the_table_and_says_so_for_a_minute(
    chromium_page: Page, address: str, desk: Desk
) -> None:
    page = chromium_page
    await page.clock.install()
    await look(page, address)
    await page.locator("#incident-fire-watch .at-act a").focus()
    await tell(desk, an_alert(incident_id="fire-watch", revision=2, level="resolved"))
    await page.clock.run_for(1000)
    await expect(page.locator("#incident-fire-watch")).to_have_count(0)
    line = page.locator("#over-fire-watch")
    await expect(line).to_contain_text("Terminé")
    await expect(line.locator("a")).to_be_focused()
    await expect(page.locator("#announced")).to_have_text("Terminé\u00a0: incendie, Le Havre")
    await page.clock.run_for(61_000)
    await expect(line).to_have_count(0)
    await expect(page.locator("#over")).to_be_hidden()


async def test_time_goes_by_the_clock_of_the_server_whatever_that_of_the_machine_says(
    chromium_page: Page, address: str
) -> None:
    page = chromium_page
    await look(page, address, "?wall=1")
    await page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 0))")
    assert set(await page.locator("#rows .figure").all_text_contents()) == {"17 min"}
    await expect(page.locator("#wall-clock")).to_have_text("08:37")


@pytest.mark.parametrize("is_moved", [False, True], ids=["left alone", "moved by a person"])
async def test_a_map_that_nobody_has_moved_shows_what_is_near(
    chromium_page: Page, address: str, desk: Desk, *, is_moved: bool
) -> None:
    page = chromium_page
    await look(page, address)
    await expect(page.locator(".incident-mark")).not_to_have_count(0)
    if is_moved:
        await page.locator("#map").dispatch_event("mousedown")
    fecamp = replace(LE_HAVRE, place_id="x", name="Fécamp", lat=49.757, lon=0.377, level="site", radius_km=0.3)
    await tell(desk, an_alert(incident_id="fire-fecamp", level="alert", place=fecamp))
    await expect(page.locator("#incident-fire-fecamp")).to_be_visible()
    await page.wait_for_function("document.querySelectorAll('.incident-mark').length === 6")
    is_inside = """() => { const map = document.querySelector("#map").getBoundingClientRect();
        const boxes = [...document.querySelectorAll(".incident-mark")].map((one) => one.getBoundingClientRect());
        return boxes.every((box) => box.top >= map.top && box.right <= map.right); }"""
    if is_moved:
        assert not await page.evaluate(is_inside)
    else:
        await page.wait_for_function(is_inside)


async def test_the_title_of_the_tab_counts_the_alerts(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await look(page, address)
    await expect(page).to_have_title("(2) Situation · Vigie")
    await tell(desk, an_alert(incident_id="fire-new", level="alert"))
    await expect(page).to_have_title("(3) Situation · Vigie")
    gone = ("fire-new", "fire-alert", "fire-confirmed")
    await tell(desk, *(an_alert(incident_id=one, revision=2, level="rejected") for one in gone))
    await expect(page).to_have_title("Situation · Vigie")


async def test_a_pause_outlasts_the_page(chromium_page: Page, address: str) -> None:
    await look(chromium_page, address)
    await chromium_page.locator("#pause").click()
    await chromium_page.reload()
    await expect(chromium_page.locator("#pause")).to_have_attribute("aria-pressed", "true")


async def test_words_that_are_taken_back_go_during_a_pause_too(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await look(page, address)
    await expect(page.locator("#lines li")).to_have_count(2)
    await page.locator("#pause").click()
    desk.hub.changed(*desk.feed.take([a_retraction("facebook:e0001")], minutes(4)))
    await expect(page.locator("#lines li")).to_have_count(1)


async def test_a_page_that_hears_nothing_any_more_says_so_at_once(
    chromium_page: Page, address: str, desk: Desk
) -> None:
    page = chromium_page
    await look(page, address)
    await expect(page.locator("#lost")).to_be_hidden()
    await page.route("**/live*", lambda route: route.abort())
    desk.viewers.end()
    await expect(page.locator("#lost")).to_contain_text("AVEUGLE")
    await expect(page.locator("#blind-note")).to_be_visible()
    await tell(desk, an_alert(incident_id="fire-meanwhile", level="alert"))
    await page.unroute("**/live*")
    await expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    await expect(page.locator("#blind-note")).to_be_hidden()
    await expect(page.locator("#incident-fire-meanwhile")).to_be_visible()


async def test_when_the_last_source_is_lost_the_page_is_blind(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await look(page, address)
    await expect(page.locator("#blind-note")).to_be_hidden()
    await tell(desk, a_status(state="blind", at=minutes(1), since=minutes(1)))
    await expect(page.locator("#listening")).to_contain_text("AVEUGLE")
    await expect(page.locator("#blind-note")).to_be_visible()


async def test_the_feed_is_filtered_in_place(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await look(page, address)
    await page.locator("select[name=who]").select_option("press")
    await expect(page.locator("#lines li:visible")).to_have_count(1)
    assert page.url.endswith("/?who=press")
    desk.hub.changed(*desk.feed.take([a_signal(3), a_signal(4, author_kind="press")], minutes(5)))
    await expect(page.locator("#lines li")).to_have_count(4)
    await expect(page.locator("#lines li:visible")).to_have_count(2)


async def test_a_tone_is_heard_only_where_somebody_wants_it(
    chromium_page: Page, address: str, desk: Desk, page_errors: list[str]
) -> None:
    page = chromium_page
    await page.add_init_script(COUNTS_TONES)
    await look(page, address)
    sound = page.locator("#sound")
    await tell(desk, an_alert(incident_id="fire-silent", level="alert"))
    await expect(page.locator("#incident-fire-silent")).to_be_visible()
    assert await page.evaluate("tones") == 0
    await sound.click()
    await expect(sound).to_have_text("Son : actif")
    assert await page.evaluate("tones") == 1, "so that it is heard how loud it is"
    await tell(desk, an_alert(incident_id="fire-loud", level="alert"))
    await expect(page.locator("#incident-fire-loud")).to_be_visible()
    assert await page.evaluate("tones") == 4
    await tell(desk, an_alert(incident_id="fire-loud", revision=2, level="alert", posts=9))
    await expect(page.locator("#incident-fire-loud")).to_contain_text("9 messages")
    assert await page.evaluate("tones") == 4, "what is known makes no noise"
    assert await page.evaluate("localStorage.getItem('vigie-sound')") == "on"
    assert page_errors == []


async def test_the_choice_of_colours_is_kept(chromium_page: Page, address: str) -> None:
    page = chromium_page
    await look(page, address)
    await page.locator("select[data-theme-choice]").select_option("dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = await page.evaluate(ground)
    await page.goto(f"{address}/accessibility")
    assert await page.evaluate(ground) == dark
    await page.locator("select[data-theme-choice]").select_option("light")
    assert await page.evaluate(ground) != dark


async def test_axe_finds_nothing_while_the_map_has_its_marks(chromium_page: Page, address: str) -> None:
    page = chromium_page
    await page.goto(f"{address}/", wait_until="load")
    await expect(page.locator(".incident-mark")).not_to_have_count(0)
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
        assert [(scheme, one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []


async def test_nothing_is_asked_of_another_host_and_the_policy_is_kept(
    chromium_page: Page, address: str, asked_outside: list[str], page_errors: list[str]
) -> None:
    await look(chromium_page, address)
    await expect(chromium_page.locator(".incident-mark")).not_to_have_count(0)
    assert (asked_outside, page_errors) == ([], [])


WIDTH_ONCE_DRAWN = """async (width) => {
  for (let tries = 0; tries < 50 && document.documentElement.scrollWidth > width; tries += 1) {
    await new Promise((done) => setTimeout(done, 100)); // the map follows a moment later
  }
  return document.documentElement.scrollWidth;
}"""


async def test_nothing_sticks_out_and_nothing_is_too_small_to_press(chromium_page: Page, address: str) -> None:
    page = chromium_page
    await look(page, address)
    for width in (320, 390, 1366, 1920):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate(WIDTH_ONCE_DRAWN, width) <= width
        pressed = page.locator("button:visible, select:visible, summary:visible, nav a:visible, .button:visible")
        sizes = await pressed.evaluate_all(
            "all => all.map((one) => [one.textContent.trim(), one.getBoundingClientRect()])"
            ".map(([text, box]) => [text, box.width, box.height])"
        )
        assert sizes
        assert [(width, *one) for one in sizes if min(one[1:]) < 24] == []


async def test_what_vigie_hears_stays_above_the_map_that_is_scrolled_beneath_it(
    chromium_page: Page, address: str
) -> None:
    page = chromium_page
    await page.set_viewport_size({"width": 390, "height": 844})
    await look(page, address)
    await expect(page.locator("#map .leaflet-control-zoom-in")).to_be_visible()
    is_above = """button => {
      scrollBy(0, button.getBoundingClientRect().top - 20);
      const { x, y, width, height } = button.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2).closest(".strip") !== null;
    }"""
    assert await page.locator("#map .leaflet-control-zoom-in").evaluate(is_above)


async def test_a_choice_is_read_whole_on_a_phone(chromium_page: Page, address: str) -> None:
    page = chromium_page
    await page.set_viewport_size({"width": 390, "height": 844})
    await look(page, address)
    cut = """all => all.filter((one) => {
      const shown = one.offsetWidth;
      one.style.maxWidth = "none";
      return shown < one.offsetWidth;
    }).map((one) => one.textContent)"""
    choices = page.locator("select:visible")
    assert await choices.count() == 3
    assert await choices.evaluate_all(cut) == []


async def test_a_wall_shows_the_newest_lines_and_no_more(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await look(page, address, "?wall=1")
    desk.hub.changed(*desk.feed.take([a_signal(number) for number in range(4, 9)], minutes(9)))
    await expect(page.locator("#lines li").first).to_contain_text("(8)")
    await expect(page.locator("#lines li")).to_have_count(MOST_ON_A_WALL)


async def test_a_wall_is_read_from_four_metres(chromium_page: Page, address: str) -> None:
    """Capitals of 12 minutes of arc and more, on a screen of 55 inches: letters of 28 px; what matters most, 32."""
    page = chromium_page
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{address}/?wall=1")
    size = "all => Math.min(...all.map((one) => parseFloat(getComputedStyle(one).fontSize)))"
    assert await page.locator("#rows .level, #rows th a, .figure").evaluate_all(size) >= 32
    assert await page.locator(".heard, #rows .at-posts, #rows .at-who, .line-text").evaluate_all(size) >= 28
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_a_wall_says_how_many_incidents_it_has_no_room_for(chromium_page: Page, address: str, desk: Desk) -> None:
    page = chromium_page
    await page.set_viewport_size({"width": 1920, "height": 2000})
    await look(page, address, "?wall=1")
    await expect(page.locator("#beyond")).to_be_hidden()
    await tell(desk, *(an_alert(incident_id=f"fire-{number}", level="watch") for number in range(20)))
    await expect(page.locator("#incidents-count")).to_have_text("25")
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await expect(page.locator("#beyond")).to_be_visible()
    edge = "const edge = document.querySelector('.incidents').getBoundingClientRect().bottom;"
    below = f"rows => {{ {edge} return rows.filter((row) => row.getBoundingClientRect().bottom > edge).length; }}"
    await expect(page.locator("#beyond-count")).to_have_text(str(await page.locator("#rows tr").evaluate_all(below)))


async def test_without_scripts_all_is_there(address: str, chromium_page: Page) -> None:
    browser = chromium_page.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("#rows tr")).to_have_count(len(LEVELS))
    await expect(page.locator("#pause")).to_be_hidden()
    await expect(page.get_by_text("La carte a besoin de JavaScript")).to_be_visible()
    await context.close()
