"""The group vote: what a name means in the other recent posts on the same subject.

Source  TAGGS: de Bruijn, de Moel, Jongman, Wagemaker, Aerts, ISPRS Int. J. Geo-Inf. 2018
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from math import isfinite, sqrt
from typing import Any, NamedTuple

from models.places.gazetteer import Gazetteer

WINDOW_SECS = 24 * 3600
MOST_NAMES = 5_000  # names remembered at once, over all subjects
MOST_AUTHORS = 20  # remembered a name
MOST_PLACES = 5_000  # remembered a subject
SAME_NAME = 3.0  # log-odds when all others mean this place by the name
AROUND, COUNTRY = 1.5, 1.0  # and when all the subject's places lie around it, or in its country
DOUBT = 2.0  # votes against everything: one post says little, three decide
CELL_DEGREES = 2.0

Cell = tuple[int, int]


class Said(NamedTuple):
    """What a post is about, who wrote it and when: its place among the others."""

    subject: str
    author: str
    at: float  # seconds of event time


class Surroundings:
    """Where the places of one subject lay in the last day: how many authors' in each cell and country."""

    def __init__(self) -> None:
        self.cells: Counter[Cell] = Counter()
        self.countries: Counter[str] = Counter()
        self.total = 0
        self._newest = 0.0
        self._known: OrderedDict[tuple[str, Cell], tuple[float, str]] = OrderedDict()
        self._by_author: dict[str, Counter[str]] = {}  # how many cells of each country an author named

    def add(self, author: str, cell: Cell, country: str, at: float) -> None:
        """Count an author's place, once a cell and day."""
        self.forget_before(at)
        if (author, cell) in self._known or at < self._newest - WINDOW_SECS:
            return
        self._known[author, cell] = (at, country)
        self._count(author, cell, country, 1)
        if len(self._known) > MOST_PLACES:
            self._drop_oldest()

    def forget_before(self, at: float) -> None:
        """Forget what is more than a day older than the newest moment seen."""
        self._newest = max(self._newest, at)
        while self._known and next(iter(self._known.values()))[0] < self._newest - WINDOW_SECS:
            self._drop_oldest()

    def shares(self, author: str, cell: Cell, country: str) -> tuple[float, float]:
        """Return which share of the other authors' places lies in a cell, and which in a country."""
        own = self._by_author.get(author, Counter())
        total = self.total - own.total() + DOUBT
        in_cell = self.cells[cell] - ((author, cell) in self._known)
        return in_cell / total, (self.countries[country] - own[country]) / total

    def _drop_oldest(self) -> None:
        (author, cell), (_, country) = self._known.popitem(last=False)
        self._count(author, cell, country, -1)

    def _count(self, author: str, cell: Cell, country: str, change: int) -> None:
        own = self._by_author.setdefault(author, Counter())
        self.total += change
        _change(self.cells, cell, change)
        _change(self.countries, country, change)
        _change(own, country, change)
        if not own:
            del self._by_author[author]


def _change(counts: Counter[Any], key: object, change: int) -> None:
    counts[key] += change
    if not counts[key]:
        del counts[key]


class GroupVote:
    """Remembers, a day long, which place each name meant where the post itself said so, and where places were.

    Shape   what a post is about, folded name and rows of the gazetteer in, log-odds a row out
    Units   seconds of event time; an author has one vote a name, and none on what he writes himself
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self._newest = 0.0
        self._votes: OrderedDict[tuple[str, str], dict[str, tuple[float, int]]] = OrderedDict()
        self._surroundings: dict[str, Surroundings] = {}

    def support(self, said: Said, key: str, rows: Iterable[int]) -> dict[int, float]:
        """Return what the others' posts add to each row that a name may mean; empty where there are none."""
        subject, author, at = said
        if not isfinite(at):
            return {}
        votes: Mapping[str, tuple[float, int]] = self._votes.get((subject, key), {})
        meant = Counter(
            row for voter, (then, row) in votes.items() if voter != author and abs(at - then) <= WINDOW_SECS
        )
        around = self._surroundings.get(subject)
        if around is not None:
            around.forget_before(at)
        if not meant and (around is None or not around.total):
            return {}
        g, count = self.gazetteer, meant.total() + DOUBT
        support = {}
        for row in rows:
            support[row] = SAME_NAME * meant[row] / count
            if around is not None:
                in_cell, in_country = around.shares(author, self.cell(row), g.countries[row])
                support[row] += AROUND * sqrt(in_cell) + COUNTRY * in_country
        return support

    def note(self, said: Said, key: str, row: int, *, is_sure: bool) -> None:
        """Take in which place a post meant; it is a vote for the name only where the post itself made it sure."""
        subject, author, at = said
        if not isfinite(at):
            return
        self._newest = max(self._newest, at)
        around = self._surroundings.setdefault(subject, Surroundings())
        around.add(author, self.cell(row), self.gazetteer.countries[row], at)
        if is_sure and at >= self._newest - WINDOW_SECS:
            self._cast((subject, key), author, at, row)
            self._forget()

    def _cast(self, name: tuple[str, str], author: str, at: float, row: int) -> None:
        votes = self._votes.setdefault(name, {})
        self._votes.move_to_end(name)
        if author in votes and votes[author][0] > at:
            return  # what he said later stands
        votes[author] = (at, row)
        if len(votes) > MOST_AUTHORS:
            del votes[min(votes, key=lambda voter: votes[voter])]

    def _forget(self) -> None:
        """Forget names that nobody has named for a day, and those named longest ago where they are too many."""
        while self._votes:
            oldest = next(iter(self._votes))
            last = max(then for then, _ in self._votes[oldest].values())
            if len(self._votes) <= MOST_NAMES and last >= self._newest - WINDOW_SECS:
                break
            del self._votes[oldest]

    def cell(self, row: int) -> Cell:
        """Return the square of two degrees that a place lies in."""
        g = self.gazetteer
        return int(g.lats[row] // CELL_DEGREES), int(g.lons[row] // CELL_DEGREES)
