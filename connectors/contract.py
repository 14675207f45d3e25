"""What a connector is: something that reads one source, resumable, and hands over posts or bulletins.

A connector knows neither the gate's words nor the broker: both come as arguments.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple, Protocol

from records import Bulletin, DeadLetter, MalformedRecord, Post, Pulse, SourceUnavailable, VigieError

Gate = Callable[[str], bool]
"""Tells whether a text could matter; the rest is counted and forgotten."""

NEVER = timedelta(days=36_500)
"""A recording on a clock may be silent for as long as the day that it tells of."""

Outcome = Literal["kept", "gated", "not_a_post", "refused"]
"""What became of one value read; each value has exactly one."""


class Reading(NamedTuple):
    """One step of a connector: where it now stands and, maybe, what it found.

    `post` is None when the frame was not for us, or only a sign of life: the cursor still moves past it. An empty
    cursor means that the source has said nothing yet that one could resume from. `also` holds what the same frame
    says beside the post: a purge under the pseudonym that the author had before the last change of keys, or further
    areas that a bulletin concerns. It counts with the frame.
    """

    cursor: str
    post: Post | Bulletin | MalformedRecord | None
    also: tuple[Post | Bulletin, ...] = ()


class Capabilities(NamedTuple):
    """What a source can give at its best; what it cannot is no defect of the day."""

    carries: Literal["posts", "bulletins"] = "posts"
    edits: bool = False  # it tells of them
    deletions: bool = False
    positions: bool = False
    backfill: timedelta | None = None  # how far back what was missed can be read; None: not at all
    every: timedelta | None = None  # how often it is asked; None: it tells by itself
    quiet: timedelta = timedelta(minutes=5)  # without any sign of life for so long, it is not listening
    is_told: bool = False  # others call us: its silence says nothing

    def asked_every(self, seconds: float) -> "Capabilities":
        """Return these where the source is asked so often: it must be able to miss a turn before it counts as blind."""
        every = timedelta(seconds=seconds)
        return self._replace(every=every, quiet=max(self.quiet, 2.5 * every))


class Source(Protocol):
    """Reads one source.

    Shape   readings in the source's own order; every frame read gives exactly one reading
    Errors  SourceUnavailable when it cannot be read now: the runner waits and reads again after the last cursor
    """

    name: str
    is_trusted: bool  # its posts skip the gate
    capabilities: Capabilities

    def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield readings that follow a cursor, or from the source's own beginning when there is none."""


class Publisher(Protocol):
    """Takes what a connector hands over; a call returns only when the broker has acknowledged it.

    Errors  whatever it raises stops the runner with the cursor unsaved; waiting for a broker is its own business
    """

    async def posts(self, posts: Sequence[Post]) -> None:
        """Hand over posts that passed the gate."""

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        """Hand over what authorities and operators state."""

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Hand over values that could not be read, with their reasons."""

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Hand over the counts of what was read and not kept."""


class NotSaved(VigieError):
    """A cursor is not on the disk: at the next start what it stands for is read once more, and nothing is lost."""


class Cursors(Protocol):
    """Remembers where each source stands, across restarts.

    Errors  NotSaved when a cursor cannot be kept
    """

    def load(self, source: str) -> str | None:
        """Return the last saved cursor of a source."""

    def save(self, source: str, cursor: str) -> None:
        """Save a cursor; called only after the broker has all posts up to it."""


class Observer(Protocol):
    """Is told what happens at the edge: metrics and logs, never posts."""

    def counted(self, source: str, outcome: Outcome, values: int, *, reason: str = "") -> None:
        """Take note of values read, by outcome; `reason` says why some were refused and has few, fixed values."""

    def lagged(self, source: str, seconds: float) -> None:
        """Take note of how old the last post was when it was heard."""

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        """Take note that a source cannot be read and will be tried again."""

    def gap(self, source: str, seconds: float) -> None:
        """Take note of a span of a source that nobody will ever have seen."""

    def unsaved(self, source: str, error: NotSaved) -> None:
        """Take note that from now on a source's cursor cannot be saved."""


class Unobserved:
    """An observer that looks away: for tests and one-off commands."""

    def counted(self, source: str, outcome: Outcome, values: int, *, reason: str = "") -> None:
        """Look away."""

    def lagged(self, source: str, seconds: float) -> None:
        """Look away."""

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        """Look away."""

    def gap(self, source: str, seconds: float) -> None:
        """Look away."""

    def unsaved(self, source: str, error: NotSaved) -> None:
        """Look away."""
