"""The gate at full speed: posts a second of everyday life, on one core.

Run     `python tests/benchmarks/gate.py [folder of the public sets]`
Shape   everyday posts of the public sets where the folder is given; else the corpus's posts that the gate holds back
Units   posts a second of processor time, the best of several rounds: other programs only ever slow it down
"""

import sys
import time
from pathlib import Path

from models.gate import Gate
from models.posts_corpus import CORPUS, read_part
from models.public_posts import read_set

ROUNDS = 7


def everyday(public: Path | None, gate: Gate) -> dict[str, list[str]]:
    """Return sets of texts by name."""
    if public is None:
        return {"corpus, held back": [post.text for post in read_part(CORPUS / "train") if not gate(post.text)]}
    sets = {
        f"UMSAB {name}": [post.text for post in read_set(public, f"background/umsab_{name}*")] for name in ("fr", "en")
    }
    return sets | {"T6 off topic": [post.text for post in read_set(public, "t6/*") if not post.hazards]}


def posts_per_second(gate: Gate, texts: list[str]) -> float:
    """Return the best rate of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            gate(text)
        best = min(best, time.process_time() - began)
    return len(texts) / best


if __name__ == "__main__":
    loaded = Gate.load()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for set_name, set_texts in everyday(folder, loaded).items():
        passed = sum(map(loaded, set_texts)) / len(set_texts)
        rate = posts_per_second(loaded, set_texts)
        sys.stdout.write(f"{set_name:>18}: {rate:>8,.0f} posts/s, {passed:.1%} pass, {len(set_texts):,} posts\n")
