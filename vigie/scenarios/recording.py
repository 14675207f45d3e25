"""A scenario as what the rest of Vigie reads: recordings, settings, and the truth in a file of its own."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from models.places import shipped_gazetteer
from records import Post, SettingsError, SystemClock, encode
from vigie.replay import read_posts
from vigie.scenarios.scenario import Scenario
from vigie.settings import Settings, Territory
from vigie.source_settings import RecordedSource

PlainPosts = Sequence[Mapping[str, Any]]


def write_recording(posts: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write posts as JSON lines, as `vigie replay` reads them.

    Errors  SettingsError when the file cannot be written
    """
    _write(b"".join(msgspec.json.encode(post) + b"\n" for post in posts), path)


async def recorded(scenario: Scenario, posts: PlainPosts, folder: Path) -> tuple[Settings, list[Post]]:
    """Return settings for posts of a scenario, with one source a platform, and the posts themselves, in order of time.

    The town's own groups speak of the town where they name no place; the wide streams do not.

    Errors  SettingsError when a post cannot be read
    """
    sources: list[RecordedSource] = []
    read: list[Post] = []
    for platform in sorted({post["source"] for post in posts}):
        path = folder / f"{platform}.jsonl"
        write_recording((post for post in posts if post["source"] == platform), path)
        place = scenario.home if platform in scenario.local_sources else ""
        sources.append(RecordedSource(kind="recorded", name=platform, path=path, place=place))
        found, bad = await read_posts([path], SystemClock(), source=platform)
        if bad:
            raise SettingsError("\n".join(bad))
        read.extend(found)
    settings = Settings(
        territory=Territory(commune=scenario.home, profile=scenario.profile, local_places=scenario.local_places),
        sources=tuple(sources),
        duty=scenario.duty,
        official_accounts=scenario.official_accounts,
    )
    return settings, sorted(read, key=lambda post: (post.event_time, post.key))


def write_truth(scenario: Scenario, path: Path) -> None:
    """Write what really happened as JSON, by which a backtest judges.

    Errors  SettingsError where a happening stands in no commune that there is, or the file cannot be written
    """
    _write(msgspec.json.format(encode(scenario.truth(shipped_gazetteer())), indent=2) + b"\n", path)


def _write(content: bytes, path: Path) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be written: {error.strerror}; give a file in a folder that is there"
        ) from error
