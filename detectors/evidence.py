"""Evidence: how much one post may weigh, by what is known of its author.

Source  docs/detection.md 2.1. Clipping and discounting only ever lower the statistic, so its promise holds.
"""

from typing import Annotated

import msgspec

from records import Signal

Weight = Annotated[float, msgspec.Meta(ge=0.01, le=100)]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much likelier than in its absence posts of an incident have a picture, a geotag, an author of a tier.

    Each is a ratio of two shares, measured among signals; 1 as long as nobody has measured it.
    """

    image: Weight = 1.0
    geotag: Weight = 1.0
    account: tuple[Weight, Weight, Weight] = (1.0, 1.0, 1.0)  # unknown, established, trusted


CLIPS = (20.0, 200.0, 500.0)
"""The most that one post of an unknown, an established and a trusted author may weigh."""

STRONG_RATIO = 3.0
"""A post says a lot from here on, ..."""
STRONG_FIRST_HAND_RATIO = 1.5
"""... and one of somebody who was there from here on: witnesses ask and swear rather than report."""

FIRST_HAND_PROBABILITY = 0.5


def tier_of(signal: Signal) -> int:
    """Return the author's tier; who does not say who he is, is unknown."""
    if not signal.author_id:
        return 0
    return min(max(signal.author_tier, 0), len(CLIPS) - 1)


def likelihood_ratio_of(signal: Signal, weights: Weights) -> float:
    """Return the likelihood ratio after the profile's weights and the clip of the author's tier; 0 if it is no number.

    Where the place is wrong the post says nothing about this one: its ratio is mixed with 1, by how sure the place is.
    """
    tier = tier_of(signal)
    ratio = signal.likelihood_ratio * weights.account[tier]
    if signal.has_image:
        ratio *= weights.image
    if signal.place.source == "geotag":
        ratio *= weights.geotag
    if not ratio >= 0.0:  # also true of not-a-number
        return 0.0
    clipped = min(ratio, CLIPS[tier])
    return 1.0 + signal.place.confidence * (clipped - 1.0) if clipped > 1.0 else clipped


def is_first_hand(signal: Signal) -> bool:
    """Tell whether the author more likely than not saw it himself."""
    return signal.witness_probability >= FIRST_HAND_PROBABILITY
