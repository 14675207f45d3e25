"""Mention: one place name found in a post, with what its surroundings say about it."""

from dataclasses import dataclass, field

from models.geoparse.index import Toponym
from models.places.local import LocalPlace
from records.place import PlaceSource

OF = frozenset({"de", "d", "du", "des", "of"})


@dataclass(slots=True)
class Mention:
    """A name in a text. `start` and `end` are positions in its reading."""

    start: int
    end: int
    toponym: Toponym
    written: str = ""  # as the text has it, in small letters with its accents
    is_capital: bool = False
    is_sentence_start: bool = False
    is_after_break: bool = False  # behind a comma or a full stop: what stands before does not name it
    is_hashtag: bool = False
    is_bound: bool = False  # somebody goes there or lives there: the thing is elsewhere
    is_cued: bool = False
    is_near: bool = False  # "près de": the radius doubles
    has_area_cue: bool = False  # "dans le Var": the département, not the river
    is_french: bool = False  # one of the places of that name is in France
    population: int = 0  # of the largest place of that name
    is_area: bool = False  # a country, région, département rather than a town
    cue: str = ""
    between_km: float = 0.0  # "entre X et Y": how far Y is from X
    hyphened: str = ""  # the other half of "Toulouse-Lautrec"
    before: list[str] = field(default_factory=list)  # the folded words before it, the last one last
    after: list[str] = field(default_factory=list)
    score: float = 0.0  # log-odds that it is a place
    evidence: list[tuple[float, str]] = field(default_factory=list)
    qualified_by: int | None = None  # the row of the area that stands right behind it
    qualified_dep: str = ""
    contradicted_by: str = ""  # "Rouen (14)": no place of that name is there

    @property
    def source(self) -> PlaceSource:
        """Where the place was read."""
        return "hashtag" if self.is_hashtag else "text"

    def heads(self, connectors: frozenset[str]) -> tuple[list[str], bool]:
        """Return the words before the name and its "de la", and whether a "de" joins them."""
        heads = self.before[-5:]
        is_joined = self.toponym.contraction == "de"
        while heads and heads[-1] in connectors:
            is_joined = is_joined or heads[-1] in OF
            heads.pop()
        return heads, is_joined

    def add(self, weight: float, reason: str) -> None:
        """Count one piece of evidence and keep it as a reason."""
        self.score += weight
        self.evidence.append((weight, reason))

    def reasons(self, most: int) -> tuple[str, ...]:
        """Return the evidence in words, with weights, the strongest first."""
        ordered = sorted(self.evidence, key=_strength, reverse=True)
        return tuple([f"{reason} ({weight:+.1f})" for weight, reason in ordered[:most]])


def _strength(piece: tuple[float, str]) -> float:
    return abs(piece[0])


@dataclass(slots=True)
class Choice:
    """What a mention means: a row of the gazetteer or a local place, and how sure that is."""

    mention: Mention
    row: int | None
    local: LocalPlace | None
    share: float  # of the probability among the places of that name
    is_ancestor: bool = False
    is_voted: bool = False  # the other posts of the day decided
    reasons: list[str] = field(default_factory=list)
