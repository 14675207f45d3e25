"""The file of a record: whatever is changed in it later is found, line by line; and what no chain can show is said."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.record_file import AfterAction, Head, Said, chained, to_json, verify
from tests.console.made import minutes

HEAD = Head(
    cell="Ville du Havre",
    incidents=("fire-1",),
    since=minutes(0),
    until=minutes(9),
    made_at=minutes(10),
    is_exercise=False,
    audit_number=3,
    audit_hash="ab",
    lines=5,
)
SAID = [
    Said(at=minutes(number), kind="note", who="cadre", what={"reason": f"« {number} »", "weight": 1e-9 * number})
    for number in range(1, 6)
]
RECORD = chained(HEAD, SAID)
FILE = to_json(RECORD)


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the file with a change made to it."""
    found = json.loads(FILE)
    change(found)
    return json.dumps(found).encode()


def found_in(data: bytes, expected: str = "") -> list[tuple[str, int | None]]:
    return [(one.code, one.line) for one in verify(data, expected)]


def test_a_file_as_it_was_made_fits() -> None:
    assert verify(FILE) == []
    assert verify(FILE, expected=RECORD.hash) == []


def test_spaces_and_the_order_of_names_change_nothing() -> None:
    assert verify(json.dumps(json.loads(FILE), indent=2, sort_keys=True).encode()) == []


def test_a_line_of_the_file_for_each_of_the_record() -> None:
    assert len(FILE.splitlines()) == 2 + len(SAID) + 1


def _set(place: int, name: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda found: found["lines"][place - 1].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(_set(3, "who", "nobody"), [("changed", 3)], id="who"),
        pytest.param(_set(3, "at", "2012-01-30T07:00:00.000000Z"), [("changed", 3)], id="when"),
        pytest.param(_set(3, "what", {"reason": "rien"}), [("changed", 3)], id="what"),
        pytest.param(_set(3, "more", 1), [("changed", 3)], id="a name more"),
        pytest.param(_set(3, "number", 4), [("misnumbered", 3), ("changed", 3)], id="its number"),
        pytest.param(_set(3, "hash", "0" * 64), [("changed", 3), ("does_not_follow", 4)], id="its hash"),
        pytest.param(_set(5, "hash", "0" * 64), [("changed", 5)], id="the last hash"),
        pytest.param(
            lambda found: found["lines"].pop(2),
            [("lines_missing", None), ("misnumbered", 3), ("does_not_follow", 3), ("misnumbered", 4)],
            id="a line taken out",
        ),
        pytest.param(lambda found: found["lines"].pop(), [("lines_missing", None)], id="the last line cut off"),
        pytest.param(
            lambda found: found["lines"].insert(2, dict(found["lines"][1])),
            [
                ("lines_missing", None),
                ("misnumbered", 3),
                ("does_not_follow", 3),
                *[("misnumbered", place) for place in (4, 5, 6)],
            ],
            id="a line put in",
        ),
        pytest.param(
            lambda found: found["lines"].insert(1, found["lines"].pop(2)),
            [
                ("misnumbered", 2),
                ("does_not_follow", 2),
                ("misnumbered", 3),
                ("does_not_follow", 3),
                ("does_not_follow", 4),
            ],
            id="two lines exchanged",
        ),
        pytest.param(
            lambda found: found["head"].update(cell="Ville de Rouen"), [("head_changed", None)], id="the head"
        ),
    ],
)
def test_finds(change: Callable[[dict[str, Any]], object], expected: list[tuple[str, int | None]]) -> None:
    assert found_in(edited(change)) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"head":{},"lines":[]}', id="no hash"),
        pytest.param(b'{"head":{"hash":"a"},"lines":[1]}', id="lines that are none"),
        pytest.param(b'{"head":{"hash":"a","format":"x"},"lines":[]}', id="another format"),
        pytest.param(FILE.replace(b'"who":"cadre"', b'"who":"nobody","who":"cadre"', 1), id="a name twice"),
        pytest.param(FILE.replace(b'"lines":5', b'"lines":NaN', 1), id="no number"),
        pytest.param(FILE.replace(b'"lines":5', b'"lines":1e999', 1), id="no number that could be written"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(FILE[:-20], id="cut off"),
    ],
)
def test_what_is_no_record_is_said_to_be_none(data: bytes) -> None:
    (problem,) = verify(data)
    assert problem.code == "unreadable"
    assert str(problem).startswith("this is no record")


def test_a_file_written_anew_has_a_chain_and_only_the_hash_kept_elsewhere_tells() -> None:
    anew = to_json(chained(HEAD, [Said(at=one.at, kind=one.kind, who="nobody", what=one.what) for one in SAID]))
    assert verify(anew) == []
    assert found_in(anew, expected=RECORD.hash) == [("other_record", None)]


def test_problems_are_said_in_words() -> None:
    (problem,) = verify(edited(_set(3, "who", "nobody")))
    assert str(problem) == "line 3 was changed: it does not have its hash any more"


WHAT = st.dictionaries(
    st.text(max_size=5), st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
)


@given(st.lists(WHAT, max_size=5))
def test_whatever_lines_say_they_fit_when_read_again(said: list[dict[str, Any]]) -> None:
    lines = [Said(at=minutes(0), kind="note", who="", what=what) for what in said]
    record: AfterAction = chained(Head(**{**HEAD.__dict__, "lines": len(lines)}), lines)
    assert verify(to_json(record), expected=record.hash) == []


@given(st.integers(0, len(FILE) - 1), st.binary(min_size=1, max_size=3))
def test_no_change_of_bytes_that_changes_what_it_says_goes_unseen(place: int, put: bytes) -> None:
    changed = FILE[:place] + put + FILE[place + len(put) :]
    try:
        is_same = json.loads(changed) == json.loads(FILE)
    except ValueError:
        is_same = False
    assert is_same or verify(changed)
