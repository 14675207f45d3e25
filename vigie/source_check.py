"""Source check: reads one source live for a while and says what came of it. Nothing is kept, nothing handed on.

A local server can prove that we speak a platform's protocol; not that the platform still does, nor what it leaves out.
"""

import asyncio
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from connectors.contract import Capabilities, Gate, Source
from records import Bulletin, Clock, MalformedRecord, Post, SourceUnavailable

ASKED_OF_POSTS = ("text", "lang", "url", "geo", "author_id", "reply_to", "repost_of", "quote_of", "media", "thread_id")
ASKED_OF_BULLETINS = ("hazard", "colour", "place", "starts_at", "ends_at", "url", "text")


@dataclass
class Coverage:
    """What was read of one source."""

    source: str
    capabilities: Capabilities
    seconds: float = 0.0
    readings: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    verbs: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)  # fields that say something
    records: int = 0
    lags: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # why, in words without what people wrote
    trouble: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """Return the fields that are looked for."""
        return ASKED_OF_POSTS if self.capabilities.carries == "posts" else ASKED_OF_BULLETINS

    @property
    def median_lag_secs(self) -> float | None:
        """Return how old half of the posts were at most, in seconds; None without posts."""
        return sorted(self.lags)[len(self.lags) // 2] if self.lags else None

    def take(self, found: Post | Bulletin | MalformedRecord | None, gate: Gate) -> None:
        """Count one reading."""
        self.readings += 1
        if found is None:
            self.outcomes["not_a_post"] += 1
        elif isinstance(found, MalformedRecord):
            self.outcomes["refused"] += 1
            self.refused[found.reason] += 1
        else:
            self._take_record(found, gate)

    def _take_record(self, found: Post | Bulletin, gate: Gate) -> None:
        self.records += 1
        self.filled.update(name for name in self.asked if getattr(found, name, None))
        if isinstance(found, Post):
            self.outcomes["kept" if gate(found.text) else "gated"] += 1
            self.verbs[found.verb] += 1
            self.languages[found.lang or ""] += 1
            self.lags.append((found.received_at - found.event_time).total_seconds())
        else:
            self.outcomes["kept"] += 1
            self.verbs[found.kind] += 1


async def covered(source: Source, *, gate: Gate, clock: Clock, seconds: float, most: int) -> Coverage:
    """Read a source for so long, or so many readings, and return what came of it."""
    coverage = Coverage(source.name, source.capabilities)
    began = clock.now()
    try:
        async with asyncio.timeout(seconds), aclosing(source.read(None)) as readings:
            async for reading in readings:
                coverage.take(reading.post, gate)
                if coverage.readings >= most:
                    break
    except TimeoutError:
        pass
    except SourceUnavailable as error:
        coverage.trouble = str(error)
    coverage.seconds = (clock.now() - began).total_seconds()
    return coverage


def show(coverage: Coverage, console: Console) -> None:
    """Print what was found."""
    console.print(f"{coverage.source}: {coverage.readings} frames in {coverage.seconds:.1f} s", highlight=False)
    for title, counts in (("outcomes", coverage.outcomes), ("kinds", coverage.verbs), ("refused", coverage.refused)):
        if counts:
            said = ", ".join(f"{name} {count}" for name, count in counts.most_common())
            console.print(f"  {title}: {said}", highlight=False)
    if coverage.median_lag_secs is not None:
        console.print(f"  half of the posts were heard within {coverage.median_lag_secs:.1f} s", highlight=False)
    if coverage.records:
        table = Table("field", "filled", title="field coverage")
        for name in coverage.asked:
            table.add_row(name, f"{coverage.filled[name] / coverage.records:.0%}")
        console.print(table)
    if coverage.trouble:
        console.print(f"  trouble: {coverage.trouble}", highlight=False)
