"""The page of an incident in a real browser: what its scripts add, under a strict policy, without another host."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access.visitor import Visitor
from console.application import application
from console.archive import audit
from console.archive.taking import take
from console.desk import Desk
from records import Context, CrisisClock
from tests.console.chromium import serving
from tests.console.conftest import CSRF, As
from tests.console.made import INCIDENT, a_notification, a_signal, a_verdict, an_alert, minutes, some_evidence

pytestmark = pytest.mark.browser

AXE = next((Path(__file__).parents[1] / "vendor").glob("axe-core-*/axe.min.js"))
POLICY = b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"


class Strict:
    """Sends a strict policy with everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY)]
            await send(message)

        await self._app(scope, receive, strictly)


def told(**changes: Any) -> list[Any]:
    notice = Context(
        bulletin_id="n1", source="allo", kind="operator_notice", text="Torche", issued_at=minutes(1), fits=True
    )
    evidence = (some_evidence(1), some_evidence(2, contribution=0.3, doubts=("old_link",)))
    clock = CrisisClock(first_post=minutes(-4), minutes=17)
    alert = an_alert(evidence=evidence, context=(notice,), clock=clock, usual_per_hour=0.5, **changes)
    return [alert, a_verdict(), a_notification(), *(a_signal(n) for n in range(-15, 1, 3))]


@pytest_asyncio.fixture(loop_scope="module")
async def page(desk: Desk, chromium_page: Page) -> AsyncIterator[Page]:
    """Open the page of an incident as somebody who decides."""
    await take(desk.engine, [*told(), an_alert(incident_id="fire-next")], minutes(0))
    visitor = Visitor(account_id="a", name="astreinte", role="operator", language="fr", csrf=CSRF, way="session")
    app = application(desk, [Middleware(Strict), Middleware(As, visitor=visitor)])
    async with serving(app) as address:
        await chromium_page.goto(f"{address}/incidents/{INCIDENT}")
        yield chromium_page
        await desk.viewers.close()  # else the server waits for who is still told of news


async def test_chart_and_map_are_drawn_with_nothing_from_outside(
    page: Page, asked_outside: list[str], page_errors: list[str]
) -> None:
    await expect(page.locator(".chart canvas")).to_be_visible()
    await expect(page.locator(".incident-map .incident-mark")).to_be_visible()
    assert asked_outside == []
    assert page_errors == []


async def test_one_place_among_several_is_not_drawn_and_may_be_corrected_on_the_map(page: Page, desk: Desk) -> None:
    await take(desk.engine, told(revision=2, unknowns=("place_uncertain",)), minutes(1))
    await page.reload()
    await expect(page.locator(".incident-map canvas").first).to_be_visible()
    await expect(page.locator(".incident-map .incident-mark, .incident-map .incident-area")).to_have_count(0)
    await page.locator(".incident-map").click(position={"x": 60, "y": 60})
    await expect(page.locator("#relocate-lat")).to_have_value(re.compile(r"49\.\d{5}"))


async def test_the_link_of_a_post_comes_when_it_is_asked_for(page: Page, desk: Desk) -> None:
    assert "https://example.org" not in await page.content()
    await page.locator("#post-1 details.reveal summary").click()
    link = page.locator("#post-1 details.reveal a")
    await expect(link).to_have_attribute("href", "https://example.org/e0001")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert [one.action for one in await audit.entries(desk.engine, object_=INCIDENT)] == ["link_shown"]


async def test_a_click_on_the_map_is_a_position(page: Page) -> None:
    await page.locator(".incident-map").click(position={"x": 60, "y": 60})
    await expect(page.locator("#relocate-lat")).to_have_value(re.compile(r"49\.\d{5}"))
    await expect(page.locator("#relocate-lon")).to_have_value(re.compile(r"-?0\.\d{5}"))


async def test_a_newer_revision_is_offered_and_takes_nothing_that_is_typed(page: Page, desk: Desk) -> None:
    await page.locator("#actions summary").nth(2).click()
    await page.locator("#note-reason").fill("rappeler le port")
    await page.locator('input[name="post_keys"]').first.check()
    later = [*told(revision=2, level="alert"), a_verdict("close", decided_by="chef", decided_at=minutes(1))]
    desk.hub.changed(*await take(desk.engine, later, minutes(1)))
    await page.locator("#newer button").click()
    await expect(page.locator("#head .level-alert")).to_be_visible()
    await expect(page.locator("#history")).to_contain_text("Clos · chef")
    await expect(page.locator("#note-reason")).to_have_value("rappeler le port")
    await expect(page.locator('input[name="post_keys"]').first).to_be_checked()
    await expect(page.locator("#newer")).to_be_hidden()
    await expect(page.locator(".chart canvas")).to_be_visible()
    await page.get_by_role("button", name="Conserver la note").click()
    await expect(page.locator("#done")).to_contain_text("C’est fait")


async def test_ones_own_decision_shows_by_itself_once_the_detectors_have_answered(page: Page, desk: Desk) -> None:
    await page.locator("#actions summary", has_text="Clore").click()
    await page.locator("#close-reason").fill("SDIS")
    await page.get_by_role("button", name="Clore l’incident").click()
    await expect(page.locator("#awaited")).to_be_hidden()
    await expect(page.locator("#awaited")).to_contain_text("pas encore envoyé")
    await expect(page.locator("#awaited")).to_be_visible()
    desk.hub.changed(*await take(desk.engine, told(revision=2, level="resolved"), minutes(1)))
    await expect(page.locator("#head .level-resolved")).to_be_visible()
    await expect(page.locator("#awaited")).to_have_count(0)
    await expect(page.locator("#newer")).to_be_hidden()
    await expect(page.locator("#shown")).to_have_text("La révision 2 est affichée.")
    await expect(page.locator("#actions")).not_to_contain_text("Clore")


async def test_while_somebody_types_even_the_answer_to_his_own_decision_is_only_offered(page: Page, desk: Desk) -> None:
    await page.locator("#actions summary", has_text="Clore").click()
    await page.get_by_role("button", name="Clore l’incident").click()
    await expect(page.locator("#done")).to_contain_text("Clos")
    await page.locator("#actions summary", has_text="Note").click()
    await page.locator("#note-reason").fill("rappeler le port")
    desk.hub.changed(*await take(desk.engine, told(revision=2, level="resolved"), minutes(1)))
    await expect(page.locator("#newer")).to_contain_text("La révision 2 est arrivée.")
    await expect(page.locator("#note-reason")).to_have_value("rappeler le port")


async def test_who_has_decided_meanwhile_is_named(page: Page, desk: Desk) -> None:
    desk.hub.changed(*await take(desk.engine, [a_verdict("note", reason="vu", decided_by="collègue")], minutes(1)))
    await expect(page.locator("#newer")).to_contain_text("collègue a décidé entre-temps.")


async def test_what_is_wrong_is_said_first_and_has_the_focus(page: Page) -> None:
    await page.locator("#actions summary").nth(3).click()
    await page.get_by_role("button", name="Corriger le lieu").click()
    await expect(page.locator("#problems")).to_be_focused()
    await page.locator("#problems a").click()
    await expect(page.locator("#relocate-name")).to_be_focused()


async def test_a_form_that_was_refused_is_told_of_a_newer_revision_whatever_the_incident_is_called(
    page: Page, desk: Desk
) -> None:
    name = "fire é?1#2%"
    await take(desk.engine, told(incident_id=name), minutes(0))
    await page.goto(f"{page.url.partition('/incidents/')[0]}/incidents/{quote(name)}")
    await page.locator("#actions summary", has_text="Corriger le lieu").click()
    await page.get_by_role("button", name="Corriger le lieu").click()
    await expect(page.locator("#problems")).to_be_focused()
    desk.hub.changed(*await take(desk.engine, told(incident_id=name, revision=2, level="alert"), minutes(1)))
    await page.locator("#newer button").click()
    await expect(page.locator("#head .level-alert")).to_be_visible()
    await expect(page.locator(".incident-map .incident-mark")).to_have_attribute("href", f"/incidents/{quote(name)}")


async def test_axe_finds_nothing_while_chart_and_map_are_drawn(page: Page) -> None:
    await expect(page.locator(".chart canvas")).to_be_visible()
    await expect(page.locator(".incident-map .incident-mark")).to_be_visible()
    await page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
        assert [(scheme, one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
