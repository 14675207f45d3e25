"""Commands about how posts are read and placed: by the models that ship, and by others that are trained."""

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click
import msgspec

from records import SettingsError, SystemClock
from vigie.commands.command import FILE, IN_FILE, existing, needing, said, settings_option, told
from vigie.lines import SOME_BAD, Question, answer_lines
from vigie.settings import load


@click.command()
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


@click.command()
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


@click.command()
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
        report = fit(CORPUS, public_data, out or WEIGHTS, work=work, told=said)
    click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())


def _teach(public_data: Path | None, out: Path | None, settings_file: Path | None) -> None:
    with told():
        from vigie.model_promoting import words_on
        from vigie.teaching import decided_in, teach

        if out is None:
            raise SettingsError("--out: is missing; name a folder for the candidate")
        posts = decided_in(load(existing(settings_file)), SystemClock())
        click.echo(words_on(teach(posts, public_data, out, said)))


@click.command()
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
            tables.append(training_tables(public_data, work, said))
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


@click.command("build-places")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=FILE, help="The folder for the files; over the shipped ones where not given.")
def build_places(source: Path, out: Path | None) -> None:
    """Build the gazetteer's files from the unpacked packages in SOURCE; models/places/files/README.md names them."""
    from models.places.gazetteer import FILES

    with told():
        with needing("places"):
            from models.places.build import build
        from models.geoparse.names import write_names

        files = out or FILES
        for name, rows in build(source, files).items():
            click.echo(f"{name}: {rows} rows")
        click.echo(f"names: {write_names(files)} rows")


@click.command("build-names")
def build_names() -> None:
    """Collect all spellings of the gazetteer anew: after a change of models/geoparse/names.py or of its word lists."""
    from models.geoparse.names import write_names
    from models.places.gazetteer import FILES

    with told():
        click.echo(f"names: {write_names(FILES)} rows")


@click.command("build-languages")
def build_languages() -> None:
    """Cut the installed py3langid's model anew: after a change of the languages, or of that package."""
    from models.language import LANGUAGES
    from models.language_letters import LETTERS, cut_from_package, write_letters

    with told():
        write_letters(LETTERS, cut_from_package(LANGUAGES))
        click.echo(f"{LETTERS.name}: {len(LANGUAGES)} languages")


COMMANDS = (classify, locate, train, evaluate, build_places, build_names, build_languages)
