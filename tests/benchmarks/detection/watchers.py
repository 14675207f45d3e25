"""Watchers: our detector and all it is compared with, each as a function from a stream to a score a post."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rivals
from chatter import INCIDENTS, Incident, Stream, hourly_shape
from marks import Floats, Ints, Marks, first_hand_drawn

import detectors
from detectors.batch import Scores, Tuning, scores, signals_from, tuning_for
from detectors.evidence import STRONG_RATIO
from detectors.statistic import spaced_rates

PROFILE = Path(str(detectors.__file__)).parent / "profiles" / "city.toml"
SUDDEN, SLOW = "fire", "flood"
"""Hazards of the profile whose assumed rates are those of sudden and of slow incidents."""

CALM_CLIPS = (200.0, 200.0, 200.0)
TIER_SHARES = (0.60, 0.35, 0.05)
"""Unknown, established and trusted accounts among those who write."""

CEILING = 1e13
LOW = 1e4
"""No level that we look for lies as low: below it nobody asks what R would be without its strongest voice."""

Watcher = Callable[[Stream], Floats]


class Named(NamedTuple):
    """A watcher with its name."""

    name: str
    watch: Watcher


def tuning_of(marks: Marks, hazard: str, *, clips: tuple[float, float, float], is_profile: bool = False) -> Tuning:
    """Return our detector's tuning: rates from the profile, shares from the marks, or the profile's own."""
    settings = tomllib.loads(PROFILE.read_text(encoding="utf-8"))["hazard"][hazard]
    rates = spaced_rates(settings["least_rate"], settings["most_rate"], settings.get("rates", 8))
    return tuning_for(
        np.array(rates),
        evidence_share=settings.get("evidence_share", 0.8) if is_profile else marks.evidence_share,
        weak_share=0.8 if is_profile else marks.weak_share,
        shape=hourly_shape(),
        ceiling=CEILING,
        clips=clips,
    )


def tiers_drawn(rng: np.random.Generator, number: int) -> Ints:
    """Draw what is known of authors."""
    return np.searchsorted(np.cumsum(TIER_SHARES)[:-1], rng.random(number), side="right").astype(np.int64)


def logs(values: Floats) -> Floats:
    """Return logarithms, 0 for what did not count: R is never so low."""
    return np.log(np.maximum(values, 1.0))


def ours(marks: Marks, hazard: str, rate: float, *, clips: tuple[float, float, float] = CALM_CLIPS) -> Watcher:
    """Return our detector's watch, in calm: every author established, nobody twice."""
    tuning = tuning_of(marks, hazard, clips=clips)

    def watch(stream: Stream) -> Floats:
        signals = signals_from(stream.times, marks.said[stream.marks])
        return logs(scores(signals, tuning, rate=rate, asked_from=np.inf).watch)

    return watch


def only_counting(marks: Marks, hazard: str, rate: float) -> Watcher:
    """Return our statistic where every post that counts weighs the same."""
    level = max(marks.evidence_share / (1.0 - marks.weak_share), STRONG_RATIO)
    flat = marks._replace(said=np.where(marks.is_evidence, level, 0.01))
    return ours(flat, hazard, rate, clips=(level, level, level))


def layered(stream: Stream, marks: Marks, tuning: Tuning, rate: float, rng: np.random.Generator) -> Scores:
    """Return what our whole detector knows of everyday posts, all authors being different."""
    tiers = tiers_drawn(rng, len(stream.times))
    first_hand = first_hand_drawn(marks.first_hand.usual, rng, stream.marks)
    signals = signals_from(stream.times, marks.said[stream.marks], tiers=tiers, first_hand=first_hand)
    return scores(signals, tuning, rate=rate, asked_from=LOW)


def oracles(marks: Marks, rate: float, incident: Incident) -> tuple[Named, Named]:
    """Return the marked oracle and the counting one, who know how many posts the incident brings."""
    told, strong = incident.tuned_rate, rate * (1.0 - marks.weak_share)
    seen = told * marks.evidence_share

    def by_marks(stream: Stream) -> Floats:
        return rivals.oracle_of_marks(stream.times, marks.true[stream.marks], rate, told)

    return (
        Named(f"marked oracle {told:g}", by_marks),
        Named(f"count oracle {told:g}", thinned(marks, lambda times: rivals.oracle_of_counts(times, strong, seen))),
    )


def thinned(marks: Marks, score: Callable[[Floats], Floats]) -> Watcher:
    """Return a watcher that sees only the posts that count."""

    def watch(stream: Stream) -> Floats:
        kept = marks.is_evidence[stream.marks]
        result = np.zeros(len(kept))
        result[kept] = score(stream.times[kept])
        return result

    return watch


def others(marks: Marks, rate: float) -> list[Named]:
    """Return the rivals."""
    strong = rate * (1.0 - marks.weak_share)
    named: dict[str, Callable[[Floats, float], Floats]] = {
        "Poisson windows 10 min, 1 h, 6 h": rivals.windows,
        "GLR, 64 posts": rivals.likelihood_ratio,
        "CUSUM x20": rivals.cusum,
        "EWMA 20 min": rivals.moving_average,
        "Poisson window 10 min": rivals.window,
        "gamma-Poisson by hour": rivals.gamma_poisson,
        "STA/LTA 10 min, 24 h (ObsPy)": rivals.seismic,
    }
    return [
        Named(name, thinned(marks, lambda times, score=score: score(times, strong)))  # type: ignore[misc]
        for name, score in named.items()
        if score is not rivals.seismic or rivals.has_seismic()
    ]


def all_watchers(marks: Marks, rate: float, *, with_rivals: bool) -> list[Named]:
    """Return everything that is compared at one background."""
    found = [
        Named(f"Vigie, {kind}", ours(marks, hazard, rate)) for kind, hazard in (("sudden", SUDDEN), ("slow", SLOW))
    ]
    if with_rivals:
        found += [
            Named(f"Vigie counting, {kind}", only_counting(marks, hazard, rate))
            for kind, hazard in (("sudden", SUDDEN), ("slow", SLOW))
        ]
        found += others(marks, rate)
    known = {named.name: named for incident in INCIDENTS for named in oracles(marks, rate, incident)}
    return [*found, *known.values()]


def fitting(name: str, incident: Incident) -> str | None:
    """Return what a watcher is called in the tables where it looks for such an incident, None where it does not."""
    head, _, told = name.rpartition(" ")
    if name.startswith("Vigie"):
        return name.partition(",")[0] if told == ("slow" if incident.is_slow else "sudden") else None
    if "oracle" in name:
        return head if told == f"{incident.tuned_rate:g}" else None
    return name
