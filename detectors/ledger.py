"""Ledger: all that is known of one hazard in one area, as a function of the signals heard, whatever order they came in.

Signals stand in order of their event time. Each one's changes are noted beside it, so one that comes late is put in its
place: what came after it is taken back, it is worked out, and they are worked out again. The result is the same, to the
bit, as if it had come in time. What is older than the hazard's memory is settled for good: it is the checkpoint.

Shape   a checkpoint, the entries since then, and what was told; everything else follows from these
Units   moments in microseconds since 1970
Source  docs/detection.md 2.5; going back in order to take a late one in is known as time warp (Jefferson 1985)
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from detectors.branches import Branches
from detectors.entry import Entry
from detectors.falls import Falls
from detectors.memory import Memory
from detectors.moment import HOUR
from detectors.state import Incident, InForce, Node, Told
from detectors.week import Week
from records import Bulletin

NODE, INCIDENT, WEEK, BULLETIN, PROFILE = "node", "incident", "week", "bulletin", "profile"
IN_FORCE = "in force"
START_OF_MOMENT, END_OF_MOMENT = -(1 << 64), 1 << 64  # sort before and after every post of a moment

BACKLOG = 12 * HOUR
"""Signals may lie that long on a topic, while a worker is down, and are still heard."""
TRIMS = 8  # times that the checkpoint moves up within one memory
MOST_REDONE = 1_000
"""Steps that late entries may have worked out again; where more came since, it counts a little later than it was
said. Times are what their authors claim: nobody shall hold us up by claiming old ones."""
_order_of = attrgetter("order")
REMEMBERED = 1.75  # memories before any moment that its entries are remembered, whenever it is worked out


class Change(NamedTuple):
    """A value that a step replaced, and by which; None for none."""

    table: str
    name: str
    old: Any
    new: Any


@dataclass(slots=True)
class Step:
    """An entry, or the passing of time, and what it changed."""

    order: tuple[int, int]
    entry: Entry | None
    changes: list[Change] = field(default_factory=list)


class Ledger:
    """One hazard in one area."""

    def __init__(self, memory_span: int) -> None:
        self.span = memory_span  # how long a voice counts once, and how late a signal may come
        self.nodes: dict[str, Node] = {}
        self.incidents: dict[str, Incident] = {}
        self.weeks: dict[str, Week] = {}
        self.bulletins: dict[str, Bulletin] = {}
        self.profiles: dict[str, InForce] = {}  # one at most: none is that of the settings
        self.told: dict[str, Told] = {}
        self.memory = Memory()
        self.steps: list[Step] = []
        self.settled: deque[Entry] = deque()  # before the checkpoint, still remembered
        self.posts: set[int] = set()  # of all entries that are kept
        self.said: dict[str, list[Entry]] = {}  # those with words, by their post and by their author
        self.checkpoint_at = 0
        self.clock = 0
        self.heard_at = 0  # the newest post
        self.base: dict[tuple[str, str], Any] = {}  # the values at the checkpoint
        self.falls = Falls(self.incidents)
        self.branches = Branches()
        self._tables: dict[str, dict[str, Any]] = {
            NODE: self.nodes,
            INCIDENT: self.incidents,
            WEEK: self.weeks,
            BULLETIN: self.bulletins,
            PROFILE: self.profiles,
        }
        self._changes: list[Change] = []
        # what a table does not have yet
        self.new_entries: list[Entry] = []
        self.changed_entries: list[Entry] = []  # settled, and not as they were written
        self._written: dict[int, tuple[tuple[float, ...], int]] = {}  # outcomes as written, of those that changed
        self.gone_entries: list[Entry] = []
        self.changed_base: set[tuple[str, str]] = set()
        self.retracted: list[Entry] = []

    def put(self, table: str, name: str, value: Any) -> None:
        """Set one value, None for none, as a part of the present step."""
        old = self._tables[table].get(name)
        self._changes.append(Change(table, name, old, value))
        self._set(table, name, old, value)

    def _set(self, table: str, name: str, old: Any, value: Any) -> None:
        if value is None:
            self._tables[table].pop(name, None)
        else:
            self._tables[table][name] = value
        if table == INCIDENT:
            self.branches.changed(name, old, value)
            self.falls.changed(name)
        elif table == PROFILE:
            self.falls.clear()

    @property
    def change_id(self) -> str:
        """Return by which change of the profile it is worked out now; "" for the profile of the settings."""
        in_force = self.profiles.get(IN_FORCE)
        return in_force.change_id if in_force is not None else ""

    @property
    def change_ids(self) -> set[str]:
        """Return by which changes of the profile it is worked out, from its checkpoint on."""
        settled = self.base.get((PROFILE, IN_FORCE))
        since = {step.entry.change_id for step in self.steps if step.entry is not None}
        return since | ({settled.change_id} if isinstance(settled, InForce) else set())

    def begin_by(self, change_id: str) -> None:
        """Work out by a changed profile, where nothing was heard before."""
        self.profiles[IN_FORCE] = self.base[PROFILE, IN_FORCE] = InForce(change_id)
        self.changed_base.add((PROFILE, IN_FORCE))

    @property
    def next_at(self) -> int:
        """Return when time alone may change something at the earliest: not before what has happened already."""
        if not self.steps:
            return 0
        last = self.steps[-1]
        return last.order[0] + (last.entry is not None)

    def is_known(self, entry: Entry) -> bool:
        """Tell whether a post was heard before, or is too old to tell."""
        return entry.post in self.posts or (self.checkpoint_at > 0 and entry.at <= self.checkpoint_at)

    def is_late(self, entry: Entry) -> bool:
        """Tell whether time has gone past an entry."""
        return bool(self.steps) and entry.order < self.steps[-1].order

    def add(self, entries: Sequence[Entry], decide: Callable[[Entry], None]) -> None:
        """Put entries, given in their order, in their places; work them out, and all those after the first again.

        One that lies too far back has its moment moved. An error leaves them out; `start_over` puts the rest right.
        """
        if len(self.steps) >= MOST_REDONE:
            entries = self._not_before(self.steps[-MOST_REDONE].order, entries)
        todo = deque(merge(entries, self._take_back(entries[0].order), key=_order_of))
        try:
            while todo:
                self._work_out_again(todo[0], decide)
                todo.popleft()
        except BaseException:
            self.steps += [Step(one.order, one) for one in todo]
            self.leave_out(entries)
            raise
        for entry in entries:
            self._note_added(entry)

    def _not_before(self, order: tuple[int, int], entries: Sequence[Entry]) -> Sequence[Entry]:
        """Let what was said before a step count when that was; return entries in their order then."""
        for entry in entries:
            if entry.order < order:
                entry.at = order[0]
        return sorted(entries, key=_order_of)

    def _note_added(self, entry: Entry) -> None:
        self.posts.add(entry.post)
        self._note_said(entry)
        self.new_entries.append(entry)
        self.clock = max(self.clock, entry.at)
        if entry.is_post:  # what authorities say runs ahead of a backlog of posts
            self.heard_at = max(self.heard_at, entry.at)
        if not self.checkpoint_at:
            self.checkpoint_at = entry.at - self.span

    def leave_out(self, entries: Sequence[Entry]) -> None:
        """Take entries out that were put in, or were to be; `start_over` puts the rest right."""
        posts = {entry.post for entry in entries}
        self.steps = [step for step in self.steps if step.entry is None or step.entry.post not in posts]
        self.new_entries = [entry for entry in self.new_entries if entry.post not in posts]
        self.posts -= posts
        for entry in entries:
            self._forget_said(entry)

    def _work_out_again(self, entry: Entry, decide: Callable[[Entry], None]) -> None:
        before = entry.odds, entry.original
        self._work_out(entry, decide)
        if (entry.odds, entry.original) != before and entry.post in self.posts:
            self._written.setdefault(entry.post, before)

    def _take_back(self, order: tuple[int, int]) -> list[Entry]:
        """Undo every step after a moment; return the entries among them, in order."""
        later: list[Entry] = []
        while self.steps and self.steps[-1].order > order:
            step = self.steps.pop()
            self._undo(step.changes)
            if step.entry is not None:
                self.memory.undo(step.entry)
                later.append(step.entry)
        later.reverse()
        return later

    def _undo(self, changes: list[Change]) -> None:
        for table, name, old, new in reversed(changes):
            self._set(table, name, new, old)

    def _work_out(self, entry: Entry, decide: Callable[[Entry], None]) -> None:
        self._changes = []
        decide(entry)
        self.memory.note(entry)
        self.steps.append(Step(entry.order, entry, self._changes))

    @contextmanager
    def step_of_time(self, at: int) -> Iterator[None]:
        """Note what time alone changes at a moment as a step of its own, whoever found it due, and when."""
        self._changes = []
        yield
        self.steps.append(Step((at, START_OF_MOMENT), None, self._changes))
        self._changes = []

    def take_up(self, entries: list[Entry]) -> None:
        """Take entries as a table gives them back, in order; `start_over` works them out."""
        self.settled.extend(entry for entry in entries if entry.at <= self.checkpoint_at)
        self.steps = [Step(entry.order, entry) for entry in entries if entry.at > self.checkpoint_at]
        self.posts = {entry.post for entry in entries}
        for entry in entries:
            self._note_said(entry)
        self.heard_at = max((entry.at for entry in entries if entry.is_post), default=0)

    def start_over(self, decide: Callable[[Entry], None], fitted: Callable[[Any], Any]) -> None:
        """Work everything out again from the checkpoint, whose values are made to fit first."""
        entries = [step.entry for step in self.steps if step.entry is not None]
        for values in self._tables.values():
            values.clear()
        self.branches = Branches()
        for (table, name), value in self.base.items():
            self._set(table, name, None, fitted(value))
        self.memory, self.steps = Memory(), []
        self.falls.clear()
        for entry in self.settled:
            self.memory.note(entry)
        for entry in entries:
            self._work_out_again(entry, decide)

    @property
    def trim_at(self) -> int | None:
        """Return when time alone lets something go, None where nothing is kept."""
        if not self.steps and not self.settled:
            return None
        return self.checkpoint_at + self.span // TRIMS + max(self.span, BACKLOG)

    def trim(self) -> None:
        """Move the checkpoint up once it lies too far back, and let go what nobody may ask for again."""
        # signals may wait somewhere while time goes on: it alone must not make them too old
        reached = max(self.heard_at - self.span, self.clock - max(self.span, BACKLOG))
        if reached < self.checkpoint_at + self.span // TRIMS:
            return
        self.checkpoint_at = reached
        self._settle_until((self.checkpoint_at, END_OF_MOMENT))
        oldest = self.checkpoint_at - int(REMEMBERED * self.span)
        gone: list[Entry] = []
        while self.settled and self.settled[0].at < oldest:
            entry = self.settled.popleft()
            gone.append(entry)
            self.posts.discard(entry.post)
            self._forget_said(entry)
            self.gone_entries.append(entry)
        self.memory.forget(gone)
        self._forget_told()

    def _settle_until(self, order: tuple[int, int]) -> None:
        cut = bisect_right(self.steps, order, key=lambda step: step.order)
        past, self.steps = self.steps[:cut], self.steps[cut:]
        for step in past:
            if step.entry is not None:
                self._settle(step.entry)
            for table, name, _, new in step.changes:
                self.base[table, name] = new
                self.changed_base.add((table, name))
        for place in self.changed_base:
            if self.base.get(place) is None:
                self.base.pop(place, None)

    def _settle(self, entry: Entry) -> None:
        self.settled.append(entry)
        outcome = entry.odds, entry.original
        if self._written.pop(entry.post, outcome) != outcome:
            self.changed_entries.append(entry)

    def _note_said(self, entry: Entry) -> None:
        for name in entry.names:
            self.said.setdefault(name, []).append(entry)

    def _forget_said(self, entry: Entry) -> None:
        for name in entry.names:
            left = [one for one in self.said.get(name, ()) if one is not entry]
            if left:
                self.said[name] = left
            else:
                self.said.pop(name, None)

    def retract(self, name: str, unless: str) -> bool:
        """Take the words from what a post, or an author, said; `start_over` takes them from all that follows."""
        entries = [entry for entry in self.said.get(name, ()) if not (unless and entry.says(unless))]
        for entry in entries:
            self._forget_said(entry)
            entry.retract()
        self.retracted += entries
        return bool(entries)

    def count_as_written(self) -> None:
        """Let go of what a table does not have yet: it is there now, or there is none."""
        self.new_entries, self.changed_entries, self.gone_entries, self.retracted = [], [], [], []
        self.changed_base = set()

    def _forget_told(self) -> None:
        """Forget what was told of incidents that no late signal can bring back."""
        alive = {incident.incident_id for incident in self.incidents.values()}
        alive |= {value.incident_id for (table, _), value in self.base.items() if table == INCIDENT}
        for name, told in list(self.told.items()):
            if told.happening.incident_id not in alive and told.at < self.checkpoint_at:
                del self.told[name]
