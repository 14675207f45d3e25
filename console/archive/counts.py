"""Counts: how much was read and said, without a word of it: pulses by the hour, signals by spans of ten minutes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.archive.database import parts
from console.archive.tables import heard, pulse
from console.archive.words import post_id_of, storable
from records import Pulse, Signal, encode

SPAN = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MINUTES: Final = 60
READ_AGAIN = timedelta(hours=24)
"""How long a signal may be read again: its topic lets go of it before."""
_MARK = 8  # bytes that stand for a pulse

Hour = tuple[str, datetime]  # source, its beginning
Heard = tuple[str, str, str]  # hazard, area, post


@dataclass
class Hours:
    """What a source read in one hour."""

    minutes: int = 0  # a bit for each
    outcomes: dict[str, list[int]] = field(default_factory=dict)
    marks: set[bytes] = field(default_factory=set)

    def add(self, one: Pulse) -> bool:
        """Count a pulse; tell whether it was not counted yet."""
        mark = blake2b(encode(one), digest_size=_MARK).digest()
        if mark in self.marks:
            return False
        self.marks.add(mark)
        self.minutes |= 1 << one.minute.minute
        for outcome, values in one.outcomes.items():
            self.outcomes.setdefault(storable(outcome), [0] * MINUTES)[one.minute.minute] += values
        return True

    def row(self) -> dict[str, object]:
        """Return how it is stored."""
        return {
            "minutes": self.minutes.to_bytes(_MARK, "big"),
            "outcomes": self.outcomes,
            "counted": b"".join(sorted(self.marks)),
        }

    def pulses(self, name: str, hour: datetime) -> Iterator[Pulse]:
        """Yield one pulse for each minute that was heard."""
        for minute in range(MINUTES):
            if self.minutes >> minute & 1:
                counts = {outcome: values[minute] for outcome, values in self.outcomes.items() if values[minute]}
                yield Pulse(source=name, minute=hour + minute * MINUTE, language="", area="", outcomes=counts)


def hours_from(minutes: bytes, outcomes: dict[str, list[int]], counted: bytes) -> Hours:
    """Return an hour as it was stored."""
    marks = {counted[begin : begin + _MARK] for begin in range(0, len(counted), _MARK)}
    return Hours(int.from_bytes(minutes, "big"), outcomes, marks)


async def take_pulses(connection: AsyncConnection, pulses: Sequence[Pulse]) -> None:
    """Count pulses, each once."""
    names = {(storable(one.source), _hour_of(one)) for one in pulses}
    known: dict[Hour, Hours] = {}
    for part in parts(names):
        rows = await connection.execute(select(pulse).where(tuple_(pulse.c.source, pulse.c.hour).in_(part)))
        known |= {(row.source, row.hour): hours_from(row.minutes, row.outcomes, row.counted) for row in rows}
    hours = {name: known.get(name) or Hours() for name in names}
    changed = {name for one in pulses if hours[name := (storable(one.source), _hour_of(one))].add(one)}
    first = [{"source": name[0], "hour": name[1], **hours[name].row()} for name in sorted(changed - known.keys())]
    later = [{"of": name[0], "at": name[1], **hours[name].row()} for name in sorted(changed & known.keys())]
    if first:
        await connection.execute(insert(pulse), first)
    if later:
        of_it = (pulse.c.source == bindparam("of")) & (pulse.c.hour == bindparam("at"))
        values: dict[str, Any] = {name: bindparam(name) for name in ("minutes", "outcomes", "counted")}
        await connection.execute(update(pulse).where(of_it).values(values), later)


def _hour_of(one: Pulse) -> datetime:
    return one.minute.replace(minute=0, second=0, microsecond=0)


async def take_signals(connection: AsyncConnection, signals: Sequence[Signal], now: datetime) -> None:
    """Count signals, each once: those that cannot be told from ones counted long ago not at all."""
    wanted: dict[Heard, Signal] = {}
    for one in signals:
        if one.received_at > now - READ_AGAIN:
            wanted.setdefault((one.hazard, storable(one.place.area), post_id_of(one.post_key)), one)
    known: set[Heard] = set()
    columns = (heard.c.hazard, heard.c.area, heard.c.post_id)
    for part in parts(wanted):
        rows = await connection.execute(select(*columns).where(tuple_(*columns).in_(part)))
        known |= {(row.hazard, row.area, row.post_id) for row in rows}
    new = [
        {
            "hazard": name[0],
            "area": name[1],
            "post_id": name[2],
            "begins_at": span_of(one.event_time),
            "likelihood_ratio": one.likelihood_ratio,
            "received_at": one.received_at,
        }
        for name, one in wanted.items()
        if name not in known
    ]
    if new:
        await connection.execute(insert(heard), new)


def span_of(moment: datetime) -> datetime:
    """Return where the span of ten minutes begins that holds a moment."""
    return moment.replace(minute=moment.minute - moment.minute % 10, second=0, microsecond=0)
