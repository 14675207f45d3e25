"""Crisis clock: when who first spoke of an incident, and for how long no authority has.

The silence is counted from the estimated onset, as people do afterwards: the fire of Saint-Fons broke out at 11:50, the
prefect spoke at 13:09. It follows from the incident's evidence alone, so the order in which that came does not matter.

Units   moments in microseconds since 1970, 0 for never; minutes are whole ones
Source  the dated clocks of docs/evaluation.md
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from detectors.moment import MINUTE, instant_from, moment_from
from records import CrisisClock
from records.post import AuthorKind

WORDS: dict[AuthorKind, str] = {"press": "press", "operator": "operator", "official": "authority"}
"""Whose posts are a word of their own, whether they weigh anything or not."""
WORD_RATIO = 0.1
"""What they must say at least: "an incident on our unit" is weak evidence, and a word; good wishes are none."""


class Times(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """When who first spoke of an incident."""

    post: int = 0
    witness: int = 0
    picture: int = 0
    press: int = 0
    operator: int = 0
    authority: int = 0
    denied: int = 0  # when an authority or an operator first said that it is not so
    denier: str = ""  # who: the word of a post, or the source of a statement


def word_of(kind: AuthorKind, ratio: float) -> str:
    """Return whose word a post is: "press", "operator" or "authority", "" where it is none of theirs."""
    return WORDS.get(kind, "") if ratio >= WORD_RATIO else ""


def counted(times: Times, at: int, *, is_first_hand: bool, has_image: bool, word: str) -> Times:
    """Return the times with a post that counted."""
    is_known = times.post and times.post <= at and (times.witness or not is_first_hand)
    if is_known and (times.picture or not has_image) and not word:
        return times  # nearly all of them
    times = replace(
        times,
        post=_first(times.post, at),
        witness=_first(times.witness, at if is_first_hand else 0),
        picture=_first(times.picture, at if has_image else 0),
    )
    return spoken(times, word, at)


def spoken(times: Times, word: str, at: int) -> Times:
    """Return the times with a word of the press, an operator or an authority; the same where it is not the first."""
    if not word or getattr(times, word) == (first := _first(getattr(times, word), at)):
        return times
    return replace(times, **{word: first})


def denied(times: Times, by: str, at: int) -> Times:
    """Return the times with somebody's word that it is not so; the same where it is not the first."""
    if times.denied and (times.denied, times.denier) <= (at, by):
        return times
    return replace(times, denied=at, denier=by)


def clock_of(times: Times, onset_at: int, at: int, *, announced_at: int = 0) -> CrisisClock:
    """Return the clock that a revision bears; `announced_at` is when a notice that fits was issued."""
    minutes = max(at - onset_at, 0) // MINUTE
    spoke_at = times.authority or at
    return CrisisClock(
        first_post=_instant(times.post),
        first_witness=_instant(times.witness),
        first_picture=_instant(times.picture),
        first_press=_instant(times.press),
        first_operator=_instant(_first(times.operator, announced_at)),
        first_authority=_instant(times.authority),
        minutes=minutes,
        silent_minutes=max(spoke_at - onset_at, 0) // MINUTE,
    )


def gone_on(clock: CrisisClock | None, onset: datetime, until: datetime) -> CrisisClock | None:
    """Return a clock that was told, as it stands later."""
    if clock is None:
        return None
    minutes = max(moment_from(until) - moment_from(onset), 0) // MINUTE
    silent = minutes if clock.first_authority is None else clock.silent_minutes
    return replace(clock, minutes=minutes, silent_minutes=silent)


def _first(known: int, at: int) -> int:
    return min(known, at) if known and at else known or at


def _instant(at: int) -> datetime | None:
    return instant_from(at) if at else None
