"""The gate's points: learned from the corpus and the public sets, and written as a plain file.

A word's points say how much likelier it makes a post about an incident than an everyday post, as a logistic regression
weighs it beside the others. Only words of general meaning get points: no names, no digits, nothing that
few authors use.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from models.folding import folded, words_of
from models.gate import LEXICON, POINTS, THRESHOLD, Entry, Gate, entries_from
from models.links import without_links
from models.posts_corpus import read_part
from models.public_posts import read_set
from records import SettingsError

POINTS_FILE = LEXICON / "points.txt"
WEIGHTS = {"corpus": 4.0, "t26": 1.2, "idrisi": 0.6, "other": 0.5, "umsab": 1.0, "umsab near": 3.0, "t6": 4.0}
"""What an example of each kind weighs; "umsab near" is French and English."""
MOST_PASSED = 0.085
"""Share of French and English UMSAB, and of T6 off topic, unseen while learning, that may pass: the threshold is the
least within both."""
LEARNED_EVERY = 2
"""Everyday posts learned from: one in so many; the others are for measuring."""

_EVERYDAY = (
    ("umsab near", "background/umsab_fr*"),
    ("umsab near", "background/umsab_en*"),
    ("umsab", "background/umsab_[dip]*"),
    ("umsab", "background/umsab_es*"),
    ("t6", "t6/*"),
)
_FREEDOM = 0.25  # inverse strength of the pull to zero
_ROUNDS = 300
_CLOSE_ENOUGH = 1e-3
_BEGINNING = 5  # letters
_FEWEST_POSTS = 5
_FEWEST_AUTHORS = 2
_FEWEST_INCIDENTS = 3
_LEAST_POINTS = 0.15  # nearer to zero a word says nothing
_FOLDS = 4
_SHORTEST = 2
_WORD = re.compile(r"[^\W\d_]+")
_MENTION = re.compile(r"@\w+")
_NOT_WORDS = frozenset({"rt", "via", "http", "https", "co", "amp", "www", "com"})
_HEAD = """\
# Points: how much a word speaks for an incident (above zero) or for everyday life (below).
#
#   river 0.6                this word, each time it is said (accents and capitals never matter)
#   evacu* 2.1               any word that starts so; a word gets its own points and those of its beginning
#   threshold 3.0            a post passes when the points of its words add up to this
#
# A post passes when an entry of the other files is found in it, or by its points. This file is learned
# (models/gate_points.py): do not edit it, the next training writes it anew. To change a word's points or the threshold,
# write a section [points] with such lines into a lexicon file of your own; "river 0" takes the points away.
"""


@dataclass(frozen=True)
class Example:
    """One post to learn from; its group is the author or incident it comes from, "" for everyday posts."""

    text: str
    kind: str
    group: str
    is_incident: bool


def learn_points(corpus: Path, public: Path, out: Path = POINTS_FILE) -> dict[str, float]:
    """Learn the points from the corpus's training part and the public sets; write the file, and return what it says.

    Shape   word -> points, and `threshold`; the same input gives the same file, byte for byte
    Errors  SettingsError where the corpus or the everyday posts are missing
    """
    entries = [
        entry for path in sorted(LEXICON.glob("*.txt")) if path != POINTS_FILE for entry in entries_from(path)[0]
    ]
    points = points_for(list(examples_from(corpus, public, Gate(entries))), entries)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(file_from(points), encoding="utf-8")
    return points


def examples_from(corpus: Path, public: Path, entries_only: Gate) -> Iterator[Example]:
    """Yield what is learned from: incidents, chatter of the corpus, and every second everyday post.

    The others are kept for measuring. Of the corpus's posts without an incident, those are chatter that have no entry
    in them: the rest was written to be hard, and is for the model.
    """
    yield from _corpus_examples(corpus, entries_only)
    yield from _incident_examples(public)
    for kind, texts in everyday_texts(public):
        yield from (Example(text, kind, "", is_incident=False) for text in texts[::LEARNED_EVERY])


def everyday_texts(public: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each set of everyday posts, with its kind; every second post of it is learned from."""
    for kind, pattern in _EVERYDAY:
        yield kind, [post.text for post in read_set(public, pattern) if not post.hazards]


def _corpus_examples(corpus: Path, entries_only: Gate) -> Iterator[Example]:
    for post in read_part(corpus / "train"):
        if post.hazards:
            yield Example(post.text, "corpus", post.source, is_incident=True)
        elif post.actuality == "other" and not entries_only(post.text):
            yield Example(post.text, "other", post.source, is_incident=False)


def _incident_examples(public: Path) -> Iterator[Example]:
    ours = {"fire", "flood", "industrial"}
    for kind in ("t26", "idrisi"):
        for post in read_set(public, f"{kind}/*"):
            if post.is_informative and ours & set(post.hazards):
                yield Example(post.text, kind, post.incident, is_incident=True)


def points_for(examples: Sequence[Example], entries: Iterable[Entry]) -> dict[str, float]:
    """Return the points of each word, learned from the examples, and the threshold.

    Errors  SettingsError where there is no everyday post to learn from
    """
    if not any(not example.group and example.kind != "umsab" for example in examples):
        raise SettingsError("points: no everyday post to learn from: name the folder with the public sets")
    names = names_in(example.text for example in examples)
    keys = [keys_of(example.text, names) for example in examples]
    everything = np.ones(len(examples), dtype=bool)
    points = _fitted(examples, keys, everything)
    return {THRESHOLD: _threshold(examples, keys, Gate(entries), points[""])} | {
        key: value for key, value in points.items() if key
    }


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the words that are nearly always written with a capital inside a sentence, or after # or @: names."""
    small: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for text in texts:
        for match in _WORD.finditer(text):
            _count(text, match, small, named)
    return frozenset(word for word, count in named.items() if count >= _SHORTEST and count > 2 * small[word])


def _count(text: str, match: re.Match[str], small: Counter[str], named: Counter[str]) -> None:
    written, before = match.group(), text[: match.start()].rstrip(" \"'«(’")
    if not before:
        return
    if before[-1] in "#@":
        named[folded(written).strip()] += 1
    elif written.islower():
        small[folded(written).strip()] += 1
    elif written.istitle() and before[-1] not in ".!?:\n…-|":
        named[folded(written).strip()] += 1


def keys_of(text: str, names: frozenset[str]) -> list[str]:
    """Return what of a text may carry points: its words and their beginnings, each once."""
    keys: dict[str, None] = {}
    for word in words_of(_MENTION.sub(" ", without_links(text))):
        if word.isalpha() and len(word) >= _SHORTEST and word not in _NOT_WORDS and word not in names:
            keys[word] = None
            if len(word) >= _BEGINNING:
                keys[f"{word[:_BEGINNING]}*"] = None
    return list(keys)


def _general(examples: Sequence[Example], keys: Sequence[Sequence[str]], rows: Sequence[int]) -> list[str]:
    """Return the keys that enough posts have, of enough authors, incidents or everyday posts."""
    posts: Counter[str] = Counter()
    groups: dict[str, set[str]] = {}
    for row in rows:
        example = examples[row]
        group = f"{example.kind in ('corpus', 'other')} {example.group or row}"
        for key in keys[row]:
            posts[key] += 1
            groups.setdefault(key, set()).add(group)
    return sorted(key for key, count in posts.items() if count >= _FEWEST_POSTS and _is_shared(groups[key]))


def _is_shared(groups: set[str]) -> bool:
    authors = sum(group.startswith("True") for group in groups)
    return authors >= _FEWEST_AUTHORS or len(groups) - authors >= _FEWEST_INCIDENTS


def _fitted(examples: Sequence[Example], keys: Sequence[Sequence[str]], chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Return the points learned from the chosen examples; under "" what is added to each sum."""
    rows = np.flatnonzero(chosen).tolist()
    columns = {key: column for column, key in enumerate(_general(examples, keys, rows))}
    used = [[columns[key] for key in keys[row] if key in columns] for row in rows]
    starts = np.cumsum([0, *map(len, used)])
    flat = np.array([column for line in used for column in line], dtype=np.int64)
    table = csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(rows), len(columns)))
    fitted = LogisticRegression(C=_FREEDOM, max_iter=_ROUNDS, tol=_CLOSE_ENOUGH)
    fitted.fit(
        table,
        [examples[row].is_incident for row in rows],
        sample_weight=[WEIGHTS[examples[row].kind] for row in rows],
    )
    slopes = {key: round(float(fitted.coef_[0][column]), 1) for key, column in columns.items()}
    slopes = {key: points for key, points in slopes.items() if abs(points) > _LEAST_POINTS}
    return {"": float(fitted.intercept_[0])} | slopes


def _threshold(examples: Sequence[Example], keys: Sequence[Sequence[str]], entries_only: Gate, offset: float) -> float:
    """Return the least threshold that keeps French, English and T6's unseen everyday posts within bounds."""
    scores: dict[str, list[float]] = {}
    for fold in range(_FOLDS):
        held = np.array([not example.group and row % _FOLDS == fold for row, example in enumerate(examples)])
        points = _fitted(examples, keys, ~held)
        for row in np.flatnonzero(held).tolist():
            passed = entries_only(examples[row].text)
            total = np.inf if passed else points[""] + _total(keys[row], points)
            scores.setdefault(examples[row].kind, []).append(total)
    near = [np.array(values) for kind, values in scores.items() if kind != "umsab"]
    least = max(float(np.quantile(values, 1 - MOST_PASSED, method="higher")) for values in near)
    return float(np.floor((least - offset) * 10 + 1) / 10)  # just above: what reaches the threshold passes


def _total(keys: Sequence[str], points: Mapping[str, float]) -> float:
    return sum(points.get(key, 0.0) for key in keys)


def file_from(points: Mapping[str, float]) -> str:
    """Return the points file: the threshold, then the words in the order of the alphabet."""
    words = sorted(word for word in points if word != THRESHOLD)
    lines = [f"{word} {points[word]:.1f}" for word in (THRESHOLD, *words)]
    return f"{_HEAD}\n[{POINTS}]\n" + "\n".join(lines) + "\n"
