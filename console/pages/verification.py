"""Verification: the volunteers' queue: what is to verify, what was found, and what the cell has of it."""

from collections.abc import Mapping
from typing import cast
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from console.archive import looking
from console.pages.page import Page, Visit
from console.reports import reports, verifying
from console.reports.intake import SAID
from console.reports.intake_form import LINK, cleaned
from console.reports.verifying import FINDINGS, MOST_ANSWER, MOST_QUESTION, UNDONE_BY, Action

OF_VOLUNTEERS: tuple[Action, ...] = ("take", "release", "answer", "reopen", "withdraw", "ask_again")
MOST_URL = 2048

PROBLEMS: Mapping[str, str] = {
    "finding": "Choose what you found.",
    "answer": "This is too long: shorten it.",
    "url": "A link begins with https:// or http://.",
}
"""What may be wrong with an answer."""


async def verification(visit: Visit) -> Response:
    """Show the queue."""
    return await _shown(visit)


async def ask(visit: Visit) -> Response:
    """Ask volunteers to verify a report or an incident."""
    form = {name: cleaned(str(value)) for name, value in (await visit.form()).items()}
    engine, incident_id, report_id = visit.desk.engine, form.get("incident_id", ""), form.get("report_id", "")
    is_known = (report_id and await reports.filed(engine, report_id)) or (
        incident_id and await looking.newest(engine, incident_id)
    )
    if not is_known:
        raise HTTPException(404, "there is no such report or incident")
    asked = await verifying.ask(
        visit.desk,
        visit.visitor,
        incident_id=incident_id,
        report_id=report_id,
        question=form.get("question", "")[:MOST_QUESTION],
    )
    return visit.go("/verification", done="ask_again", item=asked)


async def act(visit: Visit) -> Response:
    """Take a thing, give it back, answer it, or take the answer back."""
    action = str(visit.request.path_params["action"])
    if action not in OF_VOLUNTEERS:
        raise HTTPException(404, "there is nothing of this kind to do")
    if action == "answer":
        return await _answer(visit)
    return await _acted(visit, cast(Action, action))


async def pass_on(visit: Visit) -> Response:
    """Take note of a finding for the cell; who wants to decide on the incident goes there."""
    found = await verifying.one(visit.desk.engine, _item(visit))
    answer = await _acted(visit, "pass_on")
    if found and found.incident_id and (await visit.form()).get("then") == "decide" and answer.status_code == 303:  # noqa: PLR2004
        return visit.go(f"/incidents/{quote(found.incident_id, safe='')}")
    return answer


async def take_back(visit: Visit) -> Response:
    """Take back that a finding was passed on."""
    return await _acted(visit, "take_back")


async def _answer(visit: Visit) -> Response:
    form = await visit.form()
    said = {name: cleaned(str(form.get(name, ""))) for name in ("finding", "answer", "url")}
    wrong = {
        "finding": said["finding"] not in FINDINGS,
        "answer": len(said["answer"]) > MOST_ANSWER,
        "url": bool(said["url"]) and (len(said["url"]) > MOST_URL or not LINK.fullmatch(said["url"])),
    }
    problems = {name: PROBLEMS[name] for name, is_wrong in wrong.items() if is_wrong}
    if problems:
        return await _shown(visit, status=422, item=_item(visit), fields=said, problems=problems)
    return await _acted(visit, "answer", **said)


async def _acted(visit: Visit, action: Action, **said: str) -> Response:
    item = _item(visit)
    if await verifying.one(visit.desk.engine, item) is None:
        raise HTTPException(404, "there is nothing of this id to verify")
    if not await verifying.act(visit.desk, visit.visitor, item, action, **said):
        return await _shown(visit, status=409, item=item, fields=said, is_too_late=True)
    return visit.go("/verification", done=action, item=item)


async def _shown(
    visit: Visit,
    *,
    status: int = 200,
    item: str = "",
    fields: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    is_too_late: bool = False,
) -> Response:
    engine = visit.desk.engine
    queue = await verifying.queue(engine)
    done = visit.request.query_params.get("done", "")
    return visit.render(
        "verification.html",
        status=status,
        lists={state: [one for one in queue if one.state == state] for state in ("to_verify", "verified", "passed_on")},
        incidents=await looking.newest_of(engine, {one.incident_id for one in queue} - {""}),
        reports=await reports.filed_all(engine, {one.report_id for one in queue} - {""}),
        whats={what: words[visit.language] for what, words in SAID.items()},
        findings=FINDINGS,
        done=done,
        undo=UNDONE_BY.get(cast(Action, done), ""),
        undoes_as_cell=done in ("pass_on", "take_back"),
        item=item or visit.request.query_params.get("item", ""),
        fields=fields or {},
        problems=problems or {},
        is_too_late=is_too_late,
    )


def _item(visit: Visit) -> str:
    return str(visit.request.path_params["verification_id"])


PAGES = (
    Page(path="/verification", name="verification", needs="verify", handler=verification),
    Page(path="/verification", name="verification_ask", needs="verify", handler=ask, methods=("POST",)),
    Page(
        path="/verification/{verification_id}/pass_on",
        name="verification_pass_on",
        needs="decide",
        handler=pass_on,
        methods=("POST",),
    ),
    Page(
        path="/verification/{verification_id}/take_back",
        name="verification_take_back",
        needs="decide",
        handler=take_back,
        methods=("POST",),
    ),
    Page(
        path="/verification/{verification_id}/{action}",
        name="verification_act",
        needs="verify",
        handler=act,
        methods=("POST",),
    ),
)
