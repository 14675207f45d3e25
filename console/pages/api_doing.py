"""API, doing: what programs do in somebody's name, by the same rules as the pages."""

import asyncio
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from console.api.answers import Done
from console.api.asked import DecisionAsked, PlaceAsked, ReportAsked
from console.api.operation import NotDone, Operation
from console.archive import looking, saying
from console.deciding.decision_form import verdict_from
from console.once import nonce
from console.pages.actions import deciding
from console.pages.intake import file
from console.pages.page import Visit
from console.reports.intake import Told
from console.reports.intake_form import told_from
from records import Verdict

WRONG = "what was sent cannot be done as it is"
CONFLICTS = frozenset({"withdrawn_already", "other_decision", "merged_back"})


async def decide(visit: Visit, asked: DecisionAsked) -> Done:
    """Decide on an incident, or take a decision back."""
    dossier = await looking.incident(visit.desk.engine, visit.request.path_params["incident_id"])
    if dossier is None:
        raise NotDone("there is no such incident", status=404)
    verdict = await asyncio.to_thread(verdict_from, _typed(asked), asked.post_keys, await deciding(visit, dossier))
    if not isinstance(verdict, Verdict):
        raise NotDone(WRONG, fields={one.field: one.code for one in verdict})
    try:
        await saying.decide(visit.desk, visit.visitor, verdict)
    except saying.Refused as refused:
        status = 409 if refused.why in CONFLICTS else 422
        raise NotDone(WRONG, status=status, fields={asked.decision: refused.why}) from refused
    return Done(id=verdict.decision_id)


async def report(visit: Visit, asked: ReportAsked) -> Done:
    """Take a report in, and send it."""
    fields = {
        "report_id": asked.report_id or nonce(),
        "what": asked.what,
        "words": asked.words,
        "place": asked.place,
        "lat": _number(asked.lat),
        "lon": _number(asked.lon),
        "accuracy": asked.accuracy,
        "seen_at": asked.seen_at.isoformat() if asked.seen_at else "",
        "seen_by": asked.seen_by,
        "credibility": asked.credibility or "",
        "url": asked.url,
        "photo_note": asked.photo_note,
    }
    zone = ZoneInfo(visit.desk.setup.zone)
    now, find_place = visit.desk.clock.now(), visit.desk.find_place
    told = await asyncio.to_thread(told_from, fields, now=now, zone=zone, find_place=find_place)
    if not isinstance(told, Told):
        raise NotDone(WRONG, fields=dict(told.items()))
    return Done(id=(await file(visit, told, fields)).told.report_id)


def _typed(asked: DecisionAsked) -> dict[str, str]:
    """Return a decision as the form on the page would state it."""
    said = {
        "decision": asked.decision,
        "reason": asked.reason,
        "by": asked.confirmed_by,
        "why": asked.rejected_as,
        "read_as": asked.read_as,
        "other": asked.other,
        "withdraws": asked.withdraws,
        "nonce": asked.nonce or nonce(),
        **dict(_place(asked.place or PlaceAsked())),
    }
    return {name: value for name, value in said.items() if value}


def _place(asked: PlaceAsked) -> Iterable[tuple[str, str]]:
    yield "name", asked.name
    yield "insee", asked.insee
    yield "lat", _number(asked.lat)
    yield "lon", _number(asked.lon)
    yield "radius_km", _number(asked.radius_km)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


OPERATIONS = (
    Operation(
        path="/api/incidents/{incident_id}/decisions",
        name="api_decide",
        summary="Decide on an incident, or take a decision back",
        needs="decide",
        handler=decide,
        method="POST",
        body=DecisionAsked,
        answer=Done,
        status=201,
        refusals=(404, 409),
    ),
    Operation(
        path="/api/reports",
        name="api_report",
        summary="Report what somebody was told, or saw",
        needs="report",
        handler=report,
        method="POST",
        body=ReportAsked,
        answer=Done,
        status=201,
    ),
)
