"""Detector: signals in, alerts out. Everything it knows between two calls stands on the shelf.

Shape   `observe` for every signal, in any order within the hazard's memory; `pass_time` for every tick; `next_due` says
        when the next tick is needed. Same shelf and same calls: same alerts, byte for byte
Units   event time only; there is no clock here
Errors  BrokenInvariant when the table below the shelf holds what we never wrote; nothing that a signal says raises
Source  docs/detection.md 2 and 3
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace

from detectors.case import Case, Watched
from detectors.counting import take
from detectors.duty import Duty
from detectors.entry import Entry, entry_from, entry_of
from detectors.identity import adopt
from detectors.incidents import earliest_fall, next_fall, settle
from detectors.ledger import Ledger
from detectors.moment import EARLIEST, LATEST, instant_from, moment_from
from detectors.profile import Profile
from detectors.retracting import retract, without_words
from detectors.shelf import Shelf
from detectors.state import Incident, Node
from detectors.statistic import mixture
from detectors.telling import reconcile
from detectors.verdicts import about, forgotten, note
from records import Alert, Place, Retraction, Signal, Statement, Tick, Verdict

__all__ = ["Detector", "Shelf"]


class Detector:
    """Watches every hazard and place of a profile, one signal at a time."""

    def __init__(
        self, profile: Profile, places: Mapping[str, Place] | None = None, duties: Sequence[Duty] = ()
    ) -> None:
        """Take a profile, what is known of the tree's wider nodes (name, population, extent), and whom to call."""
        self.profile = profile
        self._watched: dict[str, Watched] = {
            hazard: Watched(profile, hazard, places or {}, duties) for hazard in profile.hazards
        }

    def observe(self, signal: Signal, shelf: Shelf) -> list[Alert]:
        """Take in one signal; return all revisions that it causes, in order."""
        watched = self._watched.get(signal.hazard)
        at = moment_from(min(signal.event_time, signal.received_at))
        if watched is None or not EARLIEST <= at < LATEST:
            return []
        entry = entry_from(
            signal, at, population=self.profile.population_of(signal.place), weights=self.profile.weights
        )
        case = Case(self._ledger(signal.key, signal.place.area, watched, shelf), signal.place.area, watched)
        return self._hear(entry, signal.key, case, shelf)

    def heed(self, statement: Statement, shelf: Shelf) -> list[Alert]:
        """Take in what a person decided or an authority states; return all revisions that it causes."""
        watched, at = self._watched.get(statement.hazard), moment_from(statement.at)
        if watched is None or not EARLIEST <= at < LATEST:
            return []
        case = Case(self._ledger(statement.key, statement.area, watched, shelf), statement.area, watched)
        said = statement.said
        if not isinstance(said, Verdict):
            return self._hear(entry_of(statement, at), statement.key, case, shelf)
        at = max(at, case.ledger.checkpoint_at + 1)  # what people decide is never too old
        return self._hear(entry_of(statement, at, about=about(case, said)), statement.key, case, shelf)

    def _hear(self, entry: Entry, key: str, case: Case, shelf: Shelf) -> list[Alert]:
        ledger = case.ledger
        if ledger.is_known(entry):
            return []
        with _all_or_nothing(case):
            if entry.about and isinstance(entry.statement, Verdict):
                note(case, entry.statement)
            self._add(case, entry)
            due = [earliest_fall(case, node) for node in ledger.incidents]
            self._close_call(case, key, shelf, due)
        return case.alerts

    def pass_time(self, tick: Tick, shelf: Shelf) -> list[Alert]:
        """Let time pass for one hazard and area; return the revisions that are due, stamped when they were due."""
        watched = self._watched.get(tick.hazard)
        if watched is None:
            return []
        case = Case(self._ledger(tick.key, tick.area, watched, shelf), tick.area, watched)
        with _all_or_nothing(case):
            case.ledger.clock = max(case.ledger.clock, moment_from(tick.at))
            settle(case, case.ledger.clock)
            due = [next_fall(case, incident) for incident in case.ledger.incidents.values()]
            self._close_call(case, tick.key, shelf, due)
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
            case = Case(self._ledger(key, area, watched, shelf), area, watched)
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

    def next_due(self, key: str, shelf: Shelf) -> datetime | None:
        """Return when `<hazard>/<area>` needs its next tick; None while nothing waits there."""
        due_at = shelf.due_at(key)
        return None if due_at is None else instant_from(due_at)

    def _ledger(self, key: str, area: str, watched: Watched, shelf: Shelf) -> Ledger:
        return shelf.ledger(key, span=watched.memory, work_out=lambda ledger: _work_out(Case(ledger, area, watched)))

    def _add(self, case: Case, entry: Entry) -> None:
        ledger = case.ledger
        is_late = ledger.is_late(entry)
        case.telling = "later" if is_late else "at once"
        ledger.add(entry, _taking(case))
        settle(case, ledger.clock)
        if is_late:
            adopt(case)
            for verdict in forgotten(case):
                ledger.add(verdict, _taking(case))
            reconcile(case, ledger.clock)

    def _close_call(self, case: Case, key: str, shelf: Shelf, due: list[int]) -> None:
        ledger = case.ledger
        ledger.trim()
        due = [max(moment, ledger.next_at) for moment in due]
        if ledger.trim_at is not None:
            due.append(ledger.trim_at)
        shelf.note_due(key, min(due, default=None))


def _taking(case: Case) -> Callable[[Entry], None]:
    return lambda entry: take(case, entry)


@contextmanager
def _all_or_nothing(case: Case) -> Iterator[None]:
    """Leave the ledger as it was where something in it raises, whatever that had changed."""
    told = dict(case.ledger.told)
    try:
        yield
    except BaseException:
        case.ledger.told = told
        _work_out(case)
        raise


def _work_out(case: Case) -> None:
    """Work a ledger out from its checkpoint, telling nobody: that was done."""
    case.telling = "none"
    _fit(case.ledger, len(case.watched.rates.per_minute))
    case.ledger.start_over(_taking(case))
    settle(case, case.ledger.clock)


def _fit(ledger: Ledger, rates: int) -> None:
    """Make what was kept fit a profile that assumes another number of rates."""
    for place, value in list(ledger.base.items()):
        if isinstance(value, Incident) and len(value.values) != rates:
            believed = value.belief and replace(value.belief, values=[mixture(value.belief.values)] * rates)
            values = [mixture(value.values)] * rates
            ledger.base[place] = replace(value, values=values, fresh=[], belief=believed)
        elif isinstance(value, Node) and value.stat is not None and len(value.stat.values) != rates:
            ledger.base[place] = replace(value, stat=None)
