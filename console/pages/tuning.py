"""Tuning: by which profile incidents are raised, what is worked on and was changed, what settings mean, how it does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from babel.dates import format_date
from starlette.responses import Response

from console.archive import looking
from console.figures.profile_words import profile_from
from console.figures.tuning_figures import LAST, days, rulings, weeks
from console.once import nonce
from console.pages.page import Page, Visit
from console.tuning import candidates, promoting
from console.tuning.promoting import InForce, Unfit
from records import Alert
from records.alert import Level

DAYS = 28
RECENT = 200  # incidents that are asked by which profile they were raised


@dataclass(frozen=True)
class Used:
    """What alerts say of how they were raised."""

    profile: str
    versions: tuple[tuple[str, str], ...]
    alerts: int
    last: datetime  # told of by it
    thresholds: tuple[tuple[str, float, float], ...]  # level, the lowest and the highest; minutes of the statistic


async def tuning(visit: Visit) -> Response:
    """Show the profile, and how it does."""
    return await _page(visit)


async def back(visit: Visit) -> Response:
    """Put in force again what was so before, or the profile of the settings' file."""
    form = await visit.form()
    try:
        await promoting.go_back(visit.desk, visit.visitor, str(form.get("to", "")))
    except Unfit as error:
        return await _page(visit, error.why)
    return visit.go("/tuning", done="back")


async def _page(visit: Visit, why: str = "") -> Response:
    engine, now, setup = visit.desk.engine, visit.desk.clock.now(), visit.desk.setup
    holds = await promoting.in_force(visit.desk)
    told = await days(engine, DAYS, setup.zone, now)
    found = await looking.heads(engine, levels=get_args(Level), most=RECENT)
    most = max([1, *(day.watches for day in told)])
    return visit.render(
        "tuning.html",
        status=422 if why else 200,
        why=why,
        done=visit.request.query_params.get("done", ""),
        in_force=in_force(found),
        holds=holds,
        waits=holds.change is not None and await promoting.is_waiting(engine, holds.change.change_id),
        is_taken_up=is_taken_up(holds, found),
        candidates=await candidates.newest(engine),
        history=await promoting.history(engine),
        can_try=visit.desk.tuner is not None and bool(setup.profile),
        nonce=nonce(),
        profile=profile_from(holds.toml) if holds.toml else None,
        days=told,
        date=lambda day: format_date(day, "d MMM y", locale=visit.language),
        most=most,
        weeks=weeks(told),
        rulings=await rulings(engine),
        last_rulings=LAST,
    )


def is_taken_up(holds: InForce, alerts: Iterable[Alert]) -> bool | None:
    """Tell whether workers decide by the profile in force: by what alerts say since; None where there is none since."""
    since = [one for one in alerts if holds.change is not None and one.raised_at >= holds.change.decided_at]
    if not since:
        return None
    newest = max(since, key=lambda one: one.raised_at)
    return newest.profile == f"{holds.name}/{holds.version}"


def in_force(alerts: Iterable[Alert]) -> list[Used]:
    """Return the profiles and versions that alerts name, the one that was used last first."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Alert]] = {}
    for alert in alerts:
        groups.setdefault((alert.profile, tuple(sorted(alert.versions.items()))), []).append(alert)
    found = [
        Used(profile, versions, len(group), max(one.raised_at for one in group), _thresholds(group))
        for (profile, versions), group in groups.items()
    ]
    return sorted(found, key=lambda one: one.last, reverse=True)


def _thresholds(alerts: Iterable[Alert]) -> tuple[tuple[str, float, float], ...]:
    values: dict[str, list[float]] = {}
    for alert in alerts:
        for level, value in alert.thresholds.items():
            values.setdefault(level, []).append(value)
    return tuple((level, min(found), max(found)) for level, found in values.items())


PAGES = (
    Page(path="/tuning", name="tuning", needs="tune", handler=tuning),
    Page(path="/tuning/back", name="profile_back", needs="tune", handler=back, methods=("POST",)),
)
