"""The topics: name, record, partitions and retention, in one table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from records import Alert, Bulletin, DeadLetter, Post, Pulse, Retraction, Signal, SourceStatus, Statement, Tick, Verdict


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic and what travels on it."""

    name: str
    record: type[msgspec.Struct]
    retention: timedelta | None = None  # None: for ever, or as compaction leaves it
    is_compacted: bool = False
    max_bytes: int | None = None  # of one message; None: the broker's own limit, 1 MiB as Kafka comes

    @property
    def config(self) -> dict[str, str]:
        """Return the broker's settings of this topic."""
        config = {"cleanup.policy": "compact" if self.is_compacted else "delete"}
        if self.retention is not None:
            config["retention.ms"] = str(int(self.retention.total_seconds() * 1000))
        if self.max_bytes is not None:
            config["max.message.bytes"] = str(self.max_bytes)
        return config


RAW = timedelta(hours=72)  # how long a post's text may lie around (docs: privacy)
EVIDENCE = timedelta(days=30)
LARGEST_BYTES = 2 << 20  # a value of 1 MiB, base64 in its dead letter, fits

POSTS = Topic(name="posts.v1", record=Post, retention=RAW)
PULSE = Topic(name="pulse.v1", record=Pulse, retention=EVIDENCE)
SIGNALS = Topic(name="signals.v1", record=Signal, retention=RAW)
CONTEXT = Topic(name="context.v1", record=Bulletin, retention=EVIDENCE)
ALERTS = Topic(name="alerts.v1", record=Alert, retention=EVIDENCE)
DECISIONS = Topic(name="decisions.v1", record=Verdict, is_compacted=True)
SOURCES = Topic(name="sources.v1", record=SourceStatus, is_compacted=True)
DEAD_LETTERS = Topic(name="dead_letters.v1", record=DeadLetter, retention=RAW, max_bytes=LARGEST_BYTES)

TOPICS = (POSTS, PULSE, SIGNALS, CONTEXT, ALERTS, DECISIONS, SOURCES, DEAD_LETTERS)

OnSignals: Any = Signal | Tick | Statement | Retraction
"""What stands on `signals.v1`: evidence, time passing, what people and authorities say, and what is taken back."""
