"""Silence conditions: what somebody fills in about notifications that he does not want becomes a silence.

The rules are those of `vigie silence`: known labels and values, a pattern that is one, and never everything at once.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.datastructures import ImmutableMultiDict

from console.problem import Problem
from console.typed_moment import moment_from
from records import Matcher, Silence
from records.labels import LABELS, VALUES
from records.silence import MOST_WORDS

SIGNS = ("=", "!=", "=~", "!~")
MINUTES = (30, 60, 120, 240, 480, 720, 1440, 4320, 10080)
"""For how long; the longest is a week: what is muted for longer was forgotten."""
MOST_ROWS = 8
MOST_OF_A_VALUE = 200  # characters
FURTHEST = timedelta(days=30)
"""How far ahead one can begin."""
MOST_WAYS = 3  # things that are repeated, and groups
_SINGLE = re.compile(r"(?s)\\.|\[\^?\]?(?:\\.|[^\\\]])*\]|\(\?[aimsu]+\)")  # one character, or none
_OPENING = re.compile(r"\((?:\?(?:[aimsu-]*:|P<|<?[=!]))?")
_UNKNOWN = "(?"  # comments and the flag x, which hide what stands between them, and what nobody needs here
_REPEAT = re.compile(r"[*+?{]")
_REPEATED_GROUP = re.compile(r"\)[*+{]")
GRACE = timedelta(minutes=10)
"""So long ago may a beginning be that was typed: somebody was filling in the form."""


@dataclass(frozen=True)
class Row:
    """One condition, as typed."""

    name: str
    sign: str
    value: str


@dataclass(frozen=True)
class Asked:
    """What was filled in."""

    rows: tuple[Row, ...]  # those with something in them
    starts: str  # "": now
    minutes: str
    reason: str


def asked_from(typed: ImmutableMultiDict[str, object]) -> Asked:
    """Return what somebody filled in."""
    columns = ([str(value) for value in typed.getlist(name)] for name in ("name", "sign", "value"))
    rows = (Row(name, sign or SIGNS[0], value.strip()) for name, sign, value in zip(*columns, strict=False))
    return Asked(
        rows=tuple(row for row in rows if row.name or row.value)[:MOST_ROWS],
        starts=str(typed.get("starts", "")).strip(),
        minutes=str(typed.get("minutes", "")),
        reason=str(typed.get("reason", "")).strip(),
    )


def said(asked: Asked) -> tuple[str, ...]:
    """Return all that was filled in, as words one after the other."""
    rows = (text for row in asked.rows for text in (row.name, row.sign, row.value))
    return asked.starts, asked.minutes, asked.reason, *rows


def matchers_from(asked: Asked) -> tuple[Matcher, ...] | tuple[Problem, ...]:
    """Return the conditions, or what is wrong with them."""
    problems = [
        Problem(f"value-{number}" if code != "unknown_label" else f"name-{number}", code)
        for number, row in enumerate(asked.rows, 1)
        if (code := _wrong_with(row))
    ]
    if not asked.rows:
        problems.append(Problem("name-1", "no_condition"))
    if problems:
        return tuple(problems)
    found = tuple(
        Matcher(name=row.name, value=row.value, is_regex=row.sign.endswith("~"), is_equal=not row.sign.startswith("!"))
        for row in asked.rows
    )
    return (Problem("name-1", "silences_all"),) if all(one.fits({}) for one in found) else found


def _wrong_with(row: Row) -> str:
    """Return the code of what is wrong with a condition, "" where nothing is."""
    if row.name not in LABELS or row.sign not in SIGNS:
        return "unknown_label"
    if len(row.value) > MOST_OF_A_VALUE:
        return "too_long_value"
    if row.sign.endswith("~"):
        return _wrong_with_pattern(row.value)
    return "unknown_value" if row.name in VALUES and row.value not in VALUES[row.name] else ""


def _wrong_with_pattern(text: str) -> str:
    if not _is_pattern(text):
        return "bad_pattern"
    plain = _OPENING.sub("(", _SINGLE.sub("x", text))
    if _UNKNOWN in plain:
        return "strange_pattern"
    return "slow_pattern" if _may_be_slow(plain) else ""


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _may_be_slow(plain: str) -> bool:
    """Tell whether a pattern may try more ways than anybody can wait for; it is asked of every incident, by all.

    Shape   a pattern with "x" for each character and each class, and "(" for each way in which a group begins
    """
    return _REPEATED_GROUP.search(plain) is not None or len(_REPEAT.findall(plain)) + plain.count("(") > MOST_WAYS


def span_from(asked: Asked, now: datetime, zone: str) -> tuple[datetime, datetime] | tuple[Problem, ...]:
    """Return from when until when, or what is wrong with it."""
    starts_at = moment_from(asked.starts, zone) if asked.starts else now
    problems = []
    if starts_at is None:
        problems.append(Problem("starts", "bad_moment"))
    elif not now - GRACE <= starts_at <= now + FURTHEST:
        problems.append(Problem("starts", "begins_before" if starts_at < now else "begins_late"))
    if asked.minutes not in map(str, MINUTES):
        problems.append(Problem("minutes", "bad_length"))
    if problems or starts_at is None:
        return tuple(problems)
    return max(starts_at, now), max(starts_at, now) + timedelta(minutes=int(asked.minutes))


def silence_from(asked: Asked, *, silence_id: str, by: str, now: datetime, zone: str) -> Silence | tuple[Problem, ...]:
    """Return a silence, or what is wrong with the form."""
    matchers, span = matchers_from(asked), span_from(asked, now, zone)
    problems = [one for one in (*matchers, *span) if isinstance(one, Problem)]
    if not asked.reason or len(asked.reason) > MOST_WORDS:
        problems.append(Problem("reason", "too_long" if asked.reason else "missing_reason"))
    conditions = tuple(one for one in matchers if isinstance(one, Matcher))
    moments = [one for one in span if isinstance(one, datetime)]
    if problems:
        return tuple(problems)
    return Silence(
        silence_id=silence_id,
        matchers=conditions,
        author=by,
        reason=asked.reason,
        starts_at=moments[0],
        ends_at=moments[1],
        made_at=now,
    )
