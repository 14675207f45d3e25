"""Verifying: one thing is one volunteer's; every step is taken back by another, and stands in the audit."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from console.access.roles import Role
from console.access.visitor import Visitor
from console.archive import audit
from console.desk import Desk
from console.reports import verifying
from console.reports.verifying import ACTIONS, UNDONE_BY, Action
from tests.console.made import INCIDENT, an_alert


def somebody(name: str, role: Role = "volunteer") -> Visitor:
    return Visitor(name=name, role=role)


ANNE, BRUNO, CELL = somebody("bénévole 1"), somebody("bénévole 2"), somebody("astreinte", "operator")
FOUND = {"finding": "true", "answer": "vu sur place", "url": "https://e.org"}


@pytest.fixture
def desk(desk: Desk, engine: AsyncEngine) -> Desk:
    """Make a desk on both kinds of database: who is first is theirs to say."""
    return replace(desk, engine=engine)


async def asked(desk: Desk, by: Visitor = CELL) -> str:
    return await verifying.ask(desk, by, incident_id=INCIDENT, question="Le feu est-il visible ?")


async def state(desk: Desk, verification_id: str) -> tuple[str, str, str]:
    found = await verifying.one(desk.engine, verification_id)
    assert found is not None
    return found.state, found.taken_by, found.finding


async def test_of_many_who_take_a_thing_at_once_one_has_it(desk: Desk) -> None:
    verification_id = await asked(desk)
    volunteers = [somebody(f"bénévole {number}") for number in range(8)]
    taken = await asyncio.gather(*(verifying.act(desk, one, verification_id, "take") for one in volunteers))
    assert taken.count(True) == 1
    assert (await state(desk, verification_id))[1] == volunteers[taken.index(True)].name


STEPS: list[tuple[list[tuple[Visitor, Action]], Visitor, Action, bool]] = [
    ([], ANNE, "take", True),
    ([(ANNE, "take")], BRUNO, "take", False),
    ([(ANNE, "take")], ANNE, "release", True),
    ([(ANNE, "take")], BRUNO, "release", False),
    ([(ANNE, "take")], CELL, "release", True),
    ([], ANNE, "release", False),
    ([], ANNE, "answer", True),
    ([(ANNE, "take")], ANNE, "answer", True),
    ([(ANNE, "take")], BRUNO, "answer", False),
    ([(ANNE, "answer")], BRUNO, "answer", False),
    ([(ANNE, "answer")], ANNE, "reopen", True),
    ([(ANNE, "answer")], BRUNO, "reopen", False),
    ([(ANNE, "answer")], CELL, "reopen", True),
    ([], CELL, "pass_on", False),
    ([(ANNE, "answer")], CELL, "pass_on", True),
    ([(ANNE, "answer"), (CELL, "pass_on")], CELL, "pass_on", False),
    ([(ANNE, "answer"), (CELL, "pass_on")], ANNE, "reopen", False),
    ([(ANNE, "answer"), (CELL, "pass_on")], CELL, "take_back", True),
    ([(ANNE, "answer")], CELL, "take_back", False),
    ([], CELL, "withdraw", True),
    ([], ANNE, "withdraw", False),
    ([(CELL, "withdraw")], ANNE, "take", False),
    ([(CELL, "withdraw")], CELL, "ask_again", True),
    ([(CELL, "withdraw")], ANNE, "ask_again", False),
]


@pytest.mark.parametrize(
    ("before", "who", "action", "can_be"),
    STEPS,
    ids=[f"{'+'.join(done for _, done in before) or 'new'}: {who.name} {what}" for before, who, what, _ in STEPS],
)
async def test_who_may_do_what_when(
    before: list[tuple[Visitor, Action]], who: Visitor, action: Action, can_be: bool, desk: Desk
) -> None:
    verification_id = await asked(desk)
    for somebody_, step in before:
        assert await verifying.act(desk, somebody_, verification_id, step, **(FOUND if step == "answer" else {}))
    said = FOUND if action == "answer" else {}
    assert await verifying.act(desk, who, verification_id, action, **said) is can_be
    noted = [entry.action for entry in await audit.entries(desk.engine)]
    steps = ["verification_asked", *(f"verification_{step}" for _, step in before)]
    assert noted[::-1] == [*steps, *([f"verification_{action}"] if can_be else [])]


async def test_the_audit_keeps_no_link_of_a_finding(desk: Desk) -> None:
    assert await verifying.act(desk, ANNE, await asked(desk), "answer", **FOUND)
    (entry, _) = await audit.entries(desk.engine)
    assert entry.detail == {"finding": "true", "answer": "vu sur place"}


@pytest.mark.parametrize("action", sorted(UNDONE_BY))
async def test_every_step_is_taken_back(action: Action, desk: Desk) -> None:
    way: dict[Action, list[Action]] = {
        "release": ["take"],
        "pass_on": ["answer"],
        "take_back": ["answer", "pass_on"],
        "ask_again": ["withdraw"],
    }
    verification_id = await asked(desk)
    for step in way.get(action, []):
        assert await verifying.act(desk, CELL, verification_id, step, **(FOUND if step == "answer" else {}))
    before = await state(desk, verification_id)
    assert await verifying.act(desk, CELL, verification_id, action, **(FOUND if action == "answer" else {}))
    assert await state(desk, verification_id) != before
    assert await verifying.act(desk, CELL, verification_id, UNDONE_BY[action])
    assert await state(desk, verification_id) == before


def test_nothing_can_be_done_that_cannot_be_undone() -> None:
    assert set(ACTIONS) == {*UNDONE_BY, *UNDONE_BY.values()}


async def test_a_form_that_comes_twice_asks_once(desk: Desk) -> None:
    for _ in range(2):
        assert await verifying.ask(desk, CELL, incident_id=INCIDENT, verification_id="0123") == "0123"
    assert len(await verifying.queue(desk.engine)) == 1


@pytest.mark.parametrize(
    ("changes", "is_wanted"),
    [
        pytest.param({"level": "watch"}, True, id="a watch"),
        pytest.param({"level": "alert"}, True, id="an alert"),
        pytest.param({"level": "signal"}, False, id="a signal: too many"),
        pytest.param({"level": "confirmed"}, False, id="confirmed"),
        pytest.param({"level": "resolved"}, False, id="over"),
        pytest.param({"level": "watch", "certainty": "Observed"}, False, id="observed by somebody who knows"),
        pytest.param({"level": "watch", "joins": "fire-1"}, False, id="part of another one"),
    ],
)
def test_what_volunteers_verify_without_being_asked(changes: dict[str, str], is_wanted: bool) -> None:
    assert verifying.wanted(an_alert(**changes)) is is_wanted


async def test_vigie_asks_once_of_each_incident_whoever_else_asks(desk: Desk) -> None:
    new = await asyncio.gather(*(verifying.ask_of_itself(desk, an_alert()) for _ in range(4)))
    assert new.count(True) == 1
    assert await verifying.ask_of_itself(desk, an_alert(revision=2)) is False
    [one] = await verifying.queue(desk.engine)
    assert (one.asked_by, one.question, one.incident_id) == ("vigie", "", INCIDENT)


async def test_vigie_does_not_ask_again_what_somebody_asked_or_withdrew(desk: Desk) -> None:
    verification_id = await asked(desk)
    await verifying.act(desk, CELL, verification_id, "withdraw")
    assert await verifying.ask_of_itself(desk, an_alert()) is False


async def test_everybody_who_looks_hears_of_it(desk: Desk) -> None:
    with desk.hub.listening() as listener:
        verification_id = await asked(desk)
        [change] = await listener.next(1)
    assert (change.kind, change.key) == ("verification", verification_id)
