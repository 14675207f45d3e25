"""Commands by which people decide while workers run: silences, the profile and the model in force."""

from pathlib import Path

import click

from records import SystemClock
from vigie.commands.command import FILE, IN_FILE, existing, settings_option, told
from vigie.settings import load


@click.group()
def silence() -> None:
    """Hold notifications back for a while; nothing is closed or hidden by it."""


@silence.command("add")
@settings_option
@click.argument("matchers", nargs=-1)
@click.option("--for", "span", required=True, help="For how long: 90m, 2h, 1d; a week at most.")
@click.option("--by", "author", required=True, help="Who wants it: a role of the crisis cell.")
@click.option("--because", "reason", required=True, help="Why, for whoever comes next.")
def silence_add(settings_file: Path | None, matchers: tuple[str, ...], *, span: str, author: str, reason: str) -> None:
    """Hold back what fits all MATCHERS, as in Alertmanager: "hazard = fire" "level =~ watch|signal"."""
    from vigie.deciding import made
    from vigie.silencing import silence_from

    with told():
        one = silence_from(matchers, span=span, author=author, reason=reason, now=SystemClock().now())
        made(load(existing(settings_file)).streams(), one)
    click.echo(one.silence_id)


@silence.command("list")
@settings_option
def silence_list(settings_file: Path | None) -> None:
    """Show the silences in force, those of Alertmanager as well."""
    from rich.console import Console

    from vigie.silencing import known, table_of

    with told():
        found = known(load(existing(settings_file)).streams())
    Console().print(table_of(list(found.values()), SystemClock().now()))


@silence.command("end")
@settings_option
@click.argument("silence_id")
def silence_end(settings_file: Path | None, silence_id: str) -> None:
    """End a silence now; what it held back is told within half a minute."""
    from vigie.silencing import end

    with told():
        end(load(existing(settings_file)).streams(), silence_id, SystemClock())
    click.echo(f"ended: {silence_id}")


@click.group()
def profile() -> None:
    """Look at, and change, the profile by which running workers raise incidents; two people decide it."""


@profile.command("show")
@settings_option
@click.option("--toml", is_flag=True, help="Print its whole text.")
def profile_show(settings_file: Path | None, toml: bool) -> None:
    """Say which profile is in force, since when, and who decided so."""
    from vigie.promoting import in_force, sentence_on, text_of

    with told():
        settings = load(existing(settings_file))
        change = in_force(settings.streams())
        click.echo(text_of(change, settings) if toml else sentence_on(change, settings))


@profile.command("promote")
@settings_option
@click.argument("file", type=IN_FILE)
@click.option("--by", "proposed_by", required=True, help="Who proposes it: a role of the crisis cell.")
@click.option("--approved-by", required=True, help="Who approves it: somebody else.")
@click.option("--because", "reason", default="", help="Why, for whoever comes next.")
def profile_promote(settings_file: Path | None, file: Path, *, proposed_by: str, approved_by: str, reason: str) -> None:
    """Have all workers decide by the profile in FILE from now on, without a restart; nothing they know is lost."""
    from vigie.deciding import Asked, made
    from vigie.promoting import promotion_of

    with told():
        settings = load(existing(settings_file))
        asked = Asked(proposed_by=proposed_by, approved_by=approved_by, reason=reason, at=SystemClock().now())
        change = promotion_of(file, settings, asked)
        made(settings.streams(), change)
    click.echo(f"in force: {change.name}/{change.version}")


@profile.command("back")
@settings_option
@click.option("--by", "proposed_by", required=True, help="Who wants it: a role of the crisis cell.")
@click.option("--because", "reason", default="", help="Why, for whoever comes next.")
def profile_back(settings_file: Path | None, *, proposed_by: str, reason: str) -> None:
    """Go back to the profile of the settings; one person may."""
    from vigie.deciding import Asked, made
    from vigie.promoting import way_back

    with told():
        settings = load(existing(settings_file))
        change = way_back(settings, Asked(proposed_by=proposed_by, reason=reason, at=SystemClock().now()))
        made(settings.streams(), change)
    click.echo(f"in force: {change.name}/{change.version}, of the settings")


@click.group()
def model() -> None:
    """Look at, and change, the hazard model by which running workers read posts; two people decide it."""


@model.command("show")
@settings_option
def model_show(settings_file: Path | None) -> None:
    """Say which model is in force, since when, and who decided so."""
    from vigie.model_promoting import in_force, sentence_on

    with told():
        settings = load(existing(settings_file))
        click.echo(sentence_on(in_force(settings), settings))


@model.command("try")
@click.argument("folder", type=FILE)
@click.option("--although-worse", default="", metavar="REASON", help="Why it would be taken although it is worse.")
def model_try(folder: Path, although_worse: str) -> None:
    """Load the candidate in FOLDER, say how it does beside the shipped model, and whether it could be promoted."""
    from models.candidate import read_candidate
    from vigie.model_promoting import refuse_worse, words_on

    with told():
        report = read_candidate(folder).report
        click.echo(words_on(report))
        refuse_worse(report, although_worse)


@model.command("promote")
@settings_option
@click.argument("folder", type=FILE)
@click.option("--by", "proposed_by", required=True, help="Who proposes it: a role of the crisis cell.")
@click.option("--approved-by", required=True, help="Who approves it: somebody else.")
@click.option("--because", "--reason", "reason", default="", help="Why, for whoever comes next.")
@click.option("--although-worse", default="", metavar="REASON", help="Why it is taken although it is worse.")
def model_promote(settings_file: Path | None, folder: Path, *, although_worse: str, **said: str) -> None:
    """Have all workers read by the candidate in FOLDER from now on, without a restart."""
    from models.candidate import read_candidate
    from vigie.deciding import Asked, made
    from vigie.model_promoting import promotion_of, stored

    with told():
        settings = load(existing(settings_file))
        candidate = read_candidate(folder)
        asked = Asked(at=SystemClock().now(), **said)
        change = promotion_of(candidate, settings, asked, although_worse=although_worse)
        stored(candidate, settings.data.dir)
        made(settings.streams(), change)
    click.echo(f"in force: {change.version}")


@model.command("back")
@settings_option
@click.option("--by", "proposed_by", required=True, help="Who wants it: a role of the crisis cell.")
@click.option("--because", "--reason", "reason", default="", help="Why, for whoever comes next.")
def model_back(settings_file: Path | None, *, proposed_by: str, reason: str) -> None:
    """Go back to the model that ships; one person may."""
    from vigie.deciding import Asked, made
    from vigie.model_promoting import way_back

    with told():
        settings = load(existing(settings_file))
        change = way_back(settings, Asked(proposed_by=proposed_by, reason=reason, at=SystemClock().now()))
        made(settings.streams(), change)
    click.echo(f"in force: {change.version}, which ships")


COMMANDS = (silence, profile, model)
