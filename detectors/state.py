"""State: what is remembered of one node, as small values in a key-value table.

Every value is written whole when it changes, and each write is a message, so values are cut by how often they change:

    <key>/node/<node>       every signal             baseline, control series, tail of the list of things remembered
    <key>/seen/<name>       every signal             one author or one content: when it counted, which posts told it
    <key>/stat/<node>       every counted post       the statistic, onsets, the last voices and fingerprints
    <key>/incident/<node>   every counted post       life cycle and counters; only while there is an incident
    <key>/folds/<node>      every copy               how many copies of what is shown
    <key>/exhibit/<node>    when a stronger one came the posts and places that are shown
    <key>/page/<node>/<n>   every 16 remembered      names to forget one day
    <key>/agenda            when incidents open, end which nodes need time to pass, and when

Shape   one Desk per call of the detector: read through it, stage into it, `write` once at the end, so that an error
        on the way leaves the table as it was
Errors  BrokenInvariant when a value in the table is not what we wrote
"""

from typing import Protocol, TypeVar

import msgspec

from detectors.baseline import Baseline
from detectors.corroboration import Voice
from records import BrokenInvariant, Place

MOST_VOICES = 12
MOST_FINGERPRINTS = 64


class Store(Protocol):
    """What a table offers."""

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, None where there is none."""

    def put(self, key: str, value: bytes) -> None:
        """Set the value of a key."""

    def remove(self, key: str) -> None:
        """Forget a key; one that is not there is no error."""


class Node(msgspec.Struct, array_like=True):
    """What every signal of a place and hazard changes."""

    at: int  # newest event time; never moves back
    baseline: Baseline
    population: int = 0
    horizon: int = 0  # what claims to be older than this can no longer be told from a repeat
    tail: bytes = b""  # names remembered, not yet on a page; nine bytes each
    first_page: int = 0
    next_page: int = 0
    forget_at: int = 0  # when the first page is due; 0 where there is none
    is_on_agenda: bool = False
    is_open: bool = False  # there is an incident, and it is not resolved


class Seen(msgspec.Struct, array_like=True):
    """What is remembered of one author or one content."""

    strong_at: int = 0  # when it last counted as evidence
    weak_at: int = 0  # when it last counted in the control series
    posts: list[int] = msgspec.field(default_factory=list)  # hashes of the posts that told it
    told_at: list[int] = msgspec.field(default_factory=list)
    lost_at: int = 0  # event time of the newest post that was one too many to be kept


class Stat(msgspec.Struct, array_like=True):
    """What every counted post changes."""

    at: int
    values: list[float]  # R, one for each rate
    sums: list[float]
    onsets: list[int]
    pace: float = 0.0  # counted posts a minute, exponential window
    weight: float = 0.0  # omega, as of the last counted post
    voices: list[Voice] = msgspec.field(default_factory=list)
    fingerprints: bytes = b""  # of the last counted posts, eight bytes each
    printed_at: bytes = b""  # when they counted, in seconds, four bytes each


class Slot(msgspec.Struct, array_like=True, frozen=True):
    """One post that is shown."""

    post_key: str
    event_at: int
    counted_at: int
    odds: float
    likelihood_ratio: float
    author_id: str
    names: list[str]  # author and contents, to know its copies by
    fingerprint: int
    is_first_hand: bool
    platform: str
    tier: int
    has_image: bool
    url: str | None
    text: str


class Exhibit(msgspec.Struct, array_like=True):
    """What is shown: the strongest posts, and the places they name."""

    slots: list[Slot] = msgspec.field(default_factory=list)  # in order of counting; the first one stays
    places: list[Place] = msgspec.field(default_factory=list)
    versions: dict[str, str] = {}


class Folds(msgspec.Struct, array_like=True):
    """Copies and relays, counted: in all, and of each post that is shown."""

    total: int = 0
    by_post: dict[str, int] = {}


class Incident(msgspec.Struct, array_like=True):
    """One incident, but for what is shown of it."""

    incident_id: str
    onset_at: int
    level: str = ""
    top: str = ""  # the highest level it reached since it opened or reopened
    revision: int = 0
    raised_at: int = 0  # when the present level was reached
    revised_at: int = 0  # when the last revision was made
    counted_at: int = 0  # when the last post counted
    background: float = 0.0  # evidence posts a minute to expect without an incident
    peak: float = 0.0  # highest pace
    returns: int = 0  # how often it came back from monitoring or resolved
    posts: int = 0
    authors: int = 0
    witnesses: int = 0
    images: int = 0
    platforms: list[str] = msgspec.field(default_factory=list)
    votes: list[int] = msgspec.field(default_factory=list)  # one for each place of the exhibit
    shown_place: int = 0
    told_authors: int = 0  # in the last revision
    grounds: str = ""  # why the word alert may be used


class Page(msgspec.Struct, array_like=True):
    """Names to forget, once the newest of them is old."""

    sealed_at: int
    names: bytes


class Agenda(msgspec.Struct, array_like=True):
    """Nodes that time must pass for, and no sooner than when."""

    due_at: dict[str, int] = {}


T = TypeVar("T", bound=msgspec.Struct)

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[type[msgspec.Struct], msgspec.msgpack.Decoder[msgspec.Struct]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (Node, Seen, Stat, Exhibit, Folds, Incident, Page, Agenda)
}


class Desk:
    """The values of one call: read once, changed in memory, written together."""

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self.key = key
        self._known: dict[str, msgspec.Struct | None] = {}
        self._staged: dict[str, msgspec.Struct | None] = {}

    def read(self, kind: type[T], name: str) -> T | None:
        """Return a value, the same object every time, or None where there is none."""
        if name not in self._known:
            self._known[name] = self._decoded(kind, name)
        found = self._known[name]
        if found is None or isinstance(found, kind):
            return found
        raise BrokenInvariant(f"state {self.key}/{name}: a {type(found).__name__}, not a {kind.__name__}")

    def _decoded(self, kind: type[msgspec.Struct], name: str) -> msgspec.Struct | None:
        value = self.store.get(f"{self.key}/{name}")
        if value is None:
            return None
        try:
            return _decoders[kind].decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BrokenInvariant(
                f"state {self.key}/{name}: {len(value)} bytes are no {kind.__name__}: {error}; "
                "the table is not ours or is damaged, rebuild it from the signals"
            ) from error

    def stage(self, name: str, value: msgspec.Struct) -> None:
        """Have a value written at the end."""
        self._known[name] = self._staged[name] = value

    def drop(self, name: str) -> None:
        """Have a value removed at the end."""
        self._known[name] = self._staged[name] = None

    def write(self) -> None:
        """Write all that was staged, in the order in which it was."""
        for name, value in self._staged.items():
            if value is None:
                self.store.remove(f"{self.key}/{name}")
            else:
                self.store.put(f"{self.key}/{name}", _encoder.encode(value))
        self._staged.clear()
