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

SHOWN = 30  # of the digests made
MINUTE = timedelta(minutes=1)
Span = tuple[datetime, datetime]


async def digests(visit: Visit) -> Response:
    """Show the digest of a span."""
    asked = dict(visit.request.query_params)
    return await _page(visit, asked, await _span(visit, asked))


async def as_json(visit: Visit) -> Response:
    """Answer with the digest of a span as `vigie digest` writes it, and the handover notes on it."""
    asked = dict(visit.request.query_params)
    span = await _span(visit, asked)
    if isinstance(span[0], Problem):
        return JSONResponse({"error": f"{span[0].field}: {span[0].code}"}, status_code=422)
    reading = await claims_now(visit.desk)
    digest = await digest_of(visit.desk.engine, *span, reading.claims)
    return Response(encode(digest), media_type="application/json")


async def write(visit: Visit) -> Response:
    """Keep a handover note."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    span, text = await _span(visit, form), form.get("text", "").strip()
    if isinstance(span[0], Problem):
        return await _page(visit, form, span)
    if not text or len(text) > handover.MOST_OF_TEXT:
        problem = Problem("text", "too_long" if text else "no_text")
        return await _page(visit, form, span, problems=(problem,))
    note_id = identity(form.get("nonce", ""), visit.visitor.account_id, text, form.get("until", ""))
    await handover.write(
        visit.desk.engine, note_id, text, about=span[1], by=visit.visitor.name, now=visit.desk.clock.now()
    )
    return visit.go("/digests", **_query(span), done="noted", note=note_id)


async def withdraw(visit: Visit) -> Response:
    """Take a handover note back."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    span = await _span(visit, form)
    is_done = await handover.withdraw(
        visit.desk.engine,
        visit.request.path_params["note_id"],
        by=visit.visitor.name,
        now=visit.desk.clock.now(),
    )
    if not is_done or isinstance(span[0], Problem):
        return await _page(visit, form, span, problems=() if is_done else (Problem("note", "no_note"),))
    return visit.go("/digests", **_query(span), done="withdrawn")


async def _span(visit: Visit, asked: dict[str, str]) -> Span | tuple[Problem, ...]:
    """Return the span that somebody asked for, or what is wrong with it."""
    now, zone = visit.desk.clock.now(), visit.desk.setup.zone
    until = moment_from(asked["until"], zone) if asked.get("until") else _whole(now)
    if until is None:
        return (Problem("until", "bad_moment"),)
    since = (
        moment_from(asked["since"], zone)
        if asked.get("since")
        else usual_beginning(await _changes(visit, until), until)
    )
    if since is None:
        return (Problem("since", "bad_moment"),)
    if until > now + MINUTE:
        return (Problem("until", "in_future"),)
    if not since < until:
        return (Problem("since", "ends_before"),)
    return (since, until) if until - since <= LONGEST else (Problem("since", "too_long_span"),)


async def _changes(visit: Visit, until: datetime) -> list[datetime]:
    made = await looking.digests(visit.desk.engine)
    return changes_of_shift(visit.desk.setup.shifts, made, visit.desk.setup.zone, until)


async def _page(
    visit: Visit,
    asked: dict[str, str],
    span: Span | tuple[Problem, ...],
    *,
    problems: Sequence[Problem] = (),
) -> Response:
    wrong = (*(one for one in span if isinstance(one, Problem)), *problems)
    moments = [one for one in span if isinstance(one, datetime)]
    engine, now, zone = visit.desk.engine, visit.desk.clock.now(), visit.desk.setup.zone
    reading = await claims_now(visit.desk)
    digest = await digest_of(engine, moments[0], moments[1], reading.claims) if moments else None
    told = (*digest.new, *digest.ongoing) if digest else ()
    changes = await _changes(visit, now)
    made = sorted(await looking.digests(engine), key=lambda one: one.until, reverse=True)[:SHOWN]
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
        made=made,
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
