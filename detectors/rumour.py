"""Rumour: what speaks for one, worked out of an incident as it stands; beside it, never instead of it.

Three signs. It spreads, and nobody of those who spread it was there or is known. What carries it is doubtful: an old
link, a text known from elsewhere, somebody who speaks as an authority and is none. An authority or an operator denies
it. None of them lowers the statistic or takes back a watch: a first witness may be relayed by hundreds, and a denial
may be wrong. What is kept back is the word "alert", by the rules of `corroboration.py`: what is doubtful corroborates
nothing, and number is no ground where more pass it on than tell it, and nobody of them was there.
"""

from collections import Counter

from detectors.moment import instant_from
from detectors.state import Incident
from records import Doubt, Rumour
from records.alert import OVER, RumourSign

SPREAD = 10
"""Posts, copies and relays together; what fewer people say has not spread yet."""


def has_spread(copies: int) -> bool:
    """Tell whether a post alone has been passed on so often that it is worth a sign on the map, whatever it says."""
    return copies >= SPREAD


def rumour_of(incident: Incident, *, is_loud: bool) -> Rumour | None:
    """Return what speaks for a rumour, None where nothing does or nobody asks any more.

    `is_loud` tells that the statistic alone would allow the word "alert".
    """
    if incident.level in OVER:
        return None
    doubts = Counter(doubt for slot in incident.slots for doubt in slot.doubts)
    signs = _signs_of(incident)
    if not signs:
        return None
    times = incident.times
    return Rumour(
        signs=signs,
        doubts=dict[Doubt, int](sorted(doubts.items())),
        relays=incident.copies,
        first_hand=incident.witnesses,
        denied_by=times.denier,
        denied_at=instant_from(times.denied) if times.denied else None,
        is_held=is_loud and incident.level in ("signal", "watch") and not incident.grounds,
    )


def _signs_of(incident: Incident) -> tuple[RumourSign, ...]:
    is_known = any(voice.tier >= 1 and not voice.is_doubtful for voice in incident.voices)
    holds: dict[RumourSign, bool] = {
        "only_relays": incident.posts + incident.copies >= SPREAD and not incident.witnesses and not is_known,
        "doubtful": 2 * incident.doubted >= incident.posts,
        "denied": bool(incident.times.denied),
    }
    return tuple(sign for sign, is_so in holds.items() if is_so)
