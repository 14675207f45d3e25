"""What `vigie backtest` is asked, and what it answers: tables on standard error, a JSON report, plots."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, TaskID

from detectors.profile import Profile
from models.places import shipped_gazetteer
from records import Clock, SettingsError
from records.backtest import Backtest
from records.truth import Truth
from vigie.backtest import Bench, bench_of, read_past, read_truth
from vigie.backtest_plots import plots_of
from vigie.backtest_report import report
from vigie.lines import SOME_BAD
from vigie.plotting import write_plots
from vigie.replay import settings_for
from vigie.settings import Settings
from vigie.territory import home_of, profile_of

MOST_PROFILES = 2


@dataclass(frozen=True)
class Asked:
    """The arguments."""

    files: tuple[Path, ...]
    profiles: tuple[str, ...]
    home: str
    local_places: Path | None
    truth: Path | None
    has_frontiers: bool
    json: Path | None
    plots: Path | None


def run_backtest(asked: Asked, clock: Clock) -> int:
    """Run a backtest and tell what it found; return the exit status.

    Errors  SettingsError, before anything is decided, when something that was asked for cannot be used
    """
    profiles = _profiles(asked)
    truth = read_truth(asked.truth) if asked.truth else Truth()
    _refuse_unwritable(asked.json)
    past = read_past(asked.files, _settings(asked, ""), clock)
    console = Console(stderr=True)
    found = _run(bench_of(past, truth), profiles, asked, console)
    console.print(report(found))
    if asked.json:
        _write(msgspec.json.format(msgspec.json.encode(found)) + b"\n", asked.json)
    if asked.plots:
        for path in write_plots(plots_of(found), asked.plots):
            console.print(f"written: {path}")
    for message in past.bad:
        click.echo(message, err=True)
    return SOME_BAD if past.bad else 0


def _run(bench: Bench, profiles: list[Profile], asked: Asked, console: Console) -> Backtest:
    with Progress(console=console, transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def show(part: str, share: float) -> None:
            if part not in bars:
                bars[part] = progress.add_task(part, total=1.0)
            progress.update(bars[part], completed=share)

        return bench.run(profiles, has_frontiers=asked.has_frontiers, on_progress=show)


def _settings(asked: Asked, profile: str) -> Settings:
    return settings_for(home=asked.home, profile=profile, local_places=asked.local_places, paths=asked.files)


def _profiles(asked: Asked) -> list[Profile]:
    names = asked.profiles or ("",)
    if len(names) > MOST_PROFILES:
        raise SettingsError(f"--profile was given {len(names)} times: give one, or the one in force and a candidate")
    gazetteer = shipped_gazetteer()
    found = [_settings(asked, name) for name in names]
    return [profile_of(settings, home_of(settings, gazetteer)) for settings in found]


def _refuse_unwritable(out: Path | None) -> None:
    if out and str(out) != "-" and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise SettingsError(f"--json {out}: cannot be written; give a file in a folder that is there")


def _write(text: bytes, out: Path) -> None:
    if str(out) == "-":
        sys.stdout.buffer.write(text)
        return
    try:
        out.write_bytes(text)
    except OSError as error:
        raise SettingsError(f"--json {out}: {error.strerror}; give another place") from error
    click.echo(f"written: {out}", err=True)
