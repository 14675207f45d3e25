"""Feed: what posts say just now, one line for each content; in memory alone, and gone with its post.

Shape   signals and retractions in, in any order and repeated; out come the keys of the lines that are not as they were
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from msgspec.structs import replace

from console.live.hub import Change
from records import Place, Retraction, Signal
from records.doubt import Doubt
from records.retraction import words_of
from records.signal import Hazard

LEAST_RATIO = 1.5  # what weighs less is not shown: a post of somebody who was there counts as evidence from it on
WITNESS = 0.5  # from this probability on, a person is shown as a witness
MOST_LINES = 200
MOST_POSTS = 2000  # of one line that are known apart; it may have more
MOST_GONE = 20_000
KEPT = timedelta(hours=24)
SHOWN = 280  # characters


@dataclass(frozen=True)
class Line:
    """One content, whoever repeats it."""

    line_id: str
    text: str  # of the newest post that has words
    posts: int
    platforms: tuple[str, ...]
    authors: tuple[tuple[str, int], ...]  # category of contributor -> posts, the most first
    hazards: tuple[Hazard, ...]
    place: Place
    first_at: datetime
    last_at: datetime
    doubts: tuple[Doubt, ...]


@dataclass
class _Content:
    """The posts that share a content, and how they were read."""

    line_id: str
    last_at: datetime
    read: dict[str, dict[str, Signal]] = field(default_factory=dict)  # post -> hazard and place -> signal
    forgotten: int = 0  # posts that are not known apart any more

    @property
    def signals(self) -> list[Signal]:
        return [signal for readings in self.read.values() for signal in readings.values()]

    @property
    def posts(self) -> list[Signal]:
        """One signal of each post."""
        return [next(iter(readings.values())) for readings in self.read.values()]


class Feed:
    """The latest contents."""

    def __init__(self) -> None:
        self._contents: dict[str, _Content] = {}
        self._shared: dict[str, str] = {}  # content id -> line
        self._holds: dict[str, str] = {}  # post -> line
        self._gone: dict[str, Retraction] = {}  # whose words are not to come back

    def take(self, records: Iterable[Signal | Retraction], now: datetime) -> list[Change]:
        """Take in what is said and what is taken back; return which lines changed."""
        changed: dict[str, None] = {}
        for record in records:
            if isinstance(record, Signal) and now - record.event_time > KEPT:
                continue
            lines = self._retract(record) if isinstance(record, Retraction) else self._add(record)
            changed.update(dict.fromkeys(lines))
        changed.update(dict.fromkeys(self._age(now)))
        return [Change("feed", line_id) for line_id in changed]

    def line(self, line_id: str) -> Line | None:
        """Return one line; None where there is none any more."""
        content = self._contents.get(line_id)
        return _line_of(content) if content else None

    def lines(self, most: int = MOST_LINES) -> list[Line]:
        """Return the lines, the newest first."""
        return [_line_of(content) for content in self._newest_first()[:most]]

    def _add(self, signal: Signal) -> list[str]:
        reading = _reading(signal)
        known = self._contents.get(self._holds.get(signal.post_key, ""))
        if self._is_gone(signal):
            return []
        if signal.likelihood_ratio < LEAST_RATIO:
            return self._drop(known, signal.post_key, reading) if known else []
        if known and not _is_newer(signal, known.read[signal.post_key].get(reading)):
            return []
        shared = [self._shared[one] for one in signal.cluster_ids if one in self._shared]
        lines = list(dict.fromkeys([*([known.line_id] if known else []), *shared]))
        content = self._joined(lines) if lines else self._begun(signal)
        content.read.setdefault(signal.post_key, {})[reading] = signal
        content.last_at = max(content.last_at, signal.event_time)
        self._holds[signal.post_key] = content.line_id
        self._shared.update(dict.fromkeys(signal.cluster_ids, content.line_id))
        self._shorten(content)
        return [content.line_id, *lines]

    def _begun(self, signal: Signal) -> _Content:
        line_id = blake2b(signal.post_key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return self._contents.setdefault(line_id, _Content(line_id, signal.event_time))

    def _joined(self, lines: Sequence[str]) -> _Content:
        """Return the line that a content belongs to; those that it shows to be one become one."""
        content, *others = (self._contents[line_id] for line_id in lines)
        for other in others:
            for post_key, readings in other.read.items():
                content.read.setdefault(post_key, {}).update(readings)
                self._holds[post_key] = content.line_id
            content.forgotten += other.forgotten
            content.last_at = max(content.last_at, other.last_at)
            self._shared.update({one: content.line_id for one, line in self._shared.items() if line == other.line_id})
            del self._contents[other.line_id]
        return content

    def _shorten(self, content: _Content) -> None:
        while len(content.read) > MOST_POSTS:
            oldest = min(content.read, key=lambda key: min(one.event_time for one in content.read[key].values()))
            del content.read[oldest], self._holds[oldest]
            content.forgotten += 1

    def _retract(self, retraction: Retraction) -> list[str]:
        retraction = replace(retraction, told=None)  # it shows the words that are to go
        if self._gone.get(retraction.name) == retraction:
            return []  # it stands on every partition: what came since was refused
        self._gone[retraction.name] = retraction
        if len(self._gone) > MOST_GONE:
            del self._gone[next(iter(self._gone))]
        changed: list[str] = []
        for content in self._maybe_holding(retraction):
            hit = [one for one in content.signals if _takes(retraction, one)]
            relays = [one for one in content.signals if hit and one.is_relay]  # they have no words of their own
            for post_key, reading in {(one.post_key, _reading(one)) for one in (*hit, *relays)}:
                changed += self._drop(content, post_key, reading)
        return changed

    def _maybe_holding(self, retraction: Retraction) -> list[_Content]:
        """Return the contents to look through: of a post the one that holds it, of an author all."""
        if not retraction.post_key:
            return list(self._contents.values())
        content = self._contents.get(self._holds.get(retraction.post_key, ""))
        return [content] if content else []

    def _is_gone(self, signal: Signal) -> bool:
        found = (self._gone.get(name) for name in (signal.post_key, signal.author_id) if name)
        return any(one is not None and _is_before(signal, one) and _takes(one, signal) for one in found)

    def _drop(self, content: _Content, post_key: str, reading: str) -> list[str]:
        """Forget one reading of a post; a post without any goes, and so does a line without posts."""
        readings = content.read[post_key]
        if readings.pop(reading, None) is None:
            return []
        if not readings:
            del content.read[post_key], self._holds[post_key]
        if not content.read:
            self._end(content)
        return [content.line_id]

    def _end(self, content: _Content) -> None:
        for post_key in content.read:
            del self._holds[post_key]
        self._shared = {one: line for one, line in self._shared.items() if line != content.line_id}
        del self._contents[content.line_id]

    def _age(self, now: datetime) -> list[str]:
        """Forget what is old, and what is too much."""
        newest = self._newest_first()
        over = [one for number, one in enumerate(newest) if number >= MOST_LINES or now - one.last_at > KEPT]
        for content in over:
            self._end(content)
        return [content.line_id for content in over]

    def _newest_first(self) -> list[_Content]:
        return sorted(self._contents.values(), key=lambda one: (one.last_at, one.line_id), reverse=True)


def _reading(signal: Signal) -> str:
    return f"{signal.hazard}/{signal.place.place_id}"


def _is_newer(signal: Signal, known: Signal | None) -> bool:
    return known is None or (signal != known and signal.received_at >= known.received_at)


def _is_before(signal: Signal, retraction: Retraction) -> bool:
    """Tell whether a retraction speaks of what is said: by when it was read, or of an author by when he said it."""
    return (signal.received_at if retraction.post_key else signal.event_time) <= retraction.at


def _takes(retraction: Retraction, signal: Signal) -> bool:
    said_by = signal.post_key if retraction.post_key else signal.author_id
    return said_by == retraction.name and (not retraction.unless or words_of(signal.text) != retraction.unless)


def _line_of(content: _Content) -> Line:
    posts = sorted(content.posts, key=lambda one: (one.event_time, one.post_key))
    signals = content.signals
    newest = posts[-1]
    worded = [one for one in posts if one.text]
    own = [one for one in worded if not one.is_relay] or worded or posts
    return Line(
        line_id=content.line_id,
        text=shortened(own[-1].text),
        posts=len(posts) + content.forgotten,
        platforms=tuple(sorted({one.platform or one.source for one in posts})),
        authors=tuple(Counter(category_of(one) for one in posts).most_common()),
        hazards=tuple(sorted({one.hazard for one in signals})),
        place=newest.place,
        first_at=posts[0].event_time,
        last_at=newest.event_time,
        doubts=tuple(sorted({doubt for one in posts for doubt in one.doubts})),
    )


def category_of(signal: Signal) -> str:
    """Return who speaks: a witness, where it is a person who seems to have been there; else as the connector knows."""
    is_person = signal.author_kind in {"person", "unknown"} and not signal.is_relay
    return "witness" if is_person and signal.witness_probability >= WITNESS else signal.author_kind


def shortened(text: str) -> str:
    """Return the words as a line shows them."""
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1]}…"
