"""A day of the watch, in a real browser, on the whole of Vigie: broker, worker, console, and people at it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner
from playwright.async_api import Browser, Page, expect

from tests.console.chromium import CUT_OFF
from tests.console.entering import PASSWORD
from tests.console.people import SLOW, account, log_in, log_in_first, somebody
from tests.console.whole import Whole, running
from vigie.cli import main

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with running(tmp_path_factory.mktemp("whole")) as one:
        yield one


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    """Of the accounts that a day has made."""
    return {}


@pytest_asyncio.fixture(loop_scope="module")
async def ready(
    whole: Whole, driven: Browser, passwords: dict[str, str], asked_outside: list[str], page_errors: list[str]
) -> Whole:
    """See to it that the admin has come in once, and that there are an operator and a volunteer."""
    if not passwords:
        async with somebody(driven, whole, asked_outside, page_errors) as admin:
            await log_in_first(admin, "admin", whole.first_password)
            passwords.update(
                {
                    name: await account(admin, name, role)
                    for name, role in (("astreinte", "operator"), ("visov", "volunteer"))
                }
            )
        for name, password in passwords.items():
            async with somebody(driven, whole, asked_outside, page_errors) as page:
                await log_in_first(page, name, password)
    return whole


async def decide(page: Page, decision: str, **fields: str) -> None:
    """Fill in one of the forms of an incident and send it."""
    form = page.locator(f"form:has(input[name=decision][value={decision}])").first
    if not await form.is_visible():
        await page.locator(f"details:has(input[name=decision][value={decision}]) summary").click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]").first
        if await field.get_attribute("type") == "radio":
            await form.locator(f"[name={name}][value={value}]").check()
        elif await field.evaluate("element => element.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await form.locator("button").click()
    await expect(page.locator("#done .notice-ok")).to_be_visible()


async def open_incident(page: Page, hazard: str) -> None:
    """Wait on the situation page, which is not loaded again, until an incident is there, and open it."""
    link = page.locator(f"table a[data-key=page][href^='/incidents/{hazard}']").first
    await expect(link).to_be_visible(timeout=SLOW)
    await link.click()
    await expect(page.locator("#head")).to_be_visible()


async def shows(page: Page, selector: str, words: str = "") -> None:
    """Have the page show the revisions that come, until it shows something: without a pointer."""
    wanted, newer = page.locator(selector).filter(has_text=words), page.locator("#newer:not([hidden]) button")
    while True:
        await expect(wanted.or_(newer).first).to_be_visible(timeout=SLOW)
        if await wanted.count():
            return
        await tab_to(page, "#newer button", "")
        await page.keyboard.press("Enter")
        await expect(newer).to_be_hidden()


@dataclass(frozen=True)
class Day:
    """What happens on a day, and in which language it is lived through."""

    language: str
    heard: str  # the first post
    seen: str  # by a volunteer
    hazard: str
    looked_after: str  # as the page says it


FIRE = Day(
    language="fr",
    heard="Grosse fumée noire au-dessus de la centrale EDF du Havre, ça brûle, je vois les flammes",
    seen="Les flammes dépassent le toit, la fumée va vers le port",
    hazard="fire",
    looked_after="pris en charge par astreinte",
)
FLOOD = Day(
    language="en",
    heard="Flood in Le Havre, the water is coming into our house, we are stuck upstairs",
    seen="The water stands a metre high in the street",
    hazard="flood",
    looked_after="looked after by astreinte",
)


@pytest.mark.parametrize(
    "day", [pytest.param(FIRE, id="in French"), pytest.param(FLOOD, id="in English", marks=pytest.mark.long)]
)
async def test_a_day_of_the_watch(
    day: Day, ready: Whole, driven: Browser, asked_outside: list[str], page_errors: list[str], tmp_path: Path
) -> None:
    async with (
        somebody(driven, ready, asked_outside, page_errors, language=day.language) as watch_officer,
        somebody(driven, ready, asked_outside, page_errors, language=day.language) as volunteer,
    ):
        await log_in(watch_officer, "astreinte", PASSWORD)
        await watch_officer.goto("/")
        await ready.hear(day.heard, lang=day.language)
        await open_incident(watch_officer, day.hazard)

        await decide(watch_officer, "acknowledge")
        await expect(watch_officer.locator("#head")).to_contain_text(day.looked_after)

        await decide(watch_officer, "relocate", name="Harfleur", reason="appel du SDIS")
        await shows(watch_officer, "#head h1", "Harfleur")
        await watch_officer.locator("#done-withdraws").click()
        await shows(watch_officer, "#head h1", "Le Havre")

        await decide(watch_officer, "confirm", by="authority", reason="CODIS 76")
        await shows(watch_officer, "#head .level-confirmed")
        incident = watch_officer.url.split("?")[0]
        incident_id = incident.rsplit("/", 1)[-1]

        await watch_officer.goto(f"/messages/new?incident={incident_id}")
        await fill_message(watch_officer)
        await expect(watch_officer).to_have_url(re.compile("/messages.*done=signed"))

        await log_in(volunteer, "visov", PASSWORD)
        await volunteer.goto("/intake")
        await volunteer.check(f"[name=what][value={day.hazard}]")
        await volunteer.fill("[name=words]", day.seen)
        await volunteer.fill("[name=place]", "Le Havre")
        await volunteer.select_option("[name=seen_by]", "own_eyes")
        await volunteer.click("button[name=step][value=preview]")
        await volunteer.click("button[name=step][value=send]")
        await expect(volunteer).to_have_url(re.compile("/intake/"))
        await watch_officer.goto("/")
        await expect(watch_officer.locator("main")).to_contain_text(day.seen, timeout=SLOW)

        await watch_officer.goto("/digests")
        await expect(watch_officer.locator("main")).to_contain_text("Le Havre")

        await watch_officer.goto(f"{incident}/record")
        async with watch_officer.expect_download() as handed_out:
            await watch_officer.locator("form[action$='record.json'] button").click()
        file = tmp_path / "record.json"
        await (await handed_out.value).save_as(file)
    whole_file = CliRunner().invoke(main, ["record", "verify", str(file)])
    assert whole_file.exit_code == 0, whole_file.output
    kinds = {line["kind"] for line in json.loads(file.read_text(encoding="utf-8"))["lines"]}
    assert {"revision", "decision", "message"} <= kinds
    file.write_text(file.read_text(encoding="utf-8").replace("CODIS 76", "CODIS 77"), encoding="utf-8")
    assert CliRunner().invoke(main, ["record", "verify", str(file)]).exit_code == 1
    assert asked_outside == []
    assert [one for one in page_errors if not one.startswith(CUT_OFF)] == []


async def fill_message(page: Page) -> None:
    """Choose the first message for the population, fill in its blanks, and sign it: again, where it has moved on."""
    await page.locator("#proposed ~ ul a").first.click()
    await expect(page.locator("#write")).to_be_visible()  # else the blanks are looked for on the page before
    for blank in await page.locator("[name^='fact.']").all():
        if not await blank.input_value():
            await blank.fill("préfecture")
    await page.click("button[value=sign]")
    moved_on, signed = page.locator(".notice-danger"), page.locator(".notice-ok")
    await expect(moved_on.or_(signed).or_(page.locator("#problems")).first).to_be_visible()
    if await moved_on.count():  # a revision came while we wrote: rightly, the text is to be looked at again
        await page.click("button[value=sign]")
    assert await page.locator("#problems").all_inner_texts() == []


async def test_the_console_killed_and_started_again_shows_the_same(
    ready: Whole, driven: Browser, asked_outside: list[str], page_errors: list[str]
) -> None:
    async with somebody(driven, ready, asked_outside, page_errors) as page:
        await log_in(page, "astreinte", PASSWORD)
        await page.goto("/")
        await ready.hear("Fuite de produit chimique à l'usine du Havre, odeur toxique, on tousse tous")
        await open_incident(page, "industrial")
        await decide(page, "note", reason="Rappeler le service des eaux")
        before = await page.locator("#history-title ~ ol").inner_text()
        ready.kill_console()
        await page.reload()
        assert await page.locator("#history-title ~ ol").inner_text() == before


async def test_a_day_in_english_by_the_keyboard_alone(
    ready: Whole, driven: Browser, asked_outside: list[str], page_errors: list[str]
) -> None:
    """From the alert to its end without a pointer: every step by Tab, Space and Enter."""
    async with somebody(driven, ready, asked_outside, page_errors, language="en") as page:
        await page.goto("/login")
        await page.locator("[name=name]").focus()
        await page.keyboard.type("astreinte")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("h2", has_text="Open incidents")).to_be_visible()
        await ready.hear("Chemical leak at the factory in Le Havre, a toxic smell of gas, we all cough", lang="en")
        link = page.locator("table a[data-key=page]", has_text="Industrial")
        await expect(link).to_be_visible(timeout=SLOW)
        await tab_to(page, "table a[data-key=page]", "Industrial")
        await page.keyboard.press("Enter")
        await expect(page.locator("#head")).to_contain_text("nobody looks after it")
        await tab_to(page, "form:has([value=acknowledge]) button", "")
        await page.keyboard.press("Enter")
        await expect(page.locator("#head")).to_contain_text("looked after by astreinte")
        await tab_to(page, "details:has([value=close]) summary", "")
        await page.keyboard.press("Enter")
        await tab_to(page, "#close-reason", "")
        await page.keyboard.type("The fire brigade says that it is over")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#done")).to_contain_text("The fire brigade says")
        await shows(page, "#head .level-resolved")
    assert asked_outside == []
    assert [one for one in page_errors if not one.startswith(CUT_OFF)] == []


async def tab_to(page: Page, selector: str, words: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(150):
        await page.keyboard.press("Tab")
        if await page.evaluate(
            "([selector, words]) => { const at = document.activeElement;"
            " return at.matches(selector) && at.textContent.includes(words); }",
            [selector, words],
        ):
            return
    raise AssertionError(f"no number of Tabs leads to {selector}")
