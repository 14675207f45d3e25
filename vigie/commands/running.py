"""Commands that set Vigie up and run it: the whole, or one of its processes."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from console.access.roles import Role
from records import SettingsError, SystemClock
from vigie import logging as vigie_logging
from vigie.commands.command import FILE, existing, needing, settings_option, told
from vigie.loading import loading
from vigie.settings import Settings, load

if TYPE_CHECKING:
    from vigie.source_check import Coverage


@click.command()
@click.option(
    "--commune", required=True, metavar="INSEE", help='The home commune: its INSEE code ("76351") or its name.'
)
@click.option("--into", "folder", type=FILE, default=Path(), help="The folder to write to; this one where not given.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def init(commune: str, folder: Path, force: bool) -> None:
    """Write annotated settings for a commune."""
    from vigie.init import write_settings

    with told():
        for path in write_settings(commune, folder, is_forced=force):
            click.echo(f"written: {path}")
    click.echo("next: vigie check, then vigie run")


@click.command()
@settings_option
def check(settings_file: Path | None) -> None:
    """Load all, connect to all, and print a line per problem with what would do."""
    from vigie.check import problems_with

    vigie_logging.set_up("check")
    problems = problems_with(existing(settings_file), lambda name: click.echo(f"checking {name}", err=True))
    for problem in problems:
        click.echo(str(problem))
    count = {0: "nothing stands in the way", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems")
    click.echo(count, err=True)
    sys.exit(1 if problems else 0)


@click.command("settings")
@click.argument("table", required=False)
def settings_page(table: str | None) -> None:
    """Print what every TABLE of vigie.toml takes, or one of them: keys, types, defaults, meanings."""
    from vigie import settings_page as reference

    with told():
        click.echo(reference.table(table) if table else reference.page(), nl=False)


@click.command()
@settings_option
def run(settings_file: Path | None) -> None:
    """Watch: broker, worker and sources on this machine, supervised, until Ctrl-C."""
    from vigie.supervisor import Supervisor

    vigie_logging.set_up("run")
    with told():
        settings = load(settings_file)
        sys.exit(Supervisor(settings, settings_file).run())


@click.command()
@settings_option
@click.option("--recorded", is_flag=True, help="Time passes with the records, not with the clock; nobody is notified.")
@click.option("--exact", is_flag=True, help="Read each text by itself: slower, and the same to the last bit each time.")
def worker(settings_file: Path | None, recorded: bool, exact: bool) -> None:
    """Run the stream program: posts to signals to alerts to receivers."""
    vigie_logging.set_up("worker")
    clock = SystemClock()
    with told():
        with loading():
            from streams.worker import run_worker
            from vigie import assembly
            from vigie.telling import telling

            settings = load(existing(settings_file))
            streams = settings.streams(has_ticks=not recorded)
            tells = telling(settings, clock) if settings.receivers and not recorded else None
            steps = assembly.steps(settings, telling=tells, is_exact=exact, is_live=True, is_apart=True)
        run_worker(streams, steps, clock)


@click.command()
@settings_option
@click.argument("names", nargs=-1)
def connect(settings_file: Path | None, names: tuple[str, ...]) -> None:
    """Read the sources, or those NAMED, through the gate, onto the broker: in one process or in several."""
    vigie_logging.set_up("edge")
    with loading():
        from vigie.edge import run_edge
    with told():
        run_edge(load(existing(settings_file)).only(names), SystemClock())


@click.command()
@settings_option
def console(settings_file: Path | None) -> None:
    """Serve the page for people: incidents, decisions, reports, messages, and the archive behind them."""
    vigie_logging.set_up("console")
    with told():
        with needing("console"), loading():
            from vigie.console_process import run_console
        run_console(load(existing(settings_file)), SystemClock())


@click.command()
@settings_option
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), help="What it may do; left as it is where not given.")
def account(settings_file: Path | None, name: str, role: Role | None) -> None:
    """Make an account of the console, or let its owner in again: print a password that is to be changed at once."""
    vigie_logging.set_up("account")
    with told():
        with needing("console"):
            from vigie.accounts import password_for
        made = password_for(load(existing(settings_file)), name, role, SystemClock())
    click.echo(made.password)
    click.echo(
        f"for {made.name}, {made.role}: shown this once, it opens only the page where another is chosen", err=True
    )


@click.group()
def source() -> None:
    """Look at single sources."""


@source.command("check")
@settings_option
@click.argument("name")
@click.option("--seconds", default=30.0, show_default=True, help="How long to listen.")
@click.option("--most", default=5_000, show_default=True, help="How many frames to read at most.")
def source_check(settings_file: Path | None, name: str, seconds: float, most: int) -> None:
    """Read a source live for a while and say what it gives: outcomes, lag, and which fields are filled."""
    from rich.console import Console

    from vigie.source_check import show

    vigie_logging.set_up("source check")
    with told():
        coverage = _coverage_of(load(existing(settings_file)).only((name,)), seconds, most)
    show(coverage, Console())
    sys.exit(1 if coverage.trouble or not coverage.readings else 0)


def _coverage_of(settings: Settings, seconds: float, most: int) -> "Coverage":
    import asyncio
    from tempfile import TemporaryDirectory

    from connectors.contract import Unobserved
    from connectors.pseudonym import RotatingPseudonyms
    from vigie import edge_assembly
    from vigie.source_assembly import Workshop
    from vigie.source_check import covered

    clock = SystemClock()
    with TemporaryDirectory() as folder:  # nothing of this is kept, its keys neither
        names = RotatingPseudonyms(Path(folder) / "keys.json", clock)
        sources = Workshop(settings, clock, Unobserved(), names).reading()
        if not sources:
            raise SettingsError(
                f"sources.{settings.sources[0].name}: waits to be told and cannot be read; send it something, "
                "and look at `vigie_read_total`"
            )
        gate = edge_assembly.gate(settings)
        return asyncio.run(covered(sources[0], gate=gate, clock=clock, seconds=seconds, most=most))


@click.command()
def metrics() -> None:
    """Print every metric that the processes serve, with what it means when it moves, as Markdown."""
    from vigie.metric_catalogue import markdown

    click.echo(markdown(), nl=False)


@click.command()
@click.argument("name")
@click.option("--port", default=0, help="A TCP port; a free one where not given.")
def fake(name: str, port: int) -> None:
    """Serve a platform's protocol with invented posts on this machine, to try a source without the platform."""
    from vigie.fake import serve

    with told():
        serve(name, port)


@click.command()
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="What you read.")
@click.option("--seconds", type=float, default=75.0, show_default=True, help="How long the seven hours take.")
@click.option("--live", is_flag=True, help="Then go on: watch Le Havre on Bluesky, until Ctrl-C.")
def demo(language: Literal["fr", "en"], seconds: float, live: bool) -> None:
    """Play the Le Havre morning of 30 January 2012 at speed, and see what Vigie says, and when."""
    from rich.console import Console

    vigie_logging.set_up("demo", is_quiet=True)
    with told():
        with needing("console"):
            from vigie.demo import run_demo
        stays = sys.stdin.isatty() and sys.stdout.isatty() and not live
        run_demo(Console(), language=language, play_secs=seconds, stays=stays)
        if live:
            from vigie.init import write_settings
            from vigie.supervisor import Supervisor

            folder = Path("vigie-demo")
            write_settings("76351", folder, is_forced=True)
            os.chdir(folder)
            vigie_logging.set_up("run")
            sys.exit(Supervisor(load(), Path("vigie.toml")).run())


COMMANDS = (init, check, settings_page, run, worker, connect, console, account, source, metrics, fake, demo)
