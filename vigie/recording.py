"""Recording: what stood on `signals.v1` as the detectors take it, in Parquet: features of posts, no words, no links.

Shape   a row a record, in the order in which they were read; a file a table, with its facts in its metadata
Units   moments in microseconds, UTC; positions in degrees, as the place of the signal has them
Errors  SettingsError for a file that is no recording of ours; what is within one was checked when it was written or
        taken in
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from detectors.perceived import gist_of
from records import Place, Retraction, SettingsError, Signal, Tick, decode, encode
from records.retraction import SHOWN
from records.trust import Heard
from streams.resuming import Mark
from streams.topics import OnSignals

VERSION = 1
FACTS = b"vigie"
SIGNAL, RETRACTION, SAID = "signal", "retraction", "said"
"""Kinds of rows. What is said (statements, and whatever people change) stands whole, as on the topic."""
UNRECORDED = ("as recorded",)
"""Why a place was chosen is told in words of the post: they stay out, and a place has to have a reason."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEVEL = 9  # of zstd: a file is written many times and read more often, and is small

_TEXT, _REAL, _FLAG, _SMALL, _NUMBER = pa.string(), pa.float64(), pa.bool_(), pa.int8(), pa.int64()
MOMENT = pa.timestamp("us", tz="UTC")
_OF_ROW: Mapping[str, pa.DataType] = {
    "kind": _TEXT,
    "partition": pa.int16(),
    "offset": _NUMBER,
    "written_at": MOMENT,
    "hazard": _TEXT,
    "area": _TEXT,
    "said": _TEXT,
}
_OF_SIGNAL: Mapping[str, pa.DataType] = {
    "post_key": _TEXT,
    "author_id": _TEXT,
    "source": _TEXT,
    "platform": _TEXT,
    "event_time": MOMENT,
    "received_at": MOMENT,
    "probability": _REAL,
    "likelihood_ratio": _REAL,
    "witness_probability": _REAL,
    "chatter": _REAL,
    "actuality": _TEXT,
    "author_tier": _SMALL,
    "author_kind": _TEXT,
    "is_relay": _FLAG,
    "is_denial": _FLAG,
    "has_image": _FLAG,
    "fingerprint": _NUMBER,
    "cluster_ids": pa.list_(_TEXT),
    "doubts": pa.list_(_TEXT),
    "versions": _TEXT,
    "perceived": _TEXT,
}
_OF_PLACE: Mapping[str, pa.DataType] = {
    "place_id": _TEXT,
    "name": _TEXT,
    "lat": _REAL,
    "lon": _REAL,
    "radius_km": _REAL,
    "level": _TEXT,
    "confidence": _REAL,
    "source": _TEXT,
    "country": _TEXT,
    "insee": _TEXT,
    "dep": _TEXT,
    "epci": _TEXT,
    "region": _TEXT,
    "h3": _TEXT,
    "population": pa.int32(),
}
SCHEMA = pa.schema(
    [*_OF_ROW.items(), *_OF_SIGNAL.items(), *((f"place.{name}", kind) for name, kind in _OF_PLACE.items())]
)
_AS_IT_IS = tuple(name for name in _OF_SIGNAL if name not in {"versions", "perceived"})
_HEARD = ("hazard", "area", "event_time", "likelihood_ratio", "probability")
_EXACT = ("offset", "written_at", "event_time", "received_at")
"""What a difference to the one before says shorter than a dictionary does."""


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a recording beside its rows."""

    version: int = VERSION
    marks: dict[int, Mark] = {}  # how far each partition had been read when it was written; those of the newest hold
    lost: int = 0  # records that lay on the topic and were gone before they could be recorded
    imported_at: datetime | None = None


class Row(NamedTuple):
    """One record, and where and when it stood."""

    record: Any  # what `OnSignals` has
    partition: int
    offset: int
    written_at: datetime


def is_recorded(record: object) -> bool:
    """Tell whether a record is kept: ticks follow from the rest, and an alert taken back is all words."""
    return not isinstance(record, Tick) and not (isinstance(record, Retraction) and record.told is not None)


def wordless(signal: Signal) -> Signal:
    """Return what a recording keeps of a signal: no words, no links, no more than what detectors take."""
    return replace(
        signal,
        text=gist_of(signal.text[:SHOWN]),
        url=None,
        language=None,
        candidates=(),
        place=replace(signal.place, reasons=UNRECORDED),
    )


def table_of(rows: Iterable[Row]) -> pa.Table:
    """Return rows as a table."""
    return pa.Table.from_pylist([_columns_of(row) for row in rows], schema=SCHEMA)


def _columns_of(row: Row) -> dict[str, Any]:
    record = row.record
    columns: dict[str, Any] = {"partition": row.partition, "offset": row.offset, "written_at": row.written_at}
    if isinstance(record, Signal):
        return columns | _signal_columns(record)
    if isinstance(record, Retraction):
        return columns | {
            "kind": RETRACTION,
            "post_key": record.post_key,
            "author_id": record.author_id,
            "event_time": record.at,
        }
    return columns | {
        "kind": SAID,
        "hazard": getattr(record, "hazard", None),
        "area": getattr(record, "area", None),
        "said": encode(record).decode(),
    }


def _signal_columns(signal: Signal) -> dict[str, Any]:
    columns: dict[str, Any] = {name: getattr(signal, name) for name in _AS_IT_IS}
    columns |= {f"place.{name}": getattr(signal.place, name) for name in _OF_PLACE}
    return columns | {
        "kind": SIGNAL,
        "hazard": signal.hazard,
        "area": signal.place.area,
        "versions": msgspec.json.encode(signal.versions, order="sorted").decode(),
        "perceived": gist_of(signal.text[:SHOWN]),
    }


def rows_in(table: pa.Table) -> Iterator[Row]:
    """Yield the rows of a table in their order."""
    places: dict[tuple[Any, ...], Place] = {}
    versions: dict[str, dict[str, str]] = {}
    for batch in table.to_batches(max_chunksize=10_000):
        columns = {name: _values_of(batch.column(name)) for name in SCHEMA.names}
        of_places = list(zip(*(columns[f"place.{name}"] for name in _OF_PLACE), strict=True))
        for number, kind in enumerate(columns["kind"]):
            record: Any
            if kind == SIGNAL:
                record = _signal_of(columns, number, _place_of(of_places[number], places), versions)
            elif kind == RETRACTION:
                record = Retraction(
                    at=columns["event_time"][number],
                    post_key=columns["post_key"][number],
                    author_id=columns["author_id"][number],
                )
            else:
                record = decode(columns["said"][number].encode(), OnSignals)
            yield Row(record, *(columns[name][number] for name in ("partition", "offset", "written_at")))


def heard_in(table: pa.Table) -> Iterator[Heard]:
    """Yield as much of each signal as tells how what comes in has changed: by columns, far faster than whole rows."""
    signals = table.filter(pc.equal(table["kind"], SIGNAL))
    return map(Heard, *(_values_of(signals[name].combine_chunks()) for name in _HEARD))


def _values_of(column: pa.Array) -> list[Any]:
    """Return what a column holds; arrow itself makes moments, and texts that repeat, one by one and far slower."""
    if column.type == MOMENT:
        return [
            None if one is None else EPOCH + timedelta(microseconds=one) for one in column.cast(_NUMBER).to_pylist()
        ]
    if column.type != _TEXT:
        return list(column.to_pylist())
    alike = column.dictionary_encode()
    names = [*alike.dictionary.to_pylist(), None]  # -1, the last, stands for none
    return [names[number] for number in alike.indices.fill_null(-1).to_numpy().tolist()]


def _signal_of(
    columns: Mapping[str, list[Any]], number: int, place: Place, versions: dict[str, dict[str, str]]
) -> Signal:
    said = columns["versions"][number]
    known = versions.get(said)
    if known is None:
        known = versions[said] = msgspec.json.decode(said)
    fields = {name: columns[name][number] for name in _AS_IT_IS}
    fields["cluster_ids"], fields["doubts"] = tuple(fields["cluster_ids"]), tuple(fields["doubts"])
    return Signal(
        **fields, hazard=columns["hazard"][number], place=place, versions=known, text=columns["perceived"][number]
    )


def _place_of(values: tuple[Any, ...], known: dict[tuple[Any, ...], Place]) -> Place:
    place = known.get(values)
    if place is None:
        place = known[values] = Place(**dict(zip(_OF_PLACE, values, strict=True)), reasons=UNRECORDED)
    return place


def file_of(table: pa.Table, facts: Facts) -> bytes:
    """Return a table and its facts as the bytes of a file."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata({FACTS: msgspec.json.encode(facts)}),
        sink,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=[name for name in SCHEMA.names if name not in _EXACT],
        column_encoding=dict.fromkeys(_EXACT, "DELTA_BINARY_PACKED"),
        store_schema=True,
    )
    return bytes(sink.getvalue())


def table_in(path: Path, *, areas: Iterable[str] | None = None) -> pa.Table:
    """Return what a file holds, or of it what concerns some areas.

    Errors  SettingsError when it is no recording
    """
    try:
        table = pq.read_table(path, schema=SCHEMA, memory_map=False)
        if areas is None:
            return table
        concerned = pc.is_in(table["area"], pa.array(list(areas), _TEXT))
        return table.filter(pc.or_(concerned, pc.is_null(table["area"])))  # what names no area concerns all
    except (OSError, pa.ArrowException) as error:
        raise not_ours(path, error) from error


def facts_in(path: Path) -> Facts:
    """Return what is known of a file beside its rows, without reading those.

    Errors  SettingsError when it is no recording, or one of another version
    """
    try:
        schema = pq.read_schema(path)
        facts = msgspec.json.decode((schema.metadata or {}).get(FACTS, b""), type=Facts)
    except (OSError, pa.ArrowException, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise not_ours(path, error) from error
    if facts.version != VERSION or not schema.remove_metadata().equals(SCHEMA):
        raise SettingsError(f"{path}: a recording of another version of Vigie ({facts.version}); read it with that one")
    return facts


def not_ours(path: Path, error: Exception) -> SettingsError:
    """Return what is said of a file that cannot be read."""
    reason = str(error).splitlines()[0] if str(error) else repr(error)
    return SettingsError(f"{path}: cannot be read as a recording: {reason}; give a file that Vigie wrote")
