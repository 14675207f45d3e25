"""Watcher: what the measuring of trust needs of the detectors, which the console does not know."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from records.trust import Drift, EtaProposal, Labelled, Spell


class Watcher(Protocol):
    """Knows how a profile's budget is kept to, and what has changed in what comes in."""

    def controlled(self, toml: str, labelled: Sequence[Labelled], days: float) -> EtaProposal:
        """Return what the budget controller proposes after some days.

        Errors  SettingsError when the profile cannot be read, or not be changed in place
        """

    def drift(self, now: datetime, spells: Sequence[Spell]) -> Drift | None:
        """Return what has changed in this week's posts; None where nothing is recorded. Slow: ask in a thread."""
