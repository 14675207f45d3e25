"""Load: posts as they come on a day, of which a share passes the gate; the same ones each time.

Shape   texts of the corpus, and of files of one's own; each post has its own author and, where it passes, a town and a
        number, so that nothing is folded as a copy. In a crisis most of what passes speaks of one town
Units   written at so many posts a second as are to be reached; they come up to `LATE_SECS` later, by chance
"""

import asyncio
import csv
import gzip
import random
import time
import zlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from connectors.contract import Capabilities, Reading
from models.gate import Gate
from records import Clock, Post, SettingsError

SEED = 20120130
USUAL_RATE, CRISIS_RATE = 20_000.0, 4_000.0  # posts a second, as their authors' clocks have it
LATE_SECS = 1.0
AUTHORS = 200_003
CRISIS_RATIO = 0.1  # from this share on that passes the gate, it is a crisis
CRISIS_SHARE = 0.6  # of what passes then, what speaks of the first town
TOWNS = ("Le Havre", "Rouen", "Lyon", "Nantes", "Lille", "Dunkerque", "Martigues", "Toulouse", "Dieppe", "Caen")
CORPUS = Path(__file__).resolve().parents[2] / "models" / "corpus"
TINY = 1e-9  # 3 % of 100 is 3, whatever floats say


class Texts:
    """What people write, by whether it passes the gate.

    Errors  SettingsError where a folder has no texts, or nothing of one of both kinds
    """

    def __init__(self, passes: Gate, folder: Path | None = None) -> None:
        texts = sorted({*_corpus(), *(_texts_in(folder) if folder else ())})
        self.inside = [text for text in texts if passes(text)]
        self.outside = [text for text in texts if not passes(text)]
        if not self.inside or not self.outside:
            raise SettingsError(
                f"{folder or CORPUS}: texts are needed that pass the gate, and others: give more of them"
            )


def load(count: int, pass_ratio: float, texts: Texts, *, rate: float = 0.0) -> list[Post]:
    """Return posts, of which a share passes the gate, in the order in which they come; `rate` 0: the usual one."""
    chance = random.Random(SEED)  # noqa: S311  a load, not a secret
    is_crisis = pass_ratio >= CRISIS_RATIO
    skew = CRISIS_SHARE if is_crisis else 0.0
    rate = rate or (CRISIS_RATE if is_crisis else USUAL_RATE)
    began, posts = datetime.now(UTC), list[Post]()
    for number in range(count):
        is_inside = int((number + 1) * pass_ratio + TINY) > int(number * pass_ratio + TINY)
        text = chance.choice(texts.inside if is_inside else texts.outside)
        if is_inside:
            town = TOWNS[0] if chance.random() < skew else chance.choice(TOWNS)
            text = f"{text} {town} {number:x}"
        received_at = began + timedelta(seconds=number / rate)
        posts.append(
            Post(
                source="bench",
                id=str(number),
                posted_at=received_at - timedelta(seconds=chance.random() * LATE_SECS),
                received_at=received_at,
                author_id=f"{number * 7919 % AUTHORS:x}",
                text=text,
            )
        )
    return posts


class Paced:
    """A source that offers posts at a rate; rate 0: as fast as they are taken.

    Each counts as received when it was due: who is too slow to take it in time shall not look quick.
    """

    name = "bench"
    is_trusted = False
    capabilities = Capabilities()

    def __init__(self, posts: Sequence[Post], rate: float, clock: Clock) -> None:
        self.posts = posts
        self.rate = rate
        self.clock = clock

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the posts once."""
        began, began_at = time.monotonic(), self.clock.now()
        for number, post in enumerate(self.posts):
            if not self.rate:
                yield Reading(str(number), post)
                continue
            due = number / self.rate
            wait = began + due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            due_at = began_at + timedelta(seconds=due)
            late = post.received_at - post.event_time
            yield Reading(str(number), replace(post, posted_at=due_at - late, received_at=due_at))


def _corpus() -> Iterator[str]:
    for path in CORPUS.rglob("*.tsv"):
        with path.open(encoding="utf-8", newline="") as file:
            yield from (row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


class _Line(msgspec.Struct):
    text: str | None = None


def _texts_in(folder: Path) -> Iterator[str]:
    """Yield the texts of a folder's JSON lines, packed or not."""
    paths = [path for path in sorted(folder.rglob("*")) if path.name.endswith((".jsonl", ".jsonl.gz"))]
    if not paths:
        raise SettingsError(f"{folder}: holds no .jsonl or .jsonl.gz; give a folder of posts, one JSON object a line")
    for path in paths:
        try:
            lines = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except (OSError, EOFError, zlib.error) as error:
            raise SettingsError(f"{path}: {error or 'cannot be read'}; give a whole file, packed by gzip") from error
        for number, line in enumerate(lines.splitlines(), start=1):
            try:
                text = msgspec.json.decode(line, type=_Line).text
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise SettingsError(f"{path}: line {number}: {error}; write one JSON object a line") from error
            if text:
                yield text
