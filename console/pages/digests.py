"""Digests: what whoever comes on duty should know of the hours before, and what those who go want to tell him."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from console.archive import looking
from console.digests import handover
from console.digests.shift_digest import LONGEST, changes_of_shift, digest_of, usual_beginning
from console.digests.solidarity_reading import claims_now
from console.live.tending import tended
from console.once import identity, nonce
from console.pages.page import Page, Visit
from console.problem import Problem
from console.typed_moment import moment_from, typed
from records import encode
from records.digest import DigestMade

SHOWN = 30  # of the digests made
MINUTE = timedelta(minutes=1)
Span = tuple[datetime, datetime]


async def digests(visit: Visit) -> Response:
    """Show the digest of a span."""
    asked, made = dict(visit.request.query_params), await _made(visit)
    return await _page(visit, asked, _span(visit, asked, made), made)


async def as_json(visit: Visit) -> Response:
    """Answer with the digest of a span, as `vigie digest` writes it: without the handover notes."""
    asked = dict(visit.request.query_params)
    span = _span(visit, asked, await _made(visit))
    if isinstance(span[0], Problem):
        return JSONResponse({"error": f"{span[0].field}: {span[0].code}"}, status_code=422)
    reading = await claims_now(visit.desk)
    digest = await digest_of(visit.desk.engine, *span, reading.claims)
    return Response(encode(digest), media_type="application/json")


async def write(visit: Visit) -> Response:
    """Keep a handover note."""
    form, made = {name: str(value) for name, value in (await visit.form()).items()}, await _made(visit)
    span, text = _span(visit, form, made), form.get("text", "").strip()
    if isinstance(span[0], Problem):
        return await _page(visit, form, span, made)
    if not text or len(text) > handover.MOST_OF_TEXT:
        problem = Problem("text", "too_long" if text else "no_text")
        return await _page(visit, form, span, made, problems=(problem,))
    note_id = identity(form.get("nonce", ""), visit.visitor.account_id, text, form.get("until", ""))
    await handover.write(
        visit.desk.engine, note_id, text, about=span[1], by=visit.visitor.name, now=visit.desk.clock.now()
    )
    return visit.go("/digests", **_query(span), done="noted", note=note_id)


async def withdraw(visit: Visit) -> Response:
    """Take a handover note back."""
    form, made = {name: str(value) for name, value in (await visit.form()).items()}, await _made(visit)
    span = _span(visit, form, made)
    is_done = await handover.withdraw(
        visit.desk.engine,
        visit.request.path_params["note_id"],
        by=visit.visitor.name,
        now=visit.desk.clock.now(),
    )
    if not is_done or isinstance(span[0], Problem):
        return await _page(visit, form, span, made, problems=() if is_done else (Problem("note", "no_note"),))
    return visit.go("/digests", **_query(span), done="withdrawn")


def _span(visit: Visit, asked: dict[str, str], made: Sequence[DigestMade]) -> Span | tuple[Problem, ...]:
    """Return the span that somebody asked for, or what is wrong with it."""
    now, zone = visit.desk.clock.now(), visit.desk.setup.zone
    until = moment_from(asked["until"], zone) if asked.get("until") else _whole(now)
    if until is None:
        return (Problem("until", "bad_moment"),)
    since = (
        moment_from(asked["since"], zone)
        if asked.get("since")
        else usual_beginning(_changes(visit, made, until), until)
    )
    if since is None:
        return (Problem("since", "bad_moment"),)
    if until > now + MINUTE:
        return (Problem("until", "in_future"),)
    if not since < until:
        return (Problem("since", "ends_before"),)
    return (since, until) if until - since <= LONGEST else (Problem("since", "too_long_span"),)


async def _made(visit: Visit) -> list[DigestMade]:
    return await looking.digests(visit.desk.engine)


def _changes(visit: Visit, made: Sequence[DigestMade], until: datetime) -> list[datetime]:
    return changes_of_shift(visit.desk.setup.shifts, made, visit.desk.setup.zone, until)


async def _page(
    visit: Visit,
    asked: dict[str, str],
    span: Span | tuple[Problem, ...],
    made: Sequence[DigestMade],
    *,
    problems: Sequence[Problem] = (),
) -> Response:
    wrong = (*(one for one in span if isinstance(one, Problem)), *problems)
    moments = [one for one in span if isinstance(one, datetime)]
    engine, now, zone = visit.desk.engine, visit.desk.clock.now(), visit.desk.setup.zone
    reading = await claims_now(visit.desk)
    digest = await digest_of(engine, moments[0], moments[1], reading.claims) if moments else None
    told = (*digest.new, *digest.ongoing) if digest else ()
    changes = _changes(visit, made, now)
    return visit.render(
        "digests.html",
        status=422 if wrong else 200,
        problems=wrong,
        asked=asked,
        digest=digest,
        claims_state=reading.state,
        tended=await tended(engine, [one.incident_id for one in told]),
        notes=await handover.notes(engine, *moments) if moments else [],
        since=typed(moments[0], zone) if moments else asked.get("since", ""),
        until=typed(moments[1], zone) if moments else asked.get("until", ""),
        changes=changes[:4],
        made=sorted(made, key=lambda one: one.until, reverse=True)[:SHOWN],
        of_span=lambda since, until: f"/digests?{urlencode(_query((since, until)))}",
        until_now=_whole(now),
        query=_query(moments) if moments else {},
        most_of_text=handover.MOST_OF_TEXT,
        nonce=nonce(),
        done=visit.request.query_params.get("done", ""),
        done_note=visit.request.query_params.get("note", ""),
    )


def _whole(at: datetime) -> datetime:
    """Return the end of a moment's minute: forms know no seconds, and nothing of the last minute is to be left out."""
    begins = at.replace(second=0, microsecond=0)
    return begins if begins == at else begins + MINUTE


def _query(span: Sequence[datetime]) -> dict[str, str]:
    """Return a span for an address: exactly, though a clock be put back in it."""
    return {"since": span[0].isoformat(), "until": span[1].isoformat()}


PAGES = (
    Page(path="/digests", name="digests", needs="see", handler=digests),
    Page(path="/digests.json", name="digest_as_json", needs="see", handler=as_json, is_api=True),
    Page(path="/digests/notes", name="write_note", needs="decide", handler=write, methods=("POST",)),
    Page(
        path="/digests/notes/{note_id}/withdraw",
        name="withdraw_note",
        needs="decide",
        handler=withdraw,
        methods=("POST",),
    ),
)
