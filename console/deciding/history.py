"""History: revisions of an incident and people's decisions on it, in one order, the newest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from console.archive.dossier import Decided, Recorded
from console.deciding.differences import Difference, differences
from records import Alert


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that became known, or was decided."""

    at: datetime  # by our clock, as we came to know it
    sequence: int  # in the order of all changes, where two came at the same moment
    revision: Alert | None = None
    differences: tuple[Difference, ...] = field(default=())
    decided: Decided | None = None


def history(revisions: Iterable[Recorded], decisions: Iterable[Decided]) -> tuple[Line, ...]:
    """Return what happened, the newest first."""
    lines = [Line(at=one.recorded_at, sequence=one.sequence, decided=one) for one in decisions]
    lines += _told(sorted(revisions, key=lambda one: one.alert.revision))
    return tuple(sorted(lines, key=lambda line: (line.at, line.sequence), reverse=True))


def newest_of(decisions: Iterable[Decided]) -> int:
    """Return the number of the last decision that came; 0 before the first."""
    return max((one.sequence for one in decisions), default=0)


def decided_since(decisions: Iterable[Decided], known: int, *, by: str) -> tuple[Decided, ...]:
    """Return what others have decided since somebody knew of a decision; a note decides nothing."""
    new = (one for one in decisions if one.sequence > known)
    return tuple(one for one in new if one.verdict.decided_by != by and one.verdict.decision != "note")


def _told(revisions: Iterable[Recorded]) -> Iterator[Line]:
    before: Alert | None = None
    for one in revisions:
        yield Line(
            at=one.recorded_at, sequence=one.sequence, revision=one.alert, differences=differences(before, one.alert)
        )
        before = one.alert
