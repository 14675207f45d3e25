"""The command `vigie`: one subcommand a job."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
import msgspec

from console.access.roles import Role
from records import SettingsError, SystemClock, VigieError
from vigie import logging as vigie_logging
from vigie.lines import NOTHING_READ, SOME_BAD, Question, answer_lines
from vigie.settings import FILE_VARIABLE, Settings, load

if TYPE_CHECKING:
    from vigie.source_check import Coverage

POLITE = 10
"""By how much less than others a trial asks of the processor: whoever decides live goes first."""

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
        raise SettingsError(f"{error.name} is not installed: pip install 'vigie[{extra}]'") from error


def _said(line: str) -> None:
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vigie")
def main() -> None:
    """Vigie reads public posts, finds danger in them early, and tells people, with the evidence in hand."""


@main.command()
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


@main.command()
@settings_option
def check(settings_file: Path | None) -> None:
    """Load all, connect to all, and print a line per problem with what would do."""
    from vigie.check import problems_with

    vigie_logging.set_up("check")
    problems = problems_with(_existing(settings_file), lambda name: click.echo(f"checking {name}", err=True))
    for problem in problems:
        click.echo(str(problem))
    count = {0: "nothing stands in the way", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems")
    click.echo(count, err=True)
    sys.exit(1 if problems else 0)


@main.command()
@settings_option
def run(settings_file: Path | None) -> None:
    """Watch: broker, worker and sources on this machine, supervised, until Ctrl-C."""
    from vigie.supervisor import Supervisor

    vigie_logging.set_up("run")
    with told():
        settings = load(settings_file)
        sys.exit(Supervisor(settings, settings_file).run())


@main.command()
@settings_option
@click.option("--recorded", is_flag=True, help="Time passes with the records, not with the clock; nobody is notified.")
@click.option("--exact", is_flag=True, help="Read each text by itself: slower, and the same to the last bit each time.")
def worker(settings_file: Path | None, recorded: bool, exact: bool) -> None:
    """Run the stream program: posts to signals to alerts to receivers."""
    from streams.worker import run_worker
    from vigie import assembly
    from vigie.telling import telling

    vigie_logging.set_up("worker")
    clock = SystemClock()
    with told():
        settings = load(_existing(settings_file))
        streams = settings.streams(has_ticks=not recorded)
        tells = telling(settings, clock) if settings.receivers and not recorded else None
        run_worker(streams, assembly.steps(settings, telling=tells, is_exact=exact, is_live=True), clock)


@main.command()
@settings_option
@click.argument("names", nargs=-1)
def connect(settings_file: Path | None, names: tuple[str, ...]) -> None:
    """Read the sources, or those NAMED, through the gate, onto the broker: in one process or in several."""
    from vigie.edge import run_edge

    vigie_logging.set_up("edge")
    with told():
        run_edge(load(_existing(settings_file)).only(names), SystemClock())


@main.command()
@settings_option
def console(settings_file: Path | None) -> None:
    """Serve the page for people: incidents, decisions, reports, messages, and the archive behind them."""
    vigie_logging.set_up("console")
    with told():
        with needing("console"):
            from vigie.console_process import run_console
        run_console(load(_existing(settings_file)), SystemClock())


@main.command()
@settings_option
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), help="What it may do; left as it is where not given.")
def account(settings_file: Path | None, name: str, role: Role | None) -> None:
    """Make an account of the console, or let its owner in again: print a password that is to be changed at once."""
    vigie_logging.set_up("account")
    with told():
        with needing("console"):
            from vigie.accounts import password_for
        made = password_for(load(_existing(settings_file)), name, role, SystemClock())
    click.echo(made.password)
    click.echo(
        f"for {made.name}, {made.role}: shown this once, it opens only the page where another is chosen", err=True
    )


@main.group()
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
        coverage = _coverage_of(load(_existing(settings_file)).only((name,)), seconds, most)
    show(coverage, Console())
    sys.exit(1 if coverage.trouble or not coverage.readings else 0)


def _coverage_of(settings: Settings, seconds: float, most: int) -> "Coverage":
    import asyncio
    from tempfile import TemporaryDirectory

    from connectors.contract import Unobserved
    from connectors.pseudonym import RotatingPseudonyms
    from vigie import assembly
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
        gate = assembly.gate(settings)
        return asyncio.run(covered(sources[0], gate=gate, clock=clock, seconds=seconds, most=most))


@main.command()
@settings_option
@click.option("--hours", type=click.FloatRange(0.1, 720), default=12.0, show_default=True, help="How far back.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="That of the settings where not given.")
@click.option("--html", "is_html", is_flag=True, help="A page instead of plain text.")
def digest(settings_file: Path | None, hours: float, language: Literal["fr", "en"] | None, *, is_html: bool) -> None:
    """Say what whoever comes on duty should know: new, ongoing, rejected, declared, not seen, open questions."""
    import asyncio

    from connectors.sinks.digest_wording import html_from, text_from
    from vigie.digesting import digest_of
    from vigie.telling import claims_reader

    with told():
        settings = load(_existing(settings_file))
        until = SystemClock().now()
        read_claims = claims_reader(settings)
        found = asyncio.run(
            digest_of(settings.streams(), until - timedelta(hours=hours), until, read_claims=read_claims)
        )
    write = html_from if is_html else text_from
    click.echo(write(found, language or settings.territory.language))


@main.command()
@settings_option
@click.option("--hours", type=click.FloatRange(0.1, 72), default=72.0, show_default=True, help="How far back.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="That of the settings where not given.")
@click.option("--json", "is_json", is_flag=True, help="An incident a line, with all that is known of each post.")
def solidarity(
    settings_file: Path | None, hours: float, language: Literal["fr", "en"] | None, *, is_json: bool
) -> None:
    """List what posts need and offer around incidents, with the posts that say so; nobody has verified any of it."""
    import asyncio

    from vigie.solidarity import json_of, listings_of, text_of

    with told():
        settings = load(_existing(settings_file))
        if not settings.solidarity.listed:
            raise SettingsError("solidarity.listed: false is set, so that nothing is listed; write true")
        until = SystemClock().now()
        found = asyncio.run(listings_of(settings.streams(), until - timedelta(hours=hours), until))
    lines = json_of(found) if is_json else text_of(found, language or settings.territory.language)
    for line in lines:
        click.echo(line)


@main.command()
@settings_option
@click.option("--days", type=click.IntRange(1, 3650), default=91, show_default=True, help="How far back.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="That of the settings where not given.")
@click.option("--proposed", "is_proposed", is_flag=True, help="Only the profile that the budget controller proposes.")
def trust(settings_file: Path | None, days: int, language: Literal["fr", "en"] | None, *, is_proposed: bool) -> None:
    """Say how far to believe Vigie, by what people decided; with --proposed, status 1 where nothing is proposed."""
    from rich.console import Console

    with told():
        with needing("console"):
            from vigie.trust_shown import shown, trust_of
        settings = load(_existing(settings_file))
        found, proposal = trust_of(settings, days, SystemClock())
    if not is_proposed:
        Console().print(shown(found, proposal, language or settings.territory.language))
        return
    if proposal is None or not proposal.toml:
        _said("nothing is proposed; `vigie trust` says why")
        sys.exit(1)
    click.echo(proposal.toml, nl=False)


@main.group()
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
        made(load(_existing(settings_file)).streams(), one)
    click.echo(one.silence_id)


@silence.command("list")
@settings_option
def silence_list(settings_file: Path | None) -> None:
    """Show the silences in force, those of Alertmanager as well."""
    from rich.console import Console

    from vigie.silencing import known, table_of

    with told():
        found = known(load(_existing(settings_file)).streams())
    Console().print(table_of(list(found.values()), SystemClock().now()))


@silence.command("end")
@settings_option
@click.argument("silence_id")
def silence_end(settings_file: Path | None, silence_id: str) -> None:
    """End a silence now; what it held back is told within half a minute."""
    from vigie.silencing import end

    with told():
        end(load(_existing(settings_file)).streams(), silence_id, SystemClock())
    click.echo(f"ended: {silence_id}")


@main.group()
def profile() -> None:
    """Look at, and change, the profile by which running workers raise incidents; two people decide it."""


@profile.command("show")
@settings_option
@click.option("--toml", is_flag=True, help="Print its whole text.")
def profile_show(settings_file: Path | None, toml: bool) -> None:
    """Say which profile is in force, since when, and who decided so."""
    from vigie.promoting import in_force, sentence_on, text_of

    with told():
        settings = load(_existing(settings_file))
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
        settings = load(_existing(settings_file))
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
        settings = load(_existing(settings_file))
        change = way_back(settings, Asked(proposed_by=proposed_by, reason=reason, at=SystemClock().now()))
        made(settings.streams(), change)
    click.echo(f"in force: {change.name}/{change.version}, of the settings")


@main.group()
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
        _said("nothing was changed within it; give --hash to know that it is the one that was exported")
    click.echo("broken" if problems else "whole", err=True)
    sys.exit(1 if problems else 0)


@main.group()
def privacy() -> None:
    """Papers for people and their protection officers, and what people ask for."""


@privacy.command("report")
@settings_option
@click.option("--into", "folder", type=FILE, default=Path("privacy"), show_default=True, help="The folder to write to.")
def privacy_report(settings_file: Path | None, folder: Path) -> None:
    """Write the public notice, the record of processing and the impact assessment, in French and English."""
    from vigie.privacy_report import write_report

    with told():
        for path in write_report(load(_existing(settings_file)), folder, SystemClock()):
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
        asyncio.run(object_to(load(_existing(settings_file)), platform, account, SystemClock()))
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
        settings = load(_existing(settings_file))
        if settings.recording.is_there:
            from vigie.recording_shown import let_go

            for line in let_go(settings, clock):
                click.echo(line)
        done = asyncio.run(sweep_now(settings.streams(), clock))
    Console().print(table_of(done, clock.now()))
    sys.exit(1 if any(one.is_wrong(clock.now()) for one in done.topics) else 0)


@main.group()
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
        found = recordings_of(load(_existing(settings_file))).shown()
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
        rows = recordings_of(load(_existing(settings_file))).export(out, *span, areas or None)
    _said(f"{rows} rows; what is deleted from now on stays in {out}: whoever has it answers for it")


@recording.command("import")
@settings_option
@click.argument("files", nargs=-1, required=True, type=IN_FILE)
def recording_import(settings_file: Path | None, files: tuple[Path, ...]) -> None:
    """Take exported FILES in, to be replayed beside what was recorded here; no worker ever hears them."""
    with told():
        with needing("recording"):
            from vigie.recording_shown import recordings_of, take_in
        for line in take_in(recordings_of(load(_existing(settings_file))), files, SystemClock()):
            click.echo(line)


@main.group()
def messages() -> None:
    """Look up what to say, agreed on beforehand: the message map. Nothing is ever sent from here."""


language_option = click.option(
    "--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="What you read."
)
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
        own = path or load(_existing(settings_file)).messages.map
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
        found = load_map(load(_existing(settings_file)).messages.map)
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
        found = load_map(load(_existing(settings_file)).messages.map)
        lines = file.read_bytes() if file else sys.stdin.buffer.read()
        alerts = latest_alerts(lines.splitlines(), name=str(file or "standard input"))
        wishes["audience"] = wishes["audience"] or ""
        wish = Wish(at=SystemClock().now(), zone=zone_of(zone), given=given_facts(pairs, found), **wishes)
        for line in chain.from_iterable(next_up(alert, found, wish) for alert in alerts):
            click.echo(line)
    if not alerts:
        click.echo("nothing to read", err=True)
        sys.exit(NOTHING_READ)


@main.command()
@click.argument("name")
@click.option("--port", default=0, help="A TCP port; a free one where not given.")
def fake(name: str, port: int) -> None:
    """Serve a platform's protocol with invented posts on this machine, to try a source without the platform."""
    from vigie.fake import serve

    with told():
        serve(name, port)


@main.command()
@click.argument("file", required=False, type=IN_FILE)
@click.option("--why", "is_why", is_flag=True, help="Add what weighed most, and what detectors take.")
def classify(file: Path | None, *, is_why: bool) -> None:
    """Read posts for hazard, witness and actuality: {"id","text","lang"?} a line, or on standard input."""
    from models.hazard import HazardModel
    from models.why import why

    with told():
        model = HazardModel.load()

    def answer(questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
        readings = model.read([q.text for q in questions], [q.lang for q in questions])
        for question, reading in zip(questions, readings, strict=True):
            answered: dict[str, Any] = {
                "id": question.id,
                "language": reading.language,
                "hazards": {hazard: reading.hazards[hazard] for hazard in ("fire", "flood", "industrial")},
                "hazard": reading.hazard,
                "witness": reading.witness,
                "actuality": reading.actuality,
            }
            if is_why:
                reasons = why(model, question.text)
                answered |= {
                    "why": reasons.sentence("fr" if reading.language == "fr" else "en"),
                    "reasons": [{"words": reason.words, "factor": reason.factor} for reason in reasons.reasons],
                    "likelihood_ratios": reading.likelihood_ratios,
                    "class_shares": reading.class_shares,
                    "is_degraded": reading.is_degraded,
                }
            yield answered

    with told():
        status = answer_lines(file, answer, out=sys.stdout.buffer, errors=sys.stderr)
    sys.exit(status)


@main.command()
@click.argument("file", required=False, type=IN_FILE)
@click.option("--home", default="", metavar="INSEE", help="The commune from which the posts are read.")
@click.option("--local-places", type=FILE, help="A CSV file of quarters, docks, sites and nicknames.")
def locate(file: Path | None, home: str, local_places: Path | None) -> None:
    """Place posts: {"id","text","lang"?} a line, or on standard input; best place first."""
    from models.geoparse import Geoparser
    from models.places import Gazetteer, load_local_places

    with told():
        gazetteer = Gazetteer()
        geoparser = Geoparser(
            gazetteer,
            home=gazetteer.home_place(home) if home else None,
            local=load_local_places(local_places, gazetteer) if local_places else (),
        )
    fields = ("name", "lat", "lon", "radius_km", "level", "insee", "country", "confidence", "source", "reasons")

    def answer(questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
        for question in questions:
            places = geoparser.locate(question.text, lang=question.lang)
            yield {
                "id": question.id,
                "places": [{name: getattr(place, name) for name in fields} for place in places],
            }

    with told():
        status = answer_lines(file, answer, out=sys.stdout.buffer, errors=sys.stderr)
    sys.exit(status)


@main.command()
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


@main.command()
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
@click.option("--plots", "plots", type=FILE, help="A folder for plots, as PNG.")
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
    with told(), needing("bench"):
        asked = Asked(files, profiles, home, local_places, truth_file, frontier, out, plots)
        sys.exit(run_backtest(asked, SystemClock()))


@main.command(hidden=True)
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
    with needing("console"):
        sys.exit(0 if run_trial(sys.stdin.buffer.read(), say) else NOTHING_READ)


@main.command("fr-alert")
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


def _existing(settings_file: Path | None) -> Path | None:
    """Return the file to read; the null device, which our own processes are given, stands for none."""
    if settings_file is not None and str(settings_file) == os.devnull:
        return None
    return settings_file


@main.command()
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


@main.group()
def scenario() -> None:
    """Stretches of time in a town, told as data files, with the truth about them: to play, to judge by, to write."""


language_option = click.option(
    "--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="What you read."
)


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
    _said({0: "nothing stands in the way", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems"))
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
            _said(f"written: {posts}, {len(found.all_posts)} posts; replay it with --home {found.home}")
        if truth is not None:
            write_truth(found, truth)
            _said(f"written: {truth}")


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
        settings = load(_existing(settings_file))
        found = scenario_from(name)
        part = part_of(found, since, until, speed)
        for doubt in doubts_about(found, settings):
            _said(doubt)
        try:
            count = asyncio.run(play(found, settings, part, SystemClock(), _said))
        except KeyboardInterrupt:
            _said("stopped; what was raised goes on, and is over when nobody speaks of it any more")
            return
    _said(f"played: {count} posts and notices; incidents are over when nobody speaks of them any more")


public_data_option = click.option(
    "--public-data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Labelled posts."
)
work_option = click.option(
    "--work",
    type=FILE,
    default="vigie-training",
    show_default=True,
    help="The folder for what is learned on the way; a training that was stopped goes on there.",
)


@main.command()
@public_data_option
@work_option
@click.option("--out", type=FILE, help="The folder for weights and points.txt; over the shipped ones where not given.")
@click.option(
    "--with-verdicts", is_flag=True, help="Correct the shipped model by what people decided: minutes, not an hour."
)
@settings_option
def train(
    public_data: Path | None, work: Path, out: Path | None, *, with_verdicts: bool, settings_file: Path | None
) -> None:
    """Train the hazard model on the corpus and, where given, on public data; the same again gives the same.

    With --with-verdicts, learn a candidate from the decisions in the console's archive, and measure it.
    """
    if with_verdicts:
        _teach(public_data, out, settings_file)
        return
    from models.hazard import WEIGHTS
    from models.posts_corpus import CORPUS

    with told():
        from models.gate_points import POINTS_FILE, learn_points
        from models.train import refuse_without_jax
        from models.train import train as fit

        refuse_without_jax()  # before anything is written
        if public_data is not None:
            learn_points(CORPUS, public_data, POINTS_FILE if out is None else out / POINTS_FILE.name)
        report = fit(CORPUS, public_data, out or WEIGHTS, work=work, told=_said)
    click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())


def _teach(public_data: Path | None, out: Path | None, settings_file: Path | None) -> None:
    with told():
        from vigie.model_promoting import words_on
        from vigie.teaching import decided_in, teach

        if out is None:
            raise SettingsError("--out: is missing; name a folder for the candidate")
        posts = decided_in(load(_existing(settings_file)), SystemClock())
        click.echo(words_on(teach(posts, public_data, out, _said)))


@main.group()
def model() -> None:
    """Look at, and change, the hazard model by which running workers read posts; two people decide it."""


@model.command("show")
@settings_option
def model_show(settings_file: Path | None) -> None:
    """Say which model is in force, since when, and who decided so."""
    from vigie.model_promoting import in_force, sentence_on

    with told():
        settings = load(_existing(settings_file))
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
        settings = load(_existing(settings_file))
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
        settings = load(_existing(settings_file))
        change = way_back(settings, Asked(proposed_by=proposed_by, reason=reason, at=SystemClock().now()))
        made(settings.streams(), change)
    click.echo(f"in force: {change.version}, which ships")


@main.command()
@public_data_option
@click.option("--work", type=FILE, help="A training's folder: also print what was measured on the way.")
@click.option("--corpus", "is_corpus", is_flag=True, help="Only check the corpus; status 1 where it refuses.")
@click.option("--places", "is_places", is_flag=True, help="Score the placing of posts instead.")
@click.option("--diagram", type=FILE, help="Draw the reliability diagram into this PNG file.")
def evaluate(
    public_data: Path | None, work: Path | None, *, is_corpus: bool, is_places: bool, diagram: Path | None
) -> None:
    """Print the tables of the model card."""
    with told():
        from vigie.evaluate import corpus_report, draw_reliability, places_tables, quick_tables, training_tables

        _refuse_evaluation(public_data, work, diagram, is_corpus=is_corpus)
        if is_corpus:
            found = corpus_report()
            click.echo("\n".join(found.lines()))
            sys.exit(SOME_BAD if found.refused else 0)
        tables = [places_tables(public_data)] if is_places else [quick_tables(public_data)]
        if work is not None and public_data is not None:
            tables.append(training_tables(public_data, work, _said))
        for table in chain(*tables):
            click.echo(table)
        if diagram is not None:
            draw_reliability(diagram)


def _refuse_evaluation(public_data: Path | None, work: Path | None, diagram: Path | None, *, is_corpus: bool) -> None:
    """Raise SettingsError where the options of `vigie evaluate` do not go together."""
    if is_corpus and (work is not None or diagram is not None):
        raise SettingsError("--corpus: checks the corpus and nothing else: leave --work and --diagram out")
    if work is not None and public_data is None:
        raise SettingsError("--work: the training's tables need --public-data, which it learned from")
    if diagram is not None and not diagram.parent.is_dir():
        raise SettingsError(f"--diagram: there is no folder {diagram.parent}: make it, or name another file")


@main.command("build-places")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=FILE, help="The folder for the files; over the shipped ones where not given.")
def build_places(source: Path, out: Path | None) -> None:
    """Build the gazetteer's files from the unpacked packages in SOURCE; models/places/files/README.md names them."""
    from models.places.gazetteer import FILES

    with told():
        with needing("places"):
            from models.places.build import build
        for name, rows in build(source, out or FILES).items():
            click.echo(f"{name}: {rows} rows")


@main.group()
def bench() -> None:
    """Measure on this machine how fast it is, and how well it detects."""


@bench.command()
@click.option("--posts", type=int, default=200_000, show_default=True, help="Posts offered at the edge.")
@click.option("--pass-ratio", type=float, default=0.03, show_default=True, help="Share that passes the gate.")
def throughput(posts: int, pass_ratio: float) -> None:
    """Measure posts a second from the edge to the decision, beside the ceiling of the same functions."""
    from vigie import bench as benchmark

    vigie_logging.set_up("bench", is_quiet=True)
    with told():
        click.echo(benchmark.as_json(benchmark.throughput(posts, pass_ratio)))


@bench.command()
@click.option("--rate", type=float, default=500.0, show_default=True, help="Posts offered a second.")
@click.option("--seconds", type=float, default=20.0, show_default=True, help="For how long.")
@click.option("--pass-ratio", type=float, default=0.03, show_default=True, help="Share that passes the gate.")
def latency(rate: float, seconds: float, pass_ratio: float) -> None:
    """Measure the time from receiving a post to the decision on it, at a steady rate."""
    from vigie import bench as benchmark

    vigie_logging.set_up("bench", is_quiet=True)
    with told():
        click.echo(benchmark.as_json(benchmark.latency(rate, seconds, pass_ratio)))


@bench.command()
@click.option("--quick", is_flag=True, help="Fewer streams: under a minute.")
@click.option("--plots", type=FILE, metavar="DIR", help="A folder to draw into.")
@click.option("--parts", multiple=True, metavar="PART", help="Only this table; may be given several times.")
def detection(plots: Path | None, parts: tuple[str, ...], *, quick: bool) -> None:
    """Measure delays, false alarms, attacks and speed of the detector, beside their targets."""
    from vigie import bench as benchmark

    arguments = [
        *(["--quick"] if quick else []),
        *(["--plots", str(plots)] if plots is not None else []),
        *(["--parts", *parts] if parts else []),
    ]
    with told():
        sys.exit(benchmark.detection(arguments))
