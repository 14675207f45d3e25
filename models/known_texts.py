"""Known texts: messages that have gone round before, at another time or place, and posts that say the same again.

A post says the same as `models/near_duplicate.py` has it: the same wording, a fingerprint within `NEAR_BITS`, or half
of the passages of the shorter of both.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from models.folding import words_of
from models.near_duplicate import NEAR_BITS, content_ids, fingerprint, passages
from models.phrases import lines_of
from records import SettingsError

FEWEST_WORDS = 8
"""A shorter text has no passages, and may be said by anybody."""

_ALL_BITS = (1 << 64) - 1
_FEWEST_SHARED = 2
_LONG = 6  # letters: words that few texts share
_FEWEST_ALIKE = 3  # such words, before passages are worth their time


class KnownTexts:
    """Tells whether a post repeats one of some texts.

    Units   some 10 µs for a post that shares few words with them
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._wordings: set[str] = set()
        self._prints: set[int] = set()
        self._by_passage: dict[int, list[int]] = {}
        self._passages: list[int] = []
        self._words: set[str] = set()
        for text in texts:
            self._take(text)

    def _take(self, text: str) -> None:
        self._wordings.update(one for one in content_ids(text) if one.startswith("t:"))
        self._prints.add(fingerprint(text) & _ALL_BITS)
        self._prints.discard(0)
        marks = passages(text)
        for mark in marks:
            self._by_passage.setdefault(mark, []).append(len(self._passages))
        self._passages.append(len(marks))
        self._words |= _long_words(text)

    def __len__(self) -> int:
        """Return how many texts are known."""
        return len(self._passages)

    def has(self, text: str) -> bool:
        """Tell whether a text says the same as one that is known."""
        if len(_long_words(text) & self._words) < _FEWEST_ALIKE:
            return False
        return not self._wordings.isdisjoint(content_ids(text)) or self._is_near(text) or self._is_quoted(text)

    def _is_near(self, text: str) -> bool:
        own = fingerprint(text) & _ALL_BITS
        return bool(own) and any((own ^ one).bit_count() <= NEAR_BITS for one in self._prints)

    def _is_quoted(self, text: str) -> bool:
        marks = passages(text)
        shared = Counter(number for mark in marks for number in self._by_passage.get(mark, ()))
        return any(
            count >= _FEWEST_SHARED and 2 * count >= min(len(marks), self._passages[number])
            for number, count in shared.items()
        )


def known_texts_in(path: Path) -> list[str]:
    """Return the texts of a file, one a line.

    Errors  SettingsError with file, line, what was found and what would do
    """
    texts = []
    for where, line in lines_of(path):
        if len(words_of(line)) < FEWEST_WORDS:
            raise SettingsError(
                f'{where}: "{line[:40]}" has fewer than {FEWEST_WORDS} words: anybody might say it, give the whole text'
            )
        texts.append(line)
    return texts


def _long_words(text: str) -> set[str]:
    return {word for word in words_of(text) if len(word) >= _LONG}
