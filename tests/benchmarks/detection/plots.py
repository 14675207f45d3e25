"""Plots: delay against background, the ratio of every cell, and how long it is until a false alarm."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from alarms import level_for, waits
from chatter import INCIDENTS
from delays import Cell
from marks import Floats
from tables import CELL, FAINT_CELL, budget_name

Blocks = dict[tuple[float, float], Floats]
SHOWN = ("Vigie", "marked oracle", "count oracle", "Poisson windows 10 min, 1 h, 6 h", "CUSUM x20")


def draw(
    folder: Path, cells: dict[str, list[Cell]], blocks: dict[str, dict[tuple[float, float], Floats]]
) -> list[Path]:
    """Write all plots; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (name, row) in enumerate(cells.items()):
        paths += [
            _delays(folder / f"delay-{number}.png", name, row),
            _ratios(folder / f"ratio-{number}.png", name, row),
            _survival(folder / f"false-alarm-{number}.png", name, blocks[name]),
        ]
    return paths


def _delays(path: Path, name: str, cells: Sequence[Cell]) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415  only who asks for plots needs it

    figure = Figure(figsize=(11.0, 4.5), layout="constrained")
    budget = min(cell.budget for cell in cells)
    for axes, incident in zip(figure.subplots(1, len(INCIDENTS)), INCIDENTS, strict=True):
        for watcher in SHOWN:
            row = [c for c in cells if c.incident == incident and c.budget == budget and watcher in c.found]
            axes.loglog([c.setting.rate for c in row], [c.mean(watcher) for c in row], marker="o", label=watcher)
        axes.set(title=incident.name.replace(", ", ",\n"), xlabel="usual posts a minute")
    figure.axes[0].set_ylabel(f"mean delay in minutes, {budget_name(budget)}'s budget")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(SHOWN))
    figure.suptitle(name)
    figure.savefig(path, dpi=110)
    return path


def _ratios(path: Path, name: str, cells: Sequence[Cell]) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9.0, 7.0), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(cells))[::-1]
    axes.errorbar([c.ratio for c in cells], places, xerr=[2.0 * c.error for c in cells], fmt="o", label="Vigie")
    axes.scatter(
        [FAINT_CELL if c.is_faint else CELL for c in cells], places, marker="|", s=90, color="0.3", label="target"
    )
    axes.axvline(1.0, color="0.6")
    labels = [f"{c.setting.rate:g}/min, {budget_name(c.budget)}: {c.incident.name}" for c in cells]
    axes.set_yticks(places, labels, fontsize=7)
    axes.set(xlabel="mean delay over that of the marked oracle, with two standard errors", title=name)
    axes.legend()
    figure.savefig(path, dpi=110)
    return path


def _survival(path: Path, name: str, blocks: Blocks) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(6.5, 4.5), layout="constrained")
    axes = figure.subplots()
    for (rate, budget), row in blocks.items():
        waited = np.sort(waits(row, level_for(row, budget * len(row) / 28.0))) * budget
        axes.step(waited, 1.0 - np.arange(len(waited)) / max(len(waited), 1), label=f"{rate:g} usual posts a minute")
    grid = np.linspace(0.0, 5.0, 100)
    axes.semilogy(grid, np.exp(-grid), color="0.5", linestyle="--", label="by chance alone")
    axes.set(xlim=(0.0, 5.0), ylim=(5e-3, 1.1), xlabel="time since the last false watch, over the budgeted mean")
    axes.set(ylabel="share not yet interrupted", title=name)
    axes.legend()
    figure.savefig(path, dpi=110)
    return path
