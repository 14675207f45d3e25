"""Scores: what likelihood ratios our reader gives to posts that it has not learned from, as histograms.

Run     `python tests/benchmarks/detection/scores.py FOLDER`, or with the folder in VIGIE_LABELLED_POSTS: reads, prints,
        and writes `scores.json` beside this file. Takes half a minute
Shape   one count a signal: a post past the gate, for each hazard that the step `Enrich` makes a signal of
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

import numpy as np

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

Counts = list[int]

_BATCH = 64


class Reader:
    """Reads posts as the program does: the gate, the model, one ratio a signal."""

    def __init__(self) -> None:
        self.gate, self.model = Gate.load(), HazardModel.load()

    def ratios(self, texts: Iterable[str], is_asked: Callable[[int, str], bool] = lambda _row, _hazard: True) -> Counts:
        """Return the histogram of all signals that texts give, as far as their hazard is asked for."""
        passed = [(row, text) for row, text in enumerate(texts) if self.gate(text)]
        found = [
            ratio
            for start in range(0, len(passed), _BATCH)
            for ratio in self._batch(passed[start : start + _BATCH], is_asked)
        ]
        return np.histogram(np.log10(found), EDGES)[0].tolist() if found else [0] * (len(EDGES) - 1)

    def _batch(self, posts: Sequence[tuple[int, str]], is_asked: Callable[[int, str], bool]) -> Iterable[float]:
        readings = self.model.read([text for _, text in posts], [None] * len(posts))
        for (row, _), reading in zip(posts, readings, strict=True):
            for hazard in spoken_in(reading.hazards):
                if is_asked(row, hazard):
                    yield reading.likelihood_ratios[hazard]


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
    for name, numbers in counts.items():
        sys.stdout.write(f"{name:>24}: {sum(numbers):>5} signals {numbers}\n")
    result = {"model": reader.model.version, "made_by": COMMAND, "log10_edges": EDGES, "counts": counts}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items() if key != "counts"]
    rows = [f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in counts.items()]
    text = "{\n" + ",\n".join([*lines, '  "counts": {\n' + ",\n".join(rows) + "\n  }"]) + "\n}\n"
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
