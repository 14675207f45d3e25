"""`vigie evaluate`: every table of the model card, as Markdown, and the reliability diagram."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from models.calibration import reliability
from models.corpus_check import report
from models.corpus_findings import CorpusReport
from models.evaluate import (
    Table,
    calibration_table,
    comparison_table,
    corpus_table,
    false_readings,
    gate_table,
    left_out_table,
    readings_of,
)
from models.gate import Gate
from models.geoparse import Geoparser
from models.geoparse.evaluate import evaluate as evaluate_places
from models.geoparse.evaluate import evaluate_generated
from models.hazard import HazardModel
from models.material import Recipe
from models.places import Gazetteer
from models.posts_corpus import CORPUS, read_part
from models.train import learned_experts, material_of, unseen_opinions
from records import HAZARDS, SettingsError

_MEGABYTE = 1 << 20
_LANGUAGES = {"fr": "French", "en": "English"}


def corpus_report() -> CorpusReport:
    """Return what the corpus check found."""
    return report(*(read_part(CORPUS / part) for part in ("train", "test", "everyday")))


def places_tables(public: Path | None) -> Iterator[str]:
    """Return how well posts are placed, a table each: one generated post for each commune, and posts with gold places.

    Errors  SettingsError where the folder holds no posts with gold places
    """
    gold = None if public is None else public / "geo" / "idrisi_d_en.jsonl.gz"
    if gold is not None and not gold.is_file():
        raise SettingsError(f"--public-data {public}: has no geo/{gold.name}, the posts with gold places")
    return _places_tables(gold)


def _places_tables(gold: Path | None) -> Iterator[str]:
    geoparser = Geoparser(Gazetteer())
    found = evaluate_generated(geoparser)
    counts = {key: value for key, value in found.items() if not isinstance(value, list)}
    yield markdown("One generated post for each commune", {"all communes": counts})
    if gold is not None:
        yield markdown("Posts with gold places", {"IDRISI-DE, English": evaluate_places(gold, geoparser)})


def quick_tables(public: Path | None) -> Iterator[str]:
    """Yield the tables that need no training: the test part, the gate, everyday posts, loading."""
    before, began = _memory(), time.perf_counter()
    model = HazardModel.load()
    loaded, resident = time.perf_counter() - began, _memory() - before
    yield markdown("Test part of the corpus", corpus_table(model, read_part(CORPUS / "test")))
    yield markdown("Let through by the gate", gate_table(Gate.load(), CORPUS, public))
    if public is not None:
        yield markdown("Everyday posts read as an incident", false_readings(model, public))
    yield markdown("Loading", {"hazard model": {"seconds": round(loaded, 2), "MB": round(resident / _MEGABYTE)}})


def training_tables(public: Path, work: Path, told: Callable[[str], None]) -> Iterator[str]:
    """Yield the tables of what was learned on the way, which `vigie train --work` keeps.

    Errors  SettingsError where the folder keeps nothing: learning it anew takes more than an hour
    """
    if not any(work.glob("experts-*.npz")):
        raise SettingsError(f"{work}: keeps nothing of a training: run vigie train with the same --work first")
    return _training_tables(public, work, told)


def _training_tables(public: Path, work: Path, told: Callable[[str], None]) -> Iterator[str]:
    material = material_of(CORPUS, public)
    learned = learned_experts(material, Recipe(), work, told)
    with threadpool_limits(1):  # as in training: several threads would add up in another order each time
        opinions = unseen_opinions(material, learned)
    yield markdown("What the second step looks at, on authors not learned from", comparison_table(material, opinions))
    yield markdown("Calibration error by method, on authors not learned from", calibration_table(material, opinions))
    yield markdown("CrisisLex T6 without the incident", left_out_table(material, opinions, learned, public))


def draw_reliability(path: Path) -> None:
    """Draw what was said against what was true, for each hazard and language of the test part, as a PNG.

    Errors  SettingsError where matplotlib is not installed
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  only the diagram needs it
    except ImportError as error:
        raise SettingsError(f'{error}: the diagram needs matplotlib: pip install -e ".[train]"') from error
    posts = read_part(CORPUS / "test")
    readings = readings_of(HazardModel.load(), posts)
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for row, (language, name) in enumerate(_LANGUAGES.items()):
        chosen = [number for number, post in enumerate(posts) if post.language == language]
        for column, hazard in enumerate(HAZARDS[:3]):
            truth = np.array([hazard in posts[number].hazards for number in chosen])
            said = np.array([readings[number].hazards[hazard] for number in chosen])
            _draw(axes[row][column], reliability(truth, said), f"{hazard}, {name}")
    figure.supxlabel("probability given")
    figure.supylabel("share that was so")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _draw(axis: Any, bins: list[dict[str, float]], title: str) -> None:
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axis.plot([b["said"] for b in bins], [b["true"] for b in bins], color="tab:blue", linewidth=1)
    axis.scatter([b["said"] for b in bins], [b["true"] for b in bins], s=[12 + 180 * b["share"] for b in bins])
    for one in bins:
        axis.annotate(f"{one['posts']:.0f}", (one["said"], one["true"]), textcoords="offset points", xytext=(4, -10))
    axis.set_title(title)


def markdown(title: str, table: Table | Mapping[str, Mapping[str, float]]) -> str:
    """Return a table with a row an entry, as Markdown."""
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    lines = [f"## {title}", "", f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [f"| {name} | {' | '.join(_cell(row.get(column)) for column in columns)} |" for name, row in table.items()]
    return "\n".join([*lines, ""])


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _memory() -> int:
    """Return the resident memory of this process in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
