"""Verifying: what volunteers are asked to verify, who is at it, what they found, and whether the cell has it.

A finding is a volunteer's: it never counts as a confirmation by an authority, and decides nothing.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.visitor import Visitor
from console.archive import audit, looking
from console.archive.database import writing
from console.archive.dossier import Verification
from console.archive.tables import verification
from console.desk import Desk
from console.live.hub import Change
from records import Alert

Finding = Literal["true", "false", "unclear"]
FINDINGS: tuple[Finding, ...] = get_args(Finding)
Action = Literal["take", "release", "answer", "reopen", "pass_on", "take_back", "withdraw", "ask_again"]
ACTIONS: tuple[Action, ...] = get_args(Action)

UNDONE_BY: Mapping[Action, Action] = {
    "take": "release",
    "release": "take",
    "answer": "reopen",
    "pass_on": "take_back",
    "take_back": "pass_on",
    "withdraw": "ask_again",
    "ask_again": "withdraw",
}
"""What takes each action back; a finding that was taken back is given again by whoever verifies."""

OF_ITSELF = "vigie"  # who asks where nobody did
TO_VERIFY = frozenset({"watch", "alert"})
MOST_PASSED_ON = 50
MOST_QUESTION, MOST_ANSWER = 500, 1000

_column = verification.c


def wanted(alert: Alert) -> bool:
    """Tell whether volunteers should verify an incident without being asked: nobody who knows has spoken yet."""
    return alert.level in TO_VERIFY and alert.certainty != "Observed" and not alert.joins


async def ask_of_itself(desk: Desk, alert: Alert) -> bool:
    """Ask volunteers to verify an incident, once, unless somebody asked already; tell whether that is new."""
    query = select(_column.verification_id).where(_column.incident_id == alert.incident_id).limit(1)
    async with desk.engine.connect() as connection:
        if (await connection.execute(query)).first() is not None:
            return False
    asker = Visitor(name=OF_ITSELF)
    return await _ask(desk, asker, _id_for(alert), incident_id=alert.incident_id)


async def ask(
    desk: Desk,
    visitor: Visitor,
    *,
    incident_id: str = "",
    report_id: str = "",
    question: str = "",
    verification_id: str = "",
) -> str:
    """Ask volunteers to verify an incident or a report; return what that is known by.

    Shape   a form brings its own `verification_id`, so that one that comes twice asks once
    """
    verification_id = verification_id or secrets.token_hex(8)
    await _ask(desk, visitor, verification_id, incident_id=incident_id, report_id=report_id, question=question)
    return verification_id


async def act(
    desk: Desk,
    visitor: Visitor,
    verification_id: str,
    action: Action,
    *,
    finding: str = "",
    answer: str = "",
    url: str = "",
) -> bool:
    """Do something with one thing to verify; tell whether that could be: somebody else may have been faster."""
    now = desk.clock.now()
    said = {"finding": finding, "answer": answer, "url": url or None}
    change = (
        update(verification)
        .where(_column.verification_id == verification_id, *_allowed(action, visitor))
        .values(**_values(action, visitor.name, now, said))
    )
    async with writing(desk.engine) as connection:
        if (await connection.execute(change)).rowcount != 1:
            return False
        await audit.note(
            connection,
            actor=visitor.name,
            action=f"verification_{action}",
            object_=f"verification/{verification_id}",
            detail={"finding": finding, "answer": answer} if action == "answer" else {},  # no link: no line can go
            at=now,
        )
    desk.hub.changed(Change("verification", verification_id))
    return True


async def queue(engine: AsyncEngine) -> list[Verification]:
    """Return what is to verify or verified, and the last of what was passed on, the oldest first."""
    last = (
        select(_column.verification_id)
        .where(_column.state == "passed_on")
        .order_by(_column.asked_at.desc(), _column.verification_id)
        .limit(MOST_PASSED_ON)
    )
    return await _found(engine, _column.state.in_(("to_verify", "verified")) | _column.verification_id.in_(last))


async def of_report(engine: AsyncEngine, report_id: str) -> list[Verification]:
    """Return what volunteers were asked about a report, and found."""
    return await _found(engine, (_column.report_id == report_id) & (_column.state != "withdrawn"))


async def one(engine: AsyncEngine, verification_id: str) -> Verification | None:
    """Return one thing to verify, None where there is none of this id."""
    found = await _found(engine, _column.verification_id == verification_id)
    return found[0] if found else None


async def _found(engine: AsyncEngine, which: ColumnElement[bool]) -> list[Verification]:
    async with engine.connect() as connection:
        return await looking.verifications(connection, which)


def _id_for(alert: Alert) -> str:
    """Return the one id under which an incident is verified without being asked: two processes ask once."""
    return hashlib.sha256(f"of itself\n{alert.incident_id}".encode()).hexdigest()[:32]


async def _ask(
    desk: Desk,
    visitor: Visitor,
    verification_id: str,
    *,
    incident_id: str = "",
    report_id: str = "",
    question: str = "",
) -> bool:
    now = desk.clock.now()
    new = insert(verification).values(
        verification_id=verification_id,
        incident_id=incident_id,
        report_id=report_id,
        question=question,
        state="to_verify",
        finding="",
        answer="",
        asked_by=visitor.name,
        asked_at=now,
        taken_by="",
        answered_by="",
        passed_on_by="",
    )
    try:
        async with writing(desk.engine) as connection:
            await connection.execute(new)
            await audit.note(
                connection,
                actor=visitor.name,
                action="verification_asked",
                object_=f"verification/{verification_id}",
                detail={"incident_id": incident_id, "report_id": report_id, "question": question},
                at=now,
            )
    except IntegrityError:  # it was asked already, maybe at this very moment
        return False
    desk.hub.changed(Change("verification", verification_id))
    return True


def _allowed(action: Action, visitor: Visitor) -> list[ColumnElement[bool]]:
    """Return what must hold for an action: where a thing stands, and whose it is."""
    who, may_decide = visitor.name, visitor.may("decide")
    is_free = _column.taken_by == ""
    conditions: Mapping[Action, list[ColumnElement[bool]]] = {
        "take": [_column.state == "to_verify", is_free],
        "release": [_column.state == "to_verify", ~is_free if may_decide else _column.taken_by == who],
        "answer": [_column.state == "to_verify", or_(is_free, _column.taken_by == who)],
        "reopen": [_column.state == "verified", *([] if may_decide else [_column.answered_by == who])],
        "pass_on": [_column.state == "verified"],
        "take_back": [_column.state == "passed_on"],
        "withdraw": [_column.state == "to_verify", *([] if may_decide else [_column.asked_by == who])],
        "ask_again": [_column.state == "withdrawn", *([] if may_decide else [_column.asked_by == who])],
    }
    return conditions[action]


def _values(action: Action, who: str, now: datetime, said: Mapping[str, str | None]) -> dict[str, Any]:
    free = {"taken_by": "", "taken_at": None}
    unsaid = {"finding": "", "answer": "", "url": None, "answered_by": "", "answered_at": None}
    values: Mapping[Action, dict[str, Any]] = {
        "take": {"taken_by": who, "taken_at": now},
        "release": free,
        "answer": {"state": "verified", "answered_by": who, "answered_at": now, **said},
        "reopen": {"state": "to_verify", **free, **unsaid},
        "pass_on": {"state": "passed_on", "passed_on_by": who, "passed_on_at": now},
        "take_back": {"state": "verified", "passed_on_by": "", "passed_on_at": None},
        "withdraw": {"state": "withdrawn", **free},
        "ask_again": {"state": "to_verify"},
    }
    return values[action]
