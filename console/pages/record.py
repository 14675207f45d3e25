"""Record: the after-action record of an incident, to read, to print and to hand out; what is handed out is noted."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from console.archive.record import exported, record_of
from console.figures.figures import figure
from console.figures.spreadsheet import csv_of
from console.pages.page import SAFE, Page, Visit
from console.record_file import AfterAction, Line, to_json


async def record(visit: Visit) -> Response:
    """Show the record of an incident, as it stands now."""
    incident_id, found = await _record(visit)
    return visit.render("record.html", record=found, incident_id=incident_id, **_known(visit, found))


async def record_json(visit: Visit) -> Response:
    """Give the record as JSON; sent by a form, it is noted and is a file to keep."""
    incident_id, found = await _record(visit)
    data = await asyncio.to_thread(to_json, found)
    return await _file(visit, found, f"{incident_id}.json", data, "application/json")


async def record_csv(visit: Visit) -> Response:
    """Give the lines of the record as a table for a spreadsheet; sent by a form, it is noted and is a file to keep."""
    incident_id, found = await _record(visit)
    said = visit.desk.templates[visit.language].get_template("record/words.html")
    words = said.make_module({"language": visit.language, **_known(visit, found)})
    rows = [_row(line, words) for line in found.lines]
    head = ("number", "at", "kind", "who", "what", "hash")
    return await _file(visit, found, f"{incident_id}.csv", csv_of([head, *rows]), "text/csv")


async def _record(visit: Visit) -> tuple[str, AfterAction]:
    desk, incident_id = visit.desk, visit.request.path_params["incident_id"]
    found = await record_of(desk.engine, incident_id, desk.setup, desk.clock.now())
    if found is None:
        raise HTTPException(404, visit.text("There is no incident of this name."))
    return incident_id, found


async def _file(visit: Visit, found: AfterAction, name: str, data: bytes, kind: str) -> Response:
    headers = {"cache-control": "no-store"}
    if visit.request.method not in SAFE:
        await exported(visit.desk.engine, found, actor=visit.visitor.name, now=visit.desk.clock.now())
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(f'vigie-{name}', safe='')}"
    return Response(data, media_type=kind, headers=headers)


def _row(line: Line, words: Any) -> tuple[str, ...]:
    said = Markup(words.summary(line)).unescape()  # noqa: S704  the template has escaped it; a cell is no page
    return (str(line.number), line.at.isoformat(timespec="seconds"), line.kind, line.who, said, line.hash)


def _known(visit: Visit, found: AfterAction) -> dict[str, Any]:
    """Return what the words of a line are made with."""
    return {
        "when": datetime.fromisoformat,
        "figure": lambda number: figure(number, visit.language),
        "decisions": {line.what["decision_id"]: line for line in found.lines if "decision_id" in line.what},
    }


GET_AND_POST = ("GET", "POST")
PAGES = (
    Page(path="/incidents/{incident_id}/record", name="record", needs="see", handler=record),
    Page(
        path="/incidents/{incident_id}/record.json",
        name="record_json",
        needs="see",
        handler=record_json,
        methods=GET_AND_POST,
    ),
    Page(
        path="/incidents/{incident_id}/record.csv",
        name="record_csv",
        needs="see",
        handler=record_csv,
        methods=GET_AND_POST,
    ),
)
