"""Commands that tell people something: what is known, how far to believe it, what to say."""

import sys
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import click

from records import SettingsError, SystemClock
from vigie.commands.command import FILE, IN_FILE, existing, language_option, needing, said, settings_option, told
from vigie.lines import NOTHING_READ, SOME_BAD
from vigie.settings import load

its_language_option = click.option(
    "--language", type=click.Choice(["fr", "en"]), help="That of the settings where not given."
)


@click.command()
@settings_option
@click.option("--hours", type=click.FloatRange(0.1, 720), default=12.0, show_default=True, help="How far back.")
@its_language_option
@click.option("--html", "is_html", is_flag=True, help="A page instead of plain text.")
def digest(settings_file: Path | None, hours: float, language: Literal["fr", "en"] | None, *, is_html: bool) -> None:
    """Say what whoever comes on duty should know: new, ongoing, rejected, declared, not seen, open questions."""
    import asyncio

    from connectors.sinks.digest_wording import html_from, text_from
    from vigie.digesting import digest_of
    from vigie.telling import claims_reader

    with told():
        settings = load(existing(settings_file))
        until = SystemClock().now()
        read_claims = claims_reader(settings)
        found = asyncio.run(
            digest_of(settings.streams(), until - timedelta(hours=hours), until, read_claims=read_claims)
        )
    write = html_from if is_html else text_from
    click.echo(write(found, language or settings.territory.language))


@click.command()
@settings_option
@click.option("--hours", type=click.FloatRange(0.1, 72), default=72.0, show_default=True, help="How far back.")
@its_language_option
@click.option("--json", "is_json", is_flag=True, help="An incident a line, with all that is known of each post.")
def solidarity(
    settings_file: Path | None, hours: float, language: Literal["fr", "en"] | None, *, is_json: bool
) -> None:
    """List what posts need and offer around incidents, with the posts that say so; nobody has verified any of it."""
    import asyncio

    from vigie.solidarity import json_of, listings_of, text_of

    with told():
        settings = load(existing(settings_file))
        if not settings.solidarity.listed:
            raise SettingsError("solidarity.listed: false is set, so that nothing is listed; write true")
        until = SystemClock().now()
        found = asyncio.run(listings_of(settings.streams(), until - timedelta(hours=hours), until))
    lines = json_of(found) if is_json else text_of(found, language or settings.territory.language)
    for line in lines:
        click.echo(line)


@click.command()
@settings_option
@click.option("--days", type=click.IntRange(1, 3650), default=91, show_default=True, help="How far back.")
@its_language_option
@click.option("--proposed", "is_proposed", is_flag=True, help="Only the profile that the budget controller proposes.")
def trust(settings_file: Path | None, days: int, language: Literal["fr", "en"] | None, *, is_proposed: bool) -> None:
    """Say how far to believe Vigie, by what people decided; with --proposed, status 1 where nothing is proposed."""
    from rich.console import Console

    with told():
        with needing("console"):
            from vigie.trust_shown import shown, trust_of
        settings = load(existing(settings_file))
        found, proposal = trust_of(settings, days, SystemClock())
    if not is_proposed:
        Console().print(shown(found, proposal, language or settings.territory.language))
        return
    if proposal is None or not proposal.toml:
        said("nothing is proposed; `vigie trust` says why")
        sys.exit(1)
    click.echo(proposal.toml, nl=False)


@click.group()
def record() -> None:
    """Look at records of what was known when, as the console exports them."""


@record.command("verify")
@click.argument("file", type=IN_FILE)
@click.option("--hash", "expected", default="", help="What the record was known by when it was exported.")
def record_verify(file: Path, expected: str) -> None:
    """Tell whether a record is as it was exported; name each line that was changed, moved, put in or taken out.

    Without the hash that was noted at the export, a record that somebody wrote anew as a whole cannot be told from it.
    """
    from console.record_file import verify

    problems = verify(file.read_bytes(), expected)
    for problem in problems:
        click.echo(f"{file}: {problem}")
    if not problems and not expected:
        said("nothing was changed within it; give --hash to know that it is the one that was exported")
    click.echo("broken" if problems else "whole", err=True)
    sys.exit(1 if problems else 0)


@click.group()
def messages() -> None:
    """Look up what to say, agreed on beforehand: the message map. Nothing is ever sent from here."""


stage_option = click.option("--stage", default="", help="How much is known: confirmed, over …")
audience_option = click.option("--audience", type=click.Choice(["population", "press", "staff"]), help="Only for them.")


@messages.command("check")
@settings_option
@click.argument("path", required=False, type=FILE)
def messages_check(settings_file: Path | None, path: Path | None) -> None:
    """Name every problem of a map, a FILE or FOLDER, with its line and the mend; status 1 where there are any.

    Without PATH: the map that the settings name, else the one that comes with Vigie.
    """
    from console.messages.map_files import SHIPPED, check_map

    with told():
        own = path or load(existing(settings_file)).messages.map
        findings = check_map(own or SHIPPED)
    for finding in findings:
        click.echo(str(finding))
    count = {0: "nothing to mend", 1: "1 problem"}.get(len(findings), f"{len(findings)} problems")
    click.echo(count, err=True)
    sys.exit(SOME_BAD if findings else 0)


@messages.command("show")
@settings_option
@language_option
@stage_option
@audience_option
@click.argument("situation")
def messages_show(
    settings_file: Path | None, language: Literal["fr", "en"], stage: str, audience: str | None, situation: str
) -> None:
    """Print the messages of a SITUATION, with their length on each channel."""
    from console.messages.map_files import load_map
    from console.messages.message_sheet import shown

    with told():
        found = load_map(load(existing(settings_file)).messages.map)
        for line in shown(found, situation, stage=stage, audience=audience or "", language=language):
            click.echo(line)


@messages.command("next")
@settings_option
@language_option
@stage_option
@audience_option
@click.option("--phenomenon", default="", help="What people perceive: smoke, odour, noise. Vigie does not guess.")
@click.option("--fact", "pairs", multiple=True, metavar="NAME=VALUE", help="What you know to be confirmed.")
@click.option("--zone", default="Europe/Paris", show_default=True, help="The time zone of the hours.")
@click.argument("file", required=False, type=IN_FILE)
def messages_next(
    settings_file: Path | None, file: Path | None, *, zone: str, pairs: tuple[str, ...], **wishes: Any
) -> None:
    """Print what may be said now of the incidents of FILE, as `vigie replay --alerts` writes it, or of standard input.

    Only what is confirmed is filled in; blanks are marked. A person reads, completes and signs.
    """
    from console.messages.alert_lines import latest_alerts
    from console.messages.map_files import load_map
    from console.messages.message_sheet import Wish, given_facts, next_up, zone_of

    with told():
        found = load_map(load(existing(settings_file)).messages.map)
        lines = file.read_bytes() if file else sys.stdin.buffer.read()
        alerts = latest_alerts(lines.splitlines(), name=str(file or "standard input"))
        wishes["audience"] = wishes["audience"] or ""
        wish = Wish(at=SystemClock().now(), zone=zone_of(zone), given=given_facts(pairs, found), **wishes)
        for line in chain.from_iterable(next_up(alert, found, wish) for alert in alerts):
            click.echo(line)
    if not alerts:
        click.echo("nothing to read", err=True)
        sys.exit(NOTHING_READ)


@click.command("fr-alert")
@click.argument("file", required=False, type=IN_FILE)
@click.option("--incident", default="", metavar="ID", help="Which incident, where the lines are of several.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="Of the sheet.")
@click.option("--exercise", "is_exercise", is_flag=True, help="It is a drill.")
@click.option("--html", "is_html", is_flag=True, help="A page to be printed, or kept as PDF, by a browser.")
@click.option("--out", type=FILE, help="Where the sheet goes; standard output where not given.")
def fr_alert(
    file: Path | None,
    incident: str,
    language: Literal["fr", "en"],
    out: Path | None,
    *,
    is_exercise: bool,
    is_html: bool,
) -> None:
    """Fill the sheet with which a prefecture is asked for an FR-Alert, from an alert as a JSON line. Sends nothing."""
    from vigie.fr_alert import write_sheet

    with told():
        lines = sys.stdin.buffer.read() if file is None else file.read_bytes()
        write_sheet(
            lines,
            out,
            incident_id=incident,
            language=language,
            now=SystemClock().now(),
            is_exercise=is_exercise,
            is_html=is_html,
        )


COMMANDS = (digest, solidarity, trust, record, messages, fr_alert)
