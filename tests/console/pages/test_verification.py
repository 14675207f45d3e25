"""Verification, as a page: the volunteers' queue, what they find, and what the cell takes up."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import pytest_asyncio

from console.access.visitor import Visitor
from console.archive import saying, taking
from console.catalogue import messages
from console.desk import Desk
from console.reports import verifying
from tests.console.conftest import CSRF
from tests.console.made import INCIDENT, a_post, a_report_row, an_alert, minutes, some_evidence

ClientAs = Callable[..., Any]
HOSTILE = '"><script>alert(1)</script>'
CELL = Visitor(name="astreinte (operator)", role="operator")
FINDING = {"csrf": CSRF, "finding": "true", "answer": "vu sur place", "url": "https://e.org/1"}


@pytest_asyncio.fixture(loop_scope="module")
async def asked(desk: Desk) -> str:
    """Ask volunteers to verify the fire of that morning."""
    alert = an_alert(evidence=(some_evidence(1, text=HOSTILE), some_evidence(2, text="", is_removed=True)))
    await taking.take(desk.engine, [alert], minutes(0))
    return await verifying.ask(desk, CELL, incident_id=INCIDENT, question="Voit-on des flammes ?")


async def test_a_volunteer_sees_the_question_and_the_posts_of_the_incident(asked: str, client_as: ClientAs) -> None:
    async with client_as("volunteer") as client:
        page = await client.get("/verification")
    text = unescape(page.text)
    assert "Voit-on des flammes ?" in text
    assert f'href="/incidents/{INCIDENT}"' in text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert "retiré par son auteur" in text


async def test_a_finding_is_said_to_be_no_confirmation(client_as: ClientAs) -> None:
    for language, words in (("fr", "jamais la confirmation d’une autorité"), ("en", "never a confirmation by an")):
        async with client_as("volunteer", language=language) as client:
            assert words in unescape((await client.get("/verification")).text)


async def test_whoever_decides_on_a_finding_comes_to_the_incident_whatever_it_is_called(
    client_as: ClientAs, desk: Desk
) -> None:
    await taking.take(desk.engine, [an_alert(incident_id="fire é?1#2")], minutes(0))
    asked = await verifying.ask(desk, CELL, incident_id="fire é?1#2")
    await verifying.act(desk, CELL, asked, "answer", finding="true")
    async with client_as("operator") as client:
        passed = await client.post(f"/verification/{asked}/pass_on", data={"csrf": CSRF, "then": "decide"})
        assert (await client.get(passed.headers["location"])).status_code == 200


async def test_a_viewer_verifies_nothing(asked: str, client_as: ClientAs) -> None:
    async with client_as("viewer") as client:
        assert (await client.get("/verification")).status_code == 403
        assert (await client.post(f"/verification/{asked}/take", data={"csrf": CSRF})).status_code == 403


async def test_the_whole_way_from_the_question_to_the_cell(asked: str, client_as: ClientAs, desk: Desk) -> None:
    async with client_as("volunteer") as client:
        taken = await client.post(f"/verification/{asked}/take", data={"csrf": CSRF})
        mine = await client.get(taken.headers["location"])
        await client.post(f"/verification/{asked}/answer", data=FINDING)
        refused = await client.post(f"/verification/{asked}/pass_on", data={"csrf": CSRF})
    assert "vous vous en occupez" in mine.text
    assert f"/verification/{asked}/release" in mine.text  # undo
    assert refused.status_code == 403
    async with client_as("operator") as client:
        shown = await client.get("/verification")
        passed = await client.post(f"/verification/{asked}/pass_on", data={"csrf": CSRF, "then": "decide"})
    assert "vu sur place" in shown.text
    assert 'href="https://e.org/1" rel="noopener noreferrer"' in shown.text
    assert (passed.status_code, passed.headers["location"]) == (303, f"/incidents/{INCIDENT}")
    found = await verifying.one(desk.engine, asked)
    assert found is not None
    assert (found.state, found.answered_by, found.passed_on_by) == (
        "passed_on",
        "astreinte (volunteer)",
        "astreinte (operator)",
    )


async def test_who_is_late_is_told_how_it_stands(asked: str, client_as: ClientAs, desk: Desk) -> None:
    await verifying.act(desk, Visitor(name="bénévole 2", role="volunteer"), asked, "take")
    async with client_as("volunteer") as client:
        late = await client.post(f"/verification/{asked}/take", data={"csrf": CSRF})
        answered = await client.post(f"/verification/{asked}/answer", data=FINDING)
    for answer in (late, answered):
        assert answer.status_code == 409
        assert "bénévole 2" in answer.text


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"finding": ""}, "Choisissez ce que vous avez trouvé."),
        ({"finding": "maybe"}, "Choisissez ce que vous avez trouvé."),
        ({"url": "javascript:alert(1)"}, "Un lien commence par https:// ou http://."),
        ({"answer": "x" * 1001}, "C’est trop long"),
    ],
)
async def test_nothing_typed_is_lost_on_an_error(
    wrong: dict[str, str], problem: str, asked: str, client_as: ClientAs, desk: Desk
) -> None:
    typed = {**FINDING, "answer": HOSTILE, **wrong}
    async with client_as("volunteer") as client:
        answer = await client.post(f"/verification/{asked}/answer", data=typed)
    assert answer.status_code == 422
    assert problem in unescape(answer.text)
    assert "<script>alert" not in answer.text
    assert typed["answer"] in unescape(answer.text)
    found = await verifying.one(desk.engine, asked)
    assert found is not None
    assert found.state == "to_verify"


async def test_a_report_is_verified_too(client_as: ClientAs, desk: Desk) -> None:
    row = a_report_row(report_id="0123456789abcdef")
    await saying.report(desk, CELL, a_post(id="0123456789abcdef"), row)
    async with client_as("volunteer") as client:
        answer = await client.post("/verification", data={"csrf": CSRF, "report_id": row["report_id"], "question": ""})
        page = await client.get(answer.headers["location"])
        report = await client.get(f"/intake/{row['report_id']}")
    assert "Flammes à la centrale" in page.text
    assert "Est-ce exact" in page.text
    assert "à vérifier" in report.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/verification/nothing/take", 404),
        ("/verification/nothing/answer", 404),
        ("/verification/nothing/pass_on", 404),
        ("/verification/nothing/dance", 404),
        ("/verification", 404),
    ],
)
async def test_what_is_not_there_is_not_found(path: str, status: int, client_as: ClientAs) -> None:
    async with client_as("operator") as client:
        assert (await client.post(path, data={**FINDING, "report_id": "x"})).status_code == status


async def test_no_english_is_left_on_a_french_page(asked: str, client_as: ClientAs, desk: Desk) -> None:
    other = await verifying.ask(desk, CELL, incident_id="gone")
    await verifying.ask_of_itself(desk, an_alert(incident_id="fire-2"))
    pages = []
    async with client_as("operator") as client:
        for action in ("take", "answer", "pass_on", "take_back", "reopen", "withdraw"):
            answer = await client.post(f"/verification/{asked}/{action}", data=FINDING)
            assert answer.status_code == 303
            pages.append(await client.get(answer.headers["location"]))
        pages.append(await client.post(f"/verification/{other}/release", data=FINDING))
    english = [str(one.id) for one in messages("fr") if one.string != one.id and " " in str(one.id)]
    assert [said for said in english for page in pages if f">{said}" in unescape(page.text)] == []
