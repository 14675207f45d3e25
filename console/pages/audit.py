"""Audit: who did what, the newest first; whether the chain holds; and all of it in a file."""

from collections.abc import Awaitable, Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response, StreamingResponse

from console.archive import audit as chain
from console.archive.database import writing
from console.figures.audit_lines import AT_ONCE, FORMATS, Wanted, actions
from console.pages.page import Page, Visit, whole_number
from console.problem import Problem
from console.typed_moment import moment_from

PER_PAGE = 100
FIELDS = ("actor", "action", "object", "since", "until")


async def audit(visit: Visit) -> Response:
    """Show lines of the audit."""
    return await _page(visit, dict(visit.request.query_params))


async def check(visit: Visit) -> Response:
    """Check the chain, and say whether it holds."""
    broken_at = await chain.broken_at(visit.desk.engine)
    detail = {"broken_at": broken_at}
    async with writing(visit.desk.engine) as connection:
        number, _ = await chain.head(connection)
        await chain.note(
            connection,
            actor=visit.visitor.name,
            action="audit_checked",
            object_="audit",
            detail=detail,
            at=visit.desk.clock.now(),
        )
    return await _page(visit, {}, checked={**detail, "lines": number})


async def export(visit: Visit) -> Response:
    """Hand out the lines that somebody wants, as a file; that goes into the audit, too."""
    typed = {name: str(value) for name, value in (await visit.form()).items()}
    wanted, problems = _wanted(visit, typed)
    kind = typed.get("format", "")
    if problems or kind not in FORMATS:
        return await _page(visit, typed, problems=problems or (Problem("format", "no_format"),))
    async with writing(visit.desk.engine) as connection:
        number, seal = await chain.head(connection)
        await chain.note(
            connection,
            actor=visit.visitor.name,
            action="audit_exported",
            object_="audit",
            detail={"format": kind, "until_number": number, "hash": seal, **_said(typed)},
            at=visit.desk.clock.now(),
        )
    media_type, lines = FORMATS[kind]
    headers = {"content-disposition": f'attachment; filename="audit-{number}.{kind}"', "cache-control": "no-store"}
    desk = visit.desk

    def read(before: int) -> Awaitable[list[chain.Entry]]:
        return desk.viewers.undisturbed(wanted.lines(desk.engine, most=AT_ONCE, before=before))  # who asked may leave

    return StreamingResponse(lines(read, number + 1), media_type=media_type, headers=headers)


def _wanted(visit: Visit, typed: Mapping[str, str]) -> tuple[Wanted, tuple[Problem, ...]]:
    said, zone = _said(typed), visit.desk.setup.zone
    moments = {name: moment_from(said[name], zone) for name in ("since", "until") if name in said}
    problems = tuple(Problem(name, "bad_moment") for name, at in moments.items() if at is None)
    return Wanted(
        actor=said.get("actor", ""),
        action=said.get("action", ""),
        object_=said.get("object", ""),
        since=moments.get("since"),
        until=moments.get("until"),
    ), problems


def _said(typed: Mapping[str, str]) -> dict[str, str]:
    """Return the filters that are filled in."""
    return {name: typed[name].strip() for name in FIELDS if typed.get(name, "").strip()}


async def _page(
    visit: Visit,
    typed: Mapping[str, str],
    *,
    problems: Sequence[Problem] = (),
    checked: Mapping[str, int | None] | None = None,
) -> Response:
    wanted, wrong = _wanted(visit, typed)
    problems = problems or wrong
    before = whole_number(typed.get("before", ""))
    found = [] if wrong else await wanted.lines(visit.desk.engine, most=PER_PAGE + 1, before=before)
    shown = found[:PER_PAGE]
    said = _said(typed)
    return visit.render(
        "audit.html",
        status=422 if problems else 200,
        problems=problems,
        entries=shown,
        typed=said,
        actions=await actions(visit.desk.engine),
        older=f"/audit?{urlencode({**said, 'before': shown[-1].number})}" if len(found) > PER_PAGE else "",
        newest=f"/audit?{urlencode(said)}" if before is not None else "",
        checked=checked,
        in_words=lambda detail: msgspec.json.format(msgspec.json.encode(detail), indent=0).decode(),
    )


PAGES = (
    Page(path="/audit", name="audit", needs="audit", handler=audit),
    Page(path="/audit/check", name="check_audit", needs="audit", handler=check, methods=("POST",)),
    Page(path="/audit/export", name="export_audit", needs="audit", handler=export, methods=("POST",)),
)
