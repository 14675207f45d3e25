"""Trial: how far it is, and what a candidate would change; shadow: what it would have said beside what was said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from console.archive import looking
from console.once import nonce
from console.pages.page import Page, Visit
from console.pages.tuning_candidate import asked_for
from console.trust.missed import BEGINNING
from console.tuning import candidates, promoting, shadows, trials
from console.tuning.shadows import Shadow
from console.tuning.trials import Tried
from records import Alert
from records.alert import Level
from records.backtest import Backtest, Found, Raised
from records.trial import Course, Trial

RECORDED = "recorded"
"""The part of a trial that is no scenario."""
MOST_REAL = 500


@dataclass(frozen=True)
class Beside:
    """One incident: what the candidate would have said of it, what the profile in force would, and what was said."""

    incident_id: str
    hazard: str
    place: str
    at: datetime  # when anybody first spoke of it
    candidate: Raised | None
    in_force: Raised | None
    real: Alert | None


async def trial_of(visit: Visit) -> Tried:
    """Return the trial that the address names.

    Errors  HTTPException where there is none
    """
    found = await trials.trial(visit.desk.engine, visit.request.path_params["trial_id"])
    if found is None:
        raise HTTPException(404, "There is no such trial.")
    return found


async def show(visit: Visit) -> Response:
    """Show a trial: its progress while it is under way, else what came of it."""
    tried = await trial_of(visit)
    known = await candidates.candidate(visit.desk.engine, tried.candidate_id)
    holds = await promoting.in_force(visit.desk)
    found = await trials.report(visit.desk.engine, tried.trial_id)
    return visit.render(
        "tuning_trial.html",
        tried=tried,
        part=await _part(visit, tried),
        candidate=known,
        is_current=known is not None and tried.is_of(known, holds.toml),
        trial=found,
        pairs=pairs,
        false_ones=false_ones,
        missed=BEGINNING,
        charts=charts(found, visit.language) if found else "",
        nonce=nonce(),
    )


def pairs(backtest: Backtest) -> list[tuple[Found, Found]]:
    """Return what became of each true incident by the profile in force and by the candidate."""
    return list(zip(backtest.outcomes[0].found, backtest.outcomes[-1].found, strict=True))


def false_ones(backtest: Backtest) -> list[tuple[Raised, bool, bool]]:
    """Return what was false by either profile, with whether the one in force and the candidate would have said it."""
    sets = [
        {one.incident_id: one for one in outcome.raised if "false" in {one.watch_is, one.alert_is}}
        for outcome in (backtest.outcomes[0], backtest.outcomes[-1])
    ]
    known = {**sets[0], **sets[1]}
    found = [(one, one.incident_id in sets[0], one.incident_id in sets[1]) for one in known.values()]
    return sorted(found, key=lambda item: (item[1] and item[2], item[0].onset))


def charts(found: Trial, language: str) -> str:
    """Return what the charts draw, as JSON: frontiers, and the courses of incidents."""
    outcomes = found.whole.outcomes
    frontiers = [
        [
            {
                "factor": point.factor,
                "watch": [point.false_watches_a_day, point.watch_delay],
                "alert": [point.false_alerts_a_day, point.alert_delay],
            }
            for point in line
        ]
        for line in found.whole.frontiers
    ]
    points = [
        {"watch": [one.false_watches_a_day, one.watch_delay], "alert": [one.false_alerts_a_day, one.alert_delay]}
        for one in outcomes
    ]
    courses = [_course(one, language) for one in found.courses]
    return msgspec.json.encode({"frontiers": frontiers, "points": points, "courses": courses}).decode()


def _course(one: Course, language: str) -> dict[str, Any]:
    return {
        "name": one.label.get(language) or one.incident_id,
        "spoken": [[spoken.at.timestamp(), spoken.posts, spoken.strong] for spoken in one.spoken],
        "lines": [
            [[step.at.timestamp(), step.statistic, step.watch, step.alert] for step in line]
            for line in (one.in_force, one.candidate)
        ],
    }


async def state(visit: Visit) -> Response:
    """Return how far a trial is."""
    tried = await trial_of(visit)
    return JSONResponse({"state": tried.state, "part": await _part(visit, tried), "done": round(tried.done, 3)})


async def _part(visit: Visit, tried: Tried) -> str:
    """Return what of a trial is being worked on, as people call it."""
    if tried.part == RECORDED:
        return visit.text("The recording")
    tuner = visit.desk.tuner
    offered = await run_in_threadpool(tuner.scenarios) if tuner and tried.part else ()
    return next((one.label[visit.language] for one in offered if one.name == tried.part), tried.part)


async def stop(visit: Visit) -> Response:
    """Stop a trial."""
    tried = await trial_of(visit)
    await trials.stop(visit.desk, visit.visitor, tried)
    return visit.go(f"/tuning/trials/{tried.trial_id}")


async def again(visit: Visit) -> Response:
    """Ask for a trial of the same kind, with the candidate and the profile in force as they stand now."""
    tried = await trial_of(visit)
    known = await candidates.candidate(visit.desk.engine, tried.candidate_id)
    if known is None or await promoting.all_problems(visit.desk, known.toml):
        return visit.go(f"/tuning/candidates/{tried.candidate_id}")
    holds = await promoting.in_force(visit.desk)
    asked = msgspec.structs.replace(tried.asked, in_force=holds.toml, candidate=known.toml)
    return await asked_for(visit, known, asked)


async def shadow_of(visit: Visit) -> Shadow:
    """Return the shadow that the address names.

    Errors  HTTPException where there is none
    """
    found = await shadows.shadow(visit.desk.engine, visit.request.path_params["shadow_id"])
    if found is None:
        raise HTTPException(404, "There is no such shadow.")
    return found


async def shadow(visit: Visit) -> Response:
    """Show what a candidate would have said, beside what was said."""
    engine, one = visit.desk.engine, await shadow_of(visit)
    of_it = await trials.of_shadow(engine, one.shadow_id)
    last = next((tried for tried in of_it if tried.state == "done"), None)
    found = await trials.report(engine, last.trial_id) if last else None
    return visit.render(
        "tuning_shadow.html",
        shadow=one,
        candidate=await candidates.candidate(engine, one.candidate_id),
        last=last,
        newest=of_it[0] if of_it else None,
        rows=beside(found, await _real(engine, one), one.starts_at) if found else [],
        is_known=found is not None,
    )


async def _real(engine: AsyncEngine, one: Shadow) -> list[Alert]:
    """Return the incidents that people were told of since a shadow began."""
    found = await looking.heads(engine, levels=get_args(Level), since=one.starts_at, most=MOST_REAL)
    return [alert for alert in found if alert.onset < one.ends_at and alert.level != "signal"]


def beside(found: Trial, real: Iterable[Alert], since: datetime) -> list[Beside]:
    """Return the incidents since a moment, the newest first, by whoever spoke of them."""
    outcomes = found.cases[0].backtest.outcomes
    by_profile = [_since(outcome.raised, since) for outcome in (outcomes[0], outcomes[-1])]
    told = {one.incident_id: one for one in real}
    ids = dict.fromkeys([*by_profile[1], *by_profile[0], *told])
    rows = [_beside(one, by_profile[1].get(one), by_profile[0].get(one), told.get(one)) for one in ids]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _since(raised: Sequence[Raised], since: datetime) -> dict[str, Raised]:
    return {one.incident_id: one for one in raised if one.watch_at is not None and one.watch_at >= since}


def _beside(incident_id: str, candidate: Raised | None, in_force: Raised | None, real: Alert | None) -> Beside:
    first = candidate or in_force
    times = [one.watch_at for one in (candidate, in_force) if one is not None and one.watch_at is not None]
    times += [real.onset] if real is not None and not times else []
    hazard = first.hazard if first else real.hazard if real else "other"
    place = first.place.name if first else real.place.name if real else ""
    return Beside(incident_id, hazard, place, min(times), candidate, in_force, real)


async def stop_shadow(visit: Visit) -> Response:
    """End a shadow before its days are over."""
    one = await shadow_of(visit)
    await shadows.stop(visit.desk, visit.visitor, one)
    return visit.go(f"/tuning/shadows/{one.shadow_id}")


TRIAL, SHADOW = "/tuning/trials/{trial_id}", "/tuning/shadows/{shadow_id}"
PAGES = (
    Page(path=TRIAL, name="trial", needs="tune", handler=show),
    Page(path=f"{TRIAL}/state", name="trial_state", needs="tune", handler=state),
    Page(path=f"{TRIAL}/stop", name="trial_stop", needs="tune", handler=stop, methods=("POST",)),
    Page(path=f"{TRIAL}/again", name="trial_again", needs="tune", handler=again, methods=("POST",)),
    Page(path=SHADOW, name="shadow", needs="tune", handler=shadow),
    Page(path=f"{SHADOW}/stop", name="shadow_stop", needs="tune", handler=stop_shadow, methods=("POST",)),
)
