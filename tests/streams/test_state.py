"""The table in memory: what is kept is read back, what is removed is gone."""

from streams.state import DictState


def test_keeps_changes_and_removes_what_is_none() -> None:
    table = DictState({"a": b"1", "b": b"2"})
    table.keep({"a": None, "c": b"3", "never there": None})
    assert table.values == {"b": b"2", "c": b"3"}
    assert table.get("a") is None


def test_leaves_alone_what_it_was_made_from() -> None:
    below = {"a": b"1"}
    DictState(below).keep({"a": b"2"})
    assert below == {"a": b"1"}
