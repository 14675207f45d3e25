"""Comparing: what a candidate changes, and whether it is worse than what the profile in force could do itself.

Another budget alone moves a profile along its frontier: fewer false ones for more delay. A candidate is worth having
where it leaves that line on the good side. So it is laid beside the frontier of the profile in force, at its own number
of false ones a day, for watches and for alerts. What nobody judged counts with the false ones: people were told of it.

Units   minutes of delay, false ones a day
"""

from collections.abc import Iterable, Sequence
from typing import Literal, cast

from msgspec.structs import replace

from detectors.profile import Profile
from records import Level
from records.backtest import Better, Change, ChangeKind, Comparison, Found, FrontierPoint, OnFrontier, Outcome

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Of the budget, along a frontier."""
LEVELS: tuple[Literal["watch", "alert"], ...] = ("watch", "alert")
NOTICEABLE_MINUTES = 0.5
"""Less is no difference: nobody acts on half a minute."""
NOTICEABLE_A_DAY = {"watch": 0.05, "alert": 0.002}
"""A watch in twenty days; of alerts, of which budgets allow some thirty times fewer, one in five hundred days."""
NOTICEABLE_NOTIFICATIONS = 0.1
"""A tenth of them."""


def with_budget(profile: Profile, factor: float) -> Profile:
    """Return a profile that may spend so many times its budget."""
    budget = profile.budget
    return replace(profile, budget=replace(budget, watch=budget.watch * factor, alert=budget.alert * factor))


def point_from(outcome: Outcome, factor: float) -> FrontierPoint:
    """Return one point of a frontier."""
    return FrontierPoint(
        factor=factor,
        false_watches_a_day=outcome.false_watches_a_day,
        false_alerts_a_day=outcome.false_alerts_a_day,
        unjudged_watches_a_day=outcome.unjudged_watches_a_day,
        unjudged_alerts_a_day=outcome.unjudged_alerts_a_day,
        watch_recall=outcome.watch_recall,
        alert_recall=outcome.alert_recall,
        watch_delay=outcome.watch_delay,
        alert_delay=outcome.alert_delay,
    )


def compare(in_force: Outcome, candidate: Outcome, frontier: Sequence[FrontierPoint] = ()) -> Comparison:
    """Return what a candidate changes and whether it is better; `frontier` is that of the profile in force."""
    points = list(frontier) or [point_from(in_force, 1.0)]
    beside = [one for level in LEVELS for one in _on_frontier(level, candidate, points)]
    return Comparison(
        is_=_verdict(in_force, candidate, beside),
        changes=tuple(_changes(in_force, candidate)),
        on_frontier=tuple(beside),
    )


def _on_frontier(level: Level, candidate: Outcome, points: Sequence[FrontierPoint]) -> Iterable[OnFrontier]:
    """Yield a candidate beside the quickest point with no more false ones; none where there is no such point."""
    false, delay = _untrue_and_delay(level, candidate)
    affordable = [
        (there, false_there, point.factor)
        for point in points
        for false_there, there in [_untrue_and_delay(level, point)]
        if there is not None and false_there <= false + NOTICEABLE_A_DAY[level]
    ]
    if delay is not None and affordable:
        quickest, _, factor = min(affordable)
        yield OnFrontier(level=level, false_a_day=false, delay=delay, delay_in_force=quickest, factor=factor)


def _untrue_and_delay(level: Level, of: Outcome | FrontierPoint) -> tuple[float, float | None]:
    """Return what is not known to be true, a day, and the delay."""
    if level == "watch":
        return of.false_watches_a_day + of.unjudged_watches_a_day, of.watch_delay
    return of.false_alerts_a_day + of.unjudged_alerts_a_day, of.alert_delay


def _verdict(in_force: Outcome, candidate: Outcome, beside: Sequence[OnFrontier]) -> Better:
    """Judge a candidate: by what it gives for what, and where it does both, by its place beside the frontier.

    Where nothing is known to have happened, nobody knows what fewer false ones cost: the deafest would be the best.
    """
    if not in_force.found:
        return "unknown"
    gains, losses = _gains_and_losses(in_force, candidate)
    if not gains and not losses:
        gains, losses = _small_gains_and_losses(in_force, candidate)
    if gains and losses:
        return "worse" if _is_behind(beside) else "exchange"
    if gains or losses:
        return "better" if gains else "worse"
    return "same"


def _is_behind(beside: Sequence[OnFrontier]) -> bool:
    """Tell whether another budget alone does better at one level, and the candidate is ahead at none.

    Where it has fewer false ones than the profile in force has with any budget tried, it stands alone: ahead.
    """
    is_ahead = len(beside) < len(LEVELS) or any(one.delay < one.delay_in_force - NOTICEABLE_MINUTES for one in beside)
    return not is_ahead and any(one.delay > one.delay_in_force + NOTICEABLE_MINUTES for one in beside)


def _gains_and_losses(in_force: Outcome, candidate: Outcome) -> tuple[int, int]:
    """Return in how many respects a candidate does better, and in how many worse: false ones, delays, what is found."""
    gains, losses = _minutes_found(in_force, candidate, float("inf"))
    for level in LEVELS:
        before, after = _untrue_and_delay(level, in_force), _untrue_and_delay(level, candidate)
        noticeable = NOTICEABLE_A_DAY[level], NOTICEABLE_MINUTES
        for old, new, least in zip(before, after, noticeable, strict=True):
            gains += (new or 0.0) < (old or 0.0) - least
            losses += (new or 0.0) > (old or 0.0) + least
    return gains, losses


def _small_gains_and_losses(in_force: Outcome, candidate: Outcome) -> tuple[int, int]:
    """Return them where the whole is alike: single incidents sooner or later, notifications fewer or more."""
    gains, losses = _minutes_found(in_force, candidate, NOTICEABLE_MINUTES)
    least = NOTICEABLE_NOTIFICATIONS * in_force.notifications
    gains += candidate.notifications < in_force.notifications - least
    losses += candidate.notifications > in_force.notifications + least
    return gains, losses


def _minutes_found(in_force: Outcome, candidate: Outcome, least: float) -> tuple[int, int]:
    """Return how many incidents are told of sooner, and how many later, by more than so many minutes, or only once."""
    gains = losses = 0
    for old, new in zip(in_force.found, candidate.found, strict=True):
        for before, after in ((old.watch_minutes, new.watch_minutes), (old.alert_minutes, new.alert_minutes)):
            gains += after is not None and (before is None or after < before - least)
            losses += before is not None and (after is None or after > before + least)
    return gains, losses


def _changes(in_force: Outcome, candidate: Outcome) -> Iterable[Change]:
    """Yield what is different: each true incident first, then what a day brings."""
    for old, new in zip(in_force.found, candidate.found, strict=True):
        yield from _change_of(new, "watch", old.watch_minutes, new.watch_minutes)
        yield from _change_of(new, "alert", old.alert_minutes, new.alert_minutes)
    days: tuple[tuple[ChangeKind, float, float], ...] = (
        ("watches_a_day", in_force.watches_a_day, candidate.watches_a_day),
        ("alerts_a_day", in_force.alerts_a_day, candidate.alerts_a_day),
        ("false_watches", in_force.false_watches, candidate.false_watches),
        ("false_alerts", in_force.false_alerts, candidate.false_alerts),
        ("notifications", in_force.notifications, candidate.notifications),
    )
    for kind, before, after in days:
        if after != before:
            yield Change(kind=kind, amount=after - before)


def _change_of(found: Found, level: str, before: float | None, after: float | None) -> Iterable[Change]:
    if before == after:
        return
    if before is None or after is None:
        way, amount = ("found", after) if before is None else ("missed", before)
    else:
        way, amount = ("earlier", before - after) if after < before else ("later", after - before)
    yield Change(
        kind=cast(ChangeKind, f"{level}_{way}"), amount=amount or 0.0, incident_id=found.incident_id, label=found.label
    )
