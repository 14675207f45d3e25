"""Decision form: what somebody has filled in about an incident becomes a verdict, or problems to put right.

Shape   fields as typed in; a verdict, or problems by field, in codes. Nothing here looks anything up but places
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from console.deciding.placing import place_from
from console.problem import Problem
from records import HAZARDS, Alert, Place, Verdict
from records.verdict import Decision

Typed = Mapping[str, str]

CONFIRMED_BY = {"authority": "by an authority", "operator": "by the site operator", "staff": "by our own staff on site"}
REJECTED_AS = {
    "hoax": "hoax",
    "elsewhere": "it is elsewhere",
    "exercise": "an exercise",
    "old": "it was long ago",
    "figurative": "a figure of speech",
    "other": "another reason",
}
CLOSABLE = frozenset({"watch", "alert", "confirmed", "monitoring"})
"""Levels of what is open; a signal never was, so that closing it would change nothing."""
MOST_WORDS = 500  # characters of a reason
MOST_OF_NOTE = 2000
NEEDLESS = frozenset({"csrf", "known", "revision"})
"""Fields that say neither which form it is nor what is decided."""


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """Who decides, on what, when."""

    alert: Alert
    by: str
    account_id: str
    at: datetime
    find_place: Callable[[str], Sequence[Place]]
    text: Callable[[str], str]  # a text in the language of the cell, whose members all read it
    joinable: Collection[str] = ()  # incidents that it may be part of
    shown: Collection[str] = field(default=())  # keys of the posts that were shown


def verdict_from(typed: Typed, post_keys: Sequence[str], deciding: Deciding) -> Verdict | tuple[Problem, ...]:
    """Return the decision that a form states, or what is wrong with it."""
    decision = next((one for one in get_args(Decision) if one == typed.get("decision")), None)
    if decision is None:
        return (Problem("decision", "no_decision"),)
    said = {**typed, "post_keys": "\n".join(post_keys)}
    most = MOST_OF_NOTE if decision == "note" else MOST_WORDS
    if len(_words(typed)) > most:
        return (Problem("reason", "too_long"),)
    read = _READERS.get(decision, _reason_alone)(said, deciding)
    if isinstance(read, tuple):
        return read
    return Verdict(
        incident_id=deciding.alert.incident_id,
        hazard=deciding.alert.state_hazard,
        area=deciding.alert.area or deciding.alert.place.area,
        decision=decision,
        decided_at=deciding.at,
        decided_by=deciding.by,
        decision_id=identity_of(said, deciding.account_id),
        **{"reason": _words(typed), **read},
    )


def identity_of(typed: Typed, account_id: str) -> str:
    """Return what a form is known by: sent twice, it is one decision; filled in otherwise, another one."""
    said = {name: value for name, value in typed.items() if name not in NEEDLESS}
    whole = json.dumps([account_id, said], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:24]


def _words(typed: Typed) -> str:
    return typed.get("reason", "").strip()


def _reason_alone(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    return {}


def _confirmed(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    called = CONFIRMED_BY.get(typed.get("by", ""))
    return {"reason": _told(called, typed, deciding)} if called else (Problem("by", "missing_by"),)


def _rejected(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    why = typed.get("why", "")
    if why not in REJECTED_AS:
        return (Problem("why", "missing_why"),)
    if why == "other":
        return {} if _words(typed) else (Problem("reason", "missing_words"),)
    return {"reason": _told(REJECTED_AS[why], typed, deciding)}


def _closed(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    return {} if deciding.alert.level in CLOSABLE else (Problem("decision", "not_open"),)


def _noted(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    return {} if _words(typed) else (Problem("reason", "missing_words"),)


def _relocated(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    found = place_from(typed, deciding.alert, by=deciding.by, find_place=deciding.find_place)
    return found if isinstance(found, tuple) else {"place": found}


def _read_as(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    hazard = typed.get("read_as", "")
    if hazard not in HAZARDS:
        return (Problem("read_as", "missing_hazard"),)
    return (Problem("read_as", "same_hazard"),) if hazard == deciding.alert.hazard else {"read_as": hazard}


def _merged(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    other = typed.get("other", "")
    return {"other": other} if other in deciding.joinable else (Problem("other", "missing_other"),)


def _split(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    other, keys = typed.get("other", ""), tuple(key for key in typed["post_keys"].split("\n") if key)
    if other:
        return {"other": other} if other == deciding.alert.joins else (Problem("other", "not_joined"),)
    if not keys or not set(keys) <= set(deciding.shown):
        return (Problem("post_keys", "missing_posts"),)
    return (Problem("post_keys", "all_posts"),) if set(keys) == set(deciding.shown) else {"post_keys": keys}


def _withdrawn(typed: Typed, deciding: Deciding) -> dict[str, Any] | tuple[Problem, ...]:
    withdraws = typed.get("withdraws", "")
    return {"withdraws": withdraws} if withdraws else (Problem("withdraws", "missing_withdraws"),)


def _told(called: str, typed: Typed, deciding: Deciding) -> str:
    words, said = _words(typed), deciding.text(called)
    return deciding.text("%(what)s: %(words)s") % {"what": said, "words": words} if words else said


_READERS: Mapping[Decision, Callable[[Typed, Deciding], dict[str, Any] | tuple[Problem, ...]]] = {
    "confirm": _confirmed,
    "reject": _rejected,
    "close": _closed,
    "note": _noted,
    "relocate": _relocated,
    "change_hazard": _read_as,
    "merge": _merged,
    "split": _split,
    "withdraw": _withdrawn,
}
"""How each decision is read; to acknowledge needs no more than a click."""
