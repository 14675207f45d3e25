"""Every page in a real browser, in French and English, light and dark, wide and as narrow as a phone held near."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Response, ViewportSize

from console.access.door import middleware
from console.access.doors import Doors
from console.access.pace import Pace
from console.application import PAGES, application
from console.archive.database import address_from, opened
from console.catalogue import Language, messages
from console.desk import Desk, Setup
from console.live.hub import Hub
from console.messages.message_map import MessageMap
from console.templating import environments
from console.trust.watching import Watching
from console.tuning.editing import changed, text_id
from detectors.profile import profile_text
from records import ManualClock
from tests.console.chromium import CUT_OFF, serving, watch
from tests.console.full import CONFIRMED, LATE, QUESTION, REPORT, REPORTED, SIGNED, act, fill
from tests.console.made import INCIDENT, LE_HAVRE, minutes
from tests.console.trust.told import past
from tests.console.tuning.bench import AgreedTuner, fill_bench
from vigie.territory import default_profile
from vigie.trust_watch import TrustWatch

pytestmark = pytest.mark.browser

AXE = next((Path(__file__).parent / "vendor").glob("axe-core-*/axe.min.js")).read_text(encoding="utf-8")
NARROW: ViewportSize = {"width": 320, "height": 640}  # CSS pixels: WCAG 1.4.10
WIDE: ViewportSize = {"width": 1366, "height": 900}
LEAST_TARGET = 24  # CSS pixels: WCAG 2.5.8
OFTEN = Doors(forms=Pace(burst=9999, per_second=9999.0), api=Pace(burst=9999, per_second=9999.0))

NO_PAGES = {
    "live": "a stream of events",
    "trial_state": "a line of JSON",
    "record_csv": "a file",
    "record_json": "a file",
    "oidc": "leads to the provider, or to the login",
    "oidc_back": "leads to the situation, or to the login",
}
"""What answers GET, and shows nobody anything."""


@dataclass(frozen=True)
class View:
    """One page as somebody sees it."""

    name: str  # of the page
    path: str
    who: str = "admin"  # "": nobody known
    status: int = 200
    is_empty: bool = False  # on a console that has heard nothing yet
    sends: dict[str, str] = field(default_factory=dict)  # a form that is sent to the address, from the page itself


PROFILE = profile_text(default_profile(LE_HAVRE))
DRAFT = text_id(changed(PROFILE, {"version": "2.1", "budget.watch": 28.0}))
CHECKED = "/silences?name=hazard&sign=%3D&value=fire&minutes=60&check=1"
VIEWS = {
    "situation": View("situation", "/"),
    "situation of a viewer": View("situation", "/", "viewer"),
    "situation, empty": View("situation", "/", is_empty=True),
    "situation, filtered": View("situation", "/?who=press&hazard=fire"),
    "wall": View("situation", "/?wall=1"),
    "wall, empty": View("situation", "/?wall=1", is_empty=True),
    "incidents": View("incidents", "/incidents"),
    "incidents, empty": View("incidents", "/incidents", is_empty=True),
    "incident": View("incident", f"/incidents/{INCIDENT}"),
    "incident of a viewer": View("incident", f"/incidents/{INCIDENT}", "viewer"),
    "incident, over": View("incident", "/incidents/fire-resolved"),
    "incident, wrongly decided": View(
        "incident", f"/incidents/{INCIDENT}/decide", status=422, sends={"decision": "relocate", "nonce": "n1"}
    ),
    "incident, unknown": View("incident", "/incidents/none", status=404),
    "record": View("record", f"/incidents/{INCIDENT}/record"),
    "intake": View("intake", "/intake"),
    "intake, with nothing in it": View("intake", "/intake", status=422, sends={"report_id": "f" * 16, "step": "send"}),
    "intake, preview": View("intake", "/intake", sends={**REPORTED, "report_id": "e" * 16, "step": "preview"}),
    "report": View("intake_report", f"/intake/{REPORT}"),
    "report, corrected": View("intake_correction", f"/intake/{REPORT}/correct"),
    "verification": View("verification", "/verification"),
    "verification of a volunteer": View("verification", "/verification", "volunteer"),
    "verification, empty": View("verification", "/verification", is_empty=True),
    "verification, with nothing in it": View(
        "verification", f"/verification/{QUESTION}/answer", status=422, sends={"finding": ""}
    ),
    "messages": View("messages", "/messages"),
    "messages, empty": View("messages", "/messages", is_empty=True),
    "message": View("messages_new", f"/messages/new?incident={INCIDENT}"),
    "message, chosen": View("messages_new", f"/messages/new?incident={CONFIRMED}&message={SIGNED['message']}"),
    "message, with nothing in it": View("messages_new", "/messages/new", status=422, sends={**SIGNED, "step": "sign"}),
    "accessibility": View("accessibility", "/accessibility", ""),
    "accounts": View("accounts", "/accounts"),
    "accounts, with nothing in it": View("accounts", "/accounts", status=422, sends={"name": "", "role": "admin"}),
    "accounts of somebody who may not": View("accounts", "/accounts", "operator", 403),
    "own account": View("own_account", "/accounts/me"),
    "audit": View("audit", "/audit"),
    "audit, none found": View("audit", "/audit?actor=nobody"),
    "audit, wrongly asked": View("audit", "/audit?since=yesterday", status=422),
    "audit, checked": View("audit", "/audit/check", sends={"a": "b"}),
    "digests": View("digests", "/digests?since=2012-01-30T07:00&until=2012-01-30T09:30"),
    "digests, empty": View("digests", "/digests", is_empty=True),
    "digests, wrongly asked": View("digests", "/digests?since=2012-01-30T09:00&until=2012-01-30T08:00", status=422),
    "login": View("login", "/login", ""),
    "login, with nothing in it": View("login", "/login", "", 422, sends={"name": "", "password": ""}),
    "password": View("password", "/password"),
    "password, first": View("password", "/password", "new"),
    "password, with nothing in it": View("password", "/password", status=422, sends={"old": "", "new": ""}),
    "privacy": View("privacy", "/privacy"),
    "privacy of a viewer, empty": View("privacy", "/privacy", "viewer", is_empty=True),
    "silences": View("silences", "/silences"),
    "silences, empty": View("silences", "/silences", is_empty=True),
    "silences, checked": View("silences", CHECKED),
    "silences, wrongly asked": View("silences", "/silences?name=hazard&sign=%3D&value=&minutes=60&check=1", status=422),
    "sources": View("sources", "/sources"),
    "sources, empty": View("sources", "/sources", is_empty=True),
    "trust": View("trust", "/trust"),
    "trust, a year": View("trust", "/trust?days=365"),
    "trust, empty": View("trust", "/trust", is_empty=True),
    "trust, with nothing in it": View("trust", "/trust/missed", status=422, sends={"hazard": ""}),
    "tuning": View("tuning", "/tuning"),
    "tuning, empty": View("tuning", "/tuning", is_empty=True),
    "tuning, wrongly back": View("tuning", "/tuning/back", status=422, sends={"to": "never"}),
    "candidate": View("candidate", "/tuning/candidates/c-draft"),
    "candidate, proposed": View("candidate", "/tuning/candidates/c-proposed"),
    "candidate, in force": View("candidate", "/tuning/candidates/c-first"),
    "candidate, with nothing in it": View(
        "candidate", "/tuning/candidates/c-draft", status=422, sends={"text_id": DRAFT, "set:budget.watch": ""}
    ),
    "trial": View("trial", "/tuning/trials/trial-draft"),
    "trial, under way": View("trial", "/tuning/trials/trial-waiting"),
    "trial, stopped": View("trial", "/tuning/trials/trial-stopped"),
    "shadow": View("shadow", "/tuning/shadows/shadow"),
    "nowhere": View("", "/nowhere", status=404),
}


CODE = re.compile(r"\b[a-z]+_[a-z_]+\b")  # what records and forms call things


def alone() -> frozenset[str]:
    """Return what the pages say in English and never in French: a word that stands there was forgotten."""
    found = [one for one in messages("fr") if isinstance(one.id, str) and "%(" not in one.id]
    return frozenset({str(one.id) for one in found} - {str(one.string) for one in found})


ENGLISH_ALONE = alone()


def test_every_page_has_a_line() -> None:
    shown = {page.name for page in PAGES if "GET" in page.methods and not page.is_api} - NO_PAGES.keys()
    assert shown == {view.name for view in VIEWS.values()} - {""}


@dataclass(frozen=True)
class Consoles:
    """A console with everything in it and an empty one, and what opens a page of them."""

    full: str
    empty: str
    sessions: dict[bool, dict[str, str]]  # is it the empty one -> somebody -> his session
    browser: Browser
    pages: dict[tuple[str, Language, bool], Page]

    async def page(self, view: View, language: Language) -> Page:
        """Return the window of somebody, in a language."""
        key = (view.who, language, view.is_empty)
        if key not in self.pages:
            context = await self.browser.new_context(
                locale=language, base_url=self.empty if view.is_empty else self.full, reduced_motion="reduce"
            )
            await context.add_cookies([self._cookie("language", language, view)])
            if view.who:
                await context.add_cookies([self._cookie("vigie", self.sessions[view.is_empty][view.who], view)])
            self.pages[key] = await context.new_page()
        return self.pages[key]

    def _cookie(self, name: str, value: str, view: View) -> Any:
        return {"name": name, "value": value, "url": self.empty if view.is_empty else self.full}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def consoles(
    driven: Browser, shipped: MessageMap, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Consoles]:
    """Serve both consoles for all tests of this file."""
    async with AsyncExitStack() as stack:
        sessions, addresses = {}, []
        for is_empty in (False, True):
            engine = await opened(address_from(f"sqlite:///{tmp_path_factory.mktemp('every') / 'console.sqlite'}"))
            stack.push_async_callback(engine.dispose)
            setup = Setup(
                cell="Ville du Havre",
                home=(49.49, 0.11),
                zoom=11,
                insee="76351",
                is_exercise=is_empty,
                profile="" if is_empty else PROFILE,
                duty=() if is_empty else (("astreinte", "02 35 00 00 00"),),
            )
            desk = Desk(
                engine=engine,
                hub=Hub(),
                clock=ManualClock(minutes(0) if is_empty else LATE),
                setup=setup,
                messages=shipped,
                templates=environments(setup.zone),
                tuner=None if is_empty else AgreedTuner(),
                find_place=lambda text: (LE_HAVRE,) if "Havre" in text else (),
                watching=None if is_empty else Watching(TrustWatch(past)),
            )
            address = await stack.enter_async_context(serving(application(desk, middleware(desk, OFTEN))))
            stack.push_async_callback(desk.viewers.close)
            addresses.append(address)
            sessions[is_empty] = await fill(desk, is_empty=is_empty)
            if desk.watching:
                await desk.watching.look(desk.engine, LATE)
            if not is_empty:
                await fill_bench(desk)
                await act(address, sessions[False]["operator"], desk)
        found = Consoles(addresses[0], addresses[1], sessions, driven, {})
        yield found
        for page in found.pages.values():
            await page.context.close()


async def show(page: Page, view: View) -> None:
    """Open a page, or have it by sending a form to it; all that is folded is opened, as far as it asks nothing."""
    if view.sends:
        await page.goto("/accessibility")
        async with page.expect_navigation() as going:
            await page.evaluate(SEND, [view.path, view.sends])
        answer: Response | None = await going.value
    else:
        answer = await page.goto(view.path)
    assert answer is not None
    assert answer.status == view.status
    assert (answer.headers.get("content-type") or "").startswith("text/html")
    await page.evaluate("for (const one of document.querySelectorAll('details:not(.reveal)')) one.open = true")


SEND = """([path, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: path });
  for (const [name, value] of Object.entries({ csrf: document.body.dataset.csrf, ...fields })) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}"""
AXE_RUN = "axe.run({ resultTypes: ['violations'] })"
COLOURS: dict[Language, Literal["light", "dark"]] = {"fr": "light", "en": "dark"}
"""In which axe looks at a page: what it finds hangs on the language or on the colours, and not on both."""
SMALL = """least => [...document.querySelectorAll("a, button, select, summary, input, textarea, [role=button]")]
  .filter((one) => one.checkVisibility() && getComputedStyle(one).display !== "inline" && !one.closest(".skip"))
  .map((one) => one.matches("[type=checkbox], [type=radio]") ? one.closest("label") ?? one : one)
  .map((one) => [one.outerHTML.slice(0, 200), one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.width < least || box.height < least))
  .map(([html, box]) => `${box.width} × ${box.height}: ${html}`)"""
STICKING_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *, header *, footer *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, nav, pre, .map"))
  .map((one) => one.outerHTML.slice(0, 200)).slice(0, 5)"""
MOVING = """() => [...document.querySelectorAll("body *")]
  .filter((one) => getComputedStyle(one).transitionDuration.split(", ").some((length) => parseFloat(length)) ||
    getComputedStyle(one).animationName !== "none")
  .map((one) => one.outerHTML.slice(0, 200))"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SAID = """() => {
  const theirs = "code, pre, .mono, blockquote, q, .words, .line-text, script, style, textarea, [lang]:not(html)";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const said = [document.title];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(theirs)) said.push(walker.currentNode.textContent);
  }
  for (const one of document.querySelectorAll("[aria-label], [placeholder], [alt], [title]")) {
    for (const name of ["aria-label", "placeholder", "alt", "title"]) said.push(one.getAttribute(name) ?? "");
  }
  return said.map((text) => text.trim().replace(/\\s+/g, " ")).filter(Boolean);
}"""


def in_turns() -> list[Any]:
    """Return all views in both languages, for axe; in a short run each in one, in turns, and one of a page for axe."""
    of_page = {view.name: name for name, view in reversed(VIEWS.items())}
    short = [(name, ("fr", "en")[n % 2], of_page[VIEWS[name].name] == name) for n, name in enumerate(VIEWS)]
    rest = [one for one in product(VIEWS, ("fr", "en"), (True,)) if one not in short]
    return [*short, *(pytest.param(*one, marks=pytest.mark.long) for one in rest)]


@pytest.mark.parametrize(("name", "language", "is_for_axe"), in_turns())
async def test_every_page_is_as_a_page_should_be(
    consoles: Consoles,
    name: str,
    language: Language,
    is_for_axe: bool,
    asked_outside: list[str],
    page_errors: list[str],
) -> None:
    view = VIEWS[name]
    page = await consoles.page(view, language)
    watch(page.context, page, asked_outside, page_errors)
    await page.set_viewport_size(WIDE)
    await page.emulate_media(color_scheme=COLOURS[language])
    await show(page, view)
    assert await page.get_attribute("html", "lang") == language
    assert (await page.title()).endswith("· Vigie")
    assert await page.locator("h1").count() == 1
    said = await page.evaluate(SAID)
    assert [text for text in said if CODE.search(text)] == []
    assert language == "en" or [text for text in said if text in ENGLISH_ALONE] == []
    assert not is_for_axe or await violations(page) == []
    assert await page.evaluate(MOVING) == []
    assert await page.evaluate(SMALL, LEAST_TARGET) == []
    await page.set_viewport_size(NARROW)
    await page.evaluate(DRAWN)
    assert await page.evaluate(STICKING_OUT) == []
    assert await page.evaluate(SMALL, LEAST_TARGET) == []
    assert asked_outside == []
    refused = "Failed to load resource" if view.status >= 400 else "\0"  # so Chromium tells of the page itself
    assert [one for one in page_errors if not one.startswith((refused, *CUT_OFF))] == []


async def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds."""
    await page.evaluate(AXE)
    said = await page.evaluate(AXE_RUN)
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in said["violations"]]
