"""Incidents: all of them as a list, by level, hazard, area, words and time, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args
from urllib.parse import urlencode

from starlette.responses import Response

from console.archive import looking
from console.pages.page import Page, Visit, whole_number
from console.typed_moment import moment_from
from records import HAZARDS, Alert
from records.alert import OPEN, OVER, Level

LEVELS: tuple[Level, ...] = get_args(Level)
PER_PAGE = 50
MOST = 2000  # incidents looked through
MOST_OF_TEXT = 200  # characters
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Filters:
    """What somebody wants to see; nothing said means what is open."""

    levels: tuple[Level, ...]
    hazard: str
    area: str
    text: str
    since: str
    page: int

    def address(self, page: int) -> str:
        """Return the address of a page of the same list."""
        said = [("level", level) for level in self.levels]
        said += [(name, getattr(self, name)) for name in ("hazard", "area", "text", "since") if getattr(self, name)]
        return f"/incidents?{urlencode([*said, ('page', str(page))])}"


async def incidents(visit: Visit) -> Response:
    """Show a list of incidents."""
    filters = _filters(visit)
    since = moment_from(filters.since, visit.desk.setup.zone) if filters.since else None
    is_wrong = bool(filters.since) and since is None
    found: Sequence[Alert] = ()
    if not is_wrong:
        found = await looking.heads(
            visit.desk.engine,
            levels=filters.levels or OPEN,
            hazard=filters.hazard,
            area=filters.area,
            text=filters.text,
            since=since,
            most=MOST,
        )
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(filters.page, pages)
    now = visit.desk.clock.now()
    return visit.render(
        "incidents.html",
        status=422 if is_wrong else 200,
        filters=filters,
        is_wrong=is_wrong,
        found=found[(page - 1) * PER_PAGE : page * PER_PAGE],
        count=len(found),
        is_cut=len(found) >= MOST,
        page=page,
        pages=pages,
        levels=LEVELS,
        chosen=filters.levels or tuple(level for level in LEVELS if level in OPEN),
        hazards=HAZARDS,
        over=OVER,
        minutes_of=lambda alert: max(0, (now - alert.onset) // MINUTE),
    )


def _filters(visit: Visit) -> Filters:
    said = visit.request.query_params
    wanted = said.getlist("level")
    return Filters(
        levels=tuple(level for level in LEVELS if level in wanted),
        hazard=said.get("hazard", "") if said.get("hazard", "") in HAZARDS else "",
        area=said.get("area", "").strip()[:MOST_OF_TEXT],
        text=said.get("text", "").strip()[:MOST_OF_TEXT],
        since=said.get("since", "").strip(),
        page=max(1, whole_number(said.get("page", "")) or 1),
    )


PAGES = (Page(path="/incidents", name="incidents", needs="see", handler=incidents),)
