"""A scenario as the detectors take it; what its posts become is kept, for reading them takes far longer than deciding.

It is kept under a digest of the posts, of the settings that they are read by, and of all that reads: code, weights,
gazetteer, libraries. So nothing is taken that would be read otherwise now.

Shape   a file a reading, lines as on `signals.v1`; those that nobody asked for the longest go first
Errors  SettingsError where a post cannot be read; none of the folder: what cannot be had there is read anew
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import structlog

from connectors.pseudonym import write_private
from detectors.backtest import Value, came_at
from records import MalformedRecord, Post, decode, encode
from records.signal import Hazard
from streams.stated import statements
from streams.topics import OnSignals
from vigie.backtest import values_from
from vigie.scenarios.recording import recorded
from vigie.scenarios.scenario import Scenario
from vigie.settings import Settings

log = structlog.get_logger()

ROOT = Path(__file__).parents[2]
READS = tuple(
    ROOT / name
    for name in (
        "records",
        "models",
        "detectors",
        "streams",
        "vigie/assembly.py",
        "vigie/territory.py",
        "vigie/backtest.py",
    )
)
"""All of ours that what a post becomes depends on."""
ENDING = ".jsonl"
MOST_BYTES = 32 * 1024 * 1024


def values_of(scenario: Scenario, kept: Path) -> list[Value]:
    """Return what comes to the detectors in a scenario, in order; posts are read where no reading of them is kept."""
    with TemporaryDirectory() as folder:
        settings, posts = asyncio.run(recorded(scenario, scenario.all_posts, Path(folder)))
        path = kept / f"{digest_of(posts, settings)}{ENDING}"
        values = _kept_in(path)
        if values is None:
            values = list(values_from(posts, settings))
            _keep(values, path)
    return sorted([*values, *statements(scenario.notices, get_args(Hazard))], key=came_at)


def digest_of(posts: Sequence[Post], settings: Settings) -> str:
    """Return by what a reading is known again: what is read, and all that reads it."""
    digest = blake2b(digest_size=20)
    for part in _decides(posts, settings):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _decides(posts: Sequence[Post], settings: Settings) -> Iterator[bytes]:
    yield from map(encode, posts)
    yield settings.model_dump_json(exclude={"sources": {"__all__": {"path"}}}).encode()
    profile = Path(settings.territory.profile)
    named = (settings.territory.local_places, settings.edge.lexicon, settings.rumours.texts, profile)
    yield from (path.read_bytes() for path in named if path is not None and path.is_file())
    yield "\n".join(sorted(f"{one.name}=={one.version}" for one in distributions())).encode()
    for part in READS:
        yield from (path.read_bytes() for path in sorted(_files_of(part)))


def _files_of(part: Path) -> Iterator[Path]:
    found = part.rglob("*") if part.is_dir() else iter([part])
    return (path for path in found if path.is_file() and path.suffix != ".pyc")


def _kept_in(path: Path) -> list[Value] | None:
    """Return a reading that is kept, and note that it was asked for; None where there is none that can be used."""
    try:
        values = [decode(line, OnSignals) for line in path.read_bytes().splitlines()]
        os.utime(path)
    except FileNotFoundError:
        return None
    except (OSError, MalformedRecord) as error:
        log.warning("what was read of a scenario cannot be used: it is read anew", file=path.name, error=str(error))
        return None
    return values


def _keep(values: Sequence[Value], path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, b"".join(encode(value) + b"\n" for value in values))
        _let_go(path.parent)
    except OSError as error:
        log.warning("what was read of a scenario cannot be kept", file=path.name, error=str(error))


def _let_go(folder: Path) -> None:
    """Remove what nobody asked for the longest, where there is more than there may be."""
    asked = [(path.stat(), path) for path in folder.glob(f"*{ENDING}")]
    size = sum(status.st_size for status, _ in asked)
    for status, path in sorted(asked, key=lambda one: one[0].st_mtime_ns):
        if size <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        size -= status.st_size
