"""Leaks in the corpus: a name or a word that gives a label away by itself.

place     a name that stands for one hazard alone, so that naming it is enough
word      a word that decides a label by itself
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import log, sqrt

from models.corpus_findings import Finding, has_label, lines_of, words_of
from models.geoparse.geoparser import Geoparser
from models.places import Gazetteer
from models.posts_corpus import CorpusPost

PlacesOf = Callable[[str, str], Iterable[str]]
"""Gives the names of places in a text, folded; the second argument is its language."""

# In sure log-odds (see `sure_log_odds`).
PLACE_REPORTED, PLACE_REFUSED = 0.9, 1.5
WORD_REPORTED, WORD_REFUSED = 2.2, 4.5
LEAST_NAMED, LEAST_USED = 4, 8  # training posts that a name, a word needs
ONE_SIDED_REPORTED, ONE_SIDED_REFUSED = 3, 5  # training posts of one hazard alone at a place of the test part
_PRIOR = 5.0  # posts' worth of the corpus's own shares, added to each count

_MOST_WORDS_SHOWN = 40
_COMMON_WORD = 3  # times a word stands in small letters, from which on its capital makes no name

_SMALL = re.compile(r"\b[^\W\d_A-ZÀ-Ý][^\W\d_]{2,}")
_NAME = re.compile(
    r"(?<=[\w,)’'»] )(?:\w{1,2}['’])?([A-ZÀ-Ý][a-zà-ÿ]{2,}(?:-[^\W\d_]+)*)"  # a capital within a sentence
    r"|#([^\W\d_]{4,})"
)


def sure_log_odds(with_label: int, posts: int, share: float) -> float:
    """Return how much a word or a name raises the odds of a label, at the least.

    The log-odds ratio against the share that the label has anyway, less two standard errors: few posts prove little.

    Shape   posts that have the word and the label, all that have the word, the label's share of all posts
    Units   natural logarithm: 0 says nothing, 2.2 is nine times the odds
    Source  Monroe, Colaresi, Quinn, "Fightin' Words", Political Analysis 16(4), 2008, doi:10.1093/pan/mpn018
    """
    yes = with_label + _PRIOR * share
    no = posts - with_label + _PRIOR * (1 - share)
    return log(yes / no) - log(share / (1 - share)) - 2 * sqrt(1 / yes + 1 / no)


def named_leaks(train: Sequence[CorpusPost], test: Sequence[CorpusPost], places_of: PlacesOf) -> Iterator[Finding]:
    """Find the names that stand for one hazard, and the incidents of the test part that profit from one."""
    small = Counter(word for post in train for word in _SMALL.findall(post.text))
    named: dict[str, list[CorpusPost]] = defaultdict(list)
    for post in train:
        for name in _names_in(post, places_of, small):
            named[name].append(post)
    for name, hazard, posts, surety in _one_sided(named, train):
        alike = sum(has_label(post, hazard) for post in posts)
        message = (
            f'"{name}" is {hazard} in {alike} of {len(posts)} training posts (sure log-odds {surety:.2f}, refused from '
            f"{PLACE_REFUSED}): lines {lines_of(posts)}; name another place in some"
        )
        if surety >= PLACE_REPORTED:
            yield Finding(
                kind="place",
                is_refused=surety >= PLACE_REFUSED,
                strength=surety,
                message=message,
                where=tuple(post.where for post in posts),
            )
    yield from _known_places(named, test, lambda post: _names_in(post, places_of, small))


def _names_in(post: CorpusPost, places_of: PlacesOf, small: Mapping[str, int]) -> set[str]:
    """Return the places, and what else is written as a name: rivers, quarters, sites, firms."""
    written = (capital or tag for capital, tag in _NAME.findall(post.text))
    names = {name.casefold() for name in written if small.get(name.casefold(), 0) < _COMMON_WORD}
    return names | set(places_of(post.text, post.language))


def _one_sided(
    named: Mapping[str, Sequence[CorpusPost]], train: Sequence[CorpusPost]
) -> Iterator[tuple[str, str, Sequence[CorpusPost], float]]:
    shares = {hazard: _share(train, hazard) for hazard in ("fire", "flood", "industrial")}
    for name, posts in named.items():
        if len(posts) < LEAST_NAMED:
            continue
        for hazard, share in shares.items():
            yield name, hazard, posts, sure_log_odds(sum(has_label(post, hazard) for post in posts), len(posts), share)


def _known_places(
    named: Mapping[str, Sequence[CorpusPost]], test: Sequence[CorpusPost], names_in: Callable[[CorpusPost], set[str]]
) -> Iterator[Finding]:
    """Find the incidents of the test part at places that the training part knows for that hazard alone."""
    for post in test:
        if not post.hazards:
            continue
        for name in sorted(names_in(post)):
            known = named.get(name, ())
            if len(known) >= ONE_SIDED_REPORTED and all(has_label(other, post.main_hazard) for other in known):
                yield Finding(
                    kind="place",
                    is_refused=len(known) >= ONE_SIDED_REFUSED,
                    strength=len(known) / 10,
                    message=f"{post.where}: a place that {len(known)} training posts name for its hazard alone: lines "
                    f"{lines_of(known)}; name another place in some of these",
                    where=(post.where, *(other.where for other in known)),
                )


def word_leaks(train: Sequence[CorpusPost]) -> Iterator[Finding]:
    """Find the words that decide a label, the strongest of them."""
    by_language: dict[str, list[CorpusPost]] = defaultdict(list)
    for post in train:
        by_language[post.language].append(post)
    leaks = [leak for language, posts in by_language.items() for leak in _deciding_words(language, posts)]
    yield from sorted(leaks, key=lambda one: -one.strength)[:_MOST_WORDS_SHOWN]


def _deciding_words(language: str, posts: Sequence[CorpusPost]) -> Iterator[Finding]:
    labels = ("fire", "flood", "industrial", "none", "past", "exercise", "figurative", "forecast", "other")
    shares = {label: _share(posts, label) for label in labels}
    used: Counter[str] = Counter()
    labelled: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for post in posts:
        words = set(words_of(post.text))
        used.update(words)
        for label in labels:
            if has_label(post, label):
                labelled[label].update(words)
    for word, count in used.items():
        if count < LEAST_USED:
            continue
        for label, share in shares.items():
            with_label = labelled[label][word]
            surety = sure_log_odds(with_label, count, share)
            if surety >= WORD_REPORTED:
                message = (
                    f'{language} "{word}" is {label} in {with_label} of {count} training posts (sure log-odds '
                    f"{surety:.2f}, refused from {WORD_REFUSED}): use it in posts with other labels"
                )
                yield Finding(kind="word", is_refused=surety >= WORD_REFUSED, strength=surety, message=message)


def _share(posts: Sequence[CorpusPost], label: str) -> float:
    """Return a label's share of the posts, kept off 0 and 1."""
    return (sum(has_label(post, label) for post in posts) + 1) / (len(posts) + 2)


def geoparsed() -> PlacesOf:
    """Return what Vigie's own geoparser, without a home, finds in a text."""
    geoparser = Geoparser(Gazetteer())

    def places_of(text: str, language: str) -> set[str]:
        return {place.name.casefold() for _, place in geoparser.meanings(text, lang=language)}

    return places_of
