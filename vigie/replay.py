"""Replay: recorded posts through the whole pipeline, broker included, in event time, as fast as it goes."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec

from connectors.pseudonym import FixedPseudonyms
from connectors.sinks.contract import line_from
from connectors.sources.recorded import Recorded
from detectors.neighbours import Neighbours
from detectors.profile import Profile
from models.places import shipped_gazetteer
from records import Alert, Clock, MalformedRecord, Post, SettingsError
from vigie.edge_assembly import gate
from vigie.pipeline import Pipeline
from vigie.settings import Settings, Territory
from vigie.source_settings import RecordedSource
from vigie.territory import home_of, local_places, profile_of

CHUNK = 500
CLOSING = timedelta(days=3)  # after the last post: incidents that would end by then are shown to their end
PSEUDONYM_KEY = b"replay"  # the same recording gives the same pseudonyms, so the same alerts
SOURCE = "recorded"


@dataclass(frozen=True)
class Replayed:
    """What a replay gave."""

    posts: int  # read
    passed: int  # through the gate
    bad: tuple[str, ...]  # one message a bad line
    alerts: tuple[Alert, ...]  # revisions in event time


def settings_for(*, home: str, profile: str, local_places: Path | None, paths: Sequence[Path]) -> Settings:
    """Return the settings of a replay: with a home, posts that name no place belong there."""
    return Settings(
        territory=Territory(commune=home, profile=profile, local_places=local_places),
        sources=(RecordedSource(kind="recorded", name=SOURCE, path=paths[0], place=home),),
    )


async def read_posts(paths: Sequence[Path], clock: Clock, *, source: str = SOURCE) -> tuple[list[Post], list[str]]:
    """Return all posts of the files in order of event time, and a message for each line that is none.

    Errors  SettingsError when a file is not there
    """
    recorded = Recorded(paths, pseudonyms=FixedPseudonyms(PSEUDONYM_KEY), clock=clock, name=source)
    now = clock.now()
    posts: list[Post] = []
    bad: list[str] = []
    async for reading in recorded.read(None):
        if isinstance(reading.post, MalformedRecord):
            bad.append(str(reading.post))
        elif isinstance(reading.post, Post):
            # Nobody received it when it was said; but the replay must not depend on when it is run.
            said_at = min(reading.post.posted_at, now)
            posts.append(msgspec.structs.replace(reading.post, received_at=said_at))
    posts.sort(key=lambda post: (post.event_time, post.key))
    return posts, bad


async def replay(paths: Sequence[Path], settings: Settings, clock: Clock, *, partitions: int = 1) -> Replayed:
    """Run posts through a pipeline of their own and return the alert revisions, the same over any partitions.

    Errors  SettingsError, before anything is started, when the settings cannot be used
    """
    profile = refuse_unusable(settings)
    posts, bad = await read_posts(paths, clock)
    if not posts:
        return Replayed(0, 0, tuple(bad), ())
    passes = gate(settings)
    kept = [post for post in posts if passes(post.text)]
    async with Pipeline(settings, partitions=partitions) as pipeline:
        for start in range(0, len(kept), CHUNK):
            await pipeline.posts(kept[start : start + CHUNK])
        alerts = await pipeline.alerts()
        open_keys = sorted({f"{alert.state_hazard}/{alert.area or alert.place.area}" for alert in alerts})
        await pipeline.pass_time(open_keys, posts[-1].event_time + CLOSING)
        alerts = await pipeline.alerts()
    neighbours = Neighbours(profile)
    return Replayed(len(posts), len(kept), tuple(bad), tuple(neighbours.joined(alert) for alert in alerts))


def refuse_unusable(settings: Settings) -> Profile:
    """Return the profile, or raise what the worker would raise: here it is told at once, and without a worker's log."""
    gazetteer = shipped_gazetteer()
    profile = profile_of(settings, home_of(settings, gazetteer))
    local_places(settings, gazetteer)
    return profile


def refuse_unwritable(out: Path) -> None:
    """Raise SettingsError when the alerts could not be written: better now than after the replay."""
    if str(out) != "-" and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise SettingsError(f"--alerts {out}: cannot be written; give a file in a folder that is there")


def write_alerts(alerts: Sequence[Alert], out: Path) -> None:
    """Write one JSON object a revision; "-" is standard output.

    Errors  SettingsError when the file cannot be written
    """
    lines = b"".join(msgspec.json.encode(line_from(alert)) + b"\n" for alert in alerts)
    if str(out) == "-":
        sys.stdout.buffer.write(lines)
        return
    try:
        out.write_bytes(lines)
    except OSError as error:
        raise SettingsError(f"--alerts {out}: {error.strerror}; give a file in a folder that is there") from error


def run_replay(paths: Sequence[Path], settings: Settings, clock: Clock, *, partitions: int = 1) -> Replayed:
    """Replay, from outside of any loop."""
    return asyncio.run(replay(paths, settings, clock, partitions=partitions))
