"""The detection benchmark: delays, budgets, attacks, branches and speed, beside their targets.

Run     `python tests/benchmarks/detection [--quick] [--plots FOLDER] [--parts delays …] [--processes 2]`
Shape   markdown on standard output; the same figures each time, but for the speed
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import attacks
import branches
import budgets
import tables
from alarms import ALERT, WATCH
from crew import Crew
from delays import Cell, Setting, cells
from marks import MISTAKEN, Marks, beta_marks, divided, reader, stated_marks
from plots import Blocks, draw
from speed import pace

RATES = (0.01, 0.1, 1.0)
MIDDLE = 0.1
DIVISORS = (2.0, 3.0, 5.0, 7.0, 10.0, 14.0)
WITH_RIVALS, JUDGED_SETS = 2, 2
"""How many sets of marks are run with all rivals, and how many through the tables that follow the delays."""


class Extent(NamedTuple):
    """How much is simulated."""

    weeks: tuple[int, int, int]  # quiet ones, at each background
    trials: int
    budgets: tuple[float, ...]
    sets: int
    spent_weeks: tuple[int, int, int]
    unrests: tuple[str, ...]
    eta_weeks: dict[float, int]
    divisor_weeks: dict[float, int]
    divisor_trials: int
    attack_trials: int
    tree_weeks: int
    tree_trials: int
    signals: int


FULL = Extent(
    weeks=(30_000, 20_000, 6_000),
    trials=800,
    budgets=(WATCH, ALERT),
    sets=3,
    spent_weeks=(30_000, 20_000, 3_000),
    unrests=tuple(budgets.UNRESTS),
    eta_weeks={0.001: 60_000, 0.01: 30_000, 0.1: 15_000, 1.0: 3_000},
    divisor_weeks={0.01: 6_000, 0.1: 4_000, 1.0: 1_200},
    divisor_trials=300,
    attack_trials=1_000,
    tree_weeks=1_500,
    tree_trials=600,
    signals=1_000_000,
)
QUICK = Extent(
    weeks=(2_000, 1_200, 300),
    trials=100,
    budgets=(WATCH,),
    sets=2,
    spent_weeks=(0, 1_500, 0),
    unrests=budgets.JUDGED,
    eta_weeks={},
    divisor_weeks={},
    divisor_trials=0,
    attack_trials=80,
    tree_weeks=200,
    tree_trials=100,
    signals=300_000,
)


class Asked(NamedTuple):
    """What the command line asks for."""

    extent: Extent
    is_quick: bool
    plots: Path | None
    crew: Crew
    parts: tuple[str, ...]


def marks_in_turn() -> list[Marks]:
    """Return the sets of marks, those of a quick run first."""
    return [beta_marks(), reader(), reader(usual=MISTAKEN)]


def asked_for(arguments: Sequence[str]) -> Asked:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python tests/benchmarks/detection", description="the detection benchmark")
    parser.add_argument("--quick", action="store_true", help="fewer streams and one budget: under a minute")
    parser.add_argument("--plots", type=Path, help="a folder to draw into")
    parser.add_argument("--processes", type=int, default=2)
    usual = ("delays", "budgets", "attacks", "tree", "speed")
    parser.add_argument(
        "--parts", nargs="+", choices=(*usual, "divisor"), default=usual, help="these tables; all but divisor if none"
    )
    found = parser.parse_args(arguments)
    return Asked(QUICK if found.quick else FULL, found.quick, found.plots, Crew(found.processes), tuple(found.parts))


def say(text: str = "") -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def delays(marks: Marks, asked: Asked, *, with_rivals: bool) -> tuple[list[Cell], Blocks]:
    """Measure and print the delays of one set of marks."""
    found: list[Cell] = []
    ours: Blocks = {}
    for rate, weeks in zip(RATES, asked.extent.weeks, strict=True):
        rivals_here = with_rivals and (rate == MIDDLE or not asked.is_quick)
        setting = Setting(marks, rate, weeks, asked.extent.trials, rivals_here)
        here, blocks = cells(setting, asked.extent.budgets, asked.crew)
        found += here
        ours[rate, asked.extent.budgets[0]] = blocks["Vigie, sudden"]
    say(f"\n## Delay, {marks.name}\n")
    say(tables.mean_table(found))
    say(tables.delay_table(found))
    if with_rivals:
        say("Everybody's delay over the marked oracle's, geometric mean of the five incidents:\n")
        say(tables.rival_table(found))
    return found, ours


def spending(marks: Marks, asked: Asked) -> None:
    """Measure and print what is spent of the budgets, and eta."""
    extent = asked.extent
    rows: list[tuple[float, budgets.Spent]] = []
    for rate, weeks in zip(RATES, extent.spent_weeks, strict=True):
        if weeks:
            place = budgets.place_for(marks, rate)
            levels = budgets.levels_of(place, weeks, asked.crew)
            names = extent.unrests if rate == MIDDLE else budgets.JUDGED
            rows += [(rate, spent) for spent in budgets.spent(place, levels, names, weeks, asked.crew)]
    say(f"\n## False watches and alerts over their budget, {marks.name}\n")
    say(tables.spent_table(rows))
    if extent.eta_weeks:
        say(f"Eta, {marks.name}, with the profiles' shares of evidence and of weak posts (0.8 each):\n")
        say(tables.eta_table(budgets.etas(marks, extent.eta_weeks, asked.crew)))


def try_divisors(asked: Asked) -> None:
    """Measure and print what it costs to divide the stated ratios by too little or too much."""
    everyday, extent = stated_marks(), asked.extent
    rows = []
    for by in DIVISORS:
        marks = divided(everyday, f"divided by {by:g}", by)
        found = [
            cells(Setting(marks, rate, weeks, extent.divisor_trials, with_rivals=False), (WATCH,), asked.crew)[0]
            for rate, weeks in extent.divisor_weeks.items()
        ]
        rows.append((by, marks, found, budgets.etas(marks, extent.divisor_weeks, asked.crew)))
    say("\n## What the stated ratios are divided by\n")
    say(tables.divisor_table(rows))


def falls(marks: Marks, asked: Asked) -> None:
    """Measure and print what the detector falls for."""
    place = budgets.place_for(marks, MIDDLE)
    levels = budgets.levels_of(place, asked.extent.spent_weeks[1], asked.crew)
    say(f"\n## Attacks, at {MIDDLE:g} usual posts a minute, {marks.name}\n")
    say(tables.attack_table(attacks.outcomes(place, levels, asked.extent.attack_trials, asked.crew)))


def tree(marks: Marks, asked: Asked) -> None:
    """Measure and print what a tree of places tells."""
    level = branches.level_for_tree(marks, asked.extent.tree_weeks, asked.crew)
    say(f"\n## One incident in a tree of places, {marks.name}\n")
    say(tables.branch_table(branches.outcomes(marks, level, asked.extent.tree_trials, asked.crew)))


def all_delays(sets: Sequence[Marks], asked: Asked) -> None:
    """Measure and print the delays of every set of marks, and draw them."""
    found: dict[str, list[Cell]] = {}
    blocks: dict[str, Blocks] = {}
    for number, marks in enumerate(sets):
        found[marks.name], blocks[marks.name] = delays(marks, asked, with_rivals=number < WITH_RIVALS)
    if asked.plots is not None:
        say(", ".join(str(path) for path in draw(asked.plots, found, blocks)))


PARTS = {"budgets": spending, "attacks": falls, "tree": tree}


def main(arguments: Sequence[str]) -> int:
    """Measure everything and print it."""
    began, asked = time.monotonic(), asked_for(arguments)
    sets = marks_in_turn()[: asked.extent.sets]
    say("# Detection benchmark\n")
    say(tables.marks_table(sets))
    say("The reader states its ratios relative to all that it learned from. `SIGNALS_SHARE` makes them relative to")
    say("signals, which is what the background is counted in:\n")
    say(tables.stated_table(stated_marks(), reader()))
    if "delays" in asked.parts:
        all_delays(sets, asked)
    for name, part in PARTS.items():
        for marks in sets[:JUDGED_SETS]:
            if name in asked.parts:
                part(marks, asked)
    if "divisor" in asked.parts and asked.extent.divisor_weeks:
        try_divisors(asked)
    if "speed" in asked.parts:
        say("\n## Speed\n")
        say(tables.speed_table(pace(asked.extent.signals)))
    asked.crew.close()
    say(f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
