"""Application: the pages, the files they need, and who may see them, put together."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from console.desk import Desk
from console.pages import (
    accessibility,
    accounts,
    actions,
    api,
    audit,
    digests,
    incident,
    incidents,
    intake,
    live,
    login,
    messages,
    own_account,
    password,
    privacy,
    problem,
    record,
    silences,
    situation,
    sources,
    trust,
    tuning,
    tuning_candidate,
    tuning_trial,
    verification,
)
from console.pages.page import Page, routes

STATIC = Path(__file__).parent / "static"
PAGES: tuple[Page, ...] = (
    *situation.PAGES,
    *live.PAGES,
    *incidents.PAGES,
    *incident.PAGES,
    *actions.PAGES,
    *record.PAGES,
    *intake.PAGES,
    *verification.PAGES,
    *messages.PAGES,
    *accessibility.PAGES,
    *accounts.PAGES,
    *api.PAGES,
    *audit.PAGES,
    *digests.PAGES,
    *login.PAGES,
    *own_account.PAGES,
    *password.PAGES,
    *privacy.PAGES,
    *silences.PAGES,
    *sources.PAGES,
    *trust.PAGES,
    *tuning.PAGES,
    *tuning_candidate.PAGES,
    *tuning_trial.PAGES,
)


def application(desk: Desk, middleware: Sequence[Middleware]) -> Starlette:
    """Return the console; `middleware` says who asks (`request.state.visitor`) and guards the door."""
    return Starlette(
        routes=[*routes(PAGES, desk), Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=list(middleware),
        exception_handlers=problem.handlers(desk),
    )
