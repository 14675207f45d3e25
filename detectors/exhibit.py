"""Exhibit: the few posts and places that are shown of all that counted.

The first post always stays, then the strongest ones. Every post that counted has its own author and content, so
what is shown is diverse by itself.
"""

from msgspec.structs import replace

from detectors.entry import Entry
from detectors.state import Slot, Vote
from detectors.tree import fineness
from records import Place

MOST_SLOTS = 8
MOST_PLACES = 12


def slot_from(entry: Entry, odds: float, copies: int) -> Slot | None:
    """Return what is kept of a counted post in order to show it; None where it said nothing of weight."""
    said = entry.said
    if said is None:
        return None
    return Slot(
        post=entry.post,
        event_at=entry.at,
        odds=odds,
        likelihood_ratio=entry.ratio,
        post_key=said.post_key,
        author_id=said.author_id,
        is_first_hand=said.is_first_hand,
        platform=said.platform,
        tier=said.tier,
        has_image=said.has_image,
        url=said.url,
        text=said.text,
        copies=copies,
        is_removed=said.is_removed,
        doubts=said.doubts,
    )


def shown_with(slots: tuple[Slot, ...], slot: Slot) -> tuple[Slot, ...]:
    """Return what is shown once a post was considered: the first, and the strongest of the others."""
    if len(slots) < MOST_SLOTS:
        return (*slots, slot)
    weakest = min(range(1, MOST_SLOTS), key=lambda index: slots[index].odds)
    if slot.odds <= slots[weakest].odds:
        return slots
    return (*slots[:weakest], *slots[weakest + 1 :], slot)


def copied_once_more(slots: tuple[Slot, ...], post: int) -> tuple[Slot, ...]:
    """Return what is shown, a copy of one of the posts noted."""
    return tuple(replace(slot, copies=slot.copies + 1) if slot.post == post else slot for slot in slots)


def voted(votes: tuple[Vote, ...], place: Place) -> tuple[Vote, ...]:
    """Return the votes with one more for a place; a thirteenth place is not kept."""
    for index, vote in enumerate(votes):
        if vote.place.place_id == place.place_id:
            return (*votes[:index], Vote(vote.place, vote.posts + 1), *votes[index + 1 :])
    return votes if len(votes) >= MOST_PLACES else (*votes, Vote(place, 1))


def place_to_show(votes: tuple[Vote, ...], shown: int) -> int:
    """Return the position of the place to show: the finest that two posts name, else the one shown now."""
    rank = fineness(votes[shown].place), -votes[shown].posts
    for index, vote in enumerate(votes):
        if vote.posts > 1 and (fineness(vote.place), -vote.posts) < rank:
            shown, rank = index, (fineness(vote.place), -vote.posts)
    return shown
