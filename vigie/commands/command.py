"""What commands have in common: options, and errors that are one message."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from records import SettingsError, VigieError
from vigie.plotting import refuse_undrawable
from vigie.settings import FILE_VARIABLE

FILE = click.Path(path_type=Path)
IN_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@contextmanager
def told() -> Iterator[None]:
    """Turn errors raised on purpose into one message and status 2."""
    try:
        yield
    except VigieError as error:
        click.echo(f"vigie: {error}", err=True)
        sys.exit(2)


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Say which extra brings a library that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed: pip install -e '.[{extra}]' in the checkout") from error


def said(line: str) -> None:
    """Say something beside what a command answers."""
    click.echo(line, err=True)


def settings_option(function: Any) -> Any:
    """Add `--settings`."""
    return click.option(
        "--settings",
        "settings_file",
        type=FILE,
        envvar=FILE_VARIABLE,
        help="The settings file; vigie.toml in this folder where not given.",
    )(function)


language_option = click.option(
    "--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="What you read."
)


def _drawable(_context: click.Context, _parameter: click.Parameter, folder: Path | None) -> Path | None:
    """Return the folder for plots; where nothing can be drawn there, say so before hours of measuring."""
    if folder is not None:
        with told():
            refuse_undrawable(folder)
    return folder


plots_option = click.option("--plots", type=FILE, metavar="DIR", callback=_drawable, help="A folder for plots, as PNG.")


def existing(settings_file: Path | None) -> Path | None:
    """Return the file to read; the null device, which our own processes are given, stands for none."""
    if settings_file is not None and str(settings_file) == os.devnull:
        return None
    return settings_file
