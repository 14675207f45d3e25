"""The group vote: what a name means in the other recent posts on the same subject.

Source  TAGGS: de Bruijn, de Moel, Jongman, Wagemaker, Aerts, ISPRS Int. J. Geo-Inf. 2018
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from math import sqrt
from typing import NamedTuple

from models.places.gazetteer import Gazetteer

WINDOW_SECS = 24 * 3600
MOST_NAMES = 20_000  # names remembered at once, over all subjects
MOST_AUTHORS = 50  # remembered a name
MOST_PLACES = 5_000  # remembered a subject
SAME_NAME = 3.0  # log-odds when all others mean this place by the name
AROUND, COUNTRY = 1.5, 1.0  # and when all the subject's places lie around it, or in its country
DOUBT = 1.0  # a vote against everything, so that one post does not decide
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
        if (author, cell) in self._known:
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
        self.cells[cell] += change
        self.countries[country] += change
        self.total += change
        own = self._by_author.setdefault(author, Counter())
        own[country] += change
        if not own.total():
            del self._by_author[author]


class GroupVote:
    """Remembers, a day long, which place each name meant where the post itself said so, and where places were.

    Shape   subject (a hazard), folded name and rows of the gazetteer in, log-odds a row out
    Units   seconds of event time; an author has one vote a name, and none on what he writes himself
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self._votes: OrderedDict[tuple[str, str], OrderedDict[str, tuple[float, int]]] = OrderedDict()
        self._surroundings: dict[str, Surroundings] = {}

    def support(self, said: Said, key: str, rows: Iterable[int]) -> dict[int, float]:
        """Return what the others' posts add to each row that a name may mean; empty where they say nothing."""
        subject, author, at = said
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
        around = self._surroundings.setdefault(subject, Surroundings())
        around.add(author, self.cell(row), self.gazetteer.countries[row], at)
        if not is_sure:
            return
        votes = self._votes.setdefault((subject, key), OrderedDict())
        self._votes.move_to_end((subject, key))
        votes[author] = (at, row)
        votes.move_to_end(author)
        if len(votes) > MOST_AUTHORS:
            votes.popitem(last=False)
        if len(self._votes) > MOST_NAMES:
            self._votes.popitem(last=False)

    def cell(self, row: int) -> Cell:
        """Return the square of two degrees that a place lies in."""
        g = self.gazetteer
        return int(g.lats[row] // CELL_DEGREES), int(g.lons[row] // CELL_DEGREES)
