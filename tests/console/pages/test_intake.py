"""Intake, as pages: a report typed in, looked at, sent, corrected, withdrawn; nothing typed is lost."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from threading import Thread, current_thread, main_thread
from typing import Any

import pytest

from console.archive import audit, saying, taking
from console.catalogue import messages
from console.desk import Desk
from console.once import identity
from console.pages.intake import FIELDS
from console.reports.reports import filed
from records import ManualClock, Place, Post, report_in
from tests.console.conftest import CSRF
from tests.console.made import LE_HAVRE, an_alert, minutes, some_evidence

ClientAs = Callable[..., Any]
FORM = {
    "csrf": CSRF,
    "report_id": "0123456789abcdef",
    "what": "fire",
    "words": "Fumée noire",
    "place": "Gonfreville-l'Orcher",
    "lat": "49.505",
    "lon": "0.230",
    "accuracy": "point",
    "seen_at": "2012-01-30T08:30",
    "seen_by": "caller",
    "credibility": "",
    "url": "",
    "photo_note": "",
}
HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


def report_of(form: dict[str, str], role: str = "operator") -> str:
    """Return what the report is known by that somebody of a role sends with a form."""
    return identity(form["report_id"], f"account-{role}", *(form.get(name, "") for name in FIELDS[1:]))


REPORT = report_of(FORM)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Make a desk that knows one place by name."""

    def find_place(text: str) -> tuple[Place, ...]:
        return (LE_HAVRE,) if "Havre" in text else ()

    return replace(desk, find_place=find_place)


async def sent_posts(desk: Desk) -> list[Post]:
    return [one.record for one in await saying.waiting(desk.engine) if isinstance(one.record, Post)]


async def actions(desk: Desk) -> list[str]:
    return [entry.action for entry in await audit.entries(desk.engine)][::-1]


@pytest.mark.parametrize("role", ["volunteer", "operator", "analyst", "admin"])
async def test_who_may_report_gets_an_empty_form_with_an_id_of_its_own(role: str, client_as: ClientAs) -> None:
    async with client_as(role) as client:
        first, second = await client.get("/intake"), await client.get("/intake")
    ids = [re.findall(r'name="report_id" value="([0-9a-f]{16})"', answer.text) for answer in (first, second)]
    assert ids[0] != ids[1]
    assert 'value="2012-01-30T08:37"' in first.text  # now, by the clock of Le Havre


async def test_a_viewer_reports_nothing(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("viewer") as client:
        assert (await client.get("/intake")).status_code == 403
        assert (await client.post("/intake", data={**FORM, "step": "send"})).status_code == 403
    assert await sent_posts(desk) == []


async def test_a_form_is_looked_at_before_it_is_sent(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        answer = await client.post("/intake", data={**FORM, "step": "preview"})
    assert answer.status_code == 200
    assert "Incendie à Gonfreville-l'Orcher." in unescape(answer.text)
    assert "(Saisi à la main ; vu par : un appelant.)" in unescape(answer.text)
    assert await sent_posts(desk) == []


async def test_a_report_that_is_sent_waits_for_the_broker_and_then_is_gone(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        answer = await client.post("/intake", data={**FORM, "step": "send"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/intake/{REPORT}?done=sent")
        waiting = await client.get(f"/intake/{REPORT}")
        await saying.sent(desk.engine, [one.sequence for one in await saying.waiting(desk.engine)])
        gone = await client.get(f"/intake/{REPORT}")
    assert "en attente" in waiting.text or "waiting" in waiting.text
    assert "transmis" in gone.text


async def test_what_goes_out_is_a_trusted_post_by_a_pseudonym(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
    [post] = await sent_posts(desk)
    assert (post.key, post.is_trusted, post.author_kind) == (f"vigie:{REPORT}", True, "person")
    assert report_in(post) == ("fire", "medium", True)
    assert re.fullmatch(r"[0-9a-f]{16}", post.author_id)
    assert post.posted_at == minutes(-7)
    assert await actions(desk) == ["report_made"]


async def test_a_button_pressed_twice_is_one_report(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        for _ in range(2):
            answer = await client.post("/intake", data={**FORM, "step": "send"})
            assert answer.status_code == 303
    assert len(await sent_posts(desk)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"words": "Fumée blanche"}, id="other words"),
        pytest.param({"lat": "49.60"}, id="another place"),
        pytest.param({"photo_note": "une photo"}, id="something more"),
    ],
)
async def test_who_goes_back_and_changes_a_form_has_told_something_else(
    changes: dict[str, str], client_as: ClientAs, desk: Desk
) -> None:
    async with client_as("operator") as client:
        answers = [
            await client.post("/intake", data={**FORM, **more, "step": "send"})
            for more in ({}, changes, changes, {})  # the last one as it was at first
        ]
    where = [answer.headers["location"] for answer in answers]
    assert where[0] == where[3] != where[1] == where[2]
    assert len(await sent_posts(desk)) == 2


@pytest.mark.parametrize(
    "field", ["what", "words", "place", "lat", "lon", "seen_at", "seen_by", "credibility", "url", "photo_note"]
)
async def test_nothing_typed_is_lost_on_an_error_nor_believed(field: str, client_as: ClientAs, desk: Desk) -> None:
    typed = {**FORM, "what": "", "step": "send"} | {field: HOSTILE}
    async with client_as("operator") as client:
        answer = await client.post("/intake", data=typed)
    assert answer.status_code == 422
    assert 'class="error-summary"' in answer.text
    assert "<script>alert" not in answer.text
    kept = {"words": f">{FORM['words']}<", "place": 'value="Gonfreville-l&#39;Orcher"', "lat": 'value="49.505"'}
    assert [text for name, text in kept.items() if name != field and text not in answer.text] == []
    if field in ("words", "place", "lat", "lon", "seen_at", "url", "photo_note"):
        assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in answer.text
    assert await sent_posts(desk) == []


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_hostile_words_are_shown_as_words_everywhere(language: str, client_as: ClientAs) -> None:
    typed = {**FORM, "words": HOSTILE, "place": HOSTILE, "photo_note": HOSTILE, "url": "https://e.org/<script>"}
    async with client_as("operator", language=language) as client:
        preview = await client.post("/intake", data={**typed, "step": "preview"})
        await client.post("/intake", data={**typed, "step": "send"})
        pages = [preview, *[await client.get(path) for path in ("/intake", f"/intake/{report_of(typed)}")]]
        pages.append(await client.get(f"/intake/{report_of(typed)}/correct"))
    for page in pages:
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "{{ 7*7 }}" in page.text


async def test_a_name_is_looked_up_and_one_that_nobody_knows_asks_for_more(client_as: ClientAs, desk: Desk) -> None:
    nowhere = {**FORM, "lat": "", "lon": "", "step": "send"}
    async with client_as("operator") as client:
        unknown = await client.post("/intake", data={**nowhere, "place": "Nullepart"})
        known = await client.post("/intake", data={**nowhere, "place": "quai, Le Havre"})
    assert (unknown.status_code, known.status_code) == (422, 303)
    assert "Aucun lieu de ce nom" in unknown.text
    [post] = await sent_posts(desk)
    assert post.geo is not None
    assert (post.geo.lat, post.geo.provenance) == (LE_HAVRE.lat, "place")


async def test_a_telephone_number_is_pointed_at_before_sending(client_as: ClientAs) -> None:
    async with client_as("operator") as client:
        answer = await client.post("/intake", data={**FORM, "words": "rappeler au 06 12 45 78 90"})
    assert "numéro de téléphone. Personne" in unescape(answer.text)


async def test_an_open_incident_near_by_is_named_and_linked(client_as: ClientAs, desk: Desk) -> None:
    await taking.take(desk.engine, [an_alert()], minutes(0))
    async with client_as("operator") as client:
        answer = await client.post("/intake", data={**FORM, "step": "preview"})
    assert f'href="/incidents/{an_alert().incident_id}"' in answer.text
    assert "à 9 km" in unescape(answer.text)


async def test_a_report_says_in_which_incident_it_stands(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
        alert = an_alert(evidence=(some_evidence(post_key=f"vigie:{REPORT}"),))
        await taking.take(desk.engine, [alert], minutes(1))
        answer = await client.get(f"/intake/{REPORT}")
    assert "Il figure parmi les messages de" in unescape(answer.text)
    assert answer.text.count(f'href="/incidents/{alert.incident_id}"') == 1


async def test_other_words_are_a_new_version_of_the_same_post(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
        form = await client.get(f"/intake/{REPORT}/correct")
        assert "Fumée noire" in form.text
        answer = await client.post(f"/intake/{REPORT}/correct", data={**FORM, "words": "Flammes", "step": "send"})
    assert answer.headers["location"] == f"/intake/{REPORT}?done=corrected"
    made, corrected = await sent_posts(desk)
    assert (corrected.verb, corrected.key) == ("update", made.key)
    assert "Flammes" in corrected.text
    assert await actions(desk) == ["report_made", "report_corrected"]


async def test_another_place_is_a_new_post_and_takes_the_old_one_back(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
        moved = {**FORM, "lat": "49.60"}
        preview = await client.post(f"/intake/{REPORT}/correct", data={**moved, "step": "preview"})
        await client.post(f"/intake/{REPORT}/correct", data={**moved, "step": "send"})
    assert "ce sera un nouveau signalement" in unescape(preview.text)
    made, other, gone = await sent_posts(desk)
    assert (made.verb, other.verb, gone.verb) == ("create", "create", "delete")
    assert (gone.key, other.key != made.key) == (made.key, True)
    report = await filed(desk.engine, REPORT)
    assert report is not None
    assert (report.post_key, report.told.spot.lat, report.is_withdrawn) == (other.key, 49.6, False)


async def test_a_report_is_withdrawn_and_may_be_made_again(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
        answer = await client.post(f"/intake/{REPORT}/withdraw", data={"csrf": CSRF})
        assert answer.headers["location"] == f"/intake/{REPORT}?done=withdrawn"
        page = await client.get(f"/intake/{REPORT}?done=withdrawn")
        again = await client.get(f"/intake?again={REPORT}")
        twice = await client.post(f"/intake/{REPORT}/withdraw", data={"csrf": CSRF})
    assert "Retiré." in page.text
    assert f"/intake/{REPORT}/withdraw" not in page.text
    assert "Fumée noire" in again.text
    assert f'value="{REPORT}"' not in again.text
    assert twice.status_code == 403
    assert [post.verb for post in await sent_posts(desk)] == ["create", "delete"]
    assert await actions(desk) == ["report_made", "report_withdrawn"]


async def test_a_volunteer_changes_nobody_else_s_report(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
    async with client_as("volunteer") as client:
        page = await client.get(f"/intake/{REPORT}")
        answers = [await client.get(f"/intake/{REPORT}/correct")]
        answers += [
            await client.post(f"/intake/{REPORT}/{what}", data={**FORM, "step": "send"})
            for what in ("correct", "withdraw")
        ]
    assert "/correct" not in page.text
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert len(await sent_posts(desk)) == 1


async def test_a_volunteer_s_report_is_changed_by_who_decides(client_as: ClientAs, desk: Desk) -> None:
    async with client_as("volunteer") as client:
        await client.post("/intake", data={**FORM, "step": "send"})
    async with client_as("operator") as client:
        answer = await client.post(f"/intake/{report_of(FORM, 'volunteer')}/withdraw", data={"csrf": CSRF})
        assert answer.status_code == 303
    [made, _] = await sent_posts(desk)
    assert made.author_kind == "volunteer"


@pytest.mark.parametrize("path", ["/intake/nothing", "/intake/0000000000000000", "/intake/0000000000000000/correct"])
async def test_what_is_not_there_is_not_found(path: str, client_as: ClientAs) -> None:
    async with client_as("operator") as client:
        assert (await client.get(path)).status_code == 404


async def test_what_detectors_have_forgotten_is_said_to_raise_nothing(client_as: ClientAs, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=8))
    async with client_as("operator") as client:
        preview = await client.post("/intake", data={**FORM, "step": "preview"})
        await client.post("/intake", data={**FORM, "step": "send"})
        page = await client.get(f"/intake/{REPORT}")
    for answer in (preview, page):
        assert "trop longtemps" in answer.text


async def test_no_english_is_left_on_a_french_page(client_as: ClientAs, desk: Desk) -> None:
    await taking.take(desk.engine, [an_alert()], minutes(0))
    async with client_as("operator") as client:
        pages = [await client.post("/intake", data={**FORM, "step": step}) for step in ("preview", "change", "send")]
        pages += [await client.post("/intake", data={"csrf": CSRF})]
        pages += [await client.get(path) for path in ("/intake", f"/intake/{REPORT}", f"/intake/{REPORT}/correct")]
        await client.post(f"/intake/{REPORT}/withdraw", data={"csrf": CSRF})
        pages += [await client.get(f"/intake/{REPORT}?done=withdrawn")]
    english = [str(one.id) for one in messages("fr") if one.string != one.id and " " in str(one.id)]
    assert [said for said in english for page in pages if f">{said}" in unescape(page.text)] == []


async def test_a_place_is_looked_for_beside_the_loop(client_as: ClientAs, desk: Desk) -> None:
    asked: list[Thread] = []

    def find_place(text: str) -> tuple[Place, ...]:
        asked.append(current_thread())
        return (LE_HAVRE,)

    object.__setattr__(desk, "find_place", find_place)
    async with client_as("operator") as client:
        await client.post("/intake", data={**FORM, "place": "Le Havre", "lat": "", "lon": ""})
    assert asked
    assert main_thread() not in asked
