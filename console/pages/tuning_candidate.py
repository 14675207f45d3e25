"""Candidate: a profile that is worked on: its settings, what it changes, what it was tried on, and who wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from console.once import identity, nonce
from console.pages.page import Page, Visit
from console.tuning import candidates, promoting, shadows, trials
from console.tuning.candidates import Candidate
from console.tuning.editing import NotTOML, changed, changed_settings, difference, next_version, text_id
from console.tuning.form import Group, bounds, groups, typed_values
from console.tuning.promoting import MOST_REASON, InForce, Unfit
from console.tuning.tuner import Recorded, Tuner
from console.typed_moment import moment_from, typed
from records.profile_change import MOST_TOML
from records.profile_setting import PROBLEM_WORDS, ProfileProblem
from records.trial import TrialAsked

MOST_SCENARIOS = 60
FIRST_TRIED = timedelta(days=7)
"""So much of the recording is offered first."""


@dataclass(frozen=True)
class Typed:
    """What somebody typed that could not be taken."""

    values: Mapping[str, str] = field(default_factory=dict)
    toml: str | None = None
    problems: Sequence[ProfileProblem] = ()
    why: str = ""  # the code of a sentence
    status: int = 422


def tuner_of(visit: Visit) -> Tuner:
    """Return what knows the detectors.

    Errors  HTTPException where this console was given none
    """
    if visit.desk.tuner is None:
        raise HTTPException(503, "This console cannot try profiles.")
    return visit.desk.tuner


async def candidate_of(visit: Visit) -> Candidate:
    """Return the candidate that the address names.

    Errors  HTTPException where there is none
    """
    found = await candidates.candidate(visit.desk.engine, visit.request.path_params["candidate_id"])
    if found is None:
        raise HTTPException(404, "There is no such candidate.")
    return found


def told(visit: Visit, problem: ProfileProblem) -> str:
    """Return what is wrong with a profile, in the visitor's language."""
    values = {**problem.values}
    if "kind" in values:
        values["kind"] = visit.text(values["kind"])
    words = visit.text(PROBLEM_WORDS[problem.code])
    return ProfileProblem(code=problem.code, key=problem.key, found=problem.found, values=values).told(words)


async def make(visit: Visit) -> Response:
    """Begin a candidate from a text that was handed over, or else from what is in force; with the next version."""
    form = await visit.form()
    handed = _text(str(form.get("toml", "")))[:MOST_TOML]
    candidate_id = identity(str(form.get("nonce", "")), visit.visitor.account_id, handed)
    holds = await promoting.in_force(visit.desk)
    if visit.desk.tuner is None or not holds.toml:
        return visit.go("/tuning")  # which says that nothing can be tried here
    taken = {one.version for one in await candidates.newest(visit.desk.engine) if one.name == holds.name}
    taken |= {one.change.version for one in await promoting.history(visit.desk.engine, 1000)}
    version = next_version(holds.version)
    while version in taken:
        version = next_version(version)
    text = handed or holds.toml
    try:
        toml = candidates.with_version(text, version)
    except NotTOML:
        toml = text
    based_on = f"{holds.name}/{holds.version}"
    await candidates.make(visit.desk, visit.visitor, candidate_id=candidate_id, toml=toml, based_on=based_on)
    return visit.go(f"/tuning/candidates/{candidate_id}")


async def show(visit: Visit) -> Response:
    """Show a candidate."""
    return await _page(visit, await candidate_of(visit))


async def change(visit: Visit) -> Response:
    """Take what was typed into the form, or into the text itself."""
    known, form, tuner = await candidate_of(visit), await visit.form(), tuner_of(visit)
    values = {key: str(value) for key, value in form.items()}
    if not known.is_open:
        return await _page(visit, known, Typed(why="changed_meanwhile"))
    if values.get("text_id") != known.text_id:
        return await _page(visit, known, Typed(values, values.get("toml"), why="changed_meanwhile"))
    if "toml" in values:
        toml = _text(values["toml"])
        problems = list(tuner.problems(toml))
    else:
        toml, problems = _from_form(tuner, known, values)
    if problems:
        return await _page(visit, known, Typed(values, values.get("toml"), problems))
    if toml != known.toml and not await candidates.change(visit.desk, visit.visitor, known, toml):
        return await _page(visit, known, Typed(values, values.get("toml"), why="changed_meanwhile"))
    return visit.go(f"/tuning/candidates/{known.candidate_id}", done="changed")


def _text(sent: str) -> str:
    """Return a text as it was before a browser sent it."""
    return sent.replace("\r\n", "\n")


def _from_form(tuner: Tuner, known: Candidate, values: Mapping[str, str]) -> tuple[str, list[ProfileProblem]]:
    """Return the text with what was typed into the form, and what is wrong with it."""
    try:
        new, problems = typed_values(tuner.settings(), known.toml, values)
        version = values.get("version", known.version).strip()[: candidates.LONGEST_NAME]
        if version and version != known.version:
            new["version"] = version
        toml = changed(known.toml, new)
    except NotTOML as error:
        return known.toml, [ProfileProblem(code="no_toml", values={"why": str(error)})]
    return toml, problems or list(tuner.problems(toml))


async def drop(visit: Visit) -> Response:
    """Have done with a candidate."""
    known = await candidate_of(visit)
    await candidates.drop(visit.desk, visit.visitor, known)
    return visit.go("/tuning", done="dropped")


async def ask(visit: Visit) -> Response:
    """Ask for a trial."""
    known, form, tuner = await candidate_of(visit), await visit.form(), tuner_of(visit)
    values = {key: str(value) for key, value in form.items()}
    zone = visit.desk.setup.zone
    since, until = (moment_from(values.get(key, ""), zone) for key in ("since", "until"))
    offered = {one.name for one in await run_in_threadpool(tuner.scenarios)}
    chosen = tuple(str(one) for one in form.getlist("scenario") if str(one) in offered)[:MOST_SCENARIOS]
    is_recorded = values.get("recorded") == "1"
    if problems := await promoting.all_problems(visit.desk, known.toml):
        return await _page(visit, known, Typed(values, problems=problems))
    if is_recorded and (since is None or until is None or until <= since):
        return await _page(visit, known, Typed(values, why="bad_stretch"))
    if not (is_recorded or chosen):
        return await _page(visit, known, Typed(values, why="nothing_chosen"))
    holds = await promoting.in_force(visit.desk)
    asked = TrialAsked(
        in_force=holds.toml,
        candidate=known.toml,
        since=since if is_recorded else None,
        until=until if is_recorded else None,
        scenarios=chosen,
        has_frontiers=values.get("frontiers") == "1",
    )
    return await asked_for(visit, known, asked)


async def asked_for(visit: Visit, known: Candidate, asked: TrialAsked) -> Response:
    """Ask for a trial, and lead to it."""
    nonce = str((await visit.form()).get("nonce", ""))
    trial_id = identity(nonce, visit.visitor.account_id, msgspec.json.encode(asked).decode())
    await trials.ask(visit.desk, visit.visitor, trial_id=trial_id, candidate=known, asked=asked)
    return visit.go(f"/tuning/trials/{trial_id}")


async def propose(visit: Visit) -> Response:
    """Propose a candidate to whoever approves."""
    known, form = await candidate_of(visit), await visit.form()
    try:
        await promoting.propose(visit.desk, visit.visitor, known, str(form.get("reason", "")))
    except Unfit as error:
        return await _page(visit, known, Typed(why=error.why))
    return visit.go(f"/tuning/candidates/{known.candidate_id}", done="proposed")


async def decline(visit: Visit) -> Response:
    """Decline a proposal, or take it back."""
    known = await candidate_of(visit)
    try:
        await promoting.decline(visit.desk, visit.visitor, known)
    except Unfit as error:
        return await _page(visit, known, Typed(why=error.why))
    return visit.go(f"/tuning/candidates/{known.candidate_id}", done="declined")


async def approve(visit: Visit) -> Response:
    """Put a proposed candidate in force."""
    known, form = await candidate_of(visit), await visit.form()
    if str(form.get("text_id", "")) != known.text_id:
        return await _page(visit, known, Typed(why="changed_meanwhile"))
    try:
        await promoting.approve(visit.desk, visit.visitor, known, knows_worse=form.get("knows") == "1")
    except Unfit as error:
        return await _page(visit, known, Typed(why=error.why))
    return visit.go("/tuning", done="promoted")


async def begin_shadow(visit: Visit) -> Response:
    """Have a candidate decide beside the live profile for some days."""
    known, form = await candidate_of(visit), await visit.form()
    days = str(form.get("days", ""))
    if days not in map(str, shadows.DAYS):
        return await _page(visit, known, Typed(why="bad_days"))
    if problems := await promoting.all_problems(visit.desk, known.toml):
        return await _page(visit, known, Typed(problems=problems))
    shadow_id = identity(str(form.get("nonce", "")), visit.visitor.account_id, known.text_id, days)
    await shadows.begin(visit.desk, visit.visitor, shadow_id=shadow_id, candidate=known, days=int(days))
    return visit.go(f"/tuning/shadows/{shadow_id}")


async def _page(visit: Visit, known: Candidate, said: Typed | None = None) -> Response:
    tuner, desk = tuner_of(visit), visit.desk
    holds = await promoting.in_force(desk)
    given = said or Typed(status=200)
    own = await promoting.all_problems(desk, known.toml) if known.is_open else []
    of_it = await trials.of_candidate(desk.engine, known.candidate_id)
    fit = await promoting.last_trial(desk.engine, known, holds.toml)
    recorded = await run_in_threadpool(tuner.recorded)
    return visit.render(
        "tuning_candidate.html",
        status=given.status,
        candidate=known,
        holds=holds,
        groups=_groups(tuner, known, given),
        bounds=bounds,
        toml=known.toml if given.toml is None else given.toml,
        most_toml=MOST_TOML,
        most_reason=MOST_REASON,
        problems=[(one.key, told(visit, one)) for one in given.problems],
        wrong={one.key for one in given.problems},
        why=given.why,
        standing=[] if given.problems else [told(visit, one) for one in own],
        lines=difference(holds.toml, known.toml),
        settings=_settings(holds, known),
        trials=of_it,
        fit=fit,
        is_doubtful=fit is not None and fit.verdict in promoting.DOUBTFUL,
        is_current=lambda one: one.is_of(known, holds.toml),
        shadows=await shadows.of_candidate(desk.engine, known.candidate_id),
        days=shadows.DAYS,
        scenarios=await run_in_threadpool(tuner.scenarios),
        chosen=given.values,
        recorded=recorded,
        stretch=_stretch(visit, recorded, given.values),
        is_own=known.is_proposed_by(visit.visitor.name),
        nonce=nonce(),
        done=visit.request.query_params.get("done", ""),
        is_same=text_id(holds.toml) == known.text_id,
    )


def _groups(tuner: Tuner, known: Candidate, given: Typed) -> list[Group]:
    """Return the fields; none where the text is no TOML, and has to be mended first."""
    try:
        return groups(tuner.settings(), known.toml, given.values)
    except NotTOML:
        return []


def _settings(holds: InForce, known: Candidate) -> list[tuple[str, Any, Any]]:
    try:
        return changed_settings(holds.toml, known.toml)
    except NotTOML:
        return []


def _stretch(visit: Visit, recorded: Recorded | None, values: Mapping[str, str]) -> tuple[str, str]:
    """Return the stretch of the recording that is offered: its last days."""
    if "since" in values or recorded is None:
        return values.get("since", ""), values.get("until", "")
    since: datetime = max(recorded.since, recorded.until - FIRST_TRIED)
    zone = visit.desk.setup.zone
    return typed(since, zone), typed(recorded.until + timedelta(minutes=1), zone)


ADDRESS = "/tuning/candidates/{candidate_id}"
PAGES = (
    Page(path="/tuning/candidates", name="candidate_make", needs="tune", handler=make, methods=("POST",)),
    Page(path=ADDRESS, name="candidate", needs="tune", handler=show),
    Page(path=ADDRESS, name="candidate_change", needs="tune", handler=change, methods=("POST",)),
    Page(path=f"{ADDRESS}/drop", name="candidate_drop", needs="tune", handler=drop, methods=("POST",)),
    Page(path=f"{ADDRESS}/trials", name="trial_ask", needs="tune", handler=ask, methods=("POST",)),
    Page(path=f"{ADDRESS}/shadows", name="shadow_begin", needs="tune", handler=begin_shadow, methods=("POST",)),
    Page(path=f"{ADDRESS}/propose", name="profile_propose", needs="tune", handler=propose, methods=("POST",)),
    Page(path=f"{ADDRESS}/decline", name="profile_decline", needs="tune", handler=decline, methods=("POST",)),
    Page(path=f"{ADDRESS}/approve", name="profile_approve", needs="tune", handler=approve, methods=("POST",)),
)
