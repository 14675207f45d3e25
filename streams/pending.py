"""Pending: revisions that are about to be told stand beside the state that they come from, until the broker has them.

    <key>/pending/<offset>        with the state              how many there are of a batch, by its last offset
    <key>/pending/<offset>/<n>    with the state, or before   one of them

Told again after a crash, each says what it said: decided again, from signals that come in other batches, it might not.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from records import Alert, BrokenInvariant, MalformedRecord, decode, encode

PENDING = "pending/"  # after the state's key, `hazard/area/`
COUNT_SLASHES = 3  # in a key under which the number of a batch's revisions stands
Changes = dict[str, bytes | None]


class Pending(NamedTuple):
    """Revisions of one batch as they are written down."""

    total: Changes  # what makes the others hold: it is kept with the state
    revisions: Changes

    @property
    def none(self) -> Changes:
        """Return the changes that remove them."""
        return dict.fromkeys((*self.total, *self.revisions))


def pending(alerts: Sequence[Alert], offset: int) -> Pending:
    """Return the revisions of a batch of one partition, up to an offset of it, as they are written down."""
    if not alerts:
        return Pending({}, {})
    key = f"{alerts[0].state_hazard}/{alerts[0].area}/{PENDING}{offset}"
    return Pending(
        {key: str(len(alerts)).encode()}, {f"{key}/{number}": encode(alert) for number, alert in enumerate(alerts)}
    )


def still_pending(keys: Iterable[str], get: Callable[[str], bytes | None]) -> list[Alert]:
    """Return the revisions that were not told, or of which nobody knows, in their order.

    Those without a count are of a batch that was not kept, and is decided again.

    Errors  BrokenInvariant when the table holds what we never wrote
    """
    counts = [key for key in keys if key.count("/") == COUNT_SLASHES]
    return [
        _revision(f"{key}/{number}", get)
        for key in sorted(counts, key=_offset_of)
        for number in range(_number(key, get(key) or b""))
    ]


def _offset_of(key: str) -> int:
    return _number(key, key.rpartition("/")[2].encode())


def _number(key: str, value: bytes) -> int:
    if not value.isdigit():
        raise BrokenInvariant(f"state {key}: {value!r} is no number; the table is not ours or is damaged")
    return int(value)


def _revision(key: str, get: Callable[[str], bytes | None]) -> Alert:
    value = get(key)
    if value is None:
        raise BrokenInvariant(f"state {key}: is missing; the table is damaged, rebuild it from the signals")
    try:
        return decode(value, Alert)
    except MalformedRecord as error:
        raise BrokenInvariant(f"state {key}: {error}; the table is not ours or is damaged") from error
