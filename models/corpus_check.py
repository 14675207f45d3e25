"""The corpus check: what in the corpus would teach the model wrongly, or flatter it, found before it learns.

copy, template  `corpus_copies.py`
place, word     `corpus_leaks.py`
balance         here: a file whose labels or lengths are out of proportion
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Literal, NamedTuple

from models.corpus_copies import copies, templates
from models.corpus_findings import CorpusReport, Finding, has_label, words_of
from models.corpus_leaks import PlacesOf, geoparsed, named_leaks, word_leaks
from models.posts_corpus import CorpusPost

# Lengths, in characters.
LONGEST_REPORTED, LONGEST_REFUSED = 450, 1000
MEDIAN_LENGTH = (50, 160)
LEAST_OF_A_HAZARD = 20  # posts of a file


class Bound(NamedTuple):
    """Which share of a file's posts may have a label: outside `allowed` refused, outside `usual` reported."""

    label: str
    of: Literal["posts", "incidents", "others"]
    allowed: tuple[float, float]
    usual: tuple[float, float]


BOUNDS = (
    Bound("none", "posts", (0.50, 0.65), (0.53, 0.61)),
    Bound("fire", "incidents", (0.30, 0.46), (0.34, 0.42)),
    Bound("flood", "incidents", (0.22, 0.38), (0.27, 0.35)),
    Bound("industrial", "incidents", (0.24, 0.40), (0.28, 0.36)),
    Bound("now", "incidents", (0.60, 0.95), (0.63, 0.92)),
    Bound("witness", "incidents", (0.40, 0.75), (0.45, 0.71)),
    Bound("exercise", "others", (0.03, 0.25), (0.06, 0.16)),
    Bound("figurative", "others", (0.06, 0.30), (0.10, 0.25)),
    Bound("forecast", "others", (0.03, 0.25), (0.06, 0.16)),
    Bound("past", "others", (0.03, 0.25), (0.06, 0.16)),
    Bound("other", "others", (0.35, 0.80), (0.40, 0.70)),
)


def report(
    train: Sequence[CorpusPost],
    test: Sequence[CorpusPost],
    everyday: Sequence[CorpusPost] = (),
    *,
    places_of: PlacesOf | None = None,
) -> CorpusReport:
    """Check the parts of the corpus.

    Shape   `everyday`: for copies and templates alone; `places_of`: Vigie's own geoparser, where none is given
    Units   about 22 s for 27,200 posts on one core, two thirds of it the gazetteer and the places
    Errors  none: what is wrong is in the findings
    """
    by_file = _by_file([*train, *test])  # what everyday life is made of need not be balanced
    findings = chain(
        copies([*train, *everyday], test),
        templates([*train, *everyday]),
        _imbalances(by_file),
        _lengths(by_file),
        named_leaks(train, test, places_of or geoparsed()),
        word_leaks(train),
    )
    order = sorted(findings, key=lambda one: (not one.is_refused, one.kind, -one.strength, one.message))
    return CorpusReport(posts={file: len(posts) for file, posts in by_file.items()}, findings=tuple(order))


def _imbalances(by_file: Mapping[str, Sequence[CorpusPost]]) -> Iterator[Finding]:
    for file, posts in by_file.items():
        incidents = [post for post in posts if post.hazards]
        kinds = {"posts": posts, "incidents": incidents, "others": [post for post in posts if not post.hazards]}
        for bound in BOUNDS:
            among = kinds[bound.of]
            share = sum(has_label(post, bound.label) for post in among) / max(len(among), 1)
            yield from _outside(file, bound, share)
        for hazard in ("fire", "flood", "industrial"):
            count = sum(has_label(post, hazard) for post in incidents)
            if count < LEAST_OF_A_HAZARD:
                message = f"{file}.tsv: {count} posts of {hazard}, a file needs {LEAST_OF_A_HAZARD}: write more"
                yield Finding(kind="balance", is_refused=True, strength=1.0, message=message)


def _outside(file: str, bound: Bound, share: float) -> Iterator[Finding]:
    distance = max(bound.usual[0] - share, share - bound.usual[1])
    if distance > 0:
        low, high = bound.allowed
        message = (
            f"{file}.tsv: {bound.label} is {share:.1%} of its {bound.of}, usual is {bound.usual[0]:.0%} to "
            f"{bound.usual[1]:.0%}, allowed {low:.0%} to {high:.0%}"
        )
        yield Finding(kind="balance", is_refused=not low <= share <= high, strength=distance, message=message)


def _lengths(by_file: Mapping[str, Sequence[CorpusPost]]) -> Iterator[Finding]:
    for file, posts in by_file.items():
        middle = median(len(post.text) for post in posts)
        if not MEDIAN_LENGTH[0] <= middle <= MEDIAN_LENGTH[1]:
            message = (
                f"{file}.tsv: half of its posts are longer than {middle:.0f} characters, usual is a middle length of "
                f"{MEDIAN_LENGTH[0]} to {MEDIAN_LENGTH[1]}: is everybody writing alike?"
            )
            yield Finding(kind="balance", is_refused=False, strength=0.1, message=message)
        for post in posts:
            yield from _odd_length(post)


def _odd_length(post: CorpusPost) -> Iterator[Finding]:
    length = len(post.text)
    if length > LONGEST_REPORTED:
        message = f"{post.where}: {length} characters: no post is so long, cut it"
    elif not words_of(post.text):
        message = f"{post.where}: no word in it: only its label can be learned"
    else:
        return
    is_refused = length > LONGEST_REFUSED
    yield Finding(kind="balance", is_refused=is_refused, strength=0.0, message=message, where=(post.where,))


def _by_file(posts: Iterable[CorpusPost]) -> dict[str, list[CorpusPost]]:
    by_file: dict[str, list[CorpusPost]] = defaultdict(list)
    for post in posts:
        by_file[post.source].append(post)
    return dict(by_file)
