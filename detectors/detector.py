"""Detector: signals in, alerts out. Everything it knows between two calls stands on the shelf.

Shape   `observe` for every signal, in any order within the hazard's memory; `pass_time` for every tick; `next_due` says
        when the next tick is needed; `change_profile` has all that comes after it decided by another profile. Same
        shelf and same calls: same alerts, byte for byte
Units   event time only; there is no clock here
Errors  BrokenInvariant when the table below the shelf holds what we never wrote; nothing that a signal says raises
Source  docs/detection.md 2 and 3
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from detectors.case import Case, Watched
from detectors.counting import take
from detectors.duty import Duty
from detectors.entry import Entry, entry_from, entry_of
from detectors.identity import adopt
from detectors.incidents import moments_of, settle
from detectors.ledger import IN_FORCE, PROFILE, Ledger
from detectors.moment import EARLIEST, LATEST, instant_from, moment_from
from detectors.profile import Profile
from detectors.promotion import fitted, promoted, turn_of
from detectors.rates import Rate, rate_of
from detectors.retracting import retract, without_words
from detectors.shelf import Shelf
from detectors.state import InForce
from detectors.telling import reconcile
from detectors.verdicts import about, forgotten, note
from records import (
    Alert,
    BrokenInvariant,
    Place,
    ProfileChange,
    Retraction,
    SettingsError,
    Signal,
    Statement,
    Tick,
    Verdict,
)

__all__ = ["Detector", "Shelf"]


class Detector:
    """Watches every hazard and place of a profile, one signal at a time."""

    def __init__(
        self, profile: Profile, places: Mapping[str, Place] | None = None, duties: Sequence[Duty] = ()
    ) -> None:
        """Take a profile, what is known of the tree's wider nodes (name, population, extent), and whom to call."""
        self.profile = profile
        self._places, self._duties = places or {}, duties
        self._watched = self._watching(profile)
        self._changed: dict[ProfileChange, dict[str, Watched]] = {}

    def change_profile(self, change: ProfileChange, shelf: Shelf) -> bool:
        """Decide by another profile from here on; tell whether it is in force now: one that is older, or known, is not.

        Errors  SettingsError when it cannot be used: the one before stays
        """
        if change not in self._changed:
            self._changed[change] = self._watching(promoted(change, self.profile))
        return shelf.change_profile(change)

    def profile_in_force(self, shelf: Shelf) -> Profile:
        """Return by which profile is decided now.

        Errors  BrokenInvariant when it was kept, and cannot be used any more
        """
        return self._newest(self.profile.hazards[0], shelf).profile

    def _watching(self, profile: Profile) -> dict[str, Watched]:
        return {hazard: Watched(profile, hazard, self._places, self._duties) for hazard in profile.hazards}

    def _newest(self, hazard: str, shelf: Shelf) -> Watched:
        changes = shelf.profile_changes
        return self._said_by(changes[-1].change_id, hazard, shelf) if changes else self._watched[hazard]

    def _by(self, change: ProfileChange) -> dict[str, Watched]:
        known = self._changed.get(change)
        if known is None:
            try:
                known = self._changed[change] = self._watching(promoted(change, self.profile))
            except SettingsError as error:
                raise BrokenInvariant(
                    f"{error} [it has been in force since {change.decided_at:%Y-%m-%d %H:%M} UTC, and could be used "
                    "then: start as it was then, say `vigie profile back`, and start as now]"
                ) from error
        return known

    def _said_by(self, change_id: str, hazard: str, shelf: Shelf) -> Watched:
        """Return what is said of a hazard since a change; one that is forgotten says what the one in force says."""
        known = shelf.said.get((change_id, hazard))
        if known is None:
            known = shelf.said[change_id, hazard] = self._looked_up(change_id, shelf.profile_changes)[hazard]
        return known

    def _looked_up(self, change_id: str, changes: Sequence[ProfileChange]) -> dict[str, Watched]:
        if not change_id:
            return self._watched
        change = next((one for one in changes if one.change_id == change_id), changes[-1])
        if change is not changes[-1]:
            with suppress(BrokenInvariant):
                return self._by(change)
        return self._by(changes[-1])

    def observe(self, signal: Signal, shelf: Shelf) -> list[Alert]:
        """Take in one signal; return all revisions that it causes, in order."""
        return [alert for _, alerts in self.observe_together([signal], shelf) for alert in alerts]

    def observe_together(self, signals: Sequence[Signal], shelf: Shelf) -> Iterator[tuple[int, list[Alert]]]:
        """Take in signals of one hazard in one area in the order of their times, the late ones at once.

        Each late one would have all those after it worked out again. Yields the number of each signal, of the late ones
        the last one's, with the revisions that it causes. What was yielded stands, whatever is raised afterwards.
        """
        first = signals[0]
        watched = self._watched.get(first.hazard)
        if watched is None:
            return
        profile = self._newest(first.hazard, shelf).profile
        numbers: dict[int, int] = {}
        entries: list[Entry] = []
        for number, signal in enumerate(signals):
            at = moment_from(min(signal.event_time, signal.received_at))
            if not EARLIEST <= at < LATEST:
                continue
            entry = entry_from(signal, at, population=profile.population_of(signal.place), weights=profile.weights)
            if numbers.setdefault(entry.post, number) == number:
                entries.append(entry)
        case = self._case(first.key, first.place.area, watched, shelf)
        entries = sorted((one for one in entries if not case.ledger.is_known(one)), key=lambda one: one.order)
        late = [one for one in entries if case.ledger.is_late(one)]
        for together in (late, *([one] for one in entries[len(late) :])):
            if together:
                yield numbers[together[-1].post], self._hear(together, first.key, case, shelf)

    def heed(self, statement: Statement, shelf: Shelf) -> list[Alert]:
        """Take in what a person decided or an authority states; return all revisions that it causes."""
        watched, at = self._watched.get(statement.hazard), moment_from(statement.at)
        if watched is None or not EARLIEST <= at < LATEST:
            return []
        case = self._case(statement.key, statement.area, watched, shelf)
        said = statement.said
        if not isinstance(said, Verdict):
            return self._hear_one(entry_of(statement, at), statement.key, case, shelf)
        at = max(at, case.ledger.checkpoint_at + 1)  # what people decide is never too old
        return self._hear_one(entry_of(statement, at, about=about(case, said)), statement.key, case, shelf)

    def _hear_one(self, entry: Entry, key: str, case: Case, shelf: Shelf) -> list[Alert]:
        return [] if case.ledger.is_known(entry) else self._hear([entry], key, case, shelf)

    def _hear(self, entries: Sequence[Entry], key: str, case: Case, shelf: Shelf) -> list[Alert]:
        """Take in what nobody has heard yet, in its order; return the revisions that it causes."""
        with _all_or_nothing(case, entries):
            for entry in entries:
                if entry.about and isinstance(entry.statement, Verdict):
                    note(case, entry.statement)
            self._add(case, entries)
            self._close_call(case, key, shelf, case.ledger.falls.bound(moments_of(case)))
        alerts, case.alerts, case.passed = case.alerts, [], {}
        return alerts

    def pass_time(self, tick: Tick, shelf: Shelf) -> list[Alert]:
        """Let time pass for one hazard and area; return the revisions that are due, stamped when they were due."""
        watched = self._watched.get(tick.hazard)
        if watched is None:
            return []
        case = self._case(tick.key, tick.area, watched, shelf)
        with _all_or_nothing(case):
            case.ledger.clock = max(case.ledger.clock, moment_from(tick.at))
            settle(case, case.ledger.clock)
            first = case.ledger.falls.first(moments_of(case))
            self._close_call(case, tick.key, shelf, first[0] if first is not None else None)
        return case.alerts

    def retract(self, retraction: Retraction, shelf: Shelf) -> list[Alert]:
        """Take the words of a post, or of an author, from all that is kept; return a revision where they were shown."""
        if retraction.told is not None:
            return self._retract_told(retraction, retraction.told, shelf)
        alerts: list[Alert] = []
        name = retraction.name
        for key in shelf.holders(name) if name else ():
            hazard, _, area = key.partition("/")
            watched = self._watched.get(hazard)
            if watched is None:
                continue
            case = self._case(key, area, watched, shelf)
            if retract(case, name, retraction.unless):
                _work_out(case)
                alerts += case.alerts
        return alerts

    def _retract_told(self, retraction: Retraction, told: Alert, shelf: Shelf) -> list[Alert]:
        """Return the next revision of an incident that is forgotten here; of one that is not, it was told before."""
        watched = self._watched.get(told.state_hazard)  # None: the profile has it no more, and no state knows of it
        if watched and told.incident_id in self._ledger(retraction.key, told.area, watched, shelf).told:
            return []
        return [without_words(told, retraction.name, retraction.unless)]

    def rates(self, shelf: Shelf, at: datetime) -> Iterator[Rate]:
        """Yield, of the ledgers in use, how many posts came in the hour before a moment, and how many are usual."""
        for key, ledger in shelf.in_use():
            hazard, _, area = key.partition("/")
            watched = self._watched.get(hazard)
            if watched is not None:
                yield rate_of(self._on(ledger, area, watched, shelf), moment_from(at))

    def next_due(self, key: str, shelf: Shelf) -> datetime | None:
        """Return when `<hazard>/<area>` needs its next tick; None while nothing waits there."""
        due_at = shelf.due_at(key)
        return None if due_at is None else instant_from(due_at)

    def _case(self, key: str, area: str, usual: Watched, shelf: Shelf) -> Case:
        """Return a ledger as it is to be asked now: by the profile in force, from after what was heard so far."""
        ledger, changes = self._ledger(key, area, usual, shelf), shelf.profile_changes
        case = self._on(ledger, area, usual, shelf)
        if changes and ledger.change_id != changes[-1].change_id:
            if not ledger.change_ids <= {"", *(one.change_id for one in changes)}:
                _work_out(case)  # as after a restart: nobody knows any more what was in force then
                case.telling = "at once"
            entry = turn_of(ledger, changes[-1].change_id)
            if entry is None:
                ledger.begin_by(changes[-1].change_id)
            else:
                ledger.add([entry], _taking(case))
            ledger.span = case.watched.memory
        return case

    def _on(self, ledger: Ledger, area: str, usual: Watched, shelf: Shelf) -> Case:
        if not shelf.profile_changes:
            return Case(ledger, area, usual)
        return Case(ledger, area, usual, by=lambda change_id: self._said_by(change_id, usual.name, shelf))

    def _ledger(self, key: str, area: str, usual: Watched, shelf: Shelf) -> Ledger:
        return shelf.ledger(
            key,
            span=self._newest(usual.name, shelf).memory,
            work_out=lambda ledger: _work_out(self._on(ledger, area, usual, shelf)),
        )

    def _add(self, case: Case, entries: Sequence[Entry]) -> None:
        ledger = case.ledger
        is_late = ledger.is_late(entries[0])
        case.telling = "later" if is_late else "at once"
        ledger.add(entries, _taking(case))
        settle(case, ledger.clock)
        if is_late:
            adopt(case)
            for verdict in forgotten(case):
                ledger.add([verdict], _taking(case))
            reconcile(case, ledger.clock)

    def _close_call(self, case: Case, key: str, shelf: Shelf, falls_at: int | None) -> None:
        ledger = case.ledger
        ledger.trim()
        due = [ledger.trim_at] if ledger.trim_at is not None else []
        if falls_at is not None:
            due.append(max(falls_at, ledger.next_at))
        shelf.note_due(key, min(due, default=None))


def _taking(case: Case) -> Callable[[Entry], None]:
    return lambda entry: take(case, entry)


@contextmanager
def _all_or_nothing(case: Case, entries: Sequence[Entry] = ()) -> Iterator[None]:
    """Leave the ledger as it was, without new entries, where something in it raises, whatever that had changed."""
    ledger = case.ledger
    told, clock, heard_at = dict(ledger.told), ledger.clock, ledger.heard_at
    try:
        yield
    except BaseException:
        ledger.told, ledger.clock, ledger.heard_at = told, clock, heard_at
        ledger.leave_out(entries)
        case.alerts, case.passed = [], {}
        _work_out(case)
        raise


def _work_out(case: Case) -> None:
    """Work a ledger out from its checkpoint, telling nobody: that was done."""
    case.telling = "none"
    settled = case.ledger.base.get((PROFILE, IN_FORCE))
    by = case.by(settled.change_id) if case.by and isinstance(settled, InForce) else case.usual
    rates = len(by.rates.per_minute)
    case.ledger.start_over(_taking(case), lambda value: fitted(value, rates))
    settle(case, case.ledger.clock)
