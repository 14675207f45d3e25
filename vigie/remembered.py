"""Remembered: a reader that reads once what many say: in a crisis people pass on what others wrote, word by word."""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from os import urandom

from models.reading import PostReading, Reader

KEPT = 2_000  # readings, some 2 kB each; how much that spares: tests/benchmarks/repeats.py
_KEY_BYTES = 16
Mark = tuple[str | None, bytes]


class Remembered:
    """A reader, and what it has read of late, by marks of the texts that nobody else can make: no words are kept.

    Shape   as the hazard model: one reading a text, in the same order
    """

    def __init__(self, reader: Reader, most: int = KEPT) -> None:
        self.reader = reader
        self.version = reader.version
        self.most = most
        self._secret = urandom(_KEY_BYTES)
        self._kept: OrderedDict[Mark, PostReading] = OrderedDict()  # the one that was asked for last stands last

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Return one reading a text, in the same order; of equal ones one is read."""
        asked = [(self._mark_of(text, lang), text, lang) for text, lang in zip(texts, langs, strict=True)]
        fresh = {mark: (text, lang) for mark, text, lang in asked if mark not in self._kept}
        readings = self.reader.read([text for text, _ in fresh.values()], [lang for _, lang in fresh.values()])
        self._kept.update(zip(fresh, readings, strict=True))
        for mark, _, _ in asked:
            self._kept.move_to_end(mark)
        found = [self._kept[mark] for mark, _, _ in asked]
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return found

    def _mark_of(self, text: str, lang: str | None) -> Mark:
        body = text.encode("utf-8", "surrogatepass")
        return lang, blake2b(body, key=self._secret, digest_size=_KEY_BYTES).digest()
