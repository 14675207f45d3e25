"""Corroboration: may the word "alert" be used? Only on independent voices; the watch never waits for this.

Source  docs/detection.md 2.8; the ladder for unknown accounts is ours, its reasons are in the README
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from detectors.evidence import STRONG_FIRST_HAND_RATIO, STRONG_RATIO
from detectors.moment import MINUTE
from detectors.statistic import Rates, mixture, risen, without


class Voice(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One counted post, as far as independence asks. Counted posts never share an author or a content."""

    at: int
    odds: float  # likelihood ratio over background
    likelihood_ratio: float
    tier: int
    platform: str
    is_first_hand: bool
    has_image: bool
    is_named: bool  # somebody signs for it
    is_doubtful: bool = False  # something speaks against it: it may raise a watch, and corroborates nothing

    @property
    def is_strong(self) -> bool:
        """Tell whether it says a lot."""
        return self.likelihood_ratio >= (STRONG_FIRST_HAND_RATIO if self.is_first_hand else STRONG_RATIO)


Voices = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many unknown first-hand witnesses it takes, by what else supports them; or how many people of any kind."""

    hearsay: Voices = 3  # independent posts that say a lot, none of them first-hand or of a known author, for a watch
    witnesses_alone: Voices = 12
    witnesses_with_support: Voices = 4  # one of: a second platform, a picture
    witnesses_with_strong_support: Voices = 3  # both
    spread_minutes: Annotated[float, msgspec.Meta(ge=0, le=1440)] = 3.0  # between the first and the last of them
    authors_alone: Voices = 40  # independent posts of one incident that say a lot, first-hand or not


def is_credible(voices: Sequence[Voice], gate: Gate) -> bool:
    """Tell whether these voices are worth a watch: somebody says a lot who was there or is known, or several do.

    Posts that say a little each, such as two metaphors within an hour, are no first witness; nor is hearsay alone.
    """
    strong = [voice for voice in voices if voice.is_strong]
    return any(voice.is_first_hand or voice.tier >= 1 for voice in strong) or len(strong) >= gate.hearsay


class Tally(NamedTuple):
    """What an incident has had so far."""

    strong: int = 0  # independent, undoubted posts that say a lot
    witnesses: int = 0  # undoubted posts of people who were there
    relays: int = 0  # copies and relays of its posts

    @property
    def is_only_relayed(self) -> bool:
        """Tell whether it is passed on more than it is told, and nobody of all these was there."""
        return self.relays >= self.strong and not self.witnesses


NONE_YET = Tally()


def grounds_for(voices: Sequence[Voice], gate: Gate, tally: Tally = NONE_YET) -> str | None:
    """Return why these voices, the latest, corroborate each other, as a code for the explanation, or None."""
    named = [voice for voice in voices if voice.is_strong and voice.is_named and not voice.is_doubtful]
    established = [voice for voice in named if voice.tier >= 1]
    if len(established) > 1:
        return "established"
    if len(named) > 1 and any(voice.tier > 1 for voice in named):
        return "trusted"
    if _is_crowd(named, gate=gate):
        return "crowd"
    is_many = tally.strong >= gate.authors_alone and not tally.is_only_relayed
    return "many" if is_many else None


def without_strongest(values: list[float], voices: Sequence[Voice], rates: Rates) -> float:
    """Return the least that R would be, had the strongest of these posts not been written.

    From R itself that follows as long as it lies below its ceiling; from the latest posts alone, however high it stood.
    """
    strongest = max(voices, key=lambda voice: voice.odds)
    left = sorted((voice.at, voice.odds) for voice in voices if voice is not strongest)
    until = max(voice.at for voice in voices)
    return max(without(values, strongest.odds, rates), mixture(risen(left, rates, until=until)))


def _is_crowd(strong: Sequence[Voice], *, gate: Gate) -> bool:
    witnesses = [voice for voice in strong if voice.tier == 0 and voice.is_first_hand]
    if not witnesses or witnesses[-1].at - witnesses[0].at < gate.spread_minutes * MINUTE:
        return False
    is_on_two = len({voice.platform for voice in witnesses if voice.platform}) > 1
    support = is_on_two + any(voice.has_image for voice in witnesses)
    needed = (gate.witnesses_alone, gate.witnesses_with_support, gate.witnesses_with_strong_support)
    return len(witnesses) >= needed[support]
