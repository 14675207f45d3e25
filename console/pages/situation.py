"""Situation: the map, the open incidents, what is said just now, and what we are blind to."""

from typing import get_args

from starlette.responses import JSONResponse, Response

from console.archive import looking
from console.desk import Desk
from console.live.feed import Line
from console.live.frames import MOST_LINES
from console.live.rows import Row, feature_of, ordered
from console.live.telling import hearing
from console.live.tending import tended
from console.pages.page import Page, Visit
from console.terms import WORDS
from records.signal import Hazard

CATEGORIES = tuple(WORDS["author"])
HAZARDS = get_args(Hazard)
MOST_ON_A_WALL = 3  # lines of the feed, so that the incidents above it have room


async def situation(visit: Visit) -> Response:
    """Show the situation."""
    number = await looking.last_sequence(visit.desk.engine)  # first: what comes in between is told again, not lost
    asked = visit.request.query_params
    who = asked.get("who", "") if asked.get("who") in CATEGORIES else ""
    hazard = asked.get("hazard", "") if asked.get("hazard") in HAZARDS else ""
    is_wall = asked.get("wall") == "1"
    most_lines = MOST_ON_A_WALL if is_wall else MOST_LINES
    return visit.render(
        "situation.html",
        number=number,
        rows=await open_rows(visit.desk),
        heard=await hearing(visit.desk),
        lines=visit.desk.feed.lines(most_lines),
        most_lines=most_lines,
        is_shown=lambda line: _is_shown(line, who, hazard),
        who=who,
        hazard=hazard,
        categories=CATEGORIES,
        hazards=HAZARDS,
        is_wall=is_wall,
        done=asked.get("done", ""),
    )


async def features(visit: Visit) -> Response:
    """Answer with the open incidents as GeoJSON, for the map."""
    rows = await open_rows(visit.desk)
    return JSONResponse(
        {"type": "FeatureCollection", "features": [feature_of(row) for row in rows]}, media_type="application/geo+json"
    )


async def boundaries(visit: Visit) -> Response:
    """Answer with the user's own boundaries."""
    found = visit.desk.setup.boundaries
    if not found:
        return JSONResponse({"error": "no boundaries are set: name a file in [console] boundaries"}, status_code=404)
    return Response(found, media_type="application/geo+json")


async def open_rows(desk: Desk) -> list[Row]:
    """Return the open incidents as rows, in order."""
    alerts = await looking.heads(desk.engine)
    by = await tended(desk.engine, [alert.incident_id for alert in alerts])
    return ordered(Row(alert, by.get(alert.incident_id)) for alert in alerts)


def _is_shown(line: Line, who: str, hazard: str) -> bool:
    return (not who or who in dict(line.authors)) and (not hazard or hazard in line.hazards)


PAGES = (
    Page(path="/", name="situation", needs="see", handler=situation),
    Page(path="/situation.geojson", name="situation_features", needs="see", handler=features, is_api=True),
    Page(path="/boundaries.geojson", name="boundaries", needs="see", handler=boundaries, is_api=True),
)
