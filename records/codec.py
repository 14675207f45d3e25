"""The codec: records to bytes and back, JSON on the wire.

Shape   one record a value; keys of objects in the order of the fields, so equal records give equal bytes
Errors  MalformedRecord, with a reason that is a metric label
"""

from typing import TypeVar

import msgspec

from records.errors import MalformedRecord

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
_ENDS = (b"0001-01-01", b"9999-12-31", b"\\u00")
"""How a time begins that another zone may put beyond the calendar, and how any letter of it may be written."""
_decoders: dict[object, msgspec.json.Decoder] = {}  # type: ignore[type-arg]


def encode(record: msgspec.Struct) -> bytes:
    """Return a record as it stands on a topic."""
    return _encoder.encode(record)


def decode(value: bytes | None, record: type[T]) -> T:
    """Return the record that a topic's value holds.

    Errors  MalformedRecord: `empty` without a value, `undecodable` when it is not JSON, `invalid` when a field is
            missing, unknown or out of range, or a time not one in UTC
    """
    name = getattr(record, "__name__", str(record))
    if not value:
        raise MalformedRecord(f"cannot read a {name} from an empty value", reason="empty")
    decoder = _decoders.get(record)
    if decoder is None:
        decoder = _decoders[record] = msgspec.json.Decoder(record)
    try:
        result: T = decoder.decode(value)
        if any(end in value for end in _ENDS):
            msgspec.msgpack.encode(result)  # which takes times to UTC, as all that keep them do
    except (msgspec.ValidationError, OverflowError) as error:
        raise MalformedRecord(
            f"cannot read a {name} from {len(value)} bytes: {error}", reason="invalid", value=value
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecord(
            f"cannot read a {name} from {len(value)} bytes: {error}", reason="undecodable", value=value
        ) from error
    return result
