"""Tuner: what the bench needs of the detectors, which the console does not know: whoever starts it hands one in."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from records import VigieError
from records.profile_setting import ProfileProblem, ProfileSetting
from records.trial import Trial, TrialAsked, TrialProgress


class TrialRefused(VigieError):
    """A trial came to no end; its words say why."""


class Offered(NamedTuple):
    """A scenario that a candidate may be tried on."""

    name: str
    label: dict[str, str]  # by language
    summary: dict[str, str]
    days: float


class Recorded(NamedTuple):
    """From when until when there is a recording."""

    since: datetime
    until: datetime


class Tuner(Protocol):
    """Knows what may be set in a profile, and tries one."""

    def settings(self) -> Sequence[ProfileSetting]:
        """Return every setting, with its bounds."""

    def problems(self, toml: str) -> Sequence[ProfileProblem]:
        """Return all that is wrong with a profile's text; none: it can be used here."""

    def scenarios(self) -> Sequence[Offered]:
        """Return the scenarios that there are. Slow: ask in a thread."""

    def recorded(self) -> Recorded | None:
        """Return how far back the recording reaches, None where there is none. Slow: ask in a thread."""

    async def run(self, asked: TrialAsked, on_progress: Callable[[TrialProgress], None]) -> Trial:
        """Try a candidate, and say how far it is; cancelled, it is stopped at once.

        Errors  TrialRefused when it comes to no end
        """
