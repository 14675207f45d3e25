"""Content clusters at full speed: posts a second and bytes a post.

Run     `python tests/benchmarks/near_duplicate.py`
Shape   made-up posts of 8 to 30 words; of ten, six are new, and four copy an earlier one: as it is, cut, or commented
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Iterator

from models.near_duplicate import ContentClusters, content_ids, fingerprint, passages

SEED = 20120130
WORDS = tuple(f"{a}{b}{c}" for a in "bdflmnprst" for b in ("a", "e", "i", "ou") for c in ("c", "l", "n", "r", "tte"))
COPIES = 0.4


def texts(count: int) -> Iterator[str]:
    """Yield the same texts each time."""
    chance = random.Random(SEED)  # noqa: S311  a load, not a secret
    recent = ["le premier texte de tous, il est assez long"]
    for _ in range(count):
        if chance.random() >= COPIES:
            recent = [*recent[-99:], " ".join(chance.choices(WORDS, k=chance.randint(8, 30)))]
            yield recent[-1]
            continue
        words = chance.choice(recent).split()
        yield chance.choice((" ".join(words), f"RT @x: {' '.join(words[:-2])}…", f"{' '.join(words)} merci à tous"))


def measure(count: int, most_posts: int) -> str:
    """Return one line of figures."""
    posts = [(content_ids(t), fingerprint(t), passages(t)) for t in texts(count)]
    clusters = ContentClusters(most_posts=most_posts)
    began = time.perf_counter()
    for number, (ids, print_, marks) in enumerate(posts):
        clusters.observe(f"bench:{number}", ids, print_, passages=marks)
    took = time.perf_counter() - began
    sample = list(texts(20_000))
    began = time.perf_counter()
    for text in sample:
        passages(text)
    reading = (time.perf_counter() - began) / len(sample)
    rate = f"{count / took:,.0f} posts/s, passages {reading * 1e6:.0f} us a text"
    return f"{most_posts:>7,} remembered: {rate}, {bytes_a_post(most_posts):,.0f} bytes a post"


def bytes_a_post(most_posts: int) -> float:
    """Return the memory of a full set of clusters, fed with posts that nobody else holds, per post."""
    tracemalloc.start()
    clusters = ContentClusters(most_posts=most_posts)
    for number, text in enumerate(texts(2 * most_posts)):
        clusters.observe(f"bench:{number}", content_ids(text), fingerprint(text), passages=passages(text))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / most_posts


if __name__ == "__main__":
    for size in (1_000, 10_000, 100_000):
        sys.stdout.write(measure(200_000, size) + "\n")
