"""Features: the words and the runs of letters of a text, hashed into a fixed number of columns."""

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.folding import folded

LETTER_COLUMNS = 1 << 16
WORD_COLUMNS = 1 << 16
COLUMNS = LETTER_COLUMNS + WORD_COLUMNS

_RUNS = (3, 4, 5)  # letters
_LONGEST = 1000  # letters read of a text
_BASE = np.uint64(0x9E3779B97F4A7C15)


class Grams(NamedTuple):
    """The filled columns of a batch of texts, text after text.

    Shape   columns and values of text i stand at starts[i]:starts[i + 1]
    Units   values: occurrences over the square root of all occurrences, words and letters apart
    """

    columns: NDArray[np.int64]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]


def grams_from(texts: Sequence[str]) -> Grams:
    """Return the features of each text; a text without Latin letters or digits has none."""
    plain = [folded(text[:_LONGEST])[:_LONGEST] for text in texts]
    letters, letter_owners = _letter_columns(plain)
    words, word_owners = _word_columns(plain)
    owners = np.concatenate((letter_owners, word_owners))
    columns = np.concatenate((letters, words + LETTER_COLUMNS))
    values = np.concatenate((_shares(letter_owners, len(plain)), _shares(word_owners, len(plain))))
    order = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[order], np.arange(len(plain) + 1))
    return Grams(columns[order], values[order], starts)


def _letter_columns(plain: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    codes = np.frombuffer("".join(plain).encode("ascii"), dtype=np.uint8).astype(np.uint64)
    lengths = np.array([len(text) for text in plain], dtype=np.int64)
    owners = np.repeat(np.arange(len(plain)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(codes))  # letters up to the text's end
    found, found_owners = [], []
    for run in _RUNS:
        hashes = np.zeros(max(len(codes) - run + 1, 0), dtype=np.uint64)
        for step in range(run):
            hashes = hashes * _BASE + codes[step : step + len(hashes)]
        inside = left[: len(hashes)] >= run
        found.append(_columns(hashes[inside] + np.uint64(run), LETTER_COLUMNS))
        found_owners.append(owners[: len(hashes)][inside])
    return np.concatenate(found), np.concatenate(found_owners)


def _word_columns(plain: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    split = [text.split() for text in plain]
    owners = np.repeat(np.arange(len(plain)), [len(words) for words in split])
    hashes = np.array([crc32(word.encode("ascii")) for words in split for word in words], dtype=np.uint64)
    pairs = hashes[:-1] * _BASE + hashes[1:]
    inside = owners[:-1] == owners[1:]
    found = np.concatenate((hashes, pairs[inside]))
    return _columns(found, WORD_COLUMNS), np.concatenate((owners, owners[:-1][inside]))


def _columns(hashes: NDArray[np.uint64], width: int) -> NDArray[np.int64]:
    hashes = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(0xBF58476D1CE4E5B9)
    return ((hashes ^ (hashes >> np.uint64(29))) % np.uint64(width)).astype(np.int64)


def _shares(owners: NDArray[np.int64], texts: int) -> NDArray[np.float32]:
    totals = np.bincount(owners, minlength=texts)
    return (1 / np.sqrt(totals[owners])).astype(np.float32)
