"""The journal: a batch's changes reach the table whole, or not at all.

A table's changes are single messages, and a killed worker may leave the first half of a batch on the changelog. So the
batch is written first as one value; whoever takes the partition over writes its parts again, which changes nothing when
they are all there. The broker's order within a partition does the rest.
"""

from collections.abc import Mapping, MutableMapping

import msgspec

from records import BrokenInvariant

LAST_BATCH = b"last-batch"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[bytes, bytes | None])

Table = MutableMapping[bytes, bytes]


def keep(table: Table, changes: Mapping[str, bytes | None]) -> None:
    """Write a batch of changes; None removes a key."""
    if not changes:
        return
    batch = {key.encode(): value for key, value in changes.items()}
    table[LAST_BATCH] = _encoder.encode(batch)  # of a single change too: an older batch, written again, would undo it
    _apply(table, batch)


def mend(table: Table) -> None:
    """Complete the last batch, in case its writer died in the middle of it."""
    value = table.get(LAST_BATCH)
    if value is None:
        return
    try:
        batch = _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise BrokenInvariant(f"detector table: {LAST_BATCH!r} is not a batch: {error}") from error
    _apply(table, batch)


def _apply(table: Table, batch: Mapping[bytes, bytes | None]) -> None:
    for key, value in batch.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
