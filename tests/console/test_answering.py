"""Whether the detectors have answered a decision: what a page says until they have."""

from datetime import timedelta
from typing import Any

import pytest

from console.archive.dossier import Decided, Dossier, Recorded
from console.deciding.answering import SOON, Waiting, waiting_for
from records.verdict import ANSWERING
from tests.console.made import a_verdict, an_alert, minutes

SAID: dict[str, dict[str, Any]] = {
    "relocate": {"place": an_alert().place},
    "change_hazard": {"read_as": "flood"},
    "merge": {"other": "fire-other"},
    "split": {"other": "fire-other"},
}


def decided(sequence: int, decision: str, **changes: Any) -> Decided:
    said = {**SAID.get(decision, {}), **changes}
    return Decided(sequence=sequence, recorded_at=minutes(0), verdict=a_verdict(decision, **said))


def waits(
    *decisions: Decided, revised: int = 1, after: timedelta = SOON / 2, is_unsent: bool = False
) -> Waiting | None:
    alert = an_alert()
    dossier = Dossier(
        alert=alert,
        revisions=(Recorded(sequence=revised, recorded_at=minutes(0), alert=alert),),
        decisions=decisions,
        notifications=(),
        messages=(),
        verifications=(),
        rates=(),
    )
    return waiting_for(decisions[-1], dossier, minutes(0) + after, is_unsent=is_unsent)


@pytest.mark.parametrize("decision", sorted(ANSWERING - {"acknowledge"}))
def test_what_changes_an_incident_waits_for_a_revision(decision: str) -> None:
    assert waits(decided(2, decision)) == "sent"
    assert waits(decided(2, decision), revised=3) is None


@pytest.mark.parametrize("decision", ["acknowledge", "note"])
def test_what_changes_nothing_that_detectors_know_waits_for_nothing(decision: str) -> None:
    assert waits(decided(2, decision)) is None


def test_what_the_broker_does_not_have_is_not_said_to_be_sent() -> None:
    assert waits(decided(2, "close"), is_unsent=True) == "unsent"


def test_an_answer_that_does_not_come_is_not_waited_for_without_a_word() -> None:
    assert waits(decided(2, "close"), after=SOON) == "silent"


def test_an_undoing_waits_as_long_as_what_it_takes_back_would() -> None:
    closed, noted = decided(2, "close"), decided(3, "note")
    assert waits(closed, decided(4, "withdraw", withdraws="close-1")) == "sent"
    assert waits(noted, decided(4, "withdraw", withdraws="note-1")) is None
