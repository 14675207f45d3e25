"""Decisions that decide nothing, or two things, are refused; those of one incident are told apart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from records import MalformedRecord, Statement, Verdict, decode, encode

AT = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
PLACE = {
    "place_id": "fr:76351",
    "name": "Le Havre",
    "lat": 49.49,
    "lon": 0.11,
    "radius_km": 6.0,
    "level": "commune",
    "confidence": 1.0,
    "source": "person",
    "reasons": ["vu"],
}


def verdict(**changes: Any) -> Verdict:
    fields: dict[str, Any] = {
        "incident_id": "fire-1",
        "hazard": "fire",
        "area": "76",
        "decision": "confirm",
        "decided_at": AT,
        "decided_by": "permanence",
    }
    return Verdict(**{**fields, **changes})


def written(**changes: Any) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(encode(verdict())), **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"decision": "relocate"}, "a relocate gives `place`", id="relocate to nowhere"),
        pytest.param({"decision": "change_hazard"}, "a change_hazard gives `read_as`", id="no other hazard"),
        pytest.param({"decision": "merge"}, "a merge gives `other`", id="merge with nothing"),
        pytest.param({"decision": "split"}, "a split gives `other` or `post_keys`", id="split from nothing"),
        pytest.param(
            {"decision": "split", "other": "fire-2", "post_keys": ["twitter:1"]},
            "a split gives `other` or `post_keys`, and one only",
            id="split twice at once",
        ),
        pytest.param({"decision": "withdraw"}, "a withdraw gives `withdraws`", id="withdraw nothing"),
        pytest.param({"decision": "merge", "other": "fire-1"}, "the incident itself", id="merge with itself"),
        pytest.param({"decision": "split", "other": "fire-1"}, "the incident itself", id="split from itself"),
        pytest.param(
            {"decision": "confirm", "place": PLACE}, "`place` says nothing in a confirm", id="confirm a place"
        ),
        pytest.param(
            {"decision": "relocate", "place": PLACE, "read_as": "flood"},
            "`read_as` says nothing in a relocate",
            id="place and hazard at once",
        ),
        pytest.param({"decision": "shout"}, "decision", id="no such decision"),
        pytest.param({"decision": "split", "post_keys": [""]}, "post_keys", id="a post without a key"),
    ],
)
def test_what_decides_nothing_or_two_things_is_refused_and_says_why(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedRecord, match="cannot read a Verdict") as refused:
        decode(written(**changes), Verdict)
    assert said in str(refused.value)
    assert refused.value.reason == "invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "relocate", "place": PLACE},
        {"decision": "change_hazard", "read_as": "flood"},
        {"decision": "merge", "other": "fire-2"},
        {"decision": "split", "other": "fire-2"},
        {"decision": "split", "post_keys": ["twitter:1"]},
        {"decision": "withdraw", "withdraws": "d1"},
        {"decision": "note", "reason": "appelé le site"},
    ],
    ids="-".join,
)
def test_what_decides_one_thing_is_read(changes: dict[str, Any]) -> None:
    assert decode(written(**changes), Verdict).decision == changes["decision"]


def test_decisions_of_one_moment_are_told_apart_by_their_ids_and_one_said_twice_is_one() -> None:
    def known_by(**changes: Any) -> str:
        return Statement(hazard="fire", area="76", said=verdict(**changes)).identity

    assert known_by(decision_id="d1") != known_by(decision_id="d2")
    assert known_by(decision_id="d1") == known_by(decision_id="d1", decided_at=AT + timedelta(seconds=1))
    assert known_by() != known_by(decided_at=AT + timedelta(seconds=1))
    assert known_by() == "verdict\nfire-1\nconfirm\n2012-01-30T07:37:00+00:00"
