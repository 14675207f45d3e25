"""Overlay: reads fall through, writes wait, and what is thrown away was never there."""

from hypothesis import given
from hypothesis import strategies as st

from streams.state import DictState, Overlay

KEYS = st.sampled_from("abc")
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=2)), max_size=8)


def write(store: Overlay | DictState, writes: list[tuple[str, bytes | None]]) -> None:
    for key, value in writes:
        if value is None:
            store.remove(key)
        else:
            store.put(key, value)


@given(st.dictionaries(KEYS, st.binary(max_size=2)), WRITES)
def test_reads_like_a_store_that_was_written_to(
    below: dict[str, bytes], writes: list[tuple[str, bytes | None]]
) -> None:
    overlay, plain = Overlay(DictState(below)), DictState(below)
    write(overlay, writes)
    write(plain, writes)
    assert [overlay.get(key) for key in "abc"] == [plain.get(key) for key in "abc"]


@given(st.dictionaries(KEYS, st.binary(max_size=2)), WRITES)
def test_leaves_what_is_below_alone(below: dict[str, bytes], writes: list[tuple[str, bytes | None]]) -> None:
    store = DictState(below)
    write(Overlay(store), writes)
    assert store.values == below


@given(WRITES, WRITES, WRITES)
def test_takes_over_an_overlay_above_as_if_written_at_once(
    first: list[tuple[str, bytes | None]],
    second: list[tuple[str, bytes | None]],
    thrown_away: list[tuple[str, bytes | None]],
) -> None:
    ours, at_once = Overlay(DictState()), Overlay(DictState())
    write(ours, first)
    write(Overlay(ours), thrown_away)
    above = Overlay(ours)
    write(above, second)
    ours.take_over(above)
    write(at_once, first + second)
    assert dict(ours) == dict(at_once)
