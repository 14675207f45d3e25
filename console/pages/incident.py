"""Incident: why it was raised, what is known of it and what is not, who was told, who decided what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from console.archive import looking, saying, tables
from console.archive.dossier import Decided, Dossier, Rate, Report
from console.deciding.answering import waiting_for
from console.deciding.decision_form import CLOSABLE
from console.deciding.history import history, newest_of
from console.deciding.muting import muting
from console.deciding.silence_form import HOURS
from console.deciding.weight import host_of, standing, weighed
from console.digests.solidarity_list import told
from console.digests.solidarity_reading import around, claims_now
from console.distance import kilometres
from console.figures.figures import figure
from console.messages.message_map import STAGES, Message
from console.messages.selection import select
from console.once import nonce
from console.pages.page import Page, Visit
from console.problem import Problem
from console.reports.intake import SEEN
from records import HAZARDS, Alert, Silence
from records.alert import OVER

MINUTE = timedelta(minutes=1)
TEN_MINUTES = timedelta(minutes=10)
SPANS_PER_HOUR = 6
MOST_NEIGHBOURS = 100
NONE = "There is no incident of this name."


class Neighbour(NamedTuple):
    """Another open incident, and how far it is."""

    alert: Alert
    km: float


class Revealed(NamedTuple):
    """A link that somebody wants to follow."""

    post_key: str
    url: str


class OfPlatform(NamedTuple):
    """How many of the posts that are shown come from a platform."""

    platform: str
    posts: int
    witnesses: int


async def incident(visit: Visit) -> Response:
    """Show an incident."""
    return await shown(visit, await dossier_of(visit))


async def newest(visit: Visit) -> Response:
    """Tell which revision is the newest: for a page that is open, and shows an older one."""
    incident_id = visit.request.path_params["incident_id"]
    found = await looking.newest(visit.desk.engine, incident_id)
    if found is None:
        raise HTTPException(404, visit.text(NONE))
    return JSONResponse({"incident_id": incident_id, **found._asdict()})


async def dossier_of(visit: Visit) -> Dossier:
    """Return all that is known of the incident that the address names."""
    found = await looking.incident(visit.desk.engine, visit.request.path_params["incident_id"])
    if found is None:
        raise HTTPException(404, visit.text(NONE))
    return found


async def neighbours_of(visit: Visit, alert: Alert) -> tuple[Neighbour, ...]:
    """Return the other open incidents, the nearest first: what it may be part of."""
    found = await looking.heads(visit.desk.engine)
    others = (
        Neighbour(one, kilometres(one.place, alert.place))
        for one in found
        if alert.incident_id not in (one.incident_id, one.joins) and one.incident_id != alert.joins
    )
    return tuple(sorted(others, key=lambda one: (one.km, one.alert.incident_id))[:MOST_NEIGHBOURS])


async def shown(
    visit: Visit,
    dossier: Dossier,
    *,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    post_keys: Sequence[str] = (),
    problems: Sequence[Problem] = (),
    since: Sequence[Decided] = (),
    revealed: Revealed | None = None,
) -> HTMLResponse:
    """Return the page of an incident; with what somebody has typed, where it could not be done."""
    alert, now = dossier.alert, visit.desk.clock.now()
    is_open = alert.level not in OVER
    posts = weighed(alert.evidence)
    said = {visit.desk.messages.messages[one.template_id].stage for one in _signed(visit, dossier)}
    selection = select(visit.desk.messages, alert, said=said)
    return visit.render(
        "incident.html",
        status=status,
        alert=alert,
        dossier=dossier,
        recorded_at=dossier.revisions[-1].recorded_at,
        sequence=max(newest_of(dossier.decisions), *(one.sequence for one in dossier.revisions)),
        is_open=is_open,
        is_closable=alert.level in CLOSABLE,
        may_decide=visit.visitor.may("decide"),
        minutes=_minutes(alert, now) if is_open or alert.clock is None else alert.clock.minutes,
        acknowledged=_acknowledged(dossier.decisions),
        explanation=alert.explanation.get(visit.language) or next(iter(alert.explanation.values()), ""),
        standing=standing(alert),
        posts=posts,
        heaviest=max((one.post.contribution for one in posts), default=0.0) or 1.0,
        platforms=_platforms(alert),
        rates=_filled(dossier.rates),
        usual=alert.usual_per_hour / SPANS_PER_HOUR,
        ten_minutes=TEN_MINUTES,
        selection=selection,
        stage=_stage(visit, selection.stage),
        stage_of=lambda message: _stage(visit, message.stage),
        situation_of=lambda message: _situation(visit, message),
        reports=await _reports(visit, dossier),
        seen_by=lambda code: SEEN[code][visit.language] if code in SEEN else code,
        lines=history(dossier.revisions, dossier.decisions),
        neighbours=await neighbours_of(visit, alert) if visit.visitor.may("decide") else (),
        silences=await _silences(visit, alert, now),
        hazards=HAZARDS,
        silence_hours=HOURS,
        known=newest_of(dossier.decisions),
        nonce=nonce,
        typed=defaultdict(str, typed or {}),
        post_keys=post_keys,
        problems=problems,
        since=since,
        revealed=revealed,
        host_of=host_of,
        figure=lambda number: figure(number, visit.language),
        **await _solidarity(visit, alert, now),
        **await _done(visit, dossier),
    )


async def _solidarity(visit: Visit, alert: Alert, now: datetime) -> dict[str, Any]:
    """Return what is needed and offered around it."""
    reading = await claims_now(visit.desk)
    listing = await around(visit.desk, alert, reading, now)
    return {"claims_state": reading.state, "listing": listing, "needed": told(listing) if listing else None}


async def _done(visit: Visit, dossier: Dossier) -> dict[str, Any]:
    """Return what was just done, as the archive has it, whatever the address says."""
    done, undo = (visit.request.query_params.get(name, "") for name in ("done", "undo"))
    decided = next((one for one in dossier.decisions if undo and one.verdict.decision_id == undo), None)
    silences = await looking.silences(visit.desk.engine, visit.desk.clock.now()) if done == "silence" else ()
    silence = next((one for one in silences if one.silence_id == undo), None)
    question = next((one for one in dossier.verifications if done == "verify" and one.verification_id == undo), None)
    awaits = None
    if decided is not None:
        is_unsent = await saying.is_waiting(visit.desk.engine, decided.verdict.decision_id)
        awaits = waiting_for(decided, dossier, visit.desk.clock.now(), is_unsent=is_unsent)
    return {"done": decided, "silenced": silence, "asked": question, "awaits": awaits}


async def _reports(visit: Visit, dossier: Dossier) -> list[Report]:
    """Return what people reported here, as far as it counts for the incident, or is to be verified with it."""
    keys = {post.post_key for one in dossier.revisions for post in one.alert.evidence}
    asked = {one.report_id for one in dossier.verifications if one.report_id}
    columns = tables.report.c
    async with visit.desk.engine.connect() as connection:
        return await looking.reports(connection, or_(columns.post_key.in_(keys), columns.report_id.in_(asked)))


async def _silences(visit: Visit, alert: Alert, now: datetime) -> tuple[Silence, ...]:
    return muting(await looking.silences(visit.desk.engine, now), alert, now)


def _signed(visit: Visit, dossier: Dossier) -> Iterable[Any]:
    known = visit.desk.messages.messages
    return (one for one in dossier.messages if one.state == "signed" and one.template_id in known)


def _minutes(alert: Alert, now: datetime) -> int:
    return max(0, (now - alert.onset) // MINUTE)


def _acknowledged(decisions: Iterable[Decided]) -> Decided | None:
    """Return who looks after it: whoever said so last and has not taken it back."""
    taken = [one for one in decisions if one.verdict.decision == "acknowledge" and not one.is_withdrawn]
    return max(taken, key=lambda one: one.verdict.decided_at, default=None)


def _filled(rates: Sequence[Rate]) -> tuple[Rate, ...]:
    """Return counts with those spans between them in which nothing was said."""
    if not rates:
        return ()
    known = {one.begins_at: one for one in rates}
    spans = range((rates[-1].begins_at - rates[0].begins_at) // TEN_MINUTES + 1)
    moments = (rates[0].begins_at + number * TEN_MINUTES for number in spans)
    return tuple(known.get(at) or Rate(begins_at=at, posts=0, strong=0, weight=0.0) for at in moments)


def _platforms(alert: Alert) -> tuple[OfPlatform, ...]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in alert.evidence:
        counts[one.platform][0] += 1
        counts[one.platform][1] += one.is_witness
    found = (OfPlatform(platform, *count) for platform, count in counts.items())
    return tuple(sorted(found, key=lambda one: (-one.posts, one.platform)))


def _stage(visit: Visit, name: str) -> str:
    return STAGES[name].fr if visit.language == "fr" else STAGES[name].en


def _situation(visit: Visit, message: Message) -> str:
    found = visit.desk.messages.situations[message.situation]
    return found.fr if visit.language == "fr" else found.en


PAGES = (
    Page(path="/incidents/{incident_id}", name="incident", needs="see", handler=incident),
    Page(path="/incidents/{incident_id}/newest", name="incident_newest", needs="see", handler=newest, is_api=True),
)
