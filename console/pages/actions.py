"""Actions: what people do about an incident, each confirmed with a way back; two at once are told of each other."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec.structs import replace
from starlette.responses import JSONResponse, Response

from console.archive import audit, looking, saying
from console.archive.database import writing
from console.archive.dossier import Dossier
from console.catalogue import words
from console.deciding.decision_form import Deciding, identity_of, verdict_from
from console.deciding.history import decided_since, newest_of
from console.deciding.silence_form import silence_from
from console.deciding.weight import host_of
from console.pages.incident import Revealed, dossier_of, neighbours_of, shown
from console.pages.page import Page, Visit, whole_number
from console.problem import Problem
from console.reports import verifying
from records import Verdict


async def decide(visit: Visit) -> Response:
    """Decide on an incident, or take a decision back."""
    dossier, typed, post_keys = await dossier_of(visit), await _typed(visit), await _post_keys(visit)
    verdict = await asyncio.to_thread(verdict_from, typed, post_keys, await deciding(visit, dossier))
    if not isinstance(verdict, Verdict):
        return await shown(visit, dossier, status=422, typed=typed, post_keys=post_keys, problems=verdict)
    if any(one.verdict.decision_id == verdict.decision_id for one in dossier.decisions):
        return _done(visit, verdict)
    known = _known(typed, dossier)
    try:
        await saying.decide(visit.desk, visit.visitor, verdict, known=known)
    except saying.Refused as refused:
        if refused.why == "decided_meanwhile":
            dossier = await dossier_of(visit)
            since = decided_since(dossier.decisions, known, by=visit.visitor.name)
            return await shown(visit, dossier, status=409, typed=typed, post_keys=post_keys, since=since)
        problem = Problem(_FIELDS.get(verdict.decision, "reason"), refused.why)
        return await shown(visit, dossier, status=422, typed=typed, post_keys=post_keys, problems=(problem,))
    return _done(visit, verdict)


async def silence(visit: Visit) -> Response:
    """Keep notifications of an incident back for a while, or end that now."""
    dossier, typed, now = await dossier_of(visit), await _typed(visit), visit.desk.clock.now()
    if typed.get("ends"):
        return await _end_silence(visit, dossier, typed["ends"])
    silence_id = identity_of(typed, visit.visitor.account_id)
    made = silence_from(typed, dossier.alert, silence_id=silence_id, by=visit.visitor.name, at=now)
    if isinstance(made, tuple):
        return await shown(visit, dossier, status=422, typed={**typed, "decision": "silence"}, problems=made)
    if all(one.silence_id != silence_id for one in await looking.silences(visit.desk.engine, now)):
        await saying.silence(visit.desk, visit.visitor, made)
    return visit.go(_path(dossier), done="silence", undo=silence_id)


async def verify(visit: Visit) -> Response:
    """Ask volunteers to find something out, or take the question back."""
    dossier, typed = await dossier_of(visit), await _typed(visit)
    asked = typed.get("withdraws", "")
    if asked:
        is_of_it = any(one.verification_id == asked for one in dossier.verifications)
        if not is_of_it or not await verifying.act(visit.desk, visit.visitor, asked, "withdraw"):
            return await _refused(visit, dossier, "verify", Problem("question", "taken_already"))
        return visit.go(_path(dossier))
    question = typed.get("question", "").strip()
    if not question or len(question) > verifying.MOST_QUESTION:
        problem = Problem("question", "too_long" if question else "missing_question")
        return await _refused(visit, dossier, "verify", problem, typed)
    verification_id = await verifying.ask(
        visit.desk,
        visit.visitor,
        incident_id=dossier.alert.incident_id,
        question=question,
        verification_id=identity_of(typed, visit.visitor.account_id),
    )
    return visit.go(_path(dossier), done="verify", undo=verification_id)


async def reveal(visit: Visit) -> Response:
    """Show where a post is to be read: it leads to its author, so who looks is noted."""
    dossier, typed = await dossier_of(visit), await _typed(visit)
    posts = {one.post_key: one for one in dossier.alert.evidence if host_of(one.url) and not one.is_removed}
    post = posts.get(typed.get("post_key", ""))
    if post is None:
        return await shown(visit, dossier, status=404)
    async with writing(visit.desk.engine) as connection:
        await audit.note(
            connection,
            actor=visit.visitor.name,
            action="link_shown",
            object_=dossier.alert.incident_id,
            detail={"post_key": post.post_key},
            at=visit.desk.clock.now(),
        )
    if "application/json" in visit.request.headers.get("accept", ""):
        return JSONResponse({"url": post.url, "host": host_of(post.url)}, headers={"cache-control": "no-store"})
    return await shown(visit, dossier, revealed=Revealed(post.post_key, post.url or ""))


async def _end_silence(visit: Visit, dossier: Dossier, silence_id: str) -> Response:
    now = visit.desk.clock.now()
    found = {one.silence_id: one for one in await looking.silences(visit.desk.engine, now)}
    one = found.get(silence_id)
    if one is None or one.origin or one.ends_at <= now:
        return await _refused(visit, dossier, "silence", Problem("hours", "not_in_force"))
    await saying.silence(visit.desk, visit.visitor, replace(one, ends_at=now, made_at=now))
    return visit.go(_path(dossier))


async def _refused(
    visit: Visit, dossier: Dossier, form: str, problem: Problem, typed: Mapping[str, str] | None = None
) -> Response:
    return await shown(visit, dossier, status=422, typed={**(typed or {}), "decision": form}, problems=(problem,))


async def deciding(visit: Visit, dossier: Dossier) -> Deciding:
    """Return who decides, on what, and what may be decided of it."""
    return Deciding(
        alert=dossier.alert,
        by=visit.visitor.name,
        account_id=visit.visitor.account_id,
        at=visit.desk.clock.now(),
        find_place=visit.desk.find_place,
        text=words(visit.desk.setup.language).gettext,
        joinable=tuple(one.alert.incident_id for one in await neighbours_of(visit, dossier.alert)),
        shown=tuple(one.post_key for one in dossier.alert.evidence),
    )


async def _typed(visit: Visit) -> dict[str, str]:
    return {name: value for name, value in (await visit.form()).items() if isinstance(value, str)}


async def _post_keys(visit: Visit) -> Sequence[str]:
    return [value for value in (await visit.form()).getlist("post_keys") if isinstance(value, str)]


def _known(typed: Mapping[str, str], dossier: Dossier) -> int:
    """Return the last decision that somebody knew of; who does not say it has asked for no comparison."""
    known = whole_number(typed.get("known", ""))
    return newest_of(dossier.decisions) if known is None else known


def _done(visit: Visit, verdict: Verdict) -> Response:
    return visit.go(
        f"/incidents/{quote(verdict.incident_id, safe='')}", done=verdict.decision, undo=verdict.decision_id
    )


def _path(dossier: Dossier) -> str:
    return f"/incidents/{quote(dossier.alert.incident_id, safe='')}"


_FIELDS = {
    "relocate": "name",
    "change_hazard": "read_as",
    "merge": "other",
    "split": "post_keys",
    "withdraw": "withdraws",
}
"""The field that a refusal of the archive is about."""

PAGES = (
    Page(path="/incidents/{incident_id}/decide", name="decide", needs="decide", handler=decide, methods=("POST",)),
    Page(path="/incidents/{incident_id}/silence", name="silence", needs="decide", handler=silence, methods=("POST",)),
    Page(path="/incidents/{incident_id}/verify", name="verify", needs="decide", handler=verify, methods=("POST",)),
    Page(path="/incidents/{incident_id}/reveal", name="reveal", needs="see", handler=reveal, methods=("POST",)),
)
