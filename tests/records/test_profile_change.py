"""A change of the profile: two people decide it; going back needs one."""

from typing import Any

import msgspec
import pytest

from records import MalformedRecord, ProfileChange, decode, encode
from records.profile_change import MOST_TOML


def change_with(records: dict[str, msgspec.Struct], **changes: Any) -> ProfileChange:
    change = records["profile_change"]
    assert isinstance(change, ProfileChange)
    return msgspec.structs.replace(change, **changes)


@pytest.mark.parametrize("approved_by", ["analyste", " Analyste ", "ANALYSTE", "", " "])
def test_a_second_person_approves_a_profile(approved_by: str, records: dict[str, msgspec.Struct]) -> None:
    with pytest.raises(ValueError, match="a second person approves"):
        change_with(records, approved_by=approved_by)


@pytest.mark.parametrize("field", ["name", "version"])
def test_a_profile_says_which_it_is(field: str, records: dict[str, msgspec.Struct]) -> None:
    with pytest.raises(ValueError, match="give those of the profile"):
        change_with(records, **{field: ""})


def test_going_back_needs_nobody_else(records: dict[str, msgspec.Struct]) -> None:
    assert change_with(records, toml="", name="", version="", approved_by="").is_back
    assert change_with(records, toml="", approved_by="analyste").is_back
    assert not change_with(records).is_back


def test_what_one_person_decided_alone_is_refused_on_the_wire(records: dict[str, msgspec.Struct]) -> None:
    value = encode(change_with(records)).replace(b"chef de salle", b"analyste")
    with pytest.raises(MalformedRecord, match="a second person approves") as refused:
        decode(value, ProfileChange)
    assert refused.value.reason == "invalid"


def test_a_profile_is_no_book(records: dict[str, msgspec.Struct]) -> None:
    value = encode(change_with(records, toml="x" * (MOST_TOML + 1)))
    with pytest.raises(MalformedRecord):
        decode(value, ProfileChange)
