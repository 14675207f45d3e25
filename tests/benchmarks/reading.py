"""Speed, memory and loading of the hazard model on one core: `python tests/benchmarks/reading.py`.

Reads what passes the gate of the corpus's training part, in batches as the program does, beside the ceiling of the same
run: the matrix products of the encoder's second layer alone, which no way of writing it can do without.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.gate import Gate
from models.hazard import HazardModel
from models.posts_corpus import CORPUS, read_part
from models.sentence_vectors import BRANCHES, CHANNELS

BATCH = 64
POSTS = 3000
RUNS = 5


def resident_megabytes() -> float:
    """Return the memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def posts_per_second(read: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Return the median of several runs, by the processor's time."""
    rates = []
    for _ in range(RUNS):
        began = time.process_time()
        for start in range(0, len(texts), BATCH):
            read(texts[start : start + BATCH])
        rates.append(len(texts) / (time.process_time() - began))
    return statistics.median(rates)


def told(line: str) -> None:
    """Say one line on standard output."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Measure and print."""
    before, began = resident_megabytes(), time.perf_counter()
    model = HazardModel.load()
    told(f"loaded in {time.perf_counter() - began:.2f} s")
    gate = Gate.load()
    texts = [post.text for post in read_part(CORPUS / "train") if gate(post.text)][::3][:POSTS]
    pieces = sum(map(len, model.vectors.vocabulary.cut(texts))) / len(texts)
    rate = posts_per_second(lambda batch: model.read(batch, [None] * len(batch)), texts)
    rows = np.ones((round(pieces * BATCH), CHANNELS), dtype=np.float32)
    layers = [np.ones((CHANNELS, CHANNELS * branch), dtype=np.float32) for branch in list(BRANCHES)[:2]]
    ceiling = posts_per_second(lambda _batch: [rows @ layer for layer in layers], texts)
    told(f"{len(texts)} posts, {pieces:.0f} pieces each: {rate:.0f} posts/s, {rate / ceiling:.2f} of the ceiling")
    told(
        f"memory with the model read: {resident_megabytes():.0f} MB, {resident_megabytes() - before:.0f} MB of it ours"
    )


if __name__ == "__main__":
    main()
