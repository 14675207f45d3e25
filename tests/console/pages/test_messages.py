"""Messages, as pages: what may be said of an incident now, what a person signs, and what is old by now."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from sqlalchemy import select

from console.archive import audit, taking
from console.archive.tables import message
from console.catalogue import messages
from console.desk import Desk
from console.messages.signed_messages import kept
from records import Alert, ManualClock
from tests.console.conftest import CSRF
from tests.console.made import INCIDENT, LE_HAVRE, an_alert, minutes

ClientAs = Callable[..., Any]
TEMPLATE = "fire-confirmed-population"
FACTS = {
    "fact.source_of_confirmation": "le SDIS 76",
    "fact.road": "rue Haute",
    "fact.next_update": "14:30",
}
FORM = {"csrf": CSRF, "incident": INCIDENT, "message": TEMPLATE, "stage": "confirmed", "nonce": "0123456789abcdef"}
HOSTILE = '"><script>alert(1)</script>'


def confirmed(**changes: Any) -> Alert:
    return an_alert(revision=2, level="confirmed", certainty="Observed", unknowns=(), **changes)


@pytest_asyncio.fixture(loop_scope="module")
async def of_fire(desk: Desk) -> Alert:
    """Have a fire confirmed."""
    await taking.take(desk.engine, [an_alert(), confirmed()], minutes(1))
    return confirmed()


def needed(desk: Desk) -> dict[str, str]:
    """Return something for all that the message leaves to be typed."""
    kinds = {"clock": "14:30", "number": "3", "phone": "02 35 00 00 00"}
    found = desk.messages
    return {
        f"fact.{name}": kinds.get(found.placeholders[name].kind, "le SDIS")
        for name in found.messages[TEMPLATE].placeholders
        if found.placeholders[name].origin == "person"
    }


async def rows(desk: Desk) -> list[Any]:
    async with desk.engine.connect() as connection:
        return list(await connection.execute(select(message).order_by(message.c.message_id)))


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_page_proposes_what_fits_and_says_why_the_rest_does_not(
    language: str, client_as: ClientAs, desk: Desk
) -> None:
    await taking.take(desk.engine, [an_alert(level="signal")], minutes(0))
    async with client_as("viewer", language=language) as client:
        page = unescape((await client.get(f"/messages/new?incident={INCIDENT}")).text)
    assert f"/messages/new?incident={INCIDENT}&message=fire-first-staff" in page
    assert "fire-confirmed-population" not in page
    assert {"fr": "pas de message", "en": "no message"}[language] in page
    assert {"fr": "n’envoie jamais rien au public", "en": "never sends anything to the public"}[language] in page


async def test_closer_texts_are_proposed_for_what_people_perceive(client_as: ClientAs, desk: Desk) -> None:
    await taking.take(desk.engine, [an_alert(hazard="industrial"), an_alert(incident_id="fire-2")], minutes(0))
    async with client_as("operator") as client:
        asked = await client.get(f"/messages/new?incident={INCIDENT}")
        close = await client.get(f"/messages/new?incident={INCIDENT}&phenomenon=odour")
        unknown = await client.get(f"/messages/new?incident={INCIDENT}&phenomenon=<volcano>")
        fire = await client.get("/messages/new?incident=fire-2")
    assert "Ce que les gens perçoivent" in asked.text
    assert "Ce que les gens perçoivent" not in fire.text
    assert "Odeur" in close.text
    assert unknown.status_code == 200
    assert "volcano" not in unknown.text


async def test_blanks_are_seen_until_somebody_who_may_fills_them(of_fire: Alert, client_as: ClientAs) -> None:
    async with client_as("viewer") as client:
        seen = await client.get(f"/messages/new?incident={INCIDENT}&message={TEMPLATE}")
        refused = await client.post("/messages/new", data={**FORM, "step": "sign"})
    assert "[…à compléter :" in seen.text
    assert 'value="sign"' not in seen.text
    assert "fact." not in seen.text
    assert "compté sans les blancs" in seen.text
    assert "trop long" not in seen.text
    assert refused.status_code == 403


async def test_what_is_typed_is_filled_in_counted_and_escaped(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        page = await client.post("/messages/new", data={**FORM, **needed(desk), "step": "fill"})
        hostile = await client.post("/messages/new", data={**FORM, **dict.fromkeys(needed(desk), HOSTILE)})
    assert "[…à compléter" not in page.text
    assert "sans les blancs" not in page.text
    assert re.search(r"\d+ signes, [12] SMS sur 3 au plus", page.text)
    assert re.search(r"\d pages de 93 signes, sur 15 au plus", page.text)
    assert "<script>alert" not in hostile.text
    assert await rows(desk) == []


async def test_signing_keeps_each_text_with_who_and_when(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        answer = await client.post("/messages/new", data={**FORM, **needed(desk), "step": "sign"})
        page = await client.get("/messages")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/messages")
    found = await rows(desk)
    assert {(row.language, row.channel) for row in found} >= {("fr", "sms"), ("en", "sms"), ("fr", "social")}
    assert {(row.signed_by, row.signed_at, row.map_version, row.state, row.incident_id) for row in found} == {
        ("astreinte (operator)", desk.clock.now(), desk.messages.version, "signed", INCIDENT)
    }
    assert "[…" not in "".join(row.text for row in found)
    [entry] = await audit.entries(desk.engine, action="message_signed")
    assert entry.detail["template_id"] == TEMPLATE
    assert "signé par astreinte (operator)" in unescape(page.text)


async def test_who_asks_for_one_text_signs_that_one(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    wanted = {"language": "fr", "channel": "sms"}
    async with client_as("operator") as client:
        for _ in range(2):  # the button is pressed twice
            await client.post("/messages/new", data={**FORM, **needed(desk), **wanted, "step": "sign"})
    assert [(row.language, row.channel) for row in await rows(desk)] == [("fr", "sms")]
    assert len(await audit.entries(desk.engine, action="message_signed")) == 1


async def test_who_goes_back_and_changes_a_word_signs_another_text(
    of_fire: Alert, client_as: ClientAs, desk: Desk, clock: ManualClock
) -> None:
    typed = {**FORM, **needed(desk), "language": "fr", "channel": "sms", "step": "sign"}
    changed = {**typed, "fact.source_of_confirmation": "la mairie"}
    async with client_as("operator") as client:
        for form in (typed, changed, changed, typed):
            assert (await client.post("/messages/new", data=form)).status_code == 303
            clock.advance(timedelta(minutes=1))  # the hour in a text alone makes no other
    found = await rows(desk)
    assert sorted("la mairie" in row.text for row in found) == [False, True]


async def test_who_has_a_blank_cannot_sign_and_loses_nothing(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    typed = needed(desk)
    name = next(iter(typed))
    async with client_as("operator") as client:
        answer = await client.post("/messages/new", data={**FORM, **typed, name: "", "step": "sign"})
    assert answer.status_code == 422
    assert "Il ne peut pas encore être signé" in answer.text
    assert f'href="#fact-{name.removeprefix("fact.")}"' in answer.text
    assert "personne ne l’a donné" in answer.text
    other = next(reversed(typed))
    assert f'name="{other}" maxlength="200" autocomplete="off" value="{typed[other]}"' in answer.text
    assert await rows(desk) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"nonce": "x"}, 422, id="no form of ours"),
        pytest.param({"message": "fire-over-population"}, 422, id="a message that is not proposed"),
        pytest.param({"message": "nothing"}, 422, id="no message at all"),
        pytest.param({"stage": "first_signal"}, 409, id="begun when less was known"),
        pytest.param({"stage": "over"}, 409, id="a stage that is not reached"),
        pytest.param({"incident": "gone"}, 404, id="no incident"),
        pytest.param({"incident": ""}, 404, id="no incident named"),
    ],
)
async def test_what_cannot_be_signed_is_not(
    changes: dict[str, str], status: int, of_fire: Alert, client_as: ClientAs, desk: Desk
) -> None:
    async with client_as("operator") as client:
        answer = await client.post("/messages/new", data={**FORM, **needed(desk), **changes, "step": "sign"})
    assert answer.status_code == status
    assert await rows(desk) == []


async def test_what_was_said_may_be_gone_on_with(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/messages/new", data={**FORM, **needed(desk), "step": "sign"})
        first = await client.get(f"/messages/new?incident={INCIDENT}")
        ongoing = await client.get(f"/messages/new?incident={INCIDENT}&stage=ongoing")
    assert "La confirmation a déjà été signée." in first.text
    assert "fire-confirmed-press" in first.text  # the press was told nothing yet
    assert "fire-ongoing-population" in ongoing.text


@pytest.mark.parametrize(
    ("level", "is_old"),
    [
        pytest.param("confirmed", False, id="as it was"),
        pytest.param("monitoring", True, id="quiet by now"),
        pytest.param("resolved", True, id="over"),
        pytest.param("rejected", True, id="nothing found"),
    ],
)
async def test_a_text_that_was_overtaken_is_marked(
    level: str, is_old: bool, of_fire: Alert, client_as: ClientAs, desk: Desk
) -> None:
    async with client_as("operator") as client:
        await client.post("/messages/new", data={**FORM, **needed(desk), "step": "sign"})
        certainty = "Unlikely" if level == "rejected" else "Observed"
        await taking.take(desk.engine, [an_alert(revision=3, level=level, certainty=certainty)], minutes(9))
        page = await client.get("/messages")
    assert ("peut-être dépassé" in page.text) is is_old


async def test_a_text_is_withdrawn_and_that_is_taken_back(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    wanted = {**FORM, **needed(desk), "language": "fr", "channel": "sms", "step": "sign"}
    async with client_as("operator") as client:
        await client.post("/messages/new", data=wanted)
        [text] = await kept(desk.engine)
        path = f"/messages/{text.message_id}"
        gone = await client.post(f"{path}/withdraw", data={"csrf": CSRF})
        page = await client.get(gone.headers["location"])
        twice = await client.post(f"{path}/withdraw", data={"csrf": CSRF})
        assert [one.state for one in await kept(desk.engine)] == ["withdrawn"]
        back = await client.post(f"{path}/restore", data={"csrf": CSRF})
    assert f"{path}/restore" in page.text
    assert (twice.status_code, back.status_code) == (409, 303)
    assert [one.state for one in await kept(desk.engine)] == ["signed"]
    noted = [entry.action for entry in await audit.entries(desk.engine)]
    assert noted == ["message_restored", "message_withdrawn", "message_signed"]


async def test_a_viewer_withdraws_nothing(of_fire: Alert, client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/messages/new", data={**FORM, **needed(desk), "step": "sign"})
    [text, *_] = await kept(desk.engine)
    async with client_as("viewer") as client:
        page = await client.get("/messages")
        answer = await client.post(f"/messages/{text.message_id}/withdraw", data={"csrf": CSRF})
    assert text.text in unescape(page.text)
    assert "/withdraw" not in page.text
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/messages/x/withdraw", "/messages/..%2f/restore"])
async def test_what_is_not_there_is_not_found(path: str, client_as: ClientAs) -> None:
    async with client_as("operator") as client:
        assert (await client.post(path, data={"csrf": CSRF})).status_code == 404


async def test_a_hostile_place_is_shown_as_words(client_as: ClientAs, desk: Desk) -> None:
    place = replace(LE_HAVRE, name=HOSTILE)
    await taking.take(desk.engine, [confirmed(place=place)], minutes(1))
    async with client_as("operator") as client:
        for path in ("/messages", f"/messages/new?incident={INCIDENT}&message={TEMPLATE}"):
            assert "<script>alert" not in (await client.get(path)).text


async def test_no_english_is_left_on_a_french_page(
    of_fire: Alert, client_as: ClientAs, desk: Desk, clock: ManualClock
) -> None:
    typed = {**FORM, **needed(desk)}
    async with client_as("operator") as client:
        pages = [await client.post("/messages/new", data={**FORM, "step": "sign"})]
        pages += [await client.post("/messages/new", data={**typed, "stage": "over", "step": "sign"})]
        await client.post("/messages/new", data={**typed, "step": "sign"})
        clock.advance(minutes(5) - minutes(0))
        for path in ("/messages?done=signed", "/messages?done=withdrawn&item=x", f"/messages/new?incident={INCIDENT}"):
            pages.append(await client.get(path))
    english = [str(one.id) for one in messages("fr") if one.string != one.id and " " in str(one.id)]
    assert [said for said in english for page in pages if f">{said}" in unescape(page.text)] == []
