"""What a recorded signal takes, and how fast it is written and read: `python tests/benchmarks/recording.py`.

The signals are those that the corpus's posts give, read and placed as the worker does it, with authors, ids and times
as a network has them, over one day. Beside them: what the same signals take as JSON, as on the topic.
"""

import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from models.gate import Gate
from models.posts_corpus import CORPUS, read_part
from records import Post, Signal, encode
from vigie.assembly import steps
from vigie.recording import Facts, Row, file_of, rows_in, table_in, table_of
from vigie.settings import Settings, Territory

BATCH = 64
DAY = datetime(2026, 11, 30, tzinfo=UTC)
HOURS = 24
AUTHORS_A_POST = 0.7
RUNS = 3


def told(line: str) -> None:
    """Say one line on standard output."""
    sys.stdout.write(line + "\n")


def posts_of_a_day() -> list[Post]:
    """Return what passes the gate of the corpus, in any order, over a day."""
    chance, gate = random.Random(0), Gate.load()  # noqa: S311  no secret
    texts = [one.text for part in ("train", "test") for one in read_part(CORPUS / part) if gate(one.text)]
    chance.shuffle(texts)
    authors = [f"{chance.getrandbits(64):016x}" for _ in range(int(len(texts) * AUTHORS_A_POST))]
    moments = sorted(chance.uniform(0, HOURS * 3600) for _ in texts)
    return [
        Post(
            source="bluesky",
            id=f"{chance.getrandbits(96):024x}",
            author_id=chance.choice(authors),
            posted_at=DAY + timedelta(milliseconds=int(1000 * moment)),
            received_at=DAY + timedelta(seconds=moment + chance.uniform(0.3, 3)),
            text=text,
        )
        for text, moment in zip(texts, moments, strict=True)
    ]


def signals_of(posts: Sequence[Post]) -> list[Signal]:
    """Return the signals that a worker of Le Havre makes of posts."""
    enrich = steps(Settings(territory=Territory(commune="76351"))).enrich
    batches = (posts[start : start + BATCH] for start in range(0, len(posts), BATCH))
    return [signal for batch in batches for result in enrich(batch) for signal in result.signals]


def a_second(work: Callable[[], object], count: int) -> float:
    """Return how many a second, the median of several runs, by the processor's time."""
    rates = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        rates.append(count / (time.process_time() - began))
    return statistics.median(rates)


def largest_in(path: Path) -> list[tuple[str, int]]:
    """Return the columns that take most, with their bytes."""
    metadata = pq.read_metadata(path)
    sizes: Counter[str] = Counter()
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            sizes[column.path_in_schema] += column.total_compressed_size
    return sizes.most_common(10)


def main() -> None:
    """Measure and print."""
    signals = signals_of(posts_of_a_day())
    count = len(signals)
    rows = [
        Row(one, number % 4, number // 4, one.received_at + timedelta(microseconds=number % 700))
        for number, one in enumerate(signals)
    ]
    table = table_of(rows)
    day = file_of(table, Facts())
    hours = [len(file_of(table.slice(count * hour // HOURS, count // HOURS), Facts())) for hour in range(HOURS)]
    told(f"{count} signals of one day, {len({one.place.place_id for one in signals})} places")
    told(f"as JSON {sum(len(encode(one)) for one in signals) / count:.0f} bytes a signal")
    told(f"a file a day {len(day) / count:.0f} bytes a signal; a file an hour {sum(hours) / count:.0f}")
    few = table.slice(0, count // 20)
    told(f"a day of {few.num_rows} signals: {len(file_of(few, Facts())) / few.num_rows:.0f} bytes a signal")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.parquet"
        path.write_bytes(day)
        told("most of it: " + ", ".join(f"{name} {size / count:.1f}" for name, size in largest_in(path)))
        told(f"taken in: {a_second(lambda: table_of(rows), count):.0f} signals/s")
        told(f"a day's file written: {a_second(lambda: file_of(table, Facts()), count):.0f} signals/s")
        told(f"read: {a_second(lambda: deque(rows_in(table_in(path)), maxlen=0), count):.0f} signals/s")
    told(f"most memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
