"""Commands about what is kept: for protection officers, and for backtests."""

import sys
from pathlib import Path

import click

from records import SystemClock
from vigie import logging as vigie_logging
from vigie.commands.command import FILE, IN_FILE, existing, needing, said, settings_option, told
from vigie.lines import SOME_BAD
from vigie.settings import load


@click.group()
def privacy() -> None:
    """Papers for people and their protection officers, and what people ask for."""


@privacy.command("report")
@settings_option
@click.option("--into", "folder", type=FILE, default=Path("privacy"), show_default=True, help="The folder to write to.")
def privacy_report(settings_file: Path | None, folder: Path) -> None:
    """Write the public notice, the record of processing and the impact assessment, in French and English."""
    from vigie.privacy_report import write_report

    with told():
        for path in write_report(load(existing(settings_file)), folder, SystemClock()):
            click.echo(f"written: {path}")


@privacy.command("object")
@settings_option
@click.argument("platform")
@click.argument("account")
def privacy_object(settings_file: Path | None, platform: str, account: str) -> None:
    """Read an ACCOUNT of a PLATFORM no more, and let go of what is kept of it; only a keyed hash of it stays."""
    import asyncio

    from vigie.objection import object_to

    vigie_logging.set_up("privacy")
    with told():
        asyncio.run(object_to(load(existing(settings_file)), platform, account, SystemClock()))
    click.echo("noted: nothing more is read of this account, and what is kept of it loses its words")


@privacy.command("sweep")
@settings_option
def privacy_sweep(settings_file: Path | None) -> None:
    """Look now whether anything is kept for longer than promised, and let go of it; status 1 where that fails.

    `vigie run` and `vigie connect` do it every two hours by themselves.
    """
    import asyncio

    from rich.console import Console

    from vigie.sweeping import sweep_now, table_of

    vigie_logging.set_up("privacy")
    clock = SystemClock()
    with told():
        settings = load(existing(settings_file))
        if settings.recording.is_there:
            from vigie.recording_shown import let_go

            for line in let_go(settings, clock):
                click.echo(line)
        done = asyncio.run(sweep_now(settings.streams(), clock))
    Console().print(table_of(done, clock.now()))
    sys.exit(1 if any(one.is_wrong(clock.now()) for one in done.topics) else 0)


@click.group()
def recording() -> None:
    """Look at the past as it is kept for backtests: what was heard, without words and links."""


@recording.command("show")
@settings_option
def recording_show(settings_file: Path | None) -> None:
    """Show what was recorded here, and what was taken in; status 1 where a file cannot be read."""
    from rich.console import Console

    with told():
        with needing("recording"):
            from vigie.recording_shown import recordings_of, table_of
        found = recordings_of(load(existing(settings_file))).shown()
    Console().print(table_of(found))
    sys.exit(SOME_BAD if any(one.trouble for one in found) else 0)


@recording.command("export")
@settings_option
@click.argument("out", type=FILE)
@click.option("--from", "since", metavar="MOMENT", help="As in 2026-11-30 or 2026-11-30T07:37Z; all where not given.")
@click.option("--to", "until", metavar="MOMENT", help="Up to then, and not then itself.")
@click.option(
    "--area", "areas", multiple=True, metavar="CODE", help="Only this département; may be given several times."
)
def recording_export(
    settings_file: Path | None, out: Path, since: str | None, until: str | None, areas: tuple[str, ...]
) -> None:
    """Write what was recorded here into one file, OUT; people have passing names in it, and no deletion reaches it."""
    with told():
        with needing("recording"):
            from vigie.recording_shown import moment_from, recordings_of
        span = moment_from(since, "--from"), moment_from(until, "--to")
        rows = recordings_of(load(existing(settings_file))).export(out, *span, areas or None)
    said(f"{rows} rows; what is deleted from now on stays in {out}: whoever has it answers for it")


@recording.command("import")
@settings_option
@click.argument("files", nargs=-1, required=True, type=IN_FILE)
def recording_import(settings_file: Path | None, files: tuple[Path, ...]) -> None:
    """Take exported FILES in, to be replayed beside what was recorded here; no worker ever hears them."""
    with told():
        with needing("recording"):
            from vigie.recording_shown import recordings_of, take_in
        for line in take_in(recordings_of(load(existing(settings_file))), files, SystemClock()):
            click.echo(line)


COMMANDS = (privacy, recording)
