"""`vigie backtest`: recorded posts or signals decided again by one profile or two, judged by what is known."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from detectors.backtest import Told, Value, came_at, replayed
from detectors.comparing import FACTORS, compare, point_from, with_budget
from detectors.judging import outcome_of
from detectors.profile import Profile
from models.hazard import HazardModel
from models.places import shipped_gazetteer
from records import Clock, MalformedRecord, Place, Post, ProfileChange, SettingsError, Tick, decode
from records.backtest import Backtest, FrontierPoint, Outcome
from records.truth import Truth
from streams.topics import OnSignals
from vigie.assembly import steps
from vigie.edge_assembly import gate
from vigie.replay import CLOSING, read_posts
from vigie.settings import Settings

BATCH = 200
PARQUET = ".parquet"
LOOKED_AT = 20
"""Lines of a file by which it is known what it holds."""
SHORTEST = timedelta(hours=1)
"""What lasts for less counts as lasting for so long: a rate a day of a minute says nothing."""

OnProgress = Callable[[str, float], None]
"""Told what is being worked on, and how much of it is done, 0 to 1; it may raise to have done with it."""
OnTold = Callable[[int, Sequence[Told]], None]
"""Told what each profile would have said, by its number."""


@dataclass(frozen=True)
class Past:
    """A recording: what came to the detectors, in order, and from when until when it was listened to."""

    values: tuple[Value, ...]
    starts_at: datetime
    ends_at: datetime
    bad: tuple[str, ...] = ()  # one message a bad line

    @property
    def days(self) -> float:
        """How long it is."""
        return max(self.ends_at - self.starts_at, SHORTEST) / timedelta(days=1)


def read_past(paths: Sequence[Path], settings: Settings, clock: Clock) -> Past:
    """Return what files hold, posts or signals; signals in the order of the files and of their lines.

    Errors  SettingsError when a file is not there, when none holds anything, or when some hold posts and others signals
    """
    kinds = {path: _holds_signals(path) for path in paths}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{path.name}: {'signals' if is_signals else 'posts'}" for path, is_signals in kinds.items())
        raise SettingsError(f"files of one kind at once: {told}")
    return _past_from_signals(paths) if all(kinds.values()) else _past_from_posts(paths, settings, clock)


def _nothing_in(bad: Sequence[str]) -> SettingsError:
    more = [f"… and {len(bad) - LOOKED_AT} more bad lines"] if len(bad) > LOOKED_AT else []
    return SettingsError("\n".join(["no file holds a post or a signal", *bad[:LOOKED_AT], *more]))


def _holds_signals(path: Path) -> bool:
    """Tell by its first lines, some of which may be bad; what is neither is told of as posts are."""
    if path.suffix == PARQUET:
        return True
    try:
        with path.open("rb") as lines:
            return any(_is_signal(line) for line in islice(filter(bytes.strip, lines), LOOKED_AT))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; give a file of recorded posts or signals") from error


def _is_signal(line: bytes) -> bool:
    try:
        decode(line, OnSignals)
    except MalformedRecord:
        return False
    return True


def _past_from_signals(paths: Sequence[Path]) -> Past:
    values: list[Value] = []
    bad: list[str] = []
    for path in paths:
        found = _recorded_in(path) if path.suffix == PARQUET else _lines_in(path, bad)
        # time passes by itself here, and profiles are given
        values.extend(value for value in found if not isinstance(value, Tick | ProfileChange))
    if not values:
        raise _nothing_in(bad)
    times = [came_at(value) for value in values]
    return Past(tuple(values), min(times), max(times), tuple(bad))


def _lines_in(path: Path, bad: list[str]) -> Iterator[Any]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield decode(line, OnSignals)
        except MalformedRecord as error:
            bad.append(f"{path}:{number}: {error}")


def _recorded_in(path: Path) -> Iterator[Any]:
    """Yield what a part of a recording holds, as `vigie recording export` writes it."""
    try:
        recording = import_module("vigie.recording")
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{path}: {error.name} is not installed: pip install -e '.[recording]' in the checkout"
        ) from error
    return (row.record for row in recording.rows_in(recording.table_in(path)))


def _past_from_posts(paths: Sequence[Path], settings: Settings, clock: Clock) -> Past:
    """Return the signals of recorded posts: through the gate, read and placed one by one, as a replay does.

    The source of each is where it was recorded from, not the recording.
    """
    posts, bad = asyncio.run(read_posts(paths, clock))
    if not posts:
        raise _nothing_in(bad)
    return Past(tuple(values_from(posts, settings)), posts[0].event_time, posts[-1].event_time, tuple(bad))


def values_from(posts: Iterable[Post], settings: Settings, *, reader: HazardModel | None = None) -> Iterator[Value]:
    """Yield what posts become on their way to the detectors: those that pass the gate, read and placed.

    One by one by the model that ships, many at once by another.
    """
    passes, enrich = gate(settings), steps(settings, is_exact=reader is None, reader=reader).enrich
    kept = [post for post in posts if passes(post.text)]
    for start in range(0, len(kept), BATCH):
        for result in enrich(kept[start : start + BATCH]):
            # as the worker does: first goes what was said before
            yield from [result.retraction] if result.retraction else []
            yield from (replace(signal, source=signal.platform or signal.source) for signal in result.signals)


def read_truth(path: Path) -> Truth:
    """Return what is known to have happened.

    Errors  SettingsError when the file cannot be read or is none
    """
    try:
        truth = msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as error:
        raise SettingsError(f"--truth {path}: {error.strerror}; give a JSON file") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"--truth {path}: {error}") from error
    problem = _problem_with(truth)
    if problem:
        raise SettingsError(f"--truth {path}: {problem}")
    return truth


def _problem_with(truth: Truth) -> str | None:
    seen: set[str] = set()
    for one in (*truth.incidents, *truth.false_ones):
        if one.incident_id in seen:
            return f"{one.incident_id}: stands twice; give each its own incident_id"
        if one.ended_at is not None and one.ended_at < one.began_at:
            return f"{one.incident_id}: ended_at is before began_at"
        if not one.post_ids and one.place is None:
            return f"{one.incident_id}: neither post_ids nor a place: nothing could be found to be about it"
        seen.add(one.incident_id)
    return None


@dataclass(frozen=True)
class Bench:
    """What profiles are tried on.

    Shape   `run` with one profile or two, the one in force first
    """

    past: Past
    truth: Truth
    places: dict[str, Place]

    def run(
        self,
        profiles: Sequence[Profile],
        *,
        has_frontiers: bool,
        on_progress: OnProgress = lambda _, __: None,
        on_told: OnTold = lambda _, __: None,
    ) -> Backtest:
        """Return what profiles would have made of the past."""
        outcomes = tuple(
            self._outcome(profile, profile.name, on_progress, partial(on_told, number))
            for number, profile in enumerate(profiles)
        )
        frontiers = tuple(
            tuple(self._frontier(profile, outcome, on_progress))
            for profile, outcome in zip(profiles, outcomes, strict=True)
            if has_frontiers
        )
        return Backtest(
            starts_at=self.past.starts_at,
            ends_at=self.past.ends_at,
            days=self.past.days,
            signals=len(self.past.values),
            true_incidents=len(self.truth.incidents),
            is_complete=self.truth.is_complete,
            outcomes=outcomes,
            frontiers=frontiers,
            comparison=compare(outcomes[0], outcomes[1], *frontiers[:1]) if len(outcomes) > 1 else None,
        )

    def _frontier(self, profile: Profile, outcome: Outcome, on_progress: OnProgress) -> Iterator[FrontierPoint]:
        for factor in FACTORS:
            if factor == 1.0:
                yield point_from(outcome, factor)
                continue
            part = f"{profile.name} × {factor:g}"
            yield point_from(self._outcome(with_budget(profile, factor), part, on_progress), factor)

    def _outcome(
        self,
        profile: Profile,
        part: str,
        on_progress: OnProgress,
        on_told: Callable[[Sequence[Told]], None] = lambda _: None,
    ) -> Outcome:
        past = self.past
        run = replayed(
            profile,
            past.values,
            until=past.ends_at + CLOSING,
            places=self.places,
            on_progress=lambda share: on_progress(part, share),
        )
        on_told(run.told)
        return outcome_of(
            run.told,
            past.values,
            self.truth,
            profile=profile.name,
            version=profile.version,
            days=past.days,
            failed=run.failed,
        )


def bench_of(past: Past, truth: Truth) -> Bench:
    """Return a bench with what is known of the tree's wider nodes."""
    return Bench(past, truth, shipped_gazetteer().wide_places())
