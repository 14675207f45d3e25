"""A change of the model: two people put one in force; one person may go back to the one that ships."""

from datetime import UTC, datetime
from typing import Any

import pytest

from records import MalformedRecord, ModelChange, decode, encode
from streams.topics import OnDecisions

DIGEST = "0123456789abcdef" * 4


def change(**changes: Any) -> ModelChange:
    fields: dict[str, Any] = {
        "change_id": "c1",
        "digest": DIGEST,
        "version": "hazard/4+0123456789ab",
        "proposed_by": "analyste",
        "approved_by": "chef de salle",
        "decided_at": datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    }
    return ModelChange(**{**fields, **changes})


@pytest.mark.parametrize("approver", ["", " ", "analyste", " Analyste "])
def test_one_person_alone_puts_none_in_force(approver: str) -> None:
    with pytest.raises(ValueError, match="a second person approves"):
        change(approved_by=approver)


def test_one_person_may_go_back() -> None:
    assert change(digest="", approved_by="").is_back
    assert not change().is_back


def test_it_is_told_apart_on_its_topic() -> None:
    assert decode(encode(change()), OnDecisions) == change()


@pytest.mark.parametrize("digest", ["../../etc", DIGEST[:-1], DIGEST.upper()])
def test_a_digest_names_no_other_folder(digest: str) -> None:
    with pytest.raises(MalformedRecord):
        decode(encode(change(digest=digest)), ModelChange)
