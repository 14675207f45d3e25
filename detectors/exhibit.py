"""Exhibit: the few posts and places that are shown of all that counted.

The first post always stays, then the strongest ones. Every post that counted has its own author and content, so
what is shown is diverse by itself.
"""

from collections.abc import Sequence

from detectors.evidence import is_first_hand, tier_of
from detectors.node import fineness
from detectors.state import Exhibit, Folds, Incident, Slot
from records import Place, Signal

MOST_SLOTS = 8
MOST_PLACES = 4
MOST_TEXT = 280
MOST_URL = 500


def slot_from(signal: Signal, *, at: int, event_at: int, odds: float, ratio: float, names: list[str]) -> Slot:
    """Return what is kept of a counted post in order to show it."""
    url = signal.url if signal.url and len(signal.url) <= MOST_URL else None
    return Slot(
        post_key=signal.post_key,
        event_at=event_at,
        counted_at=at,
        odds=odds,
        likelihood_ratio=ratio,
        author_id=signal.author_id[:128],
        names=names,
        fingerprint=signal.fingerprint,
        is_first_hand=is_first_hand(signal),
        platform=platform_of(signal),
        tier=tier_of(signal),
        has_image=signal.has_image,
        url=url,
        text=signal.text[:MOST_TEXT],
    )


def platform_of(signal: Signal) -> str:
    """Return where it was published, as far as is known."""
    return (signal.platform or signal.source)[:64]


def show(exhibit: Exhibit, slot: Slot) -> bool:
    """Show a post if it is stronger than what is shown; tell whether anything changed."""
    if len(exhibit.slots) < MOST_SLOTS:
        exhibit.slots.append(slot)
        return True
    weakest = min(range(1, MOST_SLOTS), key=lambda index: exhibit.slots[index].odds)
    if slot.odds <= exhibit.slots[weakest].odds:
        return False
    del exhibit.slots[weakest]
    exhibit.slots.append(slot)
    return True


def show_since(exhibit: Exhibit, folds: Folds | None, since: int) -> None:
    """Take down what counted before a moment, and count the copies of what is left only."""
    exhibit.slots = [slot for slot in exhibit.slots if slot.counted_at >= since]
    if folds is not None:
        shown = {slot.post_key for slot in exhibit.slots}
        folds.by_post = {key: copies for key, copies in folds.by_post.items() if key in shown}
        folds.total = sum(folds.by_post.values())


def original_of(exhibit: Exhibit, names: Sequence[str], near: Sequence[int]) -> Slot | None:
    """Return the shown post that a copy copies, None where it is not among those shown.

    Its content says so first, then its author; `near` are positions of slots with nearly its text.
    """
    wanted = set(names)
    for index, slot in enumerate(exhibit.slots):
        if index in near or wanted.intersection(slot.names[1:]):
            return slot
    return next((slot for slot in exhibit.slots if slot.names[0] in wanted), None)


def vote(exhibit: Exhibit, votes: list[int], place: Place) -> bool:
    """Count a post for the place it names; tell whether the exhibit changed."""
    for index, known in enumerate(exhibit.places):
        if known.place_id == place.place_id:
            votes.extend([0] * (index + 1 - len(votes)))
            votes[index] += 1
            return False
    if len(exhibit.places) >= MOST_PLACES:
        return False
    exhibit.places.append(place)
    votes.extend([0] * (len(exhibit.places) - len(votes)))
    votes[len(exhibit.places) - 1] += 1
    return True


def place_to_show(exhibit: Exhibit, incident: Incident) -> int:
    """Return the position of the place to show: the finest that two posts name, else the one shown now."""
    shown = incident.shown_place
    for index, votes in enumerate(incident.votes):
        place, current = exhibit.places[index], exhibit.places[shown]
        finer = fineness(place) - fineness(current)
        if votes > 1 and (finer < 0 or (finer == 0 and votes > incident.votes[shown])):
            shown = index
    return shown
