"""PostReading: what a post says, as the hazard model read it; and who reads posts so."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from records.signal import Actuality, Probability

PublicHazard = Literal["fire", "flood", "industrial", "none"]


class PostReading(msgspec.Struct, frozen=True, kw_only=True):
    """One post, read.

    Shape   `hazards`, `likelihood_ratios` and `class_shares` have the same four keys: fire, flood, industrial, other
    Units   calibrated probabilities, 0 to 1, rounded to 6 decimals; hazards do not exclude each other.
            Ratios 0.001 to 1000: above 1 the post is evidence that the hazard is happening now, 1 says nothing.
            They are p/(1-p) * (1-share)/share, with the class share among the posts that p was calibrated on
    """

    language: str | None  # ISO 639-1; None where the text is too short or too mixed to tell
    hazards: dict[str, Probability]  # speaks of a real incident, present or just finished
    hazard: PublicHazard  # the likeliest of the three over its working threshold
    witness: Probability  # the author sees, hears, smells, feels or lives the incident
    actuality: Actuality
    likelihood_ratios: dict[str, float]  # for "it is happening now": falls for past, exercise, figurative, forecast
    class_shares: dict[str, Probability]  # of posts about the hazard, now, where the model was calibrated
    is_degraded: bool = False  # neither French nor English, as far as can be told: only the sentence vectors carry
    version: str = ""  # of the model that read it


class Reader(Protocol):
    """Reads posts: hazard, witness, actuality."""

    @property
    def version(self) -> str:
        """What signals name it by."""

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Return one reading a text, in the same order."""
