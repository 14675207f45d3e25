"""Scores: what likelihood ratios our reader gives to posts that it has not learned from, as histograms.

Run     `python tests/benchmarks/detection/scores.py FOLDER`, or with the folder in VIGIE_LABELLED_POSTS: reads, prints,
        and writes `scores.json` beside this file. Takes half a minute
Shape   one count a signal: a post past the gate, for each hazard that the step `Enrich` makes a signal of; beside it,
        how many of these sound as if their author had been there
Units   bins of log10 of the likelihood ratio, from 0.001 to 1000
Source  incidents: our corpus, test part, actuality "now", the signals of their true hazards. "everyday": CrisisLex T6
        off topic, Boston and Oklahoma, which are held back, and the French and English half of UMSAB that was not
        learned from. "written to be mistaken": our corpus, test part, posts of no hazard. No set whose terms keep it
        inside an evaluation is stored; no post is, either
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from detectors.evidence import FIRST_HAND_PROBABILITY
from models.gate import Gate
from models.hazard import HazardModel
from models.lessons import lessons_from_public
from models.links import without_links
from models.posts_corpus import CORPUS, CorpusPost, read_part
from models.public_posts import HELD_BACK, PublicPost, read_set
from streams.enrich import SECOND, WEAK

HAZARDS = ("fire", "flood", "industrial")
EDGES = [round(-3.0 + 0.25 * step, 2) for step in range(25)]
OUTPUT = Path(__file__).parent / "scores.json"
COMMAND = "python tests/benchmarks/detection/scores.py FOLDER"

_BATCH = 64


class Counts(NamedTuple):
    """Two histograms of the same signals."""

    all: list[int]
    first_hand: list[int]


class Reader:
    """Reads posts as the program does: the gate, the model, one ratio a signal."""

    def __init__(self) -> None:
        self.gate, self.model = Gate.load(), HazardModel.load()

    def ratios(self, texts: Iterable[str], is_asked: Callable[[int, str], bool] = lambda _row, _hazard: True) -> Counts:
        """Return the histograms of all signals that texts give, as far as their hazard is asked for."""
        passed = [(row, text) for row, text in enumerate(texts) if self.gate(text)]
        found = [
            signal
            for start in range(0, len(passed), _BATCH)
            for signal in self._batch(passed[start : start + _BATCH], is_asked)
        ]
        first_hand = _histogram(ratio for ratio, is_first_hand in found if is_first_hand)
        return Counts(_histogram(ratio for ratio, _ in found), first_hand)

    def _batch(
        self, posts: Sequence[tuple[int, str]], is_asked: Callable[[int, str], bool]
    ) -> Iterable[tuple[float, bool]]:
        readings = self.model.read([text for _, text in posts], [None] * len(posts))
        for (row, _), reading in zip(posts, readings, strict=True):
            for hazard in spoken_in(reading.hazards):
                if is_asked(row, hazard):
                    yield reading.likelihood_ratios[hazard], reading.witness >= FIRST_HAND_PROBABILITY


def _histogram(ratios: Iterable[float]) -> list[int]:
    counts: list[int] = np.histogram(np.log10(list(ratios)), EDGES)[0].tolist()
    return counts


def spoken_in(hazards: dict[str, float]) -> list[str]:
    """Return the hazards that become a signal, as in the step `Enrich`."""
    ranked = sorted((pair for pair in hazards.items() if pair[0] in HAZARDS and pair[1] >= WEAK), key=lambda p: -p[1])
    spoken = [hazard for rank, (hazard, p) in enumerate(ranked) if rank == 0 or p >= SECOND]
    if "fire" in spoken and "industrial" in spoken:
        spoken.remove("industrial")
    return spoken


def corpus_counts(reader: Reader) -> dict[str, Counts]:
    """Read the corpus's test part."""
    posts = read_part(CORPUS / "test")
    present = [post for post in posts if post.actuality == "now"]
    over = [post for post in posts if post.hazards and post.actuality == "past"]
    return {
        "incident, now": _of_incidents(reader, present),
        "incident, past": _of_incidents(reader, over),
        "written to be mistaken": reader.ratios(post.text for post in posts if not post.hazards),
    }


def public_counts(reader: Reader, folder: Path) -> dict[str, Counts]:
    """Read the public posts about something else, of collections or halves that nothing was learned from."""
    learned = {lesson.text for lesson in lessons_from_public(folder)}
    held_back = (
        post.text
        for post in read_set(folder, "t6/*", is_held_back_too=True)
        if post.incident in HELD_BACK and not post.hazards
    )
    everyday = (
        post.text
        for language in ("fr", "en")
        for post in read_set(folder, f"background/umsab_{language}*")
        if _is_new(post, learned)
    )
    return {"everyday": reader.ratios(chain(held_back, everyday))}


def _is_new(post: PublicPost, learned: set[str]) -> bool:
    return without_links(post.text) not in learned


def _of_incidents(reader: Reader, posts: Sequence[CorpusPost]) -> Counts:
    return reader.ratios((post.text for post in posts), lambda row, hazard: hazard in posts[row].hazards)


def main(arguments: Sequence[str]) -> int:
    """Read, print and write."""
    named = arguments[0] if arguments else os.environ.get("VIGIE_LABELLED_POSTS", "")
    if not named:
        sys.stderr.write(f"no folder of labelled posts: {COMMAND}, or set VIGIE_LABELLED_POSTS\n")
        return 2
    reader = Reader()
    counts = {**corpus_counts(reader), **public_counts(reader, Path(named))}
    for name, found in counts.items():
        of = f"{sum(found.all)} signals, {sum(found.first_hand)} of them first-hand"
        sys.stdout.write(f"{name}: {of}\n  {found.all}\n  {found.first_hand}\n")
    OUTPUT.write_text(_as_json(reader.model.version, counts), encoding="utf-8")
    return 0


def _as_json(model: str, counts: dict[str, Counts]) -> str:
    """Return a file with a row a histogram."""
    plain = {"model": model, "made_by": COMMAND, "log10_edges": EDGES}
    parts = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in plain.items()]
    for key, rows in (
        ("counts", {name: found.all for name, found in counts.items()}),
        ("first_hand", {name: found.first_hand for name, found in counts.items()}),
    ):
        lines = [f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
        parts.append(f'  "{key}": {{\n' + ",\n".join(lines) + "\n  }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
