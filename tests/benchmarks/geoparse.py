"""Placing posts: posts a second on one core, for finding names alone and for the whole answer; start-up and memory.

Run     `python tests/benchmarks/geoparse.py [folder of the public sets]`
Shape   11,000 French posts of the corpus, and where the folder is given 9,000 English ones: disasters, everyday life
Units   posts a second of processor time, the best of several rounds: other programs only ever slow it down
"""

import gzip
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from models.geoparse import Geoparser
from models.geoparse.reading import Reading
from models.places import Gazetteer
from models.posts_corpus import CORPUS, read_part
from models.public_posts import read_set

ROUNDS = 5
FRENCH, ENGLISH = 11_000, 9_000
Load = list[tuple[str, str]]


def load_from(public: Path | None) -> Load:
    """Return texts with their languages."""
    french = [
        (post.text, "fr")
        for part in ("train", "everyday")
        for post in read_part(CORPUS / part)
        if post.source.startswith("fr")
    ]
    load = french[:: max(1, len(french) // FRENCH)][:FRENCH]
    if public is None:
        return load
    with gzip.open(public / "geo" / "idrisi_d_en.jsonl.gz", "rt", encoding="utf-8") as lines:
        english = [json.loads(line)["text"] for line in lines]
    english += [post.text for name in ("background/umsab_en*", "t6/*") for post in read_set(public, name)]
    return load + [(text, "en") for text in english[:ENGLISH]]


def posts_per_second(step: Callable[[str, str], object], load: Load) -> float:
    """Return the best rate of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for text, lang in load:
            step(text, lang)
        best = min(best, time.process_time() - began)
    return len(load) / best


def main() -> None:
    """Measure and print."""
    began = time.process_time()
    geoparser = Geoparser(Gazetteer())
    started = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    load = load_from(Path(sys.argv[1]) if len(sys.argv) > 1 else None)

    def match(text: str, lang: str) -> object:
        reading = Reading(text, lang, geoparser.index.run_together)
        return geoparser.index.toponyms_in(reading.folded, reading.surface)

    def locate(text: str, lang: str) -> object:
        return geoparser.locate(text, lang=lang)

    sys.stdout.write(f"start-up {started:.2f} s of processor time, {memory:.0f} MB with the interpreter\n")
    for language in [*sorted({lang for _, lang in load}, reverse=True), "all"]:
        part = [post for post in load if language in (post[1], "all")]
        named = sum(bool(match(*post)) for post in part) / len(part)
        placed = sum(bool(locate(*post)) for post in part) / len(part)
        letters = sum(len(text) for text, _ in part) / len(part)
        sys.stdout.write(
            f"{language:>3}: {len(part):>6,} posts of {letters:.0f} letters, {named:.0%} hold a name, "
            f"{placed:.0%} are placed: match {posts_per_second(match, part):>7,.0f} posts/s, "
            f"match and resolve {posts_per_second(locate, part):>6,.0f} posts/s\n"
        )


if __name__ == "__main__":
    main()
