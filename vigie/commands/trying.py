"""Commands that try Vigie on the past, on scenarios, and for speed."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from records import SettingsError, SystemClock
from vigie import logging as vigie_logging
from vigie.commands.command import FILE, IN_FILE, existing, language_option, plots_option, said, settings_option, told
from vigie.lines import NOTHING_READ, SOME_BAD
from vigie.plotting import Draw, write_plots
from vigie.settings import load

POLITE = 10
"""By how much less than others a trial asks of the processor: whoever decides live goes first."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--profile", default="", help="A profile's name or file; chosen by the home where not given.")
@click.option("--home", default="", metavar="INSEE", help="The commune from which the posts are read.")
@click.option("--local-places", type=FILE, help="A CSV file of quarters, docks, sites and nicknames.")
@click.option("--alerts", "out", required=True, type=FILE, help='Where the alert revisions go; "-": standard output.')
@click.option(
    "--partitions",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Of every topic; the alerts do not depend on it.",
)
def replay(
    files: tuple[Path, ...], *, profile: str, home: str, local_places: Path | None, out: Path, partitions: int
) -> None:
    """Play recorded posts through the whole pipeline, in event time, as fast as it goes."""
    from vigie.replay import refuse_unwritable, run_replay, settings_for, write_alerts

    vigie_logging.set_up("replay")
    with told():
        settings = settings_for(home=home, profile=profile, local_places=local_places, paths=files)
        refuse_unwritable(out)
        result = run_replay(files, settings, SystemClock(), partitions=partitions)
        write_alerts(result.alerts, out)
    for message in result.bad:
        click.echo(message, err=True)
    click.echo(
        f"{result.posts} posts read, {result.passed} through the gate, {len(result.alerts)} alert revisions, "
        f"{len({alert.incident_id for alert in result.alerts})} incidents, {len(result.bad)} bad lines",
        err=True,
    )
    if not result.posts:
        sys.exit(NOTHING_READ)
    sys.exit(SOME_BAD if result.bad else 0)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--profile", "profiles", multiple=True, help="A profile's name or file; once or twice, as in force first."
)
@click.option("--home", default="", metavar="INSEE", help="The commune from which the posts are read.")
@click.option("--local-places", type=FILE, help="A CSV file of quarters, docks, sites and nicknames.")
@click.option("--truth", "truth_file", type=IN_FILE, help="A JSON file of what really happened.")
@click.option(
    "--frontier/--no-frontier", default=True, help="Try other budgets as well: seven runs a profile, not one."
)
@click.option("--json", "out", type=FILE, help='Where the report goes as JSON; "-": standard output.')
@plots_option
def backtest(
    files: tuple[Path, ...],
    *,
    profiles: tuple[str, ...],
    home: str,
    local_places: Path | None,
    truth_file: Path | None,
    frontier: bool,
    out: Path | None,
    plots: Path | None,
) -> None:
    """Decide recorded posts or signals again, by one profile or two, and tell what each would have done."""
    from vigie.backtest_command import Asked, run_backtest

    vigie_logging.set_up("backtest")
    with told():
        asked = Asked(files, profiles, home, local_places, truth_file, frontier, out, plots)
        sys.exit(run_backtest(asked, SystemClock()))


@click.command(hidden=True)
def trial() -> None:
    """Try what the console asks on standard input, and answer it in JSON lines."""
    from vigie.children import end_with_parent
    from vigie.trial import run_trial

    end_with_parent()
    os.nice(POLITE)
    out = sys.stdout.buffer

    def say(record: object) -> None:
        out.write(msgspec.json.encode(record) + b"\n")
        out.flush()

    vigie_logging.set_up("trial")
    sys.exit(0 if run_trial(sys.stdin.buffer.read(), say) else NOTHING_READ)


@click.group()
def scenario() -> None:
    """Stretches of time in a town, told as data files, with the truth about them: to play, to judge by, to write."""


@scenario.command("list")
@language_option
def scenario_list(language: Literal["fr", "en"]) -> None:
    """Show the scenarios that ship: what each tells, where, how long, how many posts, what happens."""
    from rich.console import Console

    from vigie.scenarios.listing import table_of
    from vigie.scenarios.scenario import library, scenario_from

    with told():
        found = [scenario_from(name) for name in library()]
    Console().print(table_of(found, language))


@scenario.command("new")
@click.argument("folder", type=FILE)
@click.option("--home", required=True, metavar="INSEE", help='The town: its INSEE code ("76351") or its name.')
@language_option
def scenario_new(folder: Path, home: str, language: Literal["fr", "en"]) -> None:
    """Write an annotated scenario into FOLDER, which plays as it is and is there to be changed."""
    from vigie.scenarios.writing import write_new

    with told():
        for path in write_new(folder, home, language):
            click.echo(f"written: {path}")
    click.echo(f"next: vigie scenario check {folder}")


@scenario.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def scenario_check(folder: Path) -> None:
    """Read the scenario in FOLDER and print a line per problem, with file, line and what would do."""
    from vigie.scenarios.checking import problems_with

    with told():
        problems = problems_with(folder)
    for problem in problems:
        click.echo(str(problem))
    said({0: "nothing stands in the way", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems"))
    sys.exit(SOME_BAD if problems else 0)


@scenario.command("write")
@click.argument("name")
@click.option("--posts", type=FILE, help="A file for its posts, as `vigie replay` reads them.")
@click.option("--truth", type=FILE, help="A file for what really happened, as JSON.")
def scenario_write(name: str, posts: Path | None, truth: Path | None) -> None:
    """Write the scenario NAME, or that of a folder, as a recording and the truth about it."""
    from vigie.scenarios.recording import write_recording, write_truth
    from vigie.scenarios.scenario import scenario_from

    with told():
        if posts is None and truth is None:
            raise SettingsError("scenario write: nothing to write; give --posts FILE, --truth FILE, or both")
        found = scenario_from(name)
        if posts is not None:
            write_recording(found.all_posts, posts)
            said(f"written: {posts}, {len(found.all_posts)} posts; replay it with --home {found.home}")
        if truth is not None:
            write_truth(found, truth)
            said(f"written: {truth}")


@scenario.command("play")
@settings_option
@click.argument("name")
@click.option("--from", "since", default="", metavar="TIME", help='Where it begins: "08:30", a day later "+1 08:30".')
@click.option("--until", default="", metavar="TIME", help="Where it ends; at its end where not given.")
@click.option("--speed", type=click.FloatRange(0.1, 3600), default=1.0, show_default=True, help="Times as fast.")
def scenario_play(settings_file: Path | None, name: str, *, since: str, until: str, speed: float) -> None:
    """Play the scenario NAME, or that of a folder, into a running Vigie that is in exercise mode, as if it were now."""
    import asyncio

    from vigie.scenarios.exercise import doubts_about, part_of, play
    from vigie.scenarios.scenario import scenario_from

    vigie_logging.set_up("exercise")
    with told():
        settings = load(existing(settings_file))
        found = scenario_from(name)
        part = part_of(found, since, until, speed)
        for doubt in doubts_about(found, settings):
            said(doubt)
        try:
            count = asyncio.run(play(found, settings, part, SystemClock(), said))
        except KeyboardInterrupt:
            said("stopped; what was raised goes on, and is over when nobody speaks of it any more")
            return
    said(f"played: {count} posts and notices; incidents are over when nobody speaks of them any more")


@click.group()
def bench() -> None:
    """Measure on this machine how fast it is, and how well it detects."""


ABOVE_0 = click.FloatRange(0, min_open=True)
FEWEST = 100  # processor time is counted in hundredths of a second: fewer posts may take none
TEXTS = click.option(
    "--texts", type=FILE, metavar="FOLDER", help="Posts of your own, as JSON lines, beside the corpus."
)
PASS_RATIO = click.option(
    "--pass-ratio",
    type=click.FloatRange(0.001, 0.9),
    default=0.03,
    show_default=True,
    help="Share that passes the gate.",
)


@bench.command()
@click.option(
    "--posts", type=click.IntRange(FEWEST), default=200_000, show_default=True, help="Posts offered at the edge."
)
@PASS_RATIO
@TEXTS
@plots_option
def throughput(posts: int, pass_ratio: float, texts: Path | None, plots: Path | None) -> None:
    """Measure posts a second from the edge to the decision, beside the ceiling of the same functions."""
    from vigie.bench.plots import throughput_plot
    from vigie.bench.throughput import throughput as measured

    vigie_logging.set_up("bench", is_quiet=True)
    with told():
        found = measured(posts, pass_ratio, texts)
        click.echo(_as_json(found))
        _draw(throughput_plot(found), plots)


@bench.command()
@click.option("--rate", type=ABOVE_0, default=500.0, show_default=True, help="Posts offered a second.")
@click.option("--seconds", type=ABOVE_0, default=20.0, show_default=True, help="For how long.")
@PASS_RATIO
@TEXTS
@plots_option
def latency(rate: float, seconds: float, pass_ratio: float, texts: Path | None, plots: Path | None) -> None:
    """Measure the time from receiving a post to the decision on it, at a steady rate."""
    from vigie.bench.latency import latency as measured
    from vigie.bench.plots import latency_plot

    vigie_logging.set_up("bench", is_quiet=True)
    with told():
        found = measured(rate, seconds, pass_ratio, texts)
        click.echo(_as_json(found))
        _draw(latency_plot(found), plots)


@bench.command()
@click.option(
    "--workers",
    type=click.IntRange(1),
    multiple=True,
    default=(1, 2),
    show_default=True,
    help="May be given several times.",
)
@click.option("--partitions", type=click.IntRange(1), default=16, show_default=True)
@click.option(
    "--posts",
    type=click.IntRange(FEWEST),
    default=6_000,
    show_default=True,
    help="Posts that have passed the gate.",
)
@PASS_RATIO
@TEXTS
@plots_option
def scale(
    workers: tuple[int, ...], *, partitions: int, posts: int, pass_ratio: float, texts: Path | None, plots: Path | None
) -> None:
    """Measure what more workers bring; from a tenth that passes on, most speaks of one town."""
    from vigie.bench.plots import scale_plot
    from vigie.bench.scale import scale as measured

    vigie_logging.set_up("bench", is_quiet=True)
    with told():
        found = measured(workers, partitions, posts, pass_ratio, texts)
        for one in found:
            click.echo(_as_json(one))
        _draw(scale_plot(found), plots)


@bench.command()
@click.option("--quick", is_flag=True, help="Fewer streams: under a minute.")
@plots_option
@click.option("--parts", multiple=True, metavar="PART", help="Only this table; may be given several times.")
def detection(plots: Path | None, parts: tuple[str, ...], *, quick: bool) -> None:
    """Measure delays, false alarms, attacks and speed of the detector, beside their targets."""
    from vigie.bench.detection import detection as measured

    arguments = [
        *(["--quick"] if quick else []),
        *(["--plots", str(plots)] if plots is not None else []),
        *(["--parts", *parts] if parts else []),
    ]
    with told():
        sys.exit(measured(arguments))


def _as_json(result: Any) -> str:
    return json.dumps(asdict(result))


def _draw(plots: Mapping[str, Draw], folder: Path | None) -> None:
    if folder is not None:
        for path in write_plots(plots, folder):
            said(f"written: {path}")


COMMANDS = (replay, backtest, trial, scenario, bench)
