"""Tuning: by which profile incidents are raised, what its settings mean, and how it does. Nothing is changed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from babel.dates import format_date
from starlette.responses import Response

from console.archive import looking
from console.figures.profile_words import profile_from
from console.figures.tuning_figures import LAST, days, rulings, weeks
from console.pages.page import Page, Visit
from records import Alert
from records.alert import Level

DAYS = 28
RECENT = 200  # incidents that are asked by which profile they were raised


@dataclass(frozen=True)
class InForce:
    """What alerts say of how they were raised."""

    profile: str
    versions: tuple[tuple[str, str], ...]
    alerts: int
    last: datetime  # told of by it
    thresholds: tuple[tuple[str, float, float], ...]  # level, the lowest and the highest; minutes of the statistic


async def tuning(visit: Visit) -> Response:
    """Show the profile, and how it does."""
    engine, now, setup = visit.desk.engine, visit.desk.clock.now(), visit.desk.setup
    told = await days(engine, DAYS, setup.zone, now)
    found = await looking.heads(engine, levels=get_args(Level), most=RECENT)
    most = max([1, *(day.watches for day in told)])
    return visit.render(
        "tuning.html",
        in_force=in_force(found),
        profile=profile_from(setup.profile) if setup.profile else None,
        days=told,
        date=lambda day: format_date(day, "d MMM y", locale=visit.language),
        most=most,
        weeks=weeks(told),
        rulings=await rulings(engine),
        last_rulings=LAST,
    )


def in_force(alerts: Iterable[Alert]) -> list[InForce]:
    """Return the profiles and versions that alerts name, the one that was used last first."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Alert]] = {}
    for alert in alerts:
        groups.setdefault((alert.profile, tuple(sorted(alert.versions.items()))), []).append(alert)
    found = [
        InForce(profile, versions, len(group), max(one.raised_at for one in group), _thresholds(group))
        for (profile, versions), group in groups.items()
    ]
    return sorted(found, key=lambda one: one.last, reverse=True)


def _thresholds(alerts: Iterable[Alert]) -> tuple[tuple[str, float, float], ...]:
    values: dict[str, list[float]] = {}
    for alert in alerts:
        for level, value in alert.thresholds.items():
            values.setdefault(level, []).append(value)
    return tuple((level, min(found), max(found)) for level, found in values.items())


PAGES = (Page(path="/tuning", name="tuning", needs="tune", handler=tuning),)
