"""Solidarity list: what people around an incident need and offer, as a crisis cell reads it.

Shape   newest revisions of incidents and claims of posts in, one list an incident out; no clock
Units   kilometres; event time
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from console.distance import kilometres
from records import Alert, Claim, Place
from records.digest import Listed, Solidarity

LEVELS = frozenset({"confirmed", "alert", "watch", "monitoring", "resolved"})
"""Levels of incidents that people may need help after: that nobody speaks of a flood any more does not end the mud."""
RECENT = timedelta(hours=72)
"""So long after an incident was last heard of its needs are listed; the posts that state them are kept no longer."""
NEAR_KM = 15.0
"""So far beyond an incident's own radius its needs and offers are looked for: the next towns take people in."""
VAGUE = frozenset({"region", "country"})
"""Levels of places that say too little."""
WIDE = VAGUE | {"dep"}
"""Levels of places around which kilometres mean nothing: there the area counts."""
LOCAL = frozenset({"point", "site", "quartier", "commune"})
SHARED = frozenset({"hands", "clothes", "food", "water", "goods", "money", "tools", "power"})
"""What a place needs, so that whoever speaks for it may say that there is enough. Where to sleep, a person needs."""
MOST = 10
"""Lines of one kind a list has at most."""
ALIKE = 0.8
"""From this share of common words on, two texts are copies."""

Key = TypeVar("Key")
_WORD = re.compile(r"[^\W_]+")
_LINK_OR_HANDLE = re.compile(r"https?://\S+|@\S+")


@dataclass(frozen=True)
class Row:
    """One line: the newest post that says so, and how many say the same in nearly the same words."""

    claim: Claim
    voices: int


@dataclass(frozen=True)
class Listing:
    """What is open around one incident, the newest first; what institutions and collections ask for stands apart."""

    alert: Alert
    needs: tuple[Row, ...]
    offers: tuple[Row, ...]
    calls: tuple[Row, ...]
    left_out: int  # lines there was no room for


def listed(alerts: Iterable[Alert], claims: Iterable[Claim], until: datetime) -> list[Listing]:
    """Return the lists of the incidents around which something is needed or offered.

    `alerts` are newest revisions, those first that people should read of first.
    """
    said = [claim for claim in claims if claim.event_time <= until]
    near = [one for one in alerts if one.level in LEVELS and until - _last_heard(one) <= RECENT]
    found: dict[str, list[Claim]] = {alert.incident_id: [] for alert in near}
    reached: dict[tuple[object, ...], list[Alert]] = {}  # many claims are of one place
    for claim in _open(said):
        alert = _nearest(claim, near, reached)
        if alert is not None:
            found[alert.incident_id].append(claim)
    return [_listing(alert, found[alert.incident_id]) for alert in near if found[alert.incident_id]]


def told(listing: Listing) -> Solidarity:
    """Return a list as a digest bears it: without words of posts and links to them."""
    needs, offers, calls = (
        tuple(_told(row) for row in rows) for rows in (listing.needs, listing.offers, listing.calls)
    )
    return Solidarity(
        incident_id=listing.alert.incident_id,
        hazard=listing.alert.hazard,
        place=listing.alert.place.name,
        needs=needs,
        offers=offers,
        calls=calls,
        left_out=listing.left_out,
    )


def _told(row: Row) -> Listed:
    claim = row.claim
    return Listed(
        thing=claim.thing,
        place=claim.place.name if claim.place else "",
        at=claim.event_time,
        quantity=claim.quantity,
        measure=claim.measure,
        voices=row.voices,
    )


def _last_heard(alert: Alert) -> datetime:
    return max(alert.raised_at, alert.onset)


# Which incident -------------------------------------------------------------------------------------------------------


def _nearest(claim: Claim, alerts: Sequence[Alert], reached: dict[tuple[object, ...], list[Alert]]) -> Alert | None:
    """Return the incident that a claim belongs to: of several in reach the nearest, of equals the first."""
    place = claim.place
    if place is None:
        return None
    spot = place.name, place.level, place.area, place.lat, place.lon
    if spot not in reached:
        near = [alert for alert in alerts if is_in_reach(place, alert)]
        reached[spot] = sorted(near, key=lambda alert: kilometres(place, alert.place))
    return next((alert for alert in reached[spot] if alert.onset <= claim.event_time), None)


def is_in_reach(place: Place, alert: Alert) -> bool:
    """Tell whether what is said of a place may have to do with an incident.

    By kilometres, or by the area where one of both is no more precise than a département.
    """
    if place.level in VAGUE:
        return False
    if place.level in WIDE or alert.place.level in WIDE:
        return place.area == (alert.area or alert.place.area)
    if place.name in alert.also:
        return True
    return kilometres(place, alert.place) <= NEAR_KM + alert.place.radius_km


# What is open ---------------------------------------------------------------------------------------------------------


def _open(said: Sequence[Claim]) -> list[Claim]:
    """Return what was not closed, in its own post or later."""
    by_answer: dict[tuple[str, str, str], datetime] = {}
    by_place: dict[tuple[str, str], datetime] = {}
    for one in said:
        if not one.is_closed:
            continue
        for key in one.answers:
            _note(by_answer, (key, one.kind, one.thing), one.event_time)
        if one.place is not None and one.place.level in LOCAL and one.kind == "need" and one.thing in SHARED:
            _note(by_place, (one.place.place_id, one.thing), one.event_time)

    def is_open(claim: Claim) -> bool:
        closed = [by_answer.get((claim.post_key, claim.kind, claim.thing))]
        if claim.kind == "need" and claim.place is not None:
            closed.append(by_place.get((claim.place.place_id, claim.thing)))
        return not any(at is not None and at >= claim.event_time for at in closed)

    return [claim for claim in said if not claim.is_closed and is_open(claim)]


def _note(latest: dict[Key, datetime], key: Key, at: datetime) -> None:
    latest[key] = max(at, latest.get(key, at))


# One list -------------------------------------------------------------------------------------------------------------


def _listing(alert: Alert, claims: Sequence[Claim]) -> Listing:
    calls = _folded(one for one in claims if one.is_call)
    needs = _folded(one for one in claims if one.kind == "need" and not one.is_call)
    offers = _folded(one for one in claims if one.kind == "offer" and not one.is_call)
    return Listing(
        alert=alert,
        needs=tuple(needs[:MOST]),
        offers=tuple(offers[:MOST]),
        calls=tuple(calls[:MOST]),
        left_out=sum(max(len(rows) - MOST, 0) for rows in (needs, offers, calls)),
    )


def _folded(claims: Iterable[Claim]) -> list[Row]:
    """Return one row for what is said in nearly the same words of one thing at one place, the newest first."""
    groups: dict[tuple[object, ...], list[list[Claim]]] = {}
    for claim in sorted(claims, key=lambda one: (one.event_time, one.key), reverse=True):
        alike = groups.setdefault((claim.kind, claim.thing, claim.quantity, claim.place and claim.place.name), [])
        words = _words(claim.text)
        group = next((one for one in alike if _share(words, _words(one[0].text)) >= ALIKE), None)
        if group is None:
            alike.append([claim])
        else:
            group.append(claim)
    rows = [Row(group[0], len({one.post_key for one in group})) for alike in groups.values() for group in alike]
    return sorted(rows, key=lambda row: (row.claim.event_time, row.claim.key), reverse=True)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_LINK_OR_HANDLE.sub(" ", text).casefold()))


def _share(words: frozenset[str], others: frozenset[str]) -> float:
    return len(words & others) / (len(words | others) or 1)
