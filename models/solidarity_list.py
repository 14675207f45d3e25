"""The list of what is needed and offered around an incident: claims of many posts as the rows of one table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models.folding import folded
from models.places.geometry import distance_km
from models.solidarity import SURE, Claim, Kind
from records import Place


@dataclass(frozen=True)
class Stated:
    """A claim with the post that made it.

    Shape   author_id: a pseudonym, "" where nobody knows; it joins what one person says and is in no row
    """

    claim: Claim
    post_key: str
    at: datetime
    place: Place
    author_id: str = ""


@dataclass(frozen=True)
class Around:
    """Where and when an incident's claims are looked for.

    Units   degrees WGS84, kilometres; `since` and `until` belong to it
    """

    lat: float
    lon: float
    radius_km: float
    since: datetime
    until: datetime

    def holds(self, stated: Stated) -> bool:
        """Tell whether a claim was made about here and now."""
        if not self.since <= stated.at <= self.until:
            return False
        return distance_km(self.lat, self.lon, stated.place.lat, stated.place.lon) <= self.radius_km


@dataclass(frozen=True)
class Row:
    """One line of the list: what its newest post says, and how many say the same in the same words.

    Shape   post_keys: every post behind it, the newest first, so that one taken back takes its share with it
    """

    kind: Kind
    thing: str
    is_open: bool
    is_call: bool
    quantity: int | None
    measure: str
    place: str
    at: datetime
    confidence: float
    why: tuple[str, ...]
    shown: str
    voices: int
    post_keys: tuple[str, ...]


def listed(claims: Iterable[Stated], around: Around, least: float = SURE) -> list[Row]:
    """Return an incident's needs and offers: needs first, open ones first, the newest first.

    Of what one author says of a thing the newest counts, so that "found, thank you" closes a need. Copies are one row.
    """
    newest: dict[tuple[str, str], Stated] = {}
    for stated in claims:
        if stated.claim.confidence >= least and around.holds(stated):
            who = (stated.author_id or stated.post_key, stated.claim.key)
            newest[who] = max(newest.get(who, stated), stated, key=_age)
    alike: dict[tuple[str, str], list[Stated]] = {}
    for stated in sorted(newest.values(), key=_age, reverse=True):
        alike.setdefault((stated.claim.key, folded(stated.claim.shown)), []).append(stated)
    rows = [_row(group) for group in alike.values()]
    return sorted(
        rows, key=lambda row: (row.kind != "need", not row.is_open, -row.at.timestamp(), row.thing, row.post_keys)
    )


def _age(stated: Stated) -> tuple[datetime, str]:
    return stated.at, stated.post_key


def _row(group: list[Stated]) -> Row:
    newest = group[0]
    claim = newest.claim
    return Row(
        kind=claim.kind,
        thing=claim.thing,
        is_open=not claim.is_closed,
        is_call=claim.is_call,
        quantity=claim.quantity,
        measure=claim.measure,
        place=newest.place.name,
        at=newest.at,
        confidence=claim.confidence,
        why=claim.why,
        shown=claim.shown,
        voices=len({one.author_id or one.post_key for one in group}),
        post_keys=tuple(one.post_key for one in group),
    )
