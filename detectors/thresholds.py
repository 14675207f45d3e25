"""Thresholds: how high the statistic must stand for each level, from the budget of false ones and nothing else.

Units   thresholds in minutes of the statistic, budgets in false ones a week over everything watched
Source  docs/detection.md 2.4
"""

from dataclasses import dataclass

MINUTES_PER_WEEK = 10_080.0


@dataclass(frozen=True)
class Budget:
    """False watches and false alerts a week that one place and hazard may cost: its part of the whole budget."""

    watches: float
    alerts: float


@dataclass(frozen=True)
class Thresholds:
    """The statistic's levels for one place and hazard."""

    watch: float
    alert: float

    def lowered(self, factor: float) -> "Thresholds":
        """Return the levels for a time at which incidents are so many times likelier than usual."""
        return self if factor == 1.0 else Thresholds(self.watch / factor, self.alert / factor)

    @property
    def close(self) -> float:
        """Below this an incident may be resolved: well under what opened it, so that it does not flap."""
        return self.watch / 10.0

    @property
    def ceiling(self) -> float:
        """No part of the statistic rises above this, so that it can fall again."""
        return 1000.0 * self.alert


def thresholds_for(budget: Budget, *, eta: float) -> Thresholds:
    """Return the thresholds that spend a budget; `eta` is by how much false ones were rarer than promised."""
    return Thresholds(watch=MINUTES_PER_WEEK / (budget.watches * eta), alert=MINUTES_PER_WEEK / (budget.alerts * eta))
