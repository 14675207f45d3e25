"""The journal: cut off anywhere, a batch is whole or was never there."""

from collections.abc import Iterator, MutableMapping
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import BrokenInvariant
from streams.journal import LAST_BATCH, keep, mend

KEYS = st.sampled_from([f"fire/76/{name}" for name in "abcde"])
STATES = st.dictionaries(KEYS, st.binary(max_size=3), max_size=5)
BATCHES = st.dictionaries(KEYS, st.none() | st.binary(max_size=3), max_size=5)


class Killed(Exception):
    """The worker is dead."""


class Changelog(MutableMapping[bytes, bytes]):
    """A table whose writer is killed when so many of its writes are on the changelog."""

    def __init__(self, values: dict[bytes, bytes], *, writes_left: int = 1 << 30) -> None:
        self.values_ = dict(values)
        self.writes_left = writes_left
        self.writes = 0

    def _write(self) -> None:
        if not self.writes_left:
            raise Killed
        self.writes_left -= 1
        self.writes += 1

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._write()
        self.values_[key] = value

    def __delitem__(self, key: bytes) -> None:
        self._write()
        del self.values_[key]

    def __getitem__(self, key: bytes) -> bytes:
        return self.values_[key]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def state(self) -> dict[bytes, bytes]:
        return {key: value for key, value in self.values_.items() if key != LAST_BATCH}


def kept(batches: list[dict[str, bytes | None]]) -> Changelog:
    table = Changelog({})
    for batch in batches:
        keep(table, batch)
    return table


@given(st.lists(BATCHES, max_size=3), BATCHES, st.data())
def test_cut_anywhere_and_mended_the_state_is_that_before_the_batch_or_after_it(
    earlier: list[dict[str, bytes | None]], batch: dict[str, bytes | None], data: st.DataObject
) -> None:
    before = kept(earlier)
    after = Changelog(before.values_)
    keep(after, batch)
    cut = data.draw(st.integers(0, after.writes), label="writes that reached the changelog")
    table = Changelog(before.values_, writes_left=cut)
    with suppress(Killed):
        keep(table, batch)
    table = Changelog(table.values_)
    mend(table)
    assert table.state() in (before.state(), after.state())


@given(st.lists(BATCHES, max_size=4), st.integers(1, 3))
def test_mending_what_is_whole_changes_nothing_however_often(
    batches: list[dict[str, bytes | None]], times: int
) -> None:
    table = kept(batches)
    before = dict(table)
    for _ in range(times):
        mend(table)
    assert dict(table) == before


@given(st.lists(BATCHES, min_size=1, max_size=4), st.data())
def test_a_mending_that_is_cut_itself_can_be_mended(
    batches: list[dict[str, bytes | None]], data: st.DataObject
) -> None:
    whole = kept(batches)
    table = Changelog(whole.values_, writes_left=data.draw(st.integers(0, 5)))
    with suppress(Killed):
        mend(table)
    table = Changelog(table.values_)
    mend(table)
    assert table.state() == whole.state()


def test_a_single_change_is_not_undone_by_the_batch_before_it() -> None:
    table = kept([{"fire/76/a": b"1", "fire/76/b": b"1"}, {"fire/76/a": b"2"}])
    mend(table)
    assert table.state() == {b"fire/76/a": b"2", b"fire/76/b": b"1"}


@given(STATES)
def test_no_change_writes_nothing(state: dict[str, bytes]) -> None:
    table = Changelog({key.encode(): value for key, value in state.items()})
    keep(table, {})
    assert not table.writes


@pytest.mark.parametrize("value", [b"", b"\xc1", msgspec.msgpack.encode([1, 2]), msgspec.msgpack.encode({b"a": 1})])
def test_a_journal_that_we_cannot_have_written_stops_the_worker(value: bytes) -> None:
    with pytest.raises(BrokenInvariant, match="last-batch"):
        mend(Changelog({LAST_BATCH: value}))
