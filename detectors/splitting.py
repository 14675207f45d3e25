"""Splitting: posts that a person takes out of an incident make one of their own; taken back, they return.

The new one is a watch on that person's word. It stands beside the tree, at a node that no post names: so nothing comes
in by itself, nor does it go back.

Shape   an incident in; the incident and what was made of its posts, or closed again, out
Source  docs/detection.md 3.4
"""

from collections.abc import Sequence
from itertools import chain
from math import prod

from msgspec.structs import replace

from detectors.case import Case
from detectors.context import with_authorities
from detectors.correction import place_of_posts
from detectors.corroboration import Voice, grounds_for
from detectors.crisis_clock import Times, counted
from detectors.entry import Entry
from detectors.exhibit import place_to_show, shown_with, slot_from, voted
from detectors.identity import incident_id_from
from detectors.incidents import MOST_VOICES, close
from detectors.ledger import REMEMBERED
from detectors.lifecycle import pace_after
from detectors.moment import MINUTE
from detectors.ruling import in_order
from detectors.state import APART, Incident, Part, Parted, Slot, Vote
from detectors.statistic import decayed, raised
from records import Verdict


def split(case: Case, incident: Incident, verdict: Verdict, at: int) -> tuple[Incident, ...]:
    """Return an incident without some of its posts, and the one that they make; itself where nothing would be left."""
    entries = _remembered(case, incident, at)
    gone = _named(case, incident, entries, frozenset(verdict.post_keys))
    if not incident.is_open or not gone or len(gone) >= incident.posts:
        return (incident,)
    named = {entry.post: entry.said.place for entry in entries if entry.said is not None}
    shown = place_of_posts(incident)
    places = tuple(named.get(slot.post, shown) for slot in gone)
    node = f"{incident.ground}{APART}{_name_of(case, verdict)}"
    parted = Parted(verdict.identity, node, gone, places, shown.place_id)
    left = replace(
        _without(case, incident, parted),
        parted=(*incident.parted, parted),
        decisions=in_order((*incident.decisions, verdict)),
    )
    made = _made_of(case, incident, parted, verdict, at)
    return _refilled(case, left, entries), with_authorities(case, made)


def put_back(case: Case, incident: Incident, gone: Verdict, verdict: Verdict, at: int) -> tuple[Incident, ...]:
    """Return an incident with the posts that a split took out, and what was made of them, closed."""
    parted = next((one for one in incident.parted if one.decision == gone.identity), None)
    if parted is None:
        return (incident,)
    left = replace(incident, parted=tuple(one for one in incident.parted if one is not parted))
    whole = _with_again(case, left, parted)
    made = case.ledger.incidents.get(parted.node)
    if made is None or not made.is_open:
        return (whole,)
    closed = replace(
        made,
        level="resolved",
        raised_at=at,
        decided_by=verdict.decided_by,
        decided_at=at,
        reason=verdict.reason,
        fresh=[],
    )
    close(case, closed, at)
    return whole, closed


def _remembered(case: Case, incident: Incident, at: int) -> list[Entry]:
    """Return the posts since an incident began that are remembered at a moment, whenever that is worked out."""
    since = max(incident.onset_at, at - int(REMEMBERED * case.watched.memory))
    steps = (step.entry for step in case.ledger.steps if step.entry is not None)
    return [entry for entry in chain(case.ledger.settled, steps) if entry.at >= since and entry.said is not None]


def _named(case: Case, incident: Incident, entries: Sequence[Entry], keys: frozenset[str]) -> tuple[Slot, ...]:
    """Return the posts of an incident that are named by their keys, those that are not shown as well."""
    named = {slot.post: slot for slot in incident.slots if slot.post_key in keys}
    for slot in _uncovered(case, incident, entries):
        if slot.post_key in keys:
            named.setdefault(slot.post, slot)
    return tuple(sorted(named.values(), key=lambda slot: (slot.event_at, slot.post)))


def _uncovered(case: Case, incident: Incident, entries: Sequence[Entry]) -> list[Slot]:
    """Return what counted for an incident and is neither shown nor parted, as it would be shown."""
    known = {slot.post for slot in incident.all_slots}
    slots = []
    for entry in entries:
        odds = next((odds for odds, node in zip(entry.odds, entry.path, strict=False) if incident.holds(node)), 0.0)
        slot = slot_from(entry, odds, case.ledger.memory.copies.get(entry.post, 0))
        if odds > 0.0 and slot is not None and entry.post not in known:
            slots.append(slot)
    return slots


def _refilled(case: Case, incident: Incident, entries: Sequence[Entry]) -> Incident:
    """Return an incident that shows others of its posts in the place of those that are gone."""
    since = min((slot.event_at for slot in incident.slots), default=incident.opened_at)
    slots = incident.slots
    for slot in _uncovered(case, incident, entries):
        if slot.event_at >= since or not incident.slots:
            slots = shown_with(slots, slot)
    return replace(incident, slots=slots)


def _without(case: Case, incident: Incident, parted: Parted) -> Incident:
    rates, gone = case.watched.rates, parted.slots
    heard = {(slot.event_at, slot.odds) for slot in gone}
    factors = [prod(1.0 + rate * slot.odds for slot in gone) for rate in rates.per_minute]
    values = [max(one / factor, idle) for one, factor, idle in zip(incident.values, factors, rates.idle, strict=True)]
    named = [place.place_id for place in parted.places]
    fewer = [Vote(one.place, one.posts - named.count(one.place.place_id)) for one in incident.votes]
    votes = tuple(one for one in fewer if one.posts > 0) or tuple(fewer)
    return replace(
        _counting(incident, gone, -1),
        values=values,
        voices=tuple(one for one in incident.voices if (one.at, one.odds) not in heard),
        slots=tuple(slot for slot in incident.slots if slot not in gone),
        votes=votes,
        shown=_shown(case, incident, votes, parted.shown),
    )


def _with_again(case: Case, incident: Incident, parted: Parted) -> Incident:
    rates, ceiling = case.watched.rates, case.thresholds_of(incident).ceiling
    factors = [prod(1.0 + rate * slot.odds for slot in parted.slots) for rate in rates.per_minute]
    values = [min(one * factor, ceiling) for one, factor in zip(incident.values, factors, strict=True)]
    voices = sorted((*incident.voices, *map(_voice_of, parted.slots)), key=lambda voice: voice.at)
    slots: tuple[Slot, ...] = ()
    for slot in sorted((*incident.slots, *parted.slots), key=lambda slot: (slot.event_at, slot.post)):
        slots = shown_with(slots, slot)
    votes = incident.votes
    for place in parted.places:
        votes = voted(votes, place)
    return replace(
        _counting(incident, parted.slots, 1),
        values=values,
        voices=tuple(voices[-MOST_VOICES:]),
        slots=slots,
        votes=votes,
        shown=_shown(case, incident, votes, parted.shown),
    )


def _shown(case: Case, incident: Incident, votes: tuple[Vote, ...], place_id: str) -> int:
    """Return which of the votes is the place to show: the finest that two posts name, else the one shown before."""
    now = next((number for number, vote in enumerate(votes) if vote.place.place_id == place_id), 0)
    return now if incident.node in case.watched.places else place_to_show(votes, now)


def _counting(incident: Incident, slots: Sequence[Slot], sign: int) -> Incident:
    """Return an incident with so many posts more or fewer in its counters."""
    undoubted = [_voice_of(slot) for slot in slots if not slot.doubts]
    return replace(
        incident,
        posts=incident.posts + sign * len(slots),
        authors=max(incident.authors + sign * len(slots), 1),
        strong=max(incident.strong + sign * sum(voice.is_strong for voice in undoubted), 0),
        witnesses=max(incident.witnesses + sign * sum(voice.is_first_hand for voice in undoubted), 0),
        doubted=max(incident.doubted + sign * (len(slots) - len(undoubted)), 0),
        images=max(incident.images + sign * sum(slot.has_image for slot in slots), 0),
        copies=max(incident.copies + sign * sum(slot.copies for slot in slots), 0),
    )


def _voice_of(slot: Slot) -> Voice:
    return Voice(
        at=slot.event_at,
        odds=slot.odds,
        likelihood_ratio=slot.likelihood_ratio,
        tier=slot.tier,
        platform=slot.platform,
        is_first_hand=slot.is_first_hand,
        has_image=slot.has_image,
        is_named=bool(slot.author_id),
        is_doubtful=bool(slot.doubts),
    )


def _made_of(case: Case, incident: Incident, parted: Parted, verdict: Verdict, at: int) -> Incident:
    """Return the incident that some posts make: a watch, because a person says so."""
    slots, first = parted.slots, parted.slots[0].event_at
    voices = tuple(map(_voice_of, slots))
    shown: tuple[Slot, ...] = ()
    for slot in slots:
        shown = shown_with(shown, slot)
    votes: tuple[Vote, ...] = ()
    for place in parted.places:
        votes = voted(votes, place)
    where = votes[place_to_show(votes, 0)].place
    values, paces = _risen(case, slots, case.thresholds_of(incident).ceiling)
    made = Incident(
        incident_id=_name_of(case, verdict),
        parts=(Part((parted.node,), incident.usual, first, where.lat, where.lon),),
        usual=incident.usual,
        onset_at=first,
        opened_at=at,
        level="watch",
        top="watch",
        raised_at=at,
        counted_at=slots[-1].event_at,
        values=values,
        pace=paces[-1],
        peak=max(paces),
        background=incident.background,
        voices=voices[-MOST_VOICES:],
        slots=shown,
        votes=votes,
        shown=place_to_show(votes, 0),
        platforms=tuple(dict.fromkeys(slot.platform for slot in slots)),
        grounds=grounds_for(voices, case.watched.profile.gate) or "",
        decided_at=at,
        versions=incident.versions,
        times=_times_of(slots),
        decisions=(verdict,),
        heard=(verdict.identity,),
    )
    return replace(_counting(made, slots, 1), authors=len(slots))


def _name_of(case: Case, verdict: Verdict) -> str:
    """Return the id of what a split makes: it follows from the decision, whatever late posts change."""
    return incident_id_from(case.watched.name, f"{verdict.incident_id}/{verdict.identity}", 0)


def _risen(case: Case, slots: Sequence[Slot], ceiling: float) -> tuple[list[float], list[float]]:
    """Return R after some posts alone, and the pace after each."""
    rates, minutes = case.watched.rates, case.watched.settings.pace_minutes
    values, paces, last = rates.idle, list[float](), slots[0].event_at
    for slot in slots:
        silence = (slot.event_at - last) / MINUTE
        values = raised(decayed(values, silence, rates), slot.odds, rates, ceiling=ceiling)
        paces.append(pace_after(paces[-1] if paces else 0.0, silence, minutes))
        last = slot.event_at
    return values, paces


def _times_of(slots: Sequence[Slot]) -> Times:
    times = Times()
    for slot in slots:
        is_witness = slot.is_first_hand and not slot.doubts
        times = counted(times, slot.event_at, is_first_hand=is_witness, has_image=slot.has_image, word="")
    return times
