"""Lessons: what people decided of incidents, as examples for the hazard model: one a post whose words still stand.

They are made anew at each training from what the archive shows at that moment, by the way that its pages look too. So a
post that was taken back, changed, or is too old is in none of them.

Shape   an engine in, examples out, in an order that follows from the archive alone
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from math import sqrt
from typing import NamedTuple

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.archive.looking import decisions, told_of
from console.archive.rulings import RULINGS
from console.archive.words import WORDS_KEPT
from console.deciding.rejection import rejected_as
from records import Alert, Verdict, words_of
from records.alert import Evidence
from records.decided_post import DecidedAs, DecidedPost
from records.signal import Hazard

OF_THE_TEXT: Mapping[str, DecidedAs] = {"exercise": "exercise", "figurative": "figurative", "old": "old"}
"""Reasons of a rejection that speak of what the posts say. A hoax tells of a fire as a witness does, and what is
elsewhere or known already is a fire: from these nothing is learned about words."""
LEAST_RATIO = 0.01


class Ruling(NamedTuple):
    """What holds of an incident."""

    decided_as: DecidedAs
    hazard: Hazard | None  # None: as its newest revision has it
    without: frozenset[str]  # posts that speak of something else


async def decided_posts(engine: AsyncEngine, now: datetime) -> list[DecidedPost]:
    """Return an example of each post that a decision speaks of, and whose words stand.

    An incident, or a post, of which two decisions say different things gives none.
    """
    found: dict[str, DecidedPost] = {}
    contradicted: set[str] = set()
    async with engine.connect() as connection:
        rulings = await _rulings(connection)
        for incident_id, revisions in (await told_of(connection, rulings)).items():
            for one in _examples(rulings[incident_id], revisions, now):
                first = found.setdefault(one.known_by, one)
                if (first.decided_as, first.hazard) != (one.decided_as, one.hazard):
                    contradicted.add(one.known_by)
    return [one for known_by, one in sorted(found.items()) if known_by not in contradicted]


async def _rulings(connection: AsyncConnection) -> dict[str, Ruling]:
    by_incident: dict[str, list[Verdict]] = {}
    for one in await decisions(connection, true()):
        if not one.is_withdrawn:
            by_incident.setdefault(one.verdict.incident_id, []).append(one.verdict)
    ruled = {incident_id: ruling_of(verdicts) for incident_id, verdicts in by_incident.items()}
    return {incident_id: ruling for incident_id, ruling in ruled.items() if ruling is not None}


def ruling_of(verdicts: Sequence[Verdict]) -> Ruling | None:
    """Return what decisions on one incident, in their order, say of its posts; None where nothing, or two things.

    Whoever decides anew has changed his mind; two people who decide differently have not agreed.
    """
    decided = {one.decided_by: _said_by(one) for one in verdicts if one.decision in RULINGS}
    hazards = {one.decided_by: one.read_as for one in verdicts if one.decision == "change_hazard"}
    if len(set(decided.values())) != 1 or len(set(hazards.values())) > 1:
        return None
    decided_as = next(iter(decided.values()))
    if decided_as is None:
        return None
    without = frozenset(key for one in verdicts if one.decision == "split" for key in one.post_keys)
    return Ruling(decided_as, next(iter(hazards.values()), None), without)


def _said_by(verdict: Verdict) -> DecidedAs | None:
    return "confirmed" if verdict.decision == "confirm" else OF_THE_TEXT.get(rejected_as(verdict.reason))


def _examples(ruling: Ruling, revisions: Sequence[Alert], now: datetime) -> Iterator[DecidedPost]:
    """Yield the examples of one incident: of its posts as they were shown last."""
    posts = {one.post_key: one for alert in revisions for one in alert.evidence}
    used = [one for one in posts.values() if _is_usable(one, ruling, now)]
    newest = revisions[-1]
    for one in used:
        yield DecidedPost(
            text=one.text,
            known_by=words_of(one.text),
            group=blake2b(newest.incident_id.encode(), digest_size=8).hexdigest(),
            decided_as=ruling.decided_as,
            hazard=(ruling.hazard or newest.hazard) if ruling.decided_as == "confirmed" else None,
            weight=weight_of(one.likelihood_ratio, len(used)),
        )


def _is_usable(one: Evidence, ruling: Ruling, now: datetime) -> bool:
    """Tell whether a post may be learned from: its words stand, and the decision speaks of it."""
    stands = bool(one.text.strip()) and not one.is_removed and one.event_time > now - WORDS_KEPT
    return stands and one.post_key not in ruling.without and not one.doubts


def weight_of(likelihood_ratio: float, posts: int) -> float:
    """Return what an example weighs beside a post that somebody labelled by itself.

    A decision is on an incident: it speaks of a post as surely as that post spoke for the incident. And it is one
    decision: the posts of an incident together weigh no more than the root of their number.
    """
    return max(likelihood_ratio, LEAST_RATIO) / (1 + max(likelihood_ratio, LEAST_RATIO)) / sqrt(posts)
