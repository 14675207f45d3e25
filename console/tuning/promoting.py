"""Promoting: a candidate is proposed by one person and approved by another; then it holds, and may be taken back.

Errors  Unfit, with the code of one sentence, for what cannot be
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.database import writing
from console.archive.promotions import newest_promotion, take_promotion
from console.archive.saying import put_outgoing
from console.archive.tables import candidate as candidates
from console.archive.tables import outgoing, promotion
from console.archive.words import storable
from console.catalogue import words
from console.desk import Desk
from console.tuning import trials
from console.tuning.candidates import Candidate, candidate_in, named
from console.tuning.editing import NotTOML, text_id, values_in
from console.tuning.trials import Tried
from records import ProfileChange, VigieError, decode
from records.profile_setting import ProfileProblem

Why = Literal[
    "problems",  # its text cannot be used
    "unchanged",  # it says what is in force
    "untried",  # nobody has tried it as it stands, beside what is in force now
    "no_reason",  # it is worse, or nobody knows, and nobody says why it is wanted all the same
    "not_known",  # it is worse, and whoever approves has not said that he has seen it
    "same_person",  # who proposed it approves it
    "not_proposed",
    "changed_meanwhile",
    "unknown_change",  # what is to come back was never in force
    "in_force_already",
]
MOST_REASON = 500
DOUBTFUL = frozenset({"worse", "unknown"})
"""What is promoted only by somebody who says why."""
MOMENT = timedelta(microseconds=1)


class Unfit(VigieError):
    """What somebody wants cannot be; `why` is the code of a sentence for him."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """One change of the profile in force."""

    change: ProfileChange
    verdict: str
    trial_id: str


@dataclass(frozen=True, kw_only=True)
class InForce:
    """By which profile workers are to decide."""

    toml: str  # "": not known here
    name: str
    version: str
    change: ProfileChange | None  # None: the settings' file, which nobody has changed since


async def history(engine: AsyncEngine, most: int = 50) -> list[Promoted]:
    """Return the changes of the profile in force, the one that holds first."""
    wanted = select(promotion).order_by(promotion.c.decided_at.desc(), promotion.c.change_id.desc()).limit(most)
    async with engine.connect() as connection:
        return [_from(row) for row in await connection.execute(wanted)]


def _from(row: Any) -> Promoted:
    return Promoted(change=decode(row.record, ProfileChange), verdict=row.verdict, trial_id=row.trial_id)


async def in_force(desk: Desk) -> InForce:
    """Return the profile in force: that of the newest change, or of the settings' file."""
    async with desk.engine.connect() as connection:
        change = await newest_promotion(connection)
    toml = _text(change, desk.setup.profile)
    name, version = named(toml)
    return InForce(toml=toml, name=name, version=version, change=change)


async def profile_in(engine: AsyncEngine, usual: str) -> str:
    """Return the text of the profile in force; `usual` is that of the settings' file."""
    async with engine.connect() as connection:
        return _text(await newest_promotion(connection), usual)


def _text(change: ProfileChange | None, usual: str) -> str:
    return usual if change is None or change.is_back else change.toml


def conflicts(toml: str, usual: str, changes: list[Promoted]) -> list[ProfileProblem]:
    """Return what stands against a text beside what is in force, whatever it says by itself."""
    try:
        values, those = values_in(toml), values_in(usual)
    except NotTOML:
        return []
    found: list[ProfileProblem] = []
    for key in ("hazards", "time_zone"):
        if key in values and key in those and not _is_same(values[key], those[key]):
            other = {"other": _shown(those[key])}
            found.append(ProfileProblem(code="other_than_in_force", key=key, found=_shown(values[key]), values=other))
    name, version = named(toml)
    known = [(one.change.name, one.change.version, one.change.toml) for one in changes if not one.change.is_back]
    if any((name, version) == (*one[:2],) and one[2] != toml for one in [*known, (*named(usual), usual)]):
        found.append(ProfileProblem(code="version_taken", key="version", found=version))
    return found


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return {str(item) for item in one} == {str(item) for item in other}
    return one == other


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


async def all_problems(desk: Desk, toml: str) -> list[ProfileProblem]:
    """Return all that is wrong with a text that is to be put in force."""
    own = list(desk.tuner.problems(toml)) if desk.tuner else []
    return own or conflicts(toml, desk.setup.profile, await history(desk.engine, 1000))


async def last_trial(engine: AsyncEngine, known: Candidate, toml_in_force: str) -> Tried | None:
    """Return the newest trial that says something of a candidate as it stands; a shadow's does not replace one."""
    found = await trials.of_candidate(engine, known.candidate_id)
    return next((one for one in found if one.state == "done" and one.is_of(known, toml_in_force)), None)


async def propose(desk: Desk, visitor: Visitor, known: Candidate, reason: str) -> None:
    """Propose a candidate to whoever approves.

    Errors  Unfit
    """
    now = desk.clock.now()
    tried, _ = await _fit(desk, known)
    if tried.verdict in DOUBTFUL and not reason.strip():
        raise Unfit("no_reason")
    columns = candidates.c
    is_known = (columns.candidate_id == known.candidate_id) & (columns.changed_at == known.changed_at)
    async with writing(desk.engine) as connection:
        values = {"state": "proposed", "proposed_by": storable(visitor.name), "proposed_at": now}
        values["reason"] = storable(reason.strip())[:MOST_REASON]
        done = await connection.execute(
            update(candidates).where(is_known & (columns.state == "draft")).values(**values)
        )
        if not done.rowcount:
            raise Unfit("changed_meanwhile")
        detail = {"profile": f"{known.name}/{known.version}", "trial": tried.trial_id, "verdict": tried.verdict}
        await audit.note(
            connection,
            actor=visitor.name,
            action="profile_proposed",
            object_=known.candidate_id,
            detail={**detail, "reason": reason},
            at=now,
        )


async def _fit(desk: Desk, known: Candidate) -> tuple[Tried, InForce]:
    """Return the trial on which a candidate may be promoted, and beside what it was made.

    Errors  Unfit
    """
    if await all_problems(desk, known.toml):
        raise Unfit("problems")
    now_in_force = await in_force(desk)
    if text_id(now_in_force.toml) == known.text_id:
        raise Unfit("unchanged")
    tried = await last_trial(desk.engine, known, now_in_force.toml)
    if tried is None:
        raise Unfit("untried")
    return tried, now_in_force


async def decline(desk: Desk, visitor: Visitor, known: Candidate) -> None:
    """Take a proposal back, or decline it: whoever may tune may do either.

    Errors  Unfit
    """
    columns = candidates.c
    is_proposed = (columns.candidate_id == known.candidate_id) & (columns.state == "proposed")
    async with writing(desk.engine) as connection:
        values = {"state": "draft", "proposed_by": "", "proposed_at": None}
        done = await connection.execute(update(candidates).where(is_proposed).values(**values))
        if not done.rowcount:
            raise Unfit("not_proposed")
        detail = {"profile": f"{known.name}/{known.version}", "proposed_by": known.proposed_by}
        await audit.note(
            connection,
            actor=visitor.name,
            action="profile_declined",
            object_=known.candidate_id,
            detail=detail,
            at=desk.clock.now(),
        )


async def approve(desk: Desk, visitor: Visitor, known: Candidate, *, knows_worse: bool) -> ProfileChange:
    """Put a proposed candidate in force.

    Errors  Unfit
    """
    if known.state != "proposed":
        raise Unfit("not_proposed")
    if known.is_proposed_by(visitor.name):
        raise Unfit("same_person")
    tried, holds = await _fit(desk, known)
    if tried.verdict in DOUBTFUL and not knows_worse:
        raise Unfit("not_known")
    async with writing(desk.engine) as connection:
        newest = await newest_promotion(connection)
        if await candidate_in(connection, known.candidate_id) != known or newest != holds.change:
            raise Unfit("changed_meanwhile")
        decided_at = _moment(newest, desk.clock.now())
        change = ProfileChange(
            change_id=f"{known.candidate_id}/{known.text_id}/{decided_at.isoformat()}",
            name=known.name,
            version=known.version,
            toml=known.toml,
            proposed_by=known.proposed_by,
            approved_by=visitor.name,
            decided_at=decided_at,
            reason=known.reason,
            replaces=newest.change_id if newest else "",
        )
        await connection.execute(
            update(candidates).where(candidates.c.candidate_id == known.candidate_id).values(state="promoted")
        )
        await _say(connection, change, desk.clock.now(), verdict=tried.verdict, trial_id=tried.trial_id)
        detail = {
            "profile": f"{change.name}/{change.version}",
            "change": change.change_id,
            "proposed_by": change.proposed_by,
            "reason": change.reason,
            "trial": tried.trial_id,
            "verdict": tried.verdict,
        }
        await audit.note(
            connection,
            actor=visitor.name,
            action="profile_promoted",
            object_=known.candidate_id,
            detail=detail,
            at=desk.clock.now(),
        )
    desk.said()
    return change


async def go_back(desk: Desk, visitor: Visitor, change_id: str) -> ProfileChange:
    """Put what was in force before in force again; "": the profile of the settings' file. It needs nobody else.

    Errors  Unfit
    """
    said = words(desk.setup.language)
    async with writing(desk.engine) as connection:
        newest = await newest_promotion(connection)
        earlier = await _change(connection, change_id) if change_id else None
        if change_id and (earlier is None or earlier.is_back):
            raise Unfit("unknown_change")
        if earlier is not None and _cannot_return(desk, earlier.toml):
            raise Unfit("problems")
        if (earlier.toml if earlier else "") == (newest.toml if newest else ""):
            raise Unfit("in_force_already")
        decided_at = _moment(newest, desk.clock.now())
        change = ProfileChange(
            change_id=f"back/{visitor.account_id}/{decided_at.isoformat()}",
            name=earlier.name if earlier else "",
            version=earlier.version if earlier else "",
            toml=earlier.toml if earlier else "",
            proposed_by=earlier.proposed_by if earlier else visitor.name,
            approved_by=earlier.approved_by if earlier else "",
            decided_at=decided_at,
            reason=said.gettext("gone back to by %(name)s") % {"name": visitor.name},
            replaces=newest.change_id if newest else "",
        )
        await _say(connection, change, desk.clock.now(), verdict="", trial_id="")
        detail = {"profile": f"{change.name}/{change.version}" if earlier else "", "change": change.change_id}
        await audit.note(
            connection,
            actor=visitor.name,
            action="profile_back",
            object_=change_id or "settings",
            detail=detail,
            at=desk.clock.now(),
        )
    desk.said()
    return change


def _cannot_return(desk: Desk, toml: str) -> bool:
    """Tell whether what was in force once cannot be so any more: bounds or the settings' file have changed since."""
    wrong = desk.tuner.problems(toml) if desk.tuner else ()
    return bool(wrong or conflicts(toml, desk.setup.profile, []))


async def _say(
    connection: AsyncConnection, change: ProfileChange, now: datetime, *, verdict: str, trial_id: str
) -> None:
    await take_promotion(connection, change, now, verdict=verdict, trial_id=trial_id)
    await put_outgoing(connection, "profile", change.change_id, change, now)


def _moment(newest: ProfileChange | None, now: datetime) -> datetime:
    """Return when a change is decided: after all others, whatever their clocks said, for the newest holds."""
    return now if newest is None or newest.decided_at < now else newest.decided_at + MOMENT


async def _change(connection: AsyncConnection, change_id: str) -> ProfileChange | None:
    row = await connection.scalar(select(promotion.c.record).where(promotion.c.change_id == change_id))
    return None if row is None else decode(row, ProfileChange)


async def is_waiting(engine: AsyncEngine, change_id: str) -> bool:
    """Tell whether the broker does not have a change yet."""
    columns = outgoing.c
    wanted = select(columns.sequence).where((columns.kind == "profile") & (columns.object == change_id))
    async with engine.connect() as connection:
        return await connection.scalar(wanted) is not None
