"""Reader in force: by which hazard model a worker reads, and how another one takes its place while it runs.

Every worker follows `decisions.v1` by itself, for a change must reach all. The change that holds is kept on disk too:
the topic forgets after a month, and a restart must not change how posts are read.

Shape   `read` as the model does; each text is read by one model, and each reading says by which
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from threading import Lock

import structlog

from models.reading import PostReading, Reader
from records import BrokenInvariant, MalformedRecord, ModelChange, SourceUnavailable, decode, encode
from streams import metrics
from streams.enrich import ReadsAhead, begin_to_read
from streams.reader import follow_values
from streams.settings import StreamSettings
from streams.topics import DECISIONS, OnDecisions

log = structlog.get_logger()

AGAIN_SECS = 5.0
FOLDER = "models"
KEPT = "in-force.json"


def models_folder(data_dir: Path) -> Path:
    """Return the folder of the models that may be in force on this machine, each under the digest of its weights."""
    return data_dir / FOLDER


def kept_change(data_dir: Path) -> ModelChange | None:
    """Return the change by which this machine reads; None where it reads by the model that ships.

    Errors  BrokenInvariant where the file is none of ours
    """
    path = models_folder(data_dir) / KEPT
    try:
        return decode(path.read_bytes(), ModelChange)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, MalformedRecord) as error:
        raise BrokenInvariant(
            f"{path}: cannot be read ({error}); put it back from a backup, or delete it to read by the shipped model"
        ) from error


class ReaderInForce:
    """The model that reads, and the one that takes its place."""

    def __init__(self, shipped: Reader, load: Callable[[Path], Reader], data_dir: Path) -> None:
        self._shipped = shipped
        self._load = load
        self._folder = models_folder(data_dir)
        self._reader = shipped
        self._lock = Lock()  # loading takes seconds: one found late must not displace one that came meanwhile
        self.change: ModelChange | None = None
        self.lacking = ""  # what should be in force here and cannot be, with the reason
        kept = kept_change(data_dir)
        if kept is not None:
            self._put_in_force(kept)

    @property
    def version(self) -> str:
        """What signals name it by."""
        return self._reader.version

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Return one reading a text, in the same order, all by one model."""
        return self._reader.read(texts, langs)

    def begin(self, texts: Sequence[str], langs: Sequence[str | None]) -> Callable[[], list[PostReading]]:
        """Begin to read, all by one model; what is returned gives the readings."""
        return begin_to_read(self._reader, texts, langs)

    def check(self) -> None:
        """Raise BrokenInvariant where the model that reads cannot any more."""
        if isinstance(self._reader, ReadsAhead):
            self._reader.check()

    def take(self, value: bytes) -> None:
        """Take a decision in; what is none is for the dead letters, not for us."""
        try:
            change = decode(value, OnDecisions)
        except MalformedRecord:
            return
        with self._lock:
            if isinstance(change, ModelChange) and self._is_news(change):
                self._put_in_force(change)
                self._keep(change)

    def _is_news(self, change: ModelChange) -> bool:
        """Tell whether a change is newer than the one that holds."""
        known = self.change
        return known is None or (change.decided_at, change.change_id) > (known.decided_at, known.change_id)

    def look_again(self) -> None:
        """Load what could not be loaded, where somebody has brought it here meanwhile."""
        with self._lock:
            if self.lacking and self.change is not None:
                self._put_in_force(self.change)

    def _put_in_force(self, change: ModelChange) -> None:
        """Read by another model from now on; where it is not here, go on by the one before, and say so loudly."""
        self.change = change
        try:
            self._reader = self._shipped if change.is_back else self._load(self._folder / change.digest)
            self.lacking = ""
        except BrokenInvariant as error:
            self.lacking = f"{change.version} should read here, and cannot: {error}; {self.version} goes on"
            log.error("the model in force cannot read here", why=self.lacking)  # noqa: TRY400  it says all there is
        metrics.MODEL_LACKING.set(bool(self.lacking))
        log.info("posts are read by", model=self.version)

    def _keep(self, change: ModelChange) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{KEPT}.part"
        unfinished.write_bytes(encode(change))
        unfinished.replace(self._folder / KEPT)

    async def follow(self, settings: StreamSettings) -> None:
        """Listen for ever; a broker that is away is asked again. Loading leaves the loop free meanwhile."""
        while True:
            try:
                async with aclosing(follow_values(settings, DECISIONS)) as values:
                    async for value in values:
                        await asyncio.to_thread(self.take, value)
            except SourceUnavailable as error:
                log.warning("decisions cannot be read: the model in force may be out of date", error=str(error))
            await asyncio.sleep(AGAIN_SECS)
