"""Plots: the folder that a command draws into, as PNG, and how; only who asks for them needs matplotlib."""

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from records import SettingsError

INCHES = (8.0, 5.0)
DPI = 120

Draw = Callable[[Any], None]
"""Draws onto the axes of a figure."""


def refuse_undrawable(folder: Path) -> None:
    """Refuse a folder for plots, before anything is worked out for them.

    Errors  SettingsError where matplotlib is not installed, or a file is where the folder would be
    """
    if find_spec("matplotlib") is None:
        raise SettingsError("--plots: matplotlib is not installed: pip install -e '.[bench]' in the checkout")
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise SettingsError(f"--plots {folder}: {there} is a file; give a folder")
    if not os.access(there, os.W_OK):
        raise SettingsError(f"--plots {folder}: nothing may be written in {there}; give another place")


def write_plots(plots: Mapping[str, Draw], folder: Path) -> list[Path]:
    """Draw each plot into a file of its name in a folder, made where it is not there; return the files.

    Errors  SettingsError where one cannot be written
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  only who asks for plots needs it

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in sorted(plots.items()):
            figure = Figure(figsize=INCHES, layout="constrained")
            draw(figure.subplots())
            written.append(folder / f"{name}.png")
            figure.savefig(written[-1], dpi=DPI)
    except OSError as error:
        raise SettingsError(f"--plots {folder}: {error.strerror or error}; give another place") from error
    return written
