"""Intake: take a report in, look at it once more, send it, and correct or withdraw it afterwards."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.responses import Response

from console.archive import looking, saying
from console.once import identity, nonce
from console.pages.page import Page, Visit
from console.reports import reports, verifying
from console.reports.intake import (
    SAID,
    SEEN,
    SEEN_BY,
    USUAL,
    WHATS,
    Told,
    corrected,
    is_elsewhere,
    near,
    post_from,
    pseudonym,
    taken_back,
    text_of,
)
from console.reports.intake_form import PROBLEMS, REPORT_ID, told_from
from console.reports.reports import Filed
from console.typed_moment import typed
from records import Post
from records.report import CREDIBILITIES

FIELDS = (
    "report_id", "what", "words", "place", "meant", "lat", "lon", "accuracy", "seen_at", "seen_by", "credibility",
    "url", "photo_note",
)  # fmt: skip
NOT_CHANGEABLE = "this report is withdrawn, or somebody else's: who decides on incidents may change it"


async def intake(visit: Visit) -> Response:
    """Show the form: empty, or with what another report said."""
    again = await reports.filed(visit.desk.engine, visit.request.query_params.get("again", ""))
    fields = (
        _fields_of(again.told, visit) if again else {"seen_at": typed(visit.desk.clock.now(), visit.desk.setup.zone)}
    )
    return await _form(visit, {**fields, "report_id": nonce()})


async def take(visit: Visit) -> Response:
    """Take a form in: look at it, change it, or send it."""
    return await _answer(visit, before=None)


async def show(visit: Visit) -> Response:
    """Show a report, and how far it has come."""
    filed, engine = await _found(visit), visit.desk.engine
    open_now = await looking.heads(engine)
    shown_in = reports.shown_in(open_now, filed.told.report_id)
    return visit.render(
        "intake_report.html",
        filed=filed,
        text=text_of(filed.told, visit.language),
        is_waiting=await reports.is_waiting(engine, filed.post_key),
        shown_in=shown_in,
        near=[one for one in near(open_now, filed.told) if one[0] not in shown_in],
        asked=await verifying.of_report(engine, filed.told.report_id),
        done=visit.request.query_params.get("done", ""),
        may_change=_may_change(visit, filed),
        is_old=filed.told.is_old(filed.made_at),
        **_words(visit),
    )


async def correction(visit: Visit) -> Response:
    """Show the form with what a report says."""
    filed = await _changeable(visit)
    return await _form(visit, _fields_of(filed.told, visit), before=filed)


async def correct(visit: Visit) -> Response:
    """Take a correction in: look at it, change it, or send it."""
    return await _answer(visit, before=await _changeable(visit))


async def withdraw(visit: Visit) -> Response:
    """Take a report back: its words go everywhere, and what it raised is for people to decide on."""
    filed = await _changeable(visit)
    gone = replace(filed, is_withdrawn=True)
    await saying.report(visit.desk, visit.visitor, _taken_back(visit, filed), reports.row_of(gone))
    return visit.go(_path(filed), done="withdrawn")


async def _answer(visit: Visit, before: Filed | None) -> Response:
    fields = {name: str(value) for name, value in (await visit.form()).items() if name in (*FIELDS, "step")}
    if before:
        fields["report_id"] = before.told.report_id
    now, zone, find_place = visit.desk.clock.now(), ZoneInfo(visit.desk.setup.zone), visit.desk.find_place
    told = await asyncio.to_thread(told_from, fields, now=now, zone=zone, find_place=find_place)
    step = fields.pop("step", "preview")
    if not isinstance(told, Told):
        return await _form(visit, fields, before=before, problems={name: PROBLEMS[code] for name, code in told.items()})
    if step == "change":
        return await _form(visit, fields, before=before)
    if step != "send":
        return await _preview(visit, fields, told, before)
    return await (_send_correction(visit, told, before) if before else _send(visit, told, fields))


async def _form(
    visit: Visit,
    fields: Mapping[str, str],
    *,
    before: Filed | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    return visit.render(
        "intake.html",
        status=422 if problems else 200,
        fields={name: fields.get(name, "") for name in FIELDS},
        problems=problems or {},
        before=before,
        latest=[] if before else await reports.latest(visit.desk.engine),
        **_words(visit),
    )


async def _preview(visit: Visit, fields: Mapping[str, str], told: Told, before: Filed | None) -> Response:
    return visit.render(
        "intake_preview.html",
        fields={name: fields.get(name, "") for name in FIELDS},
        told=told,
        text=text_of(told, visit.language),
        before=before,
        is_elsewhere=before is not None and is_elsewhere(before.told, told),
        is_old=told.is_old(visit.desk.clock.now()),
        near=near(await looking.heads(visit.desk.engine), told),
        **_words(visit),
    )


async def _send(visit: Visit, told: Told, fields: Mapping[str, str]) -> Response:
    filed = await file(visit, told, fields)
    return visit.go(_path(filed), done="sent")


async def file(visit: Visit, told: Told, fields: Mapping[str, str]) -> Filed:
    """File a report and send it; told twice, it is one; told otherwise on the same form, it is another."""
    said = (fields.get(name, "") for name in FIELDS if name != "report_id")
    told = replace(told, report_id=identity(told.report_id, visit.visitor.account_id, *said))
    known = await reports.filed(visit.desk.engine, told.report_id)
    if known:
        return known
    post = _post(visit, told, told.report_id)
    filed = Filed(
        told=told,
        post_key=post.key,
        made_by=visit.visitor.name,
        made_at=visit.desk.clock.now(),
        is_withdrawn=False,
    )
    await saying.report(visit.desk, visit.visitor, post, reports.row_of(filed))
    return filed


async def _send_correction(visit: Visit, told: Told, before: Filed) -> Response:
    post, takes_back = corrected(_post(visit, told, before.post_id)), None
    if is_elsewhere(before.told, told):
        post = _post(visit, told, f"{told.report_id}.{int(visit.desk.clock.now().timestamp())}")
        takes_back = _taken_back(visit, before)
    row = reports.row_of(replace(before, told=told, post_key=post.key))
    try:
        await saying.report(visit.desk, visit.visitor, post, row, takes_back=takes_back)
    except saying.Refused as refused:
        raise HTTPException(403, NOT_CHANGEABLE) from refused
    return visit.go(_path(before), done="corrected")


def _post(visit: Visit, told: Told, post_id: str) -> Post:
    return post_from(
        told,
        post_id=post_id,
        author_id=_author(visit),
        role=visit.visitor.role,
        language=visit.language,
        now=visit.desk.clock.now(),
    )


def _taken_back(visit: Visit, filed: Filed) -> Post:
    return taken_back(filed.post_id, author_id=_author(visit), now=visit.desk.clock.now())


def _author(visit: Visit) -> str:
    return pseudonym(visit.desk.setup.pseudonym_key, visit.visitor.account_id, visit.desk.clock.now())


async def _found(visit: Visit) -> Filed:
    report_id = str(visit.request.path_params["report_id"])
    filed = await reports.filed(visit.desk.engine, report_id) if REPORT_ID.fullmatch(report_id) else None
    if filed is None:
        raise HTTPException(404, "there is no report of this id")
    return filed


async def _changeable(visit: Visit) -> Filed:
    filed = await _found(visit)
    if not _may_change(visit, filed):
        raise HTTPException(403, NOT_CHANGEABLE)
    return filed


def _may_change(visit: Visit, filed: Filed) -> bool:
    is_own = filed.made_by == visit.visitor.name
    return not filed.is_withdrawn and (is_own or visit.visitor.may("decide"))


def _fields_of(told: Told, visit: Visit) -> dict[str, str]:
    spot = told.spot
    return {
        "report_id": told.report_id,
        "what": told.what,
        "words": told.words,
        "place": spot.name,
        "lat": f"{spot.lat:.5f}",
        "lon": f"{spot.lon:.5f}",
        "accuracy": spot.accuracy,
        "seen_at": typed(told.seen_at, visit.desk.setup.zone),
        "seen_by": told.seen_by,
        "credibility": told.credibility,
        "url": told.url,
        "photo_note": told.photo_note,
    }


def _path(filed: Filed) -> str:
    return f"/intake/{filed.told.report_id}"


def _words(visit: Visit) -> dict[str, Any]:
    """Return what a form offers, in words."""
    language = visit.language
    return {
        "whats": {what: SAID[what][language] for what in WHATS},
        "seen_bys": {one: SEEN[one][language] for one in SEEN_BY},
        "usual": USUAL,
        "credibilities": CREDIBILITIES,
    }


PAGES = (
    Page(path="/intake", name="intake", needs="report", handler=intake),
    Page(path="/intake", name="intake_take", needs="report", handler=take, methods=("POST",)),
    Page(path="/intake/{report_id}", name="intake_report", needs="report", handler=show),
    Page(path="/intake/{report_id}/correct", name="intake_correction", needs="report", handler=correction),
    Page(path="/intake/{report_id}/correct", name="intake_correct", needs="report", handler=correct, methods=("POST",)),
    Page(
        path="/intake/{report_id}/withdraw", name="intake_withdraw", needs="report", handler=withdraw, methods=("POST",)
    ),
)
