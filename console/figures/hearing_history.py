"""Hearing history: when each source was not listened to, from the states that it told and the minutes it was not read.

Shape   states and gaps of a span in, for each source its stretches, gaps last: they stand over the states. What lies
        within a stretch in which it was not read anyway is not told twice
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from console.archive.dossier import SourceChange
from console.archive.unheard import Gap
from records.source_status import STALE

Kind = Literal["listening", "unsure", "blind", "off", "stale", "unread", "unknown"]
"""`stale`: nobody renewed what it said; `unread`: not read, whatever it said; `unknown`: nothing was told of it yet."""
SHUT = frozenset({"blind", "off", "stale"})


@dataclass(frozen=True)
class Stretch:
    """A source was in one state, from one moment until another."""

    kind: Kind
    since: datetime
    until: datetime
    why: str = ""


def history(
    changes: Iterable[SourceChange],
    gaps: Iterable[Gap],
    told_at: Mapping[str, datetime],
    since: datetime,
    until: datetime,
) -> Mapping[str, Sequence[Stretch]]:
    """Return what each source was in a span; `told_at` is when each told its state for the last time."""
    states: dict[str, list[SourceChange]] = {}
    for change in changes:
        states.setdefault(change.source, []).append(change)
    found = {
        source: _as_told(_stretches(of_source, since, until), told_at.get(source, until), until)
        for source, of_source in states.items()
    }
    for gap in gaps:
        stretches = found.setdefault(gap.source, [Stretch("unknown", since, until)])
        if not any(one.kind in SHUT and one.since <= gap.since and gap.until <= one.until for one in stretches):
            stretches.append(Stretch("unread", max(gap.since, since), gap.until))
    return dict(sorted(found.items()))


def _stretches(changes: list[SourceChange], since: datetime, until: datetime) -> list[Stretch]:
    ordered = sorted(changes, key=lambda one: one.since)
    ends = [*(one.since for one in ordered[1:]), until]
    found = [Stretch("unknown", since, ordered[0].since)] if ordered[0].since > since else []
    for change, end in zip(ordered, ends, strict=True):
        if end > since:
            found.append(Stretch(_kind(change.state), max(change.since, since), end, change.why))
    return found


def _as_told(stretches: list[Stretch], told_at: datetime, until: datetime) -> list[Stretch]:
    """Return stretches as far as somebody stood for them: what was not renewed for long is not so any more."""
    if not stretches or stretches[-1].kind == "off" or until - told_at <= STALE:
        return stretches
    lost = max(told_at, stretches[0].since)
    before = [replace(one, until=min(one.until, lost)) for one in stretches if one.since < lost]
    return [*before, Stretch("stale", lost, until)]


def _kind(state: str) -> Kind:
    kinds: dict[str, Kind] = {"listening": "listening", "unsure": "unsure", "blind": "blind", "off": "off"}
    return kinds.get(state, "unknown")


def unheard_of(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return the stretches in which a source was not listened to, or may not have been, the newest first."""
    return sorted((one for one in stretches if one.kind not in ("listening", "unknown")), key=lambda one: one.since)[
        ::-1
    ]
