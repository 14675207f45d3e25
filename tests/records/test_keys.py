"""Keys: what must stay in order stays on one partition."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import Alert, MalformedRecord, Place, Post, Retraction, decode, encode


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("post", "facebook:e0001"),
        ("pulse", "bluesky"),
        ("signal", "industrial/76"),
        ("tick", "flood/76"),
        ("alert", "fire-0123456789abcdef"),
        ("bulletin", "76"),
        ("verdict", "fire-0123456789abcdef"),
        ("verdict_relocate", "fire-0123456789abcdef/0d1e"),
        ("statement", "fire/76"),
        ("profile_change", "profile"),
        ("profile_back", "profile"),
        ("claimed", "facebook:e0001"),
        ("notification", "00ff/fire-0123456789abcdef/3/cellule"),
        ("dead_letter", "posts.v1"),
        ("model_change", "model"),
    ],
)
def test_each_record_has_its_key(name: str, key: str, records: dict[str, msgspec.Struct]) -> None:
    assert getattr(records[name], "key") == key  # noqa: B009  a property that not all structs have


@given(st.none() | st.sampled_from(["76", "US-TX"]), st.sampled_from(["", "FR", "US"]))
def test_a_place_s_area_is_its_departement_or_its_country_or_the_world(dep: str | None, country: str) -> None:
    place = Place(
        place_id="x",
        name="x",
        lat=0,
        lon=0,
        radius_km=1,
        level="point",
        confidence=1,
        source="text",
        reasons=(),
        dep=dep,
        country=country,
    )
    assert place.area == (dep or country or "world")
    assert place.area


def test_a_retraction_of_an_alert_goes_to_the_state_that_has_it_whatever_it_is_read_as(
    records: dict[str, msgspec.Struct],
) -> None:
    alert = records["alert"]
    assert isinstance(alert, Alert)
    assert Retraction(at=alert.onset, post_key="x", told=alert).key == "other/76"
    assert Retraction(at=alert.onset, post_key="x", told=msgspec.structs.replace(alert, owned_as=None)).key == "fire/76"


def test_a_post_has_no_key_that_its_signal_could_not_bear() -> None:
    at = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
    fields: dict[str, Any] = {"source": "s", "posted_at": at, "received_at": at, "author_id": "", "text": "feu"}
    longest = Post(id="1" * 1022, **fields)
    assert len(longest.key) == 1024
    with pytest.raises(ValueError, match="1025 characters"):
        msgspec.structs.replace(longest, source="s2")
    with pytest.raises(MalformedRecord, match="1025 characters"):
        decode(encode(longest).replace(b'"source":"s"', b'"source":"s2"'), Post)
