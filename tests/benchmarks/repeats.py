"""What is not read because many say the same: the posts of crises, in the order in which they were written.

Run     `python tests/benchmarks/repeats.py FOLDER`, of JSON lines with `ts` and `text`, packed by gzip, a crisis a file
Shape   a line a file, and one for all: how many pass the gate, and what share of them is read
Units   seconds of processor time that the model takes for all that pass, and for each text once while it is remembered;
        in batches, one after the other, so that a busy machine disturbs both. No platform's language is told: two
        posts of one text with different ones are read twice
"""

import gzip
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.gate import Gate
from models.hazard import HazardModel
from models.reading import PostReading
from vigie.remembered import Remembered

BATCH = 64


class Timed:
    """A model, how many texts it was asked for, and how long it took."""

    def __init__(self, model: HazardModel) -> None:
        self.model = model
        self.version = model.version
        self.texts, self.secs = 0, 0.0

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        """Read, and note it."""
        began = time.process_time()
        found = self.model.read(texts, langs)
        self.secs += time.process_time() - began
        self.texts += len(texts)
        return found


def texts_of(path: Path) -> list[str]:
    """Return what was written, in its order in time."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        row["text"] for row in sorted((row for row in rows if row["ts"] and row["text"]), key=lambda row: row["ts"])
    ]


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield them in batches."""
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def told(name: str, passed: int, all_of: Timed, once: Timed) -> None:
    """Say one line on standard output."""
    sys.stdout.write(
        f"{name:>32}: {passed:>6,} pass, {once.texts / max(passed, 1):.1%} are read, "
        f"{once.secs:.1f} s instead of {all_of.secs:.1f} s\n"
    )


def main(folder: Path) -> None:
    """Measure and print."""
    model, gate = HazardModel.load(), Gate.load()
    whole, whole_once, passed_all = Timed(model), Timed(model), 0
    for path in sorted(folder.glob("*.jsonl.gz")):
        passed = [text for text in texts_of(path) if gate(text)]
        all_of, once = Timed(model), Timed(model)
        remembered = Remembered(once)
        for batch in batches(passed):
            all_of.read(batch, [None] * len(batch))
            remembered.read(batch, [None] * len(batch))
        told(path.name.partition(".")[0], len(passed), all_of, once)
        passed_all += len(passed)
        for total, part in ((whole, all_of), (whole_once, once)):
            total.texts, total.secs = total.texts + part.texts, total.secs + part.secs
    told("all", passed_all, whole, whole_once)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
