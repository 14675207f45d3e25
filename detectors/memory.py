"""Memory: who and what counted of late, so that a voice counts once.

Everything in it follows from the entries that are kept. It is filled and undone in their order, like a stack, and
forgets from its other end.

Source  docs/detection.md 2.1. Without it the retweets of one post are an alert.
"""

from collections import Counter
from collections.abc import Sequence

from detectors.entry import Entry

NEAR_BITS = 3
BAND_BITS = 16
"""Two texts that differ in no more than three bits of 64 agree in one band of 16 at least: they are found by it."""
_ALL_BITS, _BAND = (1 << 64) - 1, (1 << BAND_BITS) - 1

Name = int | str | tuple[int, int]
"""Numbers are authors and contents, texts are nodes (with WORD before them, too), pairs are bands of a fingerprint."""
WORD = "word\n"


class Memory:
    """The entries that counted, by author, by content and by node; and how often each was copied."""

    def __init__(self) -> None:
        self._named: dict[Name, list[Entry]] = {}  # most hold one: a deque would be ten times as large
        self.copies: dict[int, int] = {}

    def note(self, entry: Entry) -> None:
        """Remember an entry that was worked out."""
        if entry.original:
            self.copies[entry.original] = self.copies.get(entry.original, 0) + 1
        for name in _names_of(entry):
            self._named.setdefault(name, []).append(entry)

    def undo(self, entry: Entry) -> None:
        """Take back the entry that was noted last."""
        if entry.original:
            left = self.copies.pop(entry.original, 1) - 1
            if left:
                self.copies[entry.original] = left
        for name in _names_of(entry):
            self._named[name].pop()
            self._drop_if_empty(name)

    def forget(self, entries: Sequence[Entry]) -> None:
        """Forget the oldest entries, all that go at once: what is left of a list then moves up once."""
        for entry in entries:
            self.copies.pop(entry.post, None)
        for name, count in Counter(name for entry in entries for name in _names_of(entry)).items():
            del self._named[name][:count]
            self._drop_if_empty(name)

    def _drop_if_empty(self, name: Name) -> None:
        if not self._named[name]:
            del self._named[name]

    def of_author(self, author: int, *, since: int) -> list[Entry]:
        """Return what an author wrote that counted, weak posts too, latest first."""
        return _since(self._named.get(author), since)

    def twins_of(self, entry: Entry, *, since: int) -> list[Entry]:
        """Return the evidence that an entry repeats: by its content, its wording, then its author."""
        twins = [twin for content in entry.contents for twin in _since(self._named.get(content), since)]
        for band in _bands_of(entry.fingerprint):
            alike = _since(self._named.get(band), since)
            twins += [twin for twin in alike if _are_near(twin.fingerprint, entry.fingerprint)]
        return twins + [twin for twin in self.of_author(entry.author, since=since) if not twin.is_weak]

    def evidence_at(self, node: str, *, since: int) -> list[Entry]:
        """Return the evidence that counted for a node, latest first."""
        return _since(self._named.get(node), since)

    def words_at(self, node: str, *, since: int) -> list[Entry]:
        """Return what the press, operators and authorities said at a node, counted or not, latest first."""
        return _since(self._named.get(WORD + node), since)


def _names_of(entry: Entry) -> list[Name]:
    """Return under which names an entry is found: where it did not count, only as a word of somebody who matters."""
    words: list[Name] = [WORD + node for node in entry.path] if entry.word or entry.denier else []
    if not entry.has_counted:
        return words
    if entry.is_weak:
        return [entry.author, *words]
    nodes = [node for node, odds in zip(entry.path, entry.odds, strict=True) if odds > 0.0]
    return [entry.author, *entry.contents, *nodes, *_bands_of(entry.fingerprint), *words]


def _bands_of(fingerprint: int) -> tuple[tuple[int, int], ...]:
    """Return the bands of a fingerprint, none where there is none."""
    if not fingerprint:
        return ()
    return tuple((shift, (fingerprint >> shift) & _BAND) for shift in range(0, 64, BAND_BITS))


def _since(entries: list[Entry] | None, since: int) -> list[Entry]:
    if entries is None:
        return []
    found: list[Entry] = []
    for entry in reversed(entries):
        if entry.at < since:
            break
        found.append(entry)
    return found


def _are_near(one: int, other: int) -> bool:
    return ((one ^ other) & _ALL_BITS).bit_count() <= NEAR_BITS
