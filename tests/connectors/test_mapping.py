"""Mappings: their JSON in, ours out; what is not named is never read, and a bad mapping says what would mend it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sources.mapping import READY, Mapping, at_path, mapped, mapping_from, values_of
from connectors.sources.plain import plain_from
from records import MalformedRecord, SettingsError

NEEDED = {"id": {"path": "id"}, "ts": {"path": "at"}, "text": {"path": "text"}}
VALUE = {"id": 7, "at": "2026-11-22T07:00:00Z", "text": "fumée"}


def mapping(**more: Any) -> Mapping:
    fields = NEEDED | more.pop("fields", {})
    return msgspec.convert({"fields": fields, **more}, Mapping)


def made(value: object, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(mapped(json.dumps(value).encode(), mapping(**more)))
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"b": [{"c": 1}, {"c": 2}]}),
        ("a.b[1].c", 2),
        ("a.b[0].c", 1),
        ("a.b[2].c", None),
        ("a.c", None),
        ("a.b.c", None),
        ("a[0]", None),
    ],
)
def test_a_path_leads_through_tables_and_lists(path: str, expected: object) -> None:
    assert at_path({"a": {"b": [{"c": 1}, {"c": 2}]}}, path) == expected


def test_what_is_not_named_is_never_read() -> None:
    found = made(VALUE | {"author": "eve_secret", "phone": "02 35 99 99 01", "lang": "fr"})
    assert found == {"id": 7, "ts": VALUE["at"], "text": "fumée"}


def test_of_several_paths_the_first_that_is_there() -> None:
    field = {"path": ["full", "short", "text"]}
    assert made(VALUE | {"full": None, "short": " "}, fields={"text": field})["text"] == "fumée"
    assert made(VALUE | {"full": "x", "short": "y"}, fields={"text": field})["text"] == "x"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({}, "create", id="not there"),
        pytest.param({"do": "Removed "}, "delete", id="in the table, whatever the case"),
        pytest.param({"do": "else"}, "create", id="not in the table"),
    ],
)
def test_a_table_turns_their_words_into_ours(value: dict[str, str], expected: str) -> None:
    field = {"path": "do", "table": {"removed": "delete"}, "default": "create"}
    assert made(VALUE | value, fields={"verb": field})["verb"] == expected


def test_a_word_that_is_not_in_a_table_without_default_stays_and_is_refused_where_posts_are_read() -> None:
    value = json.dumps(VALUE | {"do": "explode"}).encode()
    found = mapped(value, mapping(fields={"verb": {"path": "do", "table": {"removed": "delete"}}}))
    with pytest.raises(MalformedRecord, match="explode"):
        plain_from(found)


@pytest.mark.parametrize(
    ("date", "zone", "told", "expected"),
    [
        ("unix", "UTC", 1795330800, "2026-11-22T07:00:00+00:00"),
        ("unix", "UTC", "1795330800", "2026-11-22T07:00:00+00:00"),
        ("unix_ms", "UTC", 1795330800123, "2026-11-22T07:00:00.123000+00:00"),
        ("iso", "Europe/Paris", "2026-11-22T08:00:00", "2026-11-22T08:00:00+01:00"),
        ("iso", "Europe/Paris", "2026-11-22T07:00:00.000+0000", "2026-11-22T07:00:00+00:00"),
        ("day_first", "Europe/Paris", "22/07/2026 08:00", "2026-07-22T08:00:00+02:00"),
        ("iso", "UTC", "hier", "hier"),
        ("unix", "UTC", "1e300", "1e300"),
        ("unix", "UTC", "nan", "nan"),
    ],
)
def test_dates(date: str, zone: str, told: object, expected: str) -> None:
    assert made(VALUE | {"at": told}, fields={"ts": {"path": "at", "date": date}}, zone=zone)["ts"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"kind": "odeur", "place": {"name": ["Harfleur"]}, "note": "gaz"}, "Odeur à Harfleur : gaz"),
        ({"kind": "odeur", "note": "gaz"}, "Odeur : gaz"),
        ({"kind": "bruit"}, "bruit"),
        ({"kind": "odeur", "note": "[a] {place.name[0]}"}, "Odeur : [a] {place.name[0]}"),
        ({}, ""),
    ],
)
def test_a_template_joins_what_is_there(value: dict[str, object], expected: str) -> None:
    found = made(
        VALUE | value,
        fields={"text": {"template": "{what}[ à {place.name[0]}][ : {note}]"}},
        parts={"what": {"path": "kind", "table": {"odeur": "Odeur"}}},
    )
    assert found.get("text", "") == expected


def test_a_position_needs_both_numbers_which_may_have_commas() -> None:
    fields = {"lat": {"path": "lat"}, "lon": {"path": "lon"}}
    assert made(VALUE | {"lat": "49,49", "lon": 0.1}, fields=fields)["geo"] == {"lat": 49.49, "lon": 0.1}
    assert "geo" not in made(VALUE | {"lat": "49,49"}, fields=fields)
    bad = mapped(json.dumps(VALUE | {"lat": "nord", "lon": 1}).encode(), mapping(fields=fields))
    with pytest.raises(MalformedRecord):
        plain_from(bad)


def test_the_list_of_values_is_found() -> None:
    body = json.dumps({"data": {"items": [1, {"a": 2}]}}).encode()
    assert values_of(body, mapping(items="data.items")) == [b"1", b'{"a":2}']
    assert values_of(body, mapping(items="data")) is None
    assert values_of(b"[3]", mapping()) == [b"3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("fields = 1", ["fields"], id="no table"),
        pytest.param("[fields.id]\npath = 'id'\nwhat = 1", ["fields", "what"], id="a key that we do not know"),
        pytest.param("[fields.id]\npath = 'id'", ["fields.ts is missing", "add [fields.ts]"], id="a field is missing"),
        pytest.param("GOOD\n[fields.avatar]\npath = 'x'", ["fields.avatar", "no such field"], id="a field too many"),
        pytest.param("GOOD\n[fields.lat]\npath = 'x'", ["fields.lon", "both"], id="half a position"),
        pytest.param("GOOD\n[fields.url]\nconstant='x'\npath='y'", ["fields.url", "exactly one"], id="two ways"),
        pytest.param("GOOD\n[fields.url]\ndefault='x'", ["fields.url", "exactly one"], id="no way"),
        pytest.param("GOOD\n[fields.url]\npath='a..b'", ["fields.url", "a..b"], id="no path"),
        pytest.param("GOOD\n[fields.url]\ntemplate='{a'", ["fields.url", "brace"], id="half a hole"),
        pytest.param("GOOD\n[parts.x]\npath='a b['", ["parts.x", "a b["], id="a bad part"),
        pytest.param("items='a.'\nGOOD", ["items", "a."], id="bad items"),
        pytest.param("zone='Mars/Nord'\nGOOD", ["zone", "Mars/Nord", "Europe/Paris"], id="no zone"),
        pytest.param("makes='alert'\nGOOD", ["alert"], id="makes nothing of ours"),
        pytest.param("GOOD\n[fields.url]\npath='a'\ndate='roman'", ["url", "roman"], id="no date format"),
        pytest.param("= 1", ["line 1"], id="no TOML"),
    ],
)
def test_a_bad_mapping_names_file_key_and_mend(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    good = "\n".join(f"[fields.{name}]\npath = 'x'" for name in NEEDED)
    path.write_text(text.replace("GOOD", good), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        mapping_from(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_a_mapping_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(SettingsError, match="citizen_reports, operator_notices, vendor_mentions"):
        mapping_from("no_such")


@pytest.mark.parametrize("name", sorted(path.stem for path in READY.glob("*.toml")))
def test_the_ready_mappings_can_be_used(name: str) -> None:
    assert mapping_from(name).fields


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "at", "a", "b"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=JSON)
def test_any_value_gives_json_of_the_named_fields_only(value: object) -> None:
    fields = {"ts": {"path": "at", "date": "unix"}, "text": {"template": "{a}[ {b[0].a}]"}, "url": {"path": "b[1].a"}}
    fields |= {"lat": {"path": "a"}, "lon": {"path": "b"}}
    assert set(made(value, fields=fields)) <= {"id", "ts", "text", "url", "geo"}


@given(value=st.binary(max_size=60))
def test_noise_is_undecodable_or_json(value: bytes) -> None:
    found: bytes | str
    try:
        found = mapped(value, mapping())
    except MalformedRecord as error:
        found = f"{error.reason} {error.value!r}"
    assert found == "undecodable b''" or msgspec.json.decode(found) is not None
