"""Sources: how each source is, what came from where, and when we were blind in the last seven days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from console.archive import looking
from console.archive.unheard import unheard
from console.figures.hearing_history import Stretch, history, unheard_of
from console.figures.reading_share import shares
from console.live.listening import Deaf, listening
from console.pages.page import Page, Visit
from records import SourceStatus

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
MOST = 40  # stretches in the table
WIDTH = 840  # of the bars: five units an hour


@dataclass(frozen=True)
class Row:
    """One source, and what is wrong with it where something is."""

    status: SourceStatus
    deaf: Deaf | None

    @property
    def state(self) -> str:
        """The state to be shown: a status that nobody renewed is worth nothing."""
        return self.deaf.trouble if self.deaf else self.status.state

    @property
    def since(self) -> datetime:
        """When that began."""
        return self.deaf.since if self.deaf else self.status.since


async def sources(visit: Visit) -> Response:
    """Show the sources."""
    engine, now = visit.desk.engine, visit.desk.clock.now()
    statuses = await looking.sources(engine)
    heard = listening(statuses, now)
    deaf = {one.source: one for one in heard.deaf}
    pulses = await looking.pulses(engine, now - DAY, now)
    past = await _history(visit, {one.source: one.at for one in statuses}, now - WEEK, now)
    dark = [(source, one) for source, found in past.items() for one in unheard_of(found)]
    dark.sort(key=lambda one: (one[1].since, one[0]), reverse=True)
    return visit.render(
        "sources.html",
        rows=[Row(status, deaf.get(status.source)) for status in statuses],
        heard=heard,
        by_way=lambda way: [one for one in heard.deaf if one.way == way],
        by_source=shares(pulses),
        shares_of_ways=shares(pulses, {status.source: status.way for status in statuses}),
        history=past,
        dark=dark[:MOST],
        left_out=max(0, len(dark) - MOST),
        days=_midnights(now - WEEK, now, visit.desk.setup.zone),
        width=WIDTH,
        place_of=lambda at: round(WIDTH * ((at - (now - WEEK)) / WEEK), 1),
        today=now,
    )


async def _history(
    visit: Visit, told_at: Mapping[str, datetime], since: datetime, until: datetime
) -> Mapping[str, Sequence[Stretch]]:
    async with visit.desk.engine.connect() as connection:
        changes = await looking.changes_of_sources(connection, since, until)
        gaps = await unheard(connection, since, until)
    return history(changes, gaps, told_at, since, until)


def _midnights(since: datetime, until: datetime, zone: str) -> list[datetime]:
    first = since.astimezone(ZoneInfo(zone)).date() + DAY
    days = (datetime(*(first + number * DAY).timetuple()[:3], tzinfo=ZoneInfo(zone)) for number in range(8))
    return [day for day in days if since < day < until]


PAGES = (Page(path="/sources", name="sources", needs="see", handler=sources),)
