"""Trials: what candidates were tried on, how far it is, and what came of it.

What a trial keeps of posts are hashes of their keys and what they weighed; words only of scenarios, which are made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit
from console.archive.database import writing
from console.archive.tables import trial as trials
from console.archive.words import post_id_of, storable
from console.desk import Desk
from console.tuning.candidates import Candidate
from console.tuning.editing import text_id
from records import Evidence
from records.backtest import Backtest, Outcome, Seen
from records.trial import Trial, TrialAsked, TrialCase
from records.truth import Truth

State = Literal["waiting", "running", "done", "stopped", "failed", "broken_off"]
UNDER_WAY = ("waiting", "running")
LONGEST_WHY = 2000
_HEAD = [column for column in trials.c if column.name != "report"]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One trial, without its report."""

    trial_id: str
    candidate_id: str
    candidate_text: str
    in_force_text: str
    asked: TrialAsked
    state: State
    part: str
    done: float
    why: str
    verdict: str
    shadow_id: str
    made_by: str
    made_at: datetime
    ended_at: datetime | None

    @property
    def is_under_way(self) -> bool:
        """Whether it is not over."""
        return self.state in UNDER_WAY

    def is_of(self, candidate: Candidate, in_force: str) -> bool:
        """Tell whether it was made of a candidate as it stands, beside the profile that is in force now."""
        return (self.candidate_text, self.in_force_text) == (candidate.text_id, text_id(in_force))


async def trial(engine: AsyncEngine, trial_id: str) -> Tried | None:
    """Return a trial, None where there is none."""
    found = await _found(engine, trials.c.trial_id == trial_id)
    return found[0] if found else None


async def of_candidate(engine: AsyncEngine, candidate_id: str) -> list[Tried]:
    """Return what somebody asked for of a candidate, the newest first."""
    return await _found(engine, (trials.c.candidate_id == candidate_id) & (trials.c.shadow_id == ""))


async def of_shadow(engine: AsyncEngine, shadow_id: str) -> list[Tried]:
    """Return the trials of a shadow, the newest first."""
    return await _found(engine, trials.c.shadow_id == shadow_id)


async def waiting(engine: AsyncEngine) -> list[Tried]:
    """Return the trials that nobody has begun with, the oldest first."""
    return list(reversed(await _found(engine, trials.c.state == "waiting")))


async def _found(engine: AsyncEngine, which: ColumnElement[bool]) -> list[Tried]:
    wanted = select(*_HEAD).where(which).order_by(trials.c.made_at.desc(), trials.c.trial_id)
    async with engine.connect() as connection:
        return [_from(row) for row in await connection.execute(wanted)]


def _from(row: Row[Any]) -> Tried:
    values = dict(row._mapping)
    return Tried(**{**values, "asked": msgspec.json.decode(values["asked"], type=TrialAsked)})


async def report(engine: AsyncEngine, trial_id: str) -> Trial | None:
    """Return what came of a trial, None where nothing has."""
    async with engine.connect() as connection:
        found = await connection.scalar(select(trials.c.report).where(trials.c.trial_id == trial_id))
    return None if found is None else msgspec.json.decode(found, type=Trial)


async def ask(desk: Desk, visitor: Visitor, *, trial_id: str, candidate: Candidate, asked: TrialAsked) -> None:
    """Ask for a trial; asked for twice under one id, it is one."""
    now = desk.clock.now()
    async with writing(desk.engine) as connection:
        if await connection.scalar(select(trials.c.trial_id).where(trials.c.trial_id == trial_id)) is not None:
            return
        await put(connection, trial_id=trial_id, candidate=candidate, asked=asked, by=visitor.name, at=now)
        detail = {
            "profile": f"{candidate.name}/{candidate.version}",
            "trial": trial_id,
            "since": asked.since,
            "until": asked.until,
            "scenarios": list(asked.scenarios),
        }
        await audit.note(
            connection, actor=visitor.name, action="trial_asked", object_=candidate.candidate_id, detail=detail, at=now
        )
    desk.bench_asked.set()


async def put(
    connection: AsyncConnection,
    *,
    trial_id: str,
    candidate: Candidate,
    asked: TrialAsked,
    by: str,
    at: datetime,
    shadow_id: str = "",
) -> None:
    """Enter a trial that is to be made; what is known of what happened is looked up when it begins."""
    await connection.execute(
        insert(trials).values(
            trial_id=trial_id,
            candidate_id=candidate.candidate_id,
            candidate_text=text_id(asked.candidate),
            in_force_text=text_id(asked.in_force),
            asked=msgspec.json.encode(replace(asked, truth=Truth())),
            state="waiting",
            part="",
            done=0.0,
            why="",
            verdict="",
            shadow_id=shadow_id,
            made_by=storable(by),
            made_at=at,
        )
    )


async def stop(desk: Desk, visitor: Visitor, tried: Tried) -> bool:
    """Stop a trial; tell whether it was under way."""
    now = desk.clock.now()
    async with writing(desk.engine) as connection:
        done = await connection.execute(
            update(trials)
            .where((trials.c.trial_id == tried.trial_id) & trials.c.state.in_(UNDER_WAY))
            .values(state="stopped", ended_at=now)
        )
        if done.rowcount:
            await audit.note(
                connection,
                actor=visitor.name,
                action="trial_stopped",
                object_=tried.candidate_id,
                detail={"trial": tried.trial_id},
                at=now,
            )
    desk.bench_asked.set()
    return bool(done.rowcount)


async def begin(engine: AsyncEngine, trial_id: str) -> bool:
    """Begin with a trial; tell whether nobody else has."""
    async with writing(engine) as connection:
        done = await connection.execute(
            update(trials)
            .where((trials.c.trial_id == trial_id) & (trials.c.state == "waiting"))
            .values(state="running", part="", done=0.0)
        )
        return bool(done.rowcount)


async def advance(engine: AsyncEngine, trial_id: str, part: str, done: float) -> bool:
    """Enter how far a trial is; tell whether it is still wanted."""
    async with writing(engine) as connection:
        found = await connection.execute(
            update(trials)
            .where((trials.c.trial_id == trial_id) & (trials.c.state == "running"))
            .values(part=storable(part)[:256], done=done)
        )
        return bool(found.rowcount)


async def end(engine: AsyncEngine, trial_id: str, found: Trial, now: datetime) -> None:
    """Enter what came of a trial."""
    comparison = found.whole.comparison
    values = {
        "state": "done",
        "done": 1.0,
        "ended_at": now,
        "verdict": "" if comparison is None else comparison.is_,
        "report": msgspec.json.encode(without_people(found)),
    }
    await _over(engine, trial_id, values)


async def fail(engine: AsyncEngine, trial_id: str, why: str, now: datetime) -> None:
    """Enter that a trial came to no end."""
    await _over(engine, trial_id, {"state": "failed", "why": storable(why)[:LONGEST_WHY], "ended_at": now})


async def _over(engine: AsyncEngine, trial_id: str, values: dict[str, Any]) -> None:
    async with writing(engine) as connection:
        is_running = (trials.c.trial_id == trial_id) & (trials.c.state == "running")
        await connection.execute(update(trials).where(is_running).values(**values))


async def break_off(engine: AsyncEngine, now: datetime) -> None:
    """Enter of what was running when we ended that it was broken off."""
    async with writing(engine) as connection:
        await connection.execute(
            update(trials).where(trials.c.state == "running").values(state="broken_off", ended_at=now)
        )


async def forget(connection: AsyncConnection, trial_ids: Sequence[str]) -> None:
    """Let go of trials."""
    await connection.execute(delete(trials).where(trials.c.trial_id.in_(trial_ids)))


def without_people(found: Trial) -> Trial:
    """Return what is kept of a trial: nobody who wrote, and of real posts no words."""
    return replace(found, cases=tuple(_case(one) for one in found.cases), whole=_backtest(found.whole, has_words=False))


def _case(one: TrialCase) -> TrialCase:
    return replace(one, backtest=_backtest(one.backtest, has_words=one.kind == "scenario"))


def _backtest(one: Backtest, *, has_words: bool) -> Backtest:
    return replace(one, outcomes=tuple(_outcome(outcome, has_words=has_words) for outcome in one.outcomes))


def _outcome(one: Outcome, *, has_words: bool) -> Outcome:
    raised = tuple(
        replace(raised, evidence=tuple(_evidence(item, has_words=has_words) for item in raised.evidence))
        for raised in one.raised
    )
    if has_words:
        return replace(one, raised=raised)
    found = tuple(replace(of_it, seen=tuple(_seen(item) for item in of_it.seen)) for of_it in one.found)
    return replace(one, raised=raised, found=found)


def _evidence(item: Evidence, *, has_words: bool) -> Evidence:
    nobody = replace(item, author_id="", url=None)
    return nobody if has_words else replace(nobody, text="", post_key=post_id_of(item.post_key))


def _seen(item: Seen) -> Seen:
    return replace(item, text="", post_key=post_id_of(item.post_key))
