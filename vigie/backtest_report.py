"""What a backtest found, as tables on a terminal."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from records.backtest import Backtest, Change, Comparison, Found, FrontierPoint, OnFrontier, Outcome, Raised
from records.share import Share

SHOWN = 10
FEW = 10
"""Of fewer cases no percentage is told."""
HALF_MINUTE = 0.5
VERDICTS = {
    "better": "BETTER: it gains, and loses nothing that can be seen here",
    "worse": "WORSE: the profile in force does better, with the same budget or another",
    "same": "THE SAME: nothing noticeable changes",
    "exchange": "AN EXCHANGE: better in one respect for worse in another",
    "unknown": "UNKNOWN: nothing is known to have happened, so there is nothing to judge by",
}
CHANGES = {
    "watch_found": "{name}: a watch after {amount:.0f} min; there was none",
    "watch_missed": "{name}: NO watch any more",
    "watch_earlier": "{name}: watch {amount:.1f} min earlier",
    "watch_later": "{name}: watch {amount:.1f} min LATER",
    "alert_found": "{name}: an alert after {amount:.0f} min; there was none",
    "alert_missed": "{name}: NO alert any more",
    "alert_earlier": "{name}: alert {amount:.1f} min earlier",
    "alert_later": "{name}: alert {amount:.1f} min LATER",
    "watches_a_day": "{amount:+.2f} watches a day",
    "alerts_a_day": "{amount:+.2f} alerts a day",
    "false_watches": "{amount:+.0f} false watches over the whole recording",
    "false_alerts": "{amount:+.0f} false alerts over the whole recording",
    "notifications": "{amount:+.0f} notifications over the whole recording",
}


def _elsewhere(found: Backtest) -> list[RenderableType]:
    """Warn of what happened before or after the recording, which the truth of another day may name."""
    elsewhere = sum(
        one.since > found.ends_at or one.since + timedelta(minutes=one.length_minutes) < found.starts_at
        for one in found.outcomes[0].found
    )
    return [Text(f"outside that time: {elsewhere} of them; is it the right truth?")] if elsewhere else []


def report(found: Backtest) -> RenderableType:
    """Return what a backtest found."""
    head = Text(
        f"{found.starts_at:%Y-%m-%d %H:%M} to {found.ends_at:%Y-%m-%d %H:%M} UTC ({found.days:.2f} days), "
        f"{found.signals} signals, {found.true_incidents} true incident{'' if found.true_incidents == 1 else 's'}"
        + ("" if found.is_complete else "; what else was raised is not judged")
    )
    parts: list[RenderableType] = [head, *_elsewhere(found), Text(), _summary(found.outcomes)]
    if found.true_incidents:
        parts += [Text(), _incidents(found.outcomes)]
    names = names_of(found.outcomes)
    for name, outcome in zip(names, found.outcomes, strict=True):
        parts += [Text(), *_wrong(name, outcome)]
    parts += [Text(), _sources(names[0], found.outcomes[0])]
    for name, points in zip(names, found.frontiers, strict=False):
        parts += [Text(), _frontier(name, points)]
    if found.comparison is not None:
        parts += [Text(), *_compared(found.comparison)]
    return Group(*parts)


def names_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a name for each profile; those that are called alike are numbered."""
    names = [f"{one.profile} {one.version}" for one in outcomes]
    return [f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, 1)]


def share_words(share: Share) -> str:
    """Return a share in words: of few cases how many of how many, of more in per cent as well."""
    if not share.cases:
        return "none judged"
    counts = f"{share.hits} of {share.cases}"
    between = f"{100 * share.low:.0f} to {100 * share.high:.0f} %"
    rate = "" if share.cases < FEW else f": {100 * share.hits / share.cases:.0f} %"
    return f"{counts}{rate} ({between})"


def change_words(change: Change, language: str = "en") -> str:
    """Return one change in words."""
    name = change.label.get(language) or change.incident_id
    return CHANGES[change.kind].format(name=name, amount=change.amount)


def _summary(outcomes: Sequence[Outcome]) -> Table:
    table = Table("", *names_of(outcomes), title="Profiles")
    rows = {
        "watches a day": [f"{one.watches_a_day:.2f} ({one.watches})" for one in outcomes],
        "alerts a day": [f"{one.alerts_a_day:.2f} ({one.alerts})" for one in outcomes],
        "false watches a day": [f"{one.false_watches_a_day:.2f} ({one.false_watches})" for one in outcomes],
        "false alerts a day": [f"{one.false_alerts_a_day:.2f} ({one.false_alerts})" for one in outcomes],
        **_unjudged(outcomes),
        "watches that were true": [share_words(one.watch_precision) for one in outcomes],
        "alerts that were true": [share_words(one.alert_precision) for one in outcomes],
        "incidents with a watch": [share_words(one.watch_recall) for one in outcomes],
        "incidents with an alert": [share_words(one.alert_recall) for one in outcomes],
        "mean delay of the watch, min": [_minutes(one.watch_delay) for one in outcomes],
        "mean delay of the alert, min": [_minutes(one.alert_delay) for one in outcomes],
        "notifications": [str(one.notifications) for one in outcomes],
    }
    for name, values in rows.items():
        table.add_row(name, *values)
    table.caption = "95 % intervals; a missed incident counts in the mean delay with its whole length"
    return table


def _unjudged(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return the rows that stand only where there is something that nobody could judge, or that failed."""
    rows = {
        "unjudged watches a day": [one.unjudged_watches_a_day for one in outcomes],
        "unjudged alerts a day": [one.unjudged_alerts_a_day for one in outcomes],
    }
    told = {name: [f"{value:.2f}" for value in values] for name, values in rows.items() if any(values)}
    if any(one.failed for one in outcomes):
        told["FAILED: not taken by the detector"] = [str(one.failed) for one in outcomes]
    return told


def _incidents(outcomes: Sequence[Outcome]) -> Table:
    """Return watch and alert of each true incident, by profile."""
    table = Table("true incident", "since (UTC)", title="Minutes after it was first spoken of")
    for name in names_of(outcomes):
        table.add_column(f"{name}: watch", justify="right")
        table.add_column("alert", justify="right")
    for row in zip(*(one.found for one in outcomes), strict=True):
        first: Found = row[0]
        cells = [_minutes(value, "missed") for one in row for value in (one.watch_minutes, one.alert_minutes)]
        table.add_row(first.label.get("en") or first.incident_id, f"{first.since:%Y-%m-%d %H:%M}", *cells)
    return table


def _wrong(name: str, outcome: Outcome) -> Iterator[RenderableType]:
    """Yield what was false, then what was missed, with the posts that say why."""
    yield Text(f"{name}: false and missed", style="bold")
    false = [one for one in outcome.raised if "false" in {one.watch_is, one.alert_is}]
    missed = [one for one in outcome.found if one.watch_at is None]
    if not false and not missed:
        yield Text("  nothing")
    for one in false[:SHOWN]:
        yield from _false_lines(one)
    if len(false) > SHOWN:
        yield Text(f"  … and {len(false) - SHOWN} more that were false: they stand in the JSON report")
    for found in missed:
        yield Text(f"  missed: {found.label.get('en') or found.incident_id}: {found.signals} signals of it")
        yield from (Text(f"    {item.likelihood_ratio:8.1f}  {item.text or item.post_key}") for item in found.seen)


def _false_lines(raised: Raised) -> Iterator[Text]:
    at = raised.watch_at or raised.onset
    yield Text(f"  false {raised.level}: {raised.place.name} ({raised.hazard}), {at:%Y-%m-%d %H:%M} UTC")
    yield from (Text(f"    {item.likelihood_ratio:8.1f}  {item.text or item.post_key}") for item in raised.evidence)


def _sources(name: str, outcome: Outcome) -> Table:
    table = Table("source", "signals", "weight in true", "in false", "first", "alone", title="What each source gave")
    for one in outcome.by_source:
        weights = (f"{one.true_weight:.1f}", f"{one.false_weight:.1f}")
        table.add_row(one.source, str(one.signals), *weights, str(one.first), str(one.alone))
    table.caption = f"by {name}; weight in nats; incidents of which it had the first post, or the only ones"
    return table


def _frontier(name: str, points: Sequence[FrontierPoint]) -> Table:
    columns = ("budget", "watches a day", "watch delay, min", "alerts a day", "alert delay, min", "found")
    table = Table(*columns, title=f"{name}: with other budgets")
    table.caption = "a day: those that are not known to be true"
    for point in points:
        table.add_row(
            f"× {point.factor:g}",
            f"{point.false_watches_a_day + point.unjudged_watches_a_day:.2f}",
            _minutes(point.watch_delay),
            f"{point.false_alerts_a_day + point.unjudged_alerts_a_day:.2f}",
            _minutes(point.alert_delay),
            f"{point.watch_recall.hits} of {point.watch_recall.cases}",
        )
    return table


def _compared(comparison: Comparison) -> Iterator[RenderableType]:
    yield Text(f"The second profile is {VERDICTS[comparison.is_]}", style="bold")
    yield from (Text(f"  {change_words(change)}") for change in comparison.changes)
    yield from (Text(f"  {beside_words(one)}") for one in comparison.on_frontier if _is_apart(one))


def beside_words(one: OnFrontier) -> str:
    """Return in words what the profile in force would do at the candidate's number of false ones."""
    return (
        f"{one.level}: with no more that is not known to be true ({one.false_a_day:.2f} a day) the profile in force "
        f"takes {one.delay_in_force:.1f} min at {one.factor:g} times its budget, the candidate {one.delay:.1f} min"
    )


def _is_apart(one: OnFrontier) -> bool:
    return abs(one.delay - one.delay_in_force) > HALF_MINUTE


def _minutes(minutes: float | None, none: str = "-") -> str:
    return none if minutes is None else f"{minutes:.1f}"
