"""Trust watch: what the console measures trust with: the budget controller, and drift, from what was recorded."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from detectors.budget_controller import proposal_of
from detectors.drift import SPAN, drift_of
from records.trust import Drift, EtaProposal, Heard, Labelled, Spell, is_drifting
from vigie.metrics import DRIFT_INDEX, DRIFT_WARNINGS

ReadPast = Callable[[datetime, datetime], Iterable[Heard]]
"""Reads what was recorded from one moment to another."""


def heard_in(folder: Path) -> ReadPast:
    """Return what reads a recording."""

    def read(since: datetime, until: datetime) -> Iterable[Heard]:
        from vigie.recordings import Recordings  # noqa: PLC0415  needs the extra `recording`

        return Recordings(folder).heard(since, until)

    return read


class TrustWatch:
    """Asks the detectors on the console's behalf."""

    def __init__(self, read_past: ReadPast | None = None) -> None:
        """Take what reads the recording; None where nothing is recorded."""
        self._read_past = read_past

    def controlled(self, toml: str, labelled: Sequence[Labelled], days: float) -> EtaProposal:
        """Return what the budget controller proposes.

        Errors  SettingsError when the profile cannot be read, or not be changed in place
        """
        return proposal_of(toml, labelled, days)

    def drift(self, now: datetime, spells: Sequence[Spell]) -> Drift | None:
        """Return what has changed in this week's posts; None where nothing is recorded."""
        return None if self._read_past is None else drift_of(self._read_past(now - SPAN, now), now, spells)


def measure(drift: Drift | None) -> None:
    """Put drift into the metrics; what is not known has none."""
    DRIFT_INDEX.clear()
    DRIFT_WARNINGS.clear()
    if drift is None:
        return
    for one in drift.scores:
        if one.index is not None:
            DRIFT_INDEX.labels(hazard=one.hazard, score=one.score).set(one.index)
    DRIFT_WARNINGS.labels(kind="score").set(sum(is_drifting(one) for one in drift.scores))
    DRIFT_WARNINGS.labels(kind="baseline").set(sum(is_drifting(one) for one in drift.baselines))
