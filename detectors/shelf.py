"""Shelf: the ledgers in use, in front of a key-value table that keeps them.

    <key>/head           every change       clock, checkpoint, the first and the next number of entries
    <key>/entry/<n>      every signal       one entry
    <key>/outcome/<n>    when it settles    what became of it, where a late one changed that
    <key>/base/<name>    when it settles    one node, incident or week at the checkpoint
    <key>/index          when one is new    which of those there are
    <key>/told/<id>      every revision     the last revision of an incident
    <key>/agenda         when it changes    when time alone changes something

and, for all of them, `profile/in/force`: the latest changes of the profile, the one in force last.

Errors  BrokenInvariant when a value in the table is not what we wrote
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from detectors.case import Watched
from detectors.entry import Entry
from detectors.ledger import BULLETIN, INCIDENT, NODE, PROFILE, WEEK, Ledger
from detectors.state import Incident, InForce, Node, Slot, Told
from detectors.week import Week
from records import BrokenInvariant, Bulletin, Evidence, ProfileChange

CHANGES = "profile/in/force"
MOST_CHANGES = 8
"""So many changes of the profile are kept: what comes late is worked out by the one that was in force then."""
MOST_GONE = 2_000  # entries removed at once: a batch of changes has to fit into one message


class Reads(Protocol):
    """What a table offers."""

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, None where there is none."""


class Head(msgspec.Struct, array_like=True, frozen=True):
    """Where a ledger stands."""

    clock: int
    checkpoint_at: int
    first: int
    next: int
    told: tuple[str, ...]


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What became of an entry."""

    odds: tuple[float, ...]
    original: int


class Agenda(msgspec.Struct, array_like=True, frozen=True):
    """When time alone changes something."""

    due_at: int


T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder()
_KINDS: dict[str, type[msgspec.Struct]] = {
    NODE: Node,
    INCIDENT: Incident,
    WEEK: Week,
    BULLETIN: Bulletin,
    PROFILE: InForce,
}
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {
    kind: msgspec.msgpack.Decoder(kind)
    for kind in (Head, Agenda, Entry, Outcome, Told, *_KINDS.values(), tuple[str, ...], tuple[ProfileChange, ...])
}


class Kept:
    """One ledger and its numbers in the table."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.numbers: dict[int, int] = {}  # post -> number of its entry
        self.outcomes: set[int] = set()  # numbers with an outcome of their own
        self.first = self.next = 0
        self.due_at: int | None = None
        # as it is in the table
        self.head: Head | None = None
        self.index: tuple[str, ...] = ()
        self.told: dict[str, Told] = {}
        self.written_due_at: int | None = None


class Shelf:
    """The ledgers of one partition."""

    def __init__(self, table: Reads, keys: Collection[str] = ()) -> None:
        """Take the table, and under which keys there may be something in it that nobody has asked for yet."""
        self.table = table
        self._kept: dict[str, Kept] = {}
        self._touched: dict[str, Kept] = {}  # since the last changes, in the order of the first touch
        self._cold = set(keys)  # in the table, perhaps, and not asked for yet
        self._cold_names: dict[str, frozenset[str]] = {}
        self.said: dict[tuple[str, str], Watched] = {}  # since which change of what hazard, as it was looked up
        self._changes: tuple[ProfileChange, ...] | None = None  # None: not asked for yet
        self._written_changes: tuple[ProfileChange, ...] | None = None

    @property
    def profile_changes(self) -> tuple[ProfileChange, ...]:
        """Return the latest changes of the profile, the one in force last; none where it is that of the settings."""
        if self._changes is None:
            self._changes = self._written_changes = self._value(tuple[ProfileChange, ...], CHANGES) or ()
        return self._changes

    def change_profile(self, change: ProfileChange) -> bool:
        """Put a change in force, unless it is known, or older than the one that is; tell whether it is now."""
        known = self.profile_changes
        is_known = any(one.change_id == change.change_id for one in known)
        if is_known or (known and change.decided_at < known[-1].decided_at):
            return False
        self._changes = (*known, change)[-MOST_CHANGES:]
        self.said.clear()
        return True

    def ledger(self, key: str, *, span: int, work_out: Callable[[Ledger], None]) -> Ledger:
        """Return a ledger, read from the table and worked out where it is not in use yet; it counts as touched."""
        kept = self._kept.get(key)
        if kept is None:
            kept = self._read(key, span)
            if kept.head is not None:
                work_out(kept.ledger)
            self._kept[key] = kept
            self._cold.discard(key)
            self._cold_names.pop(key, None)
        self._touched[key] = kept
        return kept.ledger

    def holders(self, name: str) -> list[str]:
        """Return the keys of the ledgers that hold words of a post or an author, in use or not."""
        warm = [key for key, kept in self._kept.items() if _holds(kept.ledger, name)]
        return sorted({*warm, *(key for key in tuple(self._cold) if name in self._names_in(key))})

    def told(self, key: str) -> dict[str, Told]:
        """Return the last word on each incident under a key, in use or not; nothing is worked out for it."""
        kept = self._kept.get(key)
        if kept is not None:
            return dict(kept.ledger.told)
        head = self._value(Head, f"{key}/head")
        return {name: self._needed(Told, f"{key}/told/{name}") for name in head.told} if head is not None else {}

    def in_use(self) -> Iterator[tuple[str, Ledger]]:
        """Yield the ledgers that were asked for since the start, with their keys."""
        return ((key, kept.ledger) for key, kept in self._kept.items())

    def _names_in(self, key: str) -> frozenset[str]:
        """Return whose words a ledger holds that is not in use: looked up once, for working it out takes long."""
        known = self._cold_names.get(key)
        if known is None:
            head = self._value(Head, f"{key}/head")
            if head is None:  # that of another partition
                self._cold.discard(key)
                return frozenset()
            entries = (self._value(Entry, f"{key}/entry/{number}") for number in range(head.first, head.next))
            told = (self._needed(Told, f"{key}/told/{incident_id}") for incident_id in head.told)
            names = {name for entry in entries if entry is not None for name in entry.names}
            names |= {name for one in told for item in one.alert.evidence for name in (item.post_key, item.author_id)}
            known = self._cold_names[key] = frozenset(names)
        return known

    def note_due(self, key: str, at: int | None) -> None:
        """Note when time alone changes something in a ledger."""
        kept = self._kept[key]
        kept.due_at = kept.ledger.clock if len(kept.ledger.gone_entries) > MOST_GONE else at

    def due_at(self, key: str) -> int | None:
        """Return when time alone changes something under a key, None where nothing waits."""
        kept = self._kept.get(key)
        if kept is not None:
            return kept.due_at
        agenda = self._value(Agenda, f"{key}/agenda")
        return agenda.due_at if agenda is not None else None

    def changes(self) -> dict[str, bytes | None]:
        """Return what the table lacks, None for what it has too much, and count it as written."""
        changes: dict[str, bytes | None] = {}
        if self._changes != self._written_changes:
            self._written_changes = self._changes
            changes[CHANGES] = _encoder.encode(self._changes)
        for key, kept in self._touched.items():
            changes.update((f"{key}/{name}", value) for name, value in _unwritten(kept))
        self._touched = {}
        return changes

    def keep_nothing(self) -> None:
        """Count everything as written, where the table below keeps nothing: else it would wait, and grow, for ever."""
        for kept in self._touched.values():
            kept.ledger.count_as_written()
        self._touched = {}

    def rewritten(self) -> dict[str, bytes]:
        """Return the entries that have lost their words, and count them as written.

        They may be many, need not be kept together, and may be kept twice: before the changes, not among them.
        """
        return {f"{key}/{name}": value for key, kept in self._touched.items() for name, value in _retracted(kept)}

    def _read(self, key: str, span: int) -> Kept:
        ledger = Ledger(span)
        kept = Kept(ledger)
        head = self._value(Head, f"{key}/head")
        if head is None:
            return kept
        kept.head = head
        ledger.clock, ledger.checkpoint_at = head.clock, head.checkpoint_at
        kept.first, kept.next = head.first, head.next
        kept.due_at = kept.written_due_at = self.due_at(key)
        for incident_id in head.told:
            told = self._needed(Told, f"{key}/told/{incident_id}")
            ledger.told[incident_id] = kept.told[incident_id] = told
        kept.index = self._value(tuple[str, ...], f"{key}/index") or ()
        for name in kept.index:
            table, _, rest = name.partition("/")
            ledger.base[table, rest] = self._needed(_KINDS[table], f"{key}/base/{name}")
        ledger.take_up(self._entries(key, kept))
        return kept

    def _entries(self, key: str, kept: Kept) -> list[Entry]:
        entries = []
        for number in range(kept.first, kept.next):
            entry = self._value(Entry, f"{key}/entry/{number}")
            if entry is None:
                continue
            outcome = self._value(Outcome, f"{key}/outcome/{number}")
            if outcome is not None:
                entry.odds, entry.original = outcome.odds, outcome.original
                kept.outcomes.add(number)
            kept.numbers[entry.post] = number
            entries.append(entry)
        return sorted(entries, key=lambda entry: entry.order)

    def _needed(self, kind: type[T], name: str) -> T:
        found = self._value(kind, name)
        if found is None:
            raise BrokenInvariant(f"state {name}: is missing; the table is damaged, rebuild it from the signals")
        return found

    def _value(self, kind: type[T], name: str) -> T | None:
        value = self.table.get(name)
        if value is None:
            return None
        try:
            found: T = _decoders[kind].decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BrokenInvariant(
                f"state {name}: {len(value)} bytes are not what we wrote: {error}; "
                "the table is not ours or is damaged, rebuild it from the signals"
            ) from error
        return found


def newest_changes(values: Iterable[bytes]) -> bytes | None:
    """Return, of what several shelves hold under `CHANGES`, what holds: it is the same everywhere, sooner or later.

    Errors  BrokenInvariant when a value is not what we wrote
    """
    found = [(Shelf(_One(value)).profile_changes, value) for value in values]
    return max(found, key=lambda one: one[0][-1].decided_at, default=((), None))[1]


class _One(NamedTuple):
    """A table that holds one value, under whatever key."""

    value: bytes

    def get(self, key: str) -> bytes | None:
        """Return the value."""
        return self.value


def _unwritten(kept: Kept) -> Iterator[tuple[str, bytes | None]]:
    ledger = kept.ledger
    yield from _unwritten_entries(kept)
    yield from _unwritten_base(kept)
    for incident_id, told in ledger.told.items():
        if kept.told.get(incident_id) is not told:
            yield f"told/{incident_id}", _encoder.encode(told)
    for incident_id in kept.told.keys() - ledger.told.keys():
        yield f"told/{incident_id}", None
    kept.told = dict(ledger.told)
    head = Head(ledger.clock, ledger.checkpoint_at, kept.first, kept.next, tuple(kept.told))
    if head != kept.head and head.clock:
        kept.head = head
        yield "head", _encoder.encode(head)
    if kept.due_at != kept.written_due_at:
        kept.written_due_at = kept.due_at
        yield "agenda", None if kept.due_at is None else _encoder.encode(Agenda(kept.due_at))


def _unwritten_entries(kept: Kept) -> Iterator[tuple[str, bytes | None]]:
    ledger = kept.ledger
    for entry in ledger.new_entries:
        kept.numbers[entry.post] = kept.next
        kept.next += 1
    for entry in ledger.new_entries:
        if entry.post in ledger.posts:
            yield f"entry/{kept.numbers[entry.post]}", _encoder.encode(entry)
    for entry in ledger.changed_entries:
        kept.outcomes.add(kept.numbers[entry.post])
        yield f"outcome/{kept.numbers[entry.post]}", _encoder.encode(Outcome(entry.odds, entry.original))
    for entry in ledger.gone_entries[:MOST_GONE]:
        number = kept.numbers.pop(entry.post)
        yield f"entry/{number}", None
        if number in kept.outcomes:
            kept.outcomes.discard(number)
            yield f"outcome/{number}", None
    kept.first = next(iter(kept.numbers.values()), kept.next)  # numbers stand in the order they were given
    del ledger.gone_entries[:MOST_GONE]
    ledger.new_entries, ledger.changed_entries = [], []


def _holds(ledger: Ledger, name: str) -> bool:
    """Tell whether a ledger holds words of a post or an author: kept, at its checkpoint, or told."""
    if name in ledger.said:
        return True
    told: Iterator[Evidence | Slot] = (item for one in ledger.told.values() for item in one.alert.evidence)
    base: Iterator[Evidence | Slot] = (
        slot for value in ledger.base.values() if isinstance(value, Incident) for slot in value.all_slots
    )
    return any(not item.is_removed and name in (item.post_key, item.author_id) for item in chain(told, base))


def _retracted(kept: Kept) -> Iterator[tuple[str, bytes]]:
    for entry in kept.ledger.retracted:
        if entry.post in kept.numbers:
            yield f"entry/{kept.numbers[entry.post]}", _encoder.encode(entry)
    kept.ledger.retracted = []


def _unwritten_base(kept: Kept) -> Iterator[tuple[str, bytes | None]]:
    ledger = kept.ledger
    for table, name in sorted(ledger.changed_base):
        value = ledger.base.get((table, name))
        yield f"base/{table}/{name}", None if value is None else _encoder.encode(value)
    if ledger.changed_base:
        index = tuple(sorted(f"{table}/{name}" for table, name in ledger.base))
        if index != kept.index:
            kept.index = index
            yield "index", _encoder.encode(index)
    ledger.changed_base = set()
