"""Copies in the corpus: posts that say the same in nearly the same words, and files that fill in a form instead.

copy      two posts that say the same in nearly the same words; across the split they are refused
template  one opening or one frame of a sentence, many times in a file
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from models.corpus_findings import Finding, lines_of, words_of
from models.posts_corpus import CorpusPost

# Copies. Bounds set by reading the pairs of the training part around them (2026-11-22): from 0.60 on the same sentence
# with another town or day, from 0.55 the same little scene in other words, below 0.50 the same theme only.
ALIKE = 0.55  # cosine of the weighted four-letter runs
ALIKE_SHORT = 0.70  # the same, where one of the two has fewer than 5 words
SHORT_WORDS = 5
SHARED_RUNS = 0.5  # of the shorter post's runs of five words, found in the other one: a post quoted inside another
LEAST_SHARED_RUNS = 3
_RUN_WORDS = 5
_RARE = 200  # pairs are looked for among letter runs that no more posts than these have
_WORTH_COMPARING = 0.1  # likeness in rare letter runs alone
_ROWS = 1000

# Templates.
OPENING_WORDS = 4
OPENINGS_REPORTED, OPENINGS_REFUSED = 4, 7  # posts of one file that begin with the same words
FRAME_WORDS = 4  # small words that a frame needs, before it says anything
FRAMES_REPORTED, FRAMES_REFUSED = 3, 6  # posts of one file that have the same frame
_SMALL_WORDS = 150  # the commonest of a language; all others are left blank in a frame


class _Pair(NamedTuple):
    first: int
    second: int
    likeness: float
    measure: str


def copies(train: Sequence[CorpusPost], test: Sequence[CorpusPost]) -> Iterator[Finding]:
    """Find the posts that nearly repeat another one; across the split they are refused."""
    posts = [*train, *test]
    words = [words_of(post.text) for post in posts]
    repeats = list(_repeats(posts, words))
    seen = {(pair.first, pair.second) for pair in repeats}
    alike = {(pair.first, pair.second): pair for pair in chain(_quoted(words), _alike(words))}
    for pair in repeats:
        yield _copy(posts, pair, is_refused=True)
    contrasts: Counter[str] = Counter()
    for (first, second), pair in alike.items():
        one, other = posts[first], posts[second]
        is_across = first < len(train) <= second
        if (first, second) in seen:
            continue
        if one.source == other.source and _labels(one) != _labels(other):
            contrasts[one.source] += 1
        else:
            yield _copy(posts, pair, is_refused=is_across)
    for source, pairs in contrasts.items():
        message = f"{source}.tsv: {pairs} pairs of nearly the same words and different labels: contrasts, if meant"
        yield Finding(kind="copy", is_refused=False, strength=0.0, message=message)


def _copy(posts: Sequence[CorpusPost], pair: _Pair, *, is_refused: bool) -> Finding:
    first, second = posts[pair.first], posts[pair.second]
    advice = "rewrite the training post" if is_refused else "rewrite one, unless both are worth having"
    if _labels(first) != _labels(second):
        advice += "; their labels differ, is one wrong?"
    message = f"{second.where}: {pair.measure} as {first.where} ({pair.likeness:.2f}): {advice}"
    return Finding(
        kind="copy",
        is_refused=is_refused,
        strength=pair.likeness,
        message=message,
        where=(first.where, second.where),
    )


def _labels(post: CorpusPost) -> tuple[tuple[str, ...], str]:
    return post.hazards, post.actuality


def _repeats(posts: Sequence[CorpusPost], words: Sequence[list[str]]) -> Iterator[_Pair]:
    seen: dict[str, int] = {}
    for number, (post, mine) in enumerate(zip(posts, words, strict=True)):
        first = seen.setdefault(" ".join(mine or post.text.split()), number)
        if first != number:
            yield _Pair(first, number, 1.0, "the same words")


def _alike(words: Sequence[list[str]]) -> Iterator[_Pair]:
    """Find the pairs whose four-letter runs, weighted by rarity, point the same way."""
    if not any(len(word) > 1 for mine in words for word in mine):
        return
    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True, dtype=np.float32)
    table = runs.fit_transform([" ".join(mine) for mine in words]).tocsr()
    posts_with = np.bincount(table.indices, minlength=table.shape[1])
    first, second, _ = _products(table[:, (posts_with > 1) & (posts_with <= _RARE)], _WORTH_COMPARING)
    lengths = np.array([len(mine) for mine in words])
    bounds = np.where(np.minimum(lengths[first], lengths[second]) < SHORT_WORDS, ALIKE_SHORT, ALIKE)
    for start in range(0, len(first), 20 * _ROWS):
        part = slice(start, start + 20 * _ROWS)
        likeness = np.asarray(table[first[part]].multiply(table[second[part]]).sum(axis=1)).ravel()
        for n in np.flatnonzero(likeness >= bounds[part]) + start:
            yield _Pair(int(first[n]), int(second[n]), float(likeness[n - start]), "nearly the same words")


def _quoted(words: Sequence[list[str]]) -> Iterator[_Pair]:
    """Find the pairs of which one has much of the other in it, word for word."""
    if not any(len(mine) >= _RUN_WORDS for mine in words):
        return
    runs = CountVectorizer(analyzer=_five_word_runs, binary=True, dtype=np.float32)
    table = runs.fit_transform(words).tocsr()
    sizes = np.maximum(np.asarray(table.sum(axis=1)).ravel(), 1)
    for first, second, shared in zip(*_products(table, LEAST_SHARED_RUNS), strict=True):
        likeness = shared / min(sizes[first], sizes[second])
        if likeness >= SHARED_RUNS:
            yield _Pair(int(first), int(second), float(likeness), "much of it word for word the same")


def _five_word_runs(words: Sequence[str]) -> list[str]:
    return [" ".join(words[start : start + _RUN_WORDS]) for start in range(len(words) - _RUN_WORDS + 1)]


def _products(table: csr_matrix, least: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return the pairs of rows (first < second) whose product is at least so large, and the products."""
    firsts, seconds, products = [], [], []
    for start in range(0, table.shape[0], _ROWS):
        part = (table[start : start + _ROWS] @ table.T).tocoo()
        kept = (part.data >= least) & (part.row + start < part.col)
        firsts.append(part.row[kept] + start)
        seconds.append(part.col[kept])
        products.append(part.data[kept])
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(products)


def templates(posts: Sequence[CorpusPost]) -> Iterator[Finding]:
    """Find the openings and the frames that a file repeats."""
    small = _small_words(posts)
    openings: dict[tuple[str, str], list[CorpusPost]] = defaultdict(list)
    frames: dict[tuple[str, str], list[CorpusPost]] = defaultdict(list)
    for post in posts:
        words = words_of(post.text)
        if len(words) >= OPENING_WORDS:
            openings[post.source, " ".join(words[:OPENING_WORDS])].append(post)
        frame = _frame(words, small[post.language])
        if sum(word != "…" for word in frame) >= FRAME_WORDS:
            frames[post.source, " ".join(frame)].append(post)
    yield from _repeated(openings, "begin alike", OPENINGS_REPORTED, OPENINGS_REFUSED)
    yield from _repeated(frames, "have one frame", FRAMES_REPORTED, FRAMES_REFUSED)


def _small_words(posts: Iterable[CorpusPost]) -> dict[str, frozenset[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for post in posts:
        counts[post.language].update(word for word in words_of(post.text) if not word.isdigit())
    return {language: frozenset(word for word, _ in c.most_common(_SMALL_WORDS)) for language, c in counts.items()}


def _frame(words: Sequence[str], small: Collection[str]) -> list[str]:
    """Return the small words of a post, with one "…" for whatever stands between them."""
    frame: list[str] = []
    for word in words:
        if word in small:
            frame.append(word)
        elif not frame or frame[-1] != "…":
            frame.append("…")
    return frame


def _repeated(
    groups: Mapping[tuple[str, str], list[CorpusPost]], what: str, reported: int, refused: int
) -> Iterator[Finding]:
    for (source, shape), posts in groups.items():
        if len(posts) >= reported:
            yield Finding(
                kind="template",
                is_refused=len(posts) >= refused,
                strength=float(len(posts)),
                message=f'{source}.tsv: {len(posts)} posts {what}, "{shape}": lines {lines_of(posts)}; vary them',
                where=tuple(post.where for post in posts),
            )
