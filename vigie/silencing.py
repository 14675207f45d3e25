"""Silencing: `vigie silence`: who does not want to be told of what, until when and why; for every worker at once."""

import asyncio
import re
import secrets
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from msgspec.structs import replace
from rich.table import Table

from connectors.sinks.routing import matcher_from
from records import Clock, MalformedRecord, SettingsError, Silence, decode
from records.silence import LONGEST, MOST_WORDS
from streams.reader import standing
from streams.settings import StreamSettings
from streams.topics import DECISIONS, OnDecisions
from vigie.deciding import made

_SPAN = re.compile(r"(?P<number>\d{1,4})(?P<unit>[mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def span_from(text: str) -> timedelta:
    """Read a span such as 90m, 2h or 1d.

    Errors  SettingsError when it is none, or too long
    """
    found = _SPAN.fullmatch(text.strip())
    span = int(found["number"]) * _UNITS[found["unit"]] if found else timedelta(0)
    if not timedelta(0) < span <= LONGEST:
        raise SettingsError(f"--for {text!r}: write a span such as 90m, 2h or 1d, no longer than {LONGEST.days} days")
    return span


def silence_from(matchers: Sequence[str], *, span: str, author: str, reason: str, now: datetime) -> Silence:
    """Return a silence that begins now.

    Errors  SettingsError when something of it is missing or cannot be read
    """
    if not matchers:
        raise SettingsError('say what is to be silent, as in: "hazard = fire" "area = 76"')
    if not author.strip() or not reason.strip():
        raise SettingsError("--by and --because: a silence says who wants it and why, for whoever comes next")
    read = tuple(matcher_from(text) for text in matchers)
    if all(matcher.fits({}) for matcher in read):
        raise SettingsError(
            "this would hold back everything: name a value that what you mean has, as in: hazard = fire"
        )
    return Silence(
        silence_id=secrets.token_hex(4),
        matchers=read,
        author=author.strip(),
        reason=reason.strip()[:MOST_WORDS],
        starts_at=now,
        ends_at=now + span_from(span),
        made_at=now,
    )


def known(settings: StreamSettings) -> dict[str, Silence]:
    """Return all silences that are on record, by their id, as they are now.

    Errors  SourceUnavailable when the broker does not answer
    """

    async def read() -> dict[str, Silence]:
        found: dict[str, Silence] = {}
        async with aclosing(standing(settings, DECISIONS)) as messages:
            async for message in messages:
                decision = _decision(message.value)
                if isinstance(decision, Silence):
                    found[decision.silence_id] = decision
        return found

    return asyncio.run(read())


def _decision(value: bytes | None) -> object:
    try:
        return decode(value, OnDecisions) if value is not None else None
    except MalformedRecord:
        return None


def end(settings: StreamSettings, silence_id: str, clock: Clock) -> Silence:
    """End a silence now.

    Errors  SettingsError when there is none of this id in force; SourceUnavailable when the broker does not answer
    """
    now, there = clock.now(), known(settings)
    silence = there.get(silence_id)
    if silence is None or silence.ends_at <= now:
        active = ", ".join(one.silence_id for one in there.values() if one.ends_at > now)
        raise SettingsError(f"silence {silence_id}: there is none in force; in force are {active or 'none'}")
    if silence.origin:
        raise SettingsError(f"silence {silence_id}: was made in {silence.origin}; end it there")
    ended = replace(silence, ends_at=now, made_at=now)
    made(settings, ended)
    return ended


def table_of(silences: Sequence[Silence], now: datetime) -> Table:
    """Return the silences in force, or about to be, for people."""
    table = Table()
    for name in ("id", "of", "until", "by", "because", "made in"):
        table.add_column(name)
    for one in sorted(silences, key=lambda silence: silence.ends_at):
        if one.ends_at > now:
            signs = [f"{m.name} {m.sign} {m.value}" for m in one.matchers]
            until = f"{one.ends_at.astimezone():%Y-%m-%d %H:%M}"
            table.add_row(one.silence_id, ", ".join(signs), until, one.author, one.reason, one.origin or "Vigie")
    return table
