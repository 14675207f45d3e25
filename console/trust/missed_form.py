"""Missed form: what an analyst filled in about a missed incident becomes one, or problems to put right."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args

from console.problem import Problem
from console.trust.missed import KNOWN_BY, Missed
from console.typed_moment import moment_from
from records import Place
from records.signal import Hazard

FIELDS = ("hazard", "place", "place_id", "began_at", "known_by", "words")
MOST_WORDS = 500
MOST_OF_NAME = 200
MOST_CHOICES = 8
OLDEST = timedelta(days=5 * 365)


def missed_from(
    typed: Mapping[str, str],
    *,
    missed_id: str,
    by: str,
    now: datetime,
    zone: str,
    find_place: Callable[[str], Sequence[Place]],
) -> Missed | tuple[Problem, ...]:
    """Return the missed incident that a form states, or all that is wrong with it."""
    hazard: Hazard | None = next((one for one in get_args(Hazard) if one == typed.get("hazard")), None)
    began_at = moment_from(typed.get("began_at", ""), zone)
    place = _place(typed, find_place)
    known_by, words = typed.get("known_by", ""), typed.get("words", "").strip()
    problems = [
        *([] if hazard else [Problem("hazard", "missing_hazard")]),
        *([place] if isinstance(place, Problem) else []),
        *_wrong_moment(began_at, now),
        *([] if known_by in KNOWN_BY else [Problem("known_by", "missing_known_by")]),
        *([Problem("words", "too_long")] if len(words) > MOST_WORDS else []),
    ]
    if problems or hazard is None or isinstance(place, Problem) or began_at is None:
        return tuple(problems)
    return Missed(
        missed_id=missed_id,
        hazard=hazard,
        place=place,
        began_at=began_at,
        known_by=known_by,
        words=words,
        made_by=by,
        made_at=now,
        withdrawn_by="",
    )


def _wrong_moment(began_at: datetime | None, now: datetime) -> list[Problem]:
    if began_at is None:
        return [Problem("began_at", "bad_moment")]
    if began_at > now:
        return [Problem("began_at", "ahead")]
    return [Problem("began_at", "too_old")] if now - began_at > OLDEST else []


def _place(typed: Mapping[str, str], find_place: Callable[[str], Sequence[Place]]) -> Place | Problem:
    """Return the place of a name: the one that was chosen, else the only one."""
    name = typed.get("place", "").strip()
    if not name or len(name) > MOST_OF_NAME:
        return Problem("place", "too_long" if name else "missing_place")
    found = tuple(find_place(name))
    if not found:
        return Problem("place", "unknown_place")
    meant = tuple(one for one in found if one.place_id == typed.get("place_id")) or found
    return meant[0] if len(meant) == 1 else Problem("place_id", "which_place", meant[:MOST_CHOICES])
