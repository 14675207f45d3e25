"""Tables: what was measured, as markdown, each figure beside its target, and whether it meets it."""

from collections.abc import Iterable, Sequence
from math import isnan

import attacks
import branches
import budgets
import numpy as np
from alarms import ALERT, WATCH
from bound import posts_needed
from chatter import WEEK
from delays import Cell, geometric_mean
from marks import Marks
from speed import Pace, Run

from detectors.evidence import CLIPS

GEOMETRIC_MEAN, CELL, FAINT_CELL = 1.15, 1.3, 1.45
SPENT_LEAST, SPENT_MOST, SPENT_MOST_IN_UNREST = 0.3, 1.5, 2.0
FEWEST_EXPECTED = 10.0
"""False ones that must be budgeted for a stretch of quiet before its ratio is held against a target."""

ATTACK_TARGETS = {
    "cascade: one post, 200 copies": 0.01,
    "one account, 20 alarming posts": 0.01,
    "bots: 10 new accounts, 4 texts, 120 near-copies": 0.05,
    "sock puppets: 10 new accounts, own words": 0.25,
    "sock puppets who say they were there": 0.25,
    "viral, off topic: 150 authors in 3 h": 0.10,
    "viral, sounding like an incident": 0.10,
    "national chatter, x10 for 6 h": 0.02,
}
LOCAL_NOTICES, DIFFUSE_NOTICES, SECOND_NOTICED = 1.05, 1.5, 0.9
SIGNALS_A_SECOND, ONE_BY_ONE = 300_000.0, 20_000.0
NODE_BYTES = 2_048.0
MEAN_RATIO = 1.05
"""A likelihood ratio has a mean of 1 where nothing happens; more than that breaks the promise."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def is_met(reached: bool) -> str:
    """Return yes or no."""
    return "yes" if reached else "**no**"


def budget_name(budget: float) -> str:
    """Return what a budget is called."""
    return {WATCH: "watch", ALERT: "alert"}.get(budget, f"1 in {1 / budget:g} weeks")


def marks_table(sets: Sequence[Marks]) -> str:
    """Tell the sets of marks apart."""
    head = ("marks", "incident posts that count", "usual posts that do not", "nats an incident post")
    means = ("mean ratio of usual posts", "clipped at 200", "clipped at 20")
    rows = [
        (
            *(m.name, f"{m.evidence_share:.3f}", f"{m.weak_share:.3f}", f"{m.information:.2f}"),
            *(f"{m.overstated(most):.2f}" for most in (np.inf, *reversed(CLIPS[:2]))),
        )
        for m in sets
    ]
    return table((*head, *means), rows)


def stated_table(stated: Marks, told: Marks) -> str:
    """Return why what the reader states is not what the detector is told: the mean over usual signals must be 1."""
    head = ("ratios", "mean over usual signals", "target", "met")
    rows = []
    for marks in (stated, told):
        mean = marks.overstated()
        rows.append((marks.name, f"{mean:.2f}", f"at most {MEAN_RATIO:g}", is_met(mean <= MEAN_RATIO)))
    return table(head, rows)


def delay_table(cells: Sequence[Cell]) -> str:
    """Return our delay beside the oracles' and the exact bound, a row a cell."""
    head = ("usual/min", "budget", "incident", "Vigie min", "marked oracle min", "ratio", "target", "met")
    more = ("count oracle min", "Vigie / count oracle", "posts: Vigie", "posts: bound for counts")
    return table((*head, *more), map(_delay_row, cells))


def _delay_row(cell: Cell) -> tuple[str, ...]:
    target = FAINT_CELL if cell.is_faint else CELL
    return (
        f"{cell.setting.rate:g}",
        budget_name(cell.budget),
        cell.incident.name,
        f"{cell.mean('Vigie'):.3g}",
        f"{cell.mean('marked oracle'):.3g}",
        f"{cell.ratio:.2f} ± {cell.error:.2f}",
        f"{target:g}",
        is_met(cell.ratio <= target),
        f"{cell.mean('count oracle'):.3g}",
        f"{cell.mean('Vigie') / cell.mean('count oracle'):.2f}",
        f"{_mean_of(cell.found['Vigie'].posts):.1f}",
        _bound(cell),
    )


def _mean_of(posts: Iterable[float]) -> float:
    known = [number for number in posts if number == number]  # noqa: PLR0124  not-a-number where it was missed
    return sum(known) / len(known) if known else float("nan")


def _bound(cell: Cell) -> str:
    """Return the exact bound for who only counts the posts that count."""
    marks, rate = cell.setting.marks, cell.setting.rate
    strong = rate * (1.0 - marks.weak_share)
    if cell.incident.ramp:
        return "-"
    ratio = 1.0 + cell.incident.rate * marks.evidence_share / strong
    return f"{posts_needed(ratio, strong * WEEK / cell.budget):.1f}"


def mean_table(cells: Sequence[Cell]) -> str:
    """Return the geometric means, a row a background and budget."""
    groups: dict[tuple[float, float], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.setting.rate, cell.budget), []).append(cell)
    rows = []
    for (rate, budget), group in groups.items():
        mean = geometric_mean([cell.ratio for cell in group])
        by_count = geometric_mean([cell.mean("Vigie") / cell.mean("count oracle") for cell in group])
        worst = max(group, key=lambda cell: cell.ratio)
        row = (f"{rate:g}", budget_name(budget), f"{mean:.2f}", f"{GEOMETRIC_MEAN:g}", is_met(mean <= GEOMETRIC_MEAN))
        rows.append((*row, f"{worst.ratio:.2f} ({worst.incident.name})", f"{by_count:.2f}"))
    head = (
        "usual/min",
        "budget",
        "Vigie / marked oracle, geometric mean",
        "target",
        "met",
        "worst",
        "Vigie / count oracle",
    )
    return table(head, rows)


def rival_table(cells: Sequence[Cell]) -> str:
    """Return everybody's delay over the marked oracle's, geometric means over the incidents."""
    groups: dict[tuple[float, float], list[Cell]] = {}
    for cell in cells:
        if cell.setting.with_rivals:
            groups.setdefault((cell.setting.rate, cell.budget), []).append(cell)
    names = list(next(iter(groups.values()))[0].found)
    means = {
        name: [geometric_mean([c.mean(name) / c.mean("marked oracle") for c in group]) for group in groups.values()]
        for name in names
    }
    head = ["watcher", *(f"{rate:g}/min, {budget_name(budget)}" for rate, budget in groups)]
    order = sorted(names, key=lambda name: geometric_mean(means[name]))
    return table(head, [[name, *(f"{mean:.2f}" for mean in means[name])] for name in order])


def spent_table(rows: Sequence[tuple[float, budgets.Spent]]) -> str:
    """Return false watches and alerts over those budgeted."""
    head = ("usual/min", "background", "weeks", "false watches / budget", "alert's level / budget", "target", "met")
    return table((*head, "false alerts, gate included"), [_spent_row(rate, spent) for rate, spent in rows])


def _spent_row(rate: float, spent: budgets.Spent) -> tuple[str, ...]:
    first = (f"{rate:g}", spent.unrest, f"{spent.weeks:,}")
    figures = (
        f"{spent.watch_ratio:.2f} ({spent.watches})",
        f"{spent.crossing_ratio:.2f} ({spent.crossings} of {spent.weeks * ALERT:g})",
    )
    return (*first, *figures, *_spent_verdict(spent), str(spent.alerts))


def _spent_verdict(spent: budgets.Spent) -> tuple[str, str]:
    if spent.unrest not in budgets.JUDGED:
        return "", ""
    ratios = [spent.watch_ratio]
    if spent.weeks * ALERT >= FEWEST_EXPECTED:
        ratios.append(spent.crossing_ratio)
    if spent.unrest == "as believed":
        kept = all(SPENT_LEAST <= ratio <= SPENT_MOST for ratio in ratios)
        return f"{SPENT_LEAST:g}-{SPENT_MOST:g}", is_met(kept)
    return f"at most {SPENT_MOST_IN_UNREST:g}", is_met(max(ratios) <= SPENT_MOST_IN_UNREST)


def eta_table(etas: Sequence[budgets.Eta]) -> str:
    """Return eta, as a profile may take it."""
    head = ("hazard class", "usual/min", "eta at the watch's budget", "eta at the alert's", "safe for both")
    rows = [
        (
            *(eta.hazard, f"{eta.rate:g}", f"{eta.watch:.2g}", f"{eta.alert:.2g}", f"{eta.safe:.2g}"),
            *(f"at least {eta.of_profile:g}", is_met(eta.safe >= eta.of_profile)),
        )
        for eta in etas
    ]
    return table((*head, "the profile's", "met"), rows)


def divisor_table(rows: Sequence[tuple[float, Marks, Sequence[Sequence[Cell]], Sequence[budgets.Eta]]]) -> str:
    """Return what a divisor of the stated ratios does to the promise and to the delay, watches only."""
    rates = [f"{cells[0].setting.rate:g}" for cells in rows[0][2]]
    head = ("divided by", "mean ratio of usual posts", *(f"delay / marked oracle, {rate}/min" for rate in rates))
    lines = [
        (
            *(f"{by:g}", f"{marks.overstated():.2f}"),
            *(f"{geometric_mean([cell.ratio for cell in cells]):.2f}" for cells in found),
            *(f"{eta.watch:.2g}" for eta in etas),
        )
        for by, marks, found, etas in rows
    ]
    return table((*head, *(f"eta, {eta.hazard}, {eta.rate:g}/min" for eta in rows[0][3])), lines)


def attack_table(outcomes: Sequence[attacks.Outcome]) -> str:
    """Return how often the detector falls for each attack."""
    head = ("stream", "watch", "alert", "alert, at most", "met", "mean delay of alerts, min")
    rows = []
    for outcome in outcomes:
        target = ATTACK_TARGETS.get(outcome.name)
        judged = ("", "") if target is None else (f"{target:.0%}", is_met(outcome.alert <= target))
        delay = "" if target is not None else f"{outcome.minutes:.1f}"
        rows.append((outcome.name, f"{outcome.watch:.1%}", f"{outcome.alert:.1%}", *judged, delay))
    return table(head, rows)


def branch_table(outcomes: Sequence[branches.Outcome]) -> str:
    """Return what people are told of one incident in a tree, and of a second one."""
    head = (
        "scene",
        "notices",
        "location updates",
        "missed",
        "first notice, min",
        "second told of, by a move",
        "target",
        "met",
    )
    return table(head, map(_branch_row, outcomes))


def _branch_row(outcome: branches.Outcome) -> tuple[str, ...]:
    scene = outcome.scene
    second = f"{outcome.second:.0%}, {outcome.second_moved:.0%}" if scene.second >= 0 else ""
    target, met = "", ""
    if scene.is_diffuse:
        target, met = f"notices at most {DIFFUSE_NOTICES:g}", is_met(outcome.notices <= DIFFUSE_NOTICES)
    elif scene.second < 0:
        target, met = f"notices at most {LOCAL_NOTICES:g}", is_met(outcome.notices <= LOCAL_NOTICES)
    elif "other" in scene.name:
        target, met = f"second at least {SECOND_NOTICED:.0%}", is_met(outcome.second >= SECOND_NOTICED)
    figures = (f"{outcome.notices:.2f}", f"{outcome.updates:.2f}", f"{outcome.missed:.0%}", f"{outcome.minutes:.1f}")
    return (scene.name, *figures, second, target, met)


def speed_table(measured: Pace) -> str:
    """Return signals a second through three levels, compiled and one by one, and the bytes that are kept."""
    rows = [
        (f"compiled, {name}", f"{rate:,.0f}", f"{SIGNALS_A_SECOND:,.0f}", is_met(rate >= SIGNALS_A_SECOND))
        for name, rate in measured.compiled.items()
    ]
    rows += [
        (f"one by one, {name}", f"{run.signals_a_second:,.0f}", f"{ONE_BY_ONE:,.0f}", _is_fast(run))
        for name, run in measured.one_by_one.items()
    ]
    head = ("load", "bytes a node", "target", "met", "bytes a weak signal", "bytes a strong signal", "nodes")
    kept = [
        (
            *(name, f"{run.node_bytes:,.0f}", f"{NODE_BYTES:,.0f}", is_met(run.node_bytes <= NODE_BYTES)),
            *("-" if isnan(run.weak_bytes) else f"{run.weak_bytes:,.0f}", f"{run.strong_bytes:,.0f}", str(run.nodes)),
        )
        for name, run in measured.one_by_one.items()
    ]
    speeds = table(("load", "signals/s, one core, three levels", "target", "met"), rows)
    return speeds + "\nKept by the running detector:\n\n" + table(head, kept)


def _is_fast(run: Run) -> str:
    return is_met(run.signals_a_second >= ONE_BY_ONE)
