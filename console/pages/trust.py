"""Trust: how far Vigie was right, by what people decided; what has drifted; what the budget controller proposes.

Missed incidents are noted here. Nothing on this page changes what runs.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from starlette.responses import Response

from console.once import identity, nonce
from console.pages.page import Page, Visit
from console.problem import Problem
from console.trust import measuring, missed
from console.trust.missed_form import FIELDS, MOST_WORDS, missed_from
from console.trust.precision import FEW
from console.trust.reliability import Bin
from console.tuning.promoting import in_force
from records.trust import is_drifting

PERIODS = (28, 91, 365)
"""Days that can be looked at."""
PLOT, MARGIN = 240, 34
"""Of the plot of reliability, in pixels: its side, and the room for its scales."""
NO_PROBLEM: tuple[Problem, ...] = ()


async def trust(visit: Visit) -> Response:
    """Show the figures."""
    return await _page(visit)


async def declare(visit: Visit) -> Response:
    """Note a missed incident."""
    desk, visitor = visit.desk, visit.visitor
    typed = {name: str(value) for name, value in (await visit.form()).items()}
    new = await asyncio.to_thread(
        missed_from,
        typed,
        missed_id=identity(typed.get("nonce", ""), visitor.account_id, *(typed.get(name, "") for name in FIELDS)),
        by=visitor.name,
        now=desk.clock.now(),
        zone=desk.setup.zone,
        find_place=desk.find_place,
    )
    if isinstance(new, tuple):
        return await _page(visit, typed=typed, problems=new)
    await missed.declare(desk.engine, visitor, new)
    return visit.go("/trust", done="declared", missed=new.missed_id)


async def withdraw(visit: Visit) -> Response:
    """Take a missed incident back."""
    missed_id = visit.request.path_params["missed_id"]
    if not await missed.withdraw(visit.desk.engine, visit.visitor, missed_id, visit.desk.clock.now()):
        return await _page(visit, problems=(Problem("missed", "not_standing"),))
    return visit.go("/trust", done="withdrawn")


async def _page(
    visit: Visit, *, typed: Mapping[str, str] | None = None, problems: Sequence[Problem] = NO_PROBLEM
) -> Response:
    desk, now, query = visit.desk, visit.desk.clock.now(), visit.request.query_params
    days = next((one for one in PERIODS if str(one) == query.get("days")), measuring.USUAL_DAYS)
    watching = desk.watching
    drift = watching.drift if watching else None
    found = await measuring.measured(desk.engine, now - timedelta(days=days), now, desk.setup.zone)
    profile = (await in_force(desk)).toml
    has_controller = watching is not None and bool(profile)
    return visit.render(
        "trust.html",
        status=422 if problems else 200,
        days=days,
        periods=PERIODS,
        found=found,
        few=FEW,
        plot=PLOT,
        margin=MARGIN,
        points=[_point(one) for one in found.reliability.bins],
        watching=watching,
        drift=drift,
        scores=[one for one in drift.scores if is_drifting(one)] if drift else (),
        baselines=[one for one in drift.baselines if is_drifting(one)] if drift else (),
        has_controller=has_controller,
        proposal=await measuring.controlled(desk.engine, profile, watching.watcher, now)
        if watching is not None and has_controller
        else None,
        typed=typed or {},
        problems=problems,
        known_by=missed.KNOWN_BY,
        most_words=MOST_WORDS,
        can_try=desk.tuner is not None,
        nonce=nonce(),
        done=query.get("done", ""),
        done_missed=query.get("missed", ""),
    )


def _point(one: Bin) -> dict[str, float]:
    """Return where a bin lies on the plot: told to the right, true upwards."""
    return {
        "x": round(MARGIN + PLOT * one.told, 1),
        "y": round(PLOT * (1.0 - one.true.hits / one.true.cases), 1),
        "top": round(PLOT * (1.0 - one.true.high), 1),
        "bottom": round(PLOT * (1.0 - one.true.low), 1),
    }


PAGES = (
    Page(path="/trust", name="trust", needs="tune", handler=trust),
    Page(path="/trust/missed", name="declare_missed", needs="tune", handler=declare, methods=("POST",)),
    Page(
        path="/trust/missed/{missed_id}/withdraw",
        name="withdraw_missed",
        needs="tune",
        handler=withdraw,
        methods=("POST",),
    ),
)
