"""Precision: of what people ruled on, how much was true, beside what was promised, in groups of several kinds.

Shape   rows of incidents in, a line for each group out. What nobody ruled on counts nowhere but in `unjudged`
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from console.trust.delays import MINUTE, Quantiles, quantiles
from console.trust.raised import Raised
from records.share import Share, share_of

By = Literal["hazard", "platform", "profile", "detector", "model", "week"]
GROUPINGS: tuple[By, ...] = get_args(By)
FEW = 10
"""Of fewer cases no percentage is told."""


@dataclass(frozen=True)
class Precision:
    """How much of one group was true."""

    name: str  # "": all of them
    watches: Share  # of what was told at all, those that people confirmed among those that they ruled on
    alerts: Share  # the same of what came to the word "alert"
    unjudged: int
    expected: float  # of the judged ones, those that should have been true by the probabilities that were told
    to_watch: Quantiles  # minutes from the onset to the watch, of the true ones


def precision(found: Iterable[Raised], name: str = "") -> Precision:
    """Return how much was true of some incidents."""
    rows = list(found)
    judged = [one for one in rows if one.ruling]
    return Precision(
        name,
        _share(judged),
        _share([one for one in judged if one.alert_at is not None]),
        len(rows) - len(judged),
        sum(one.probability for one in judged),
        quantiles((one.watch_at - one.onset) / MINUTE for one in judged if one.ruling == "true"),
    )


def _share(judged: Sequence[Raised]) -> Share:
    return share_of(sum(one.ruling == "true" for one in judged), len(judged))


def by_group(found: Iterable[Raised], by: By, zone: str) -> list[Precision]:
    """Return how much was true in each group; one of several platforms counts with each. The newest week is first."""
    groups: dict[str, list[Raised]] = {}
    for one in found:
        for name in _names(one, by, zone):
            groups.setdefault(name, []).append(one)
    return [precision(groups[name], name) for name in sorted(groups, reverse=by == "week")]


def _names(one: Raised, by: By, zone: str) -> Iterable[str]:
    names: Mapping[By, Callable[[], Iterable[str]]] = {
        "hazard": lambda: (one.hazard,),
        "platform": lambda: one.platforms or ("?",),
        "profile": lambda: (one.profile,),
        "detector": lambda: (one.detector or "?",),
        "model": lambda: (one.model or "?",),
        "week": lambda: (one.week(zone),),
    }
    return names[by]()


def why_false(found: Iterable[Raised]) -> list[tuple[str, int]]:
    """Return why people rejected what they rejected, the most frequent first."""
    counts = Counter(one.why for one in found if one.ruling == "false")
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
