"""The topics: name, record, partitions and retention, in one table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from records import (
    Alert,
    Bulletin,
    Claimed,
    DeadLetter,
    ModelChange,
    Notification,
    Post,
    ProfileChange,
    Pulse,
    Retraction,
    Signal,
    Silence,
    SourceStatus,
    Statement,
    Tick,
    Verdict,
)
from records.digest import DigestMade


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic and what travels on it."""

    name: str
    record: type[msgspec.Struct]
    retention: timedelta | None = None  # None: for ever, or as compaction leaves it
    is_compacted: bool = False  # a newer value of a key takes the older one's place, a deletion that of what it deletes
    max_bytes: int | None = None  # of one message; None: the broker's own limit, 1 MiB as Kafka comes

    @property
    def config(self) -> dict[str, str]:
        """Return the broker's settings of this topic."""
        policies = {"compact": self.is_compacted, "delete": not self.is_compacted or self.retention is not None}
        config = {
            "cleanup.policy": ",".join(name for name, holds in policies.items() if holds),
            "segment.ms": _milliseconds(SEGMENT),
        }
        if self.retention is not None:
            config["retention.ms"] = _milliseconds(self.retention)
        if self.is_compacted:
            config["min.compaction.lag.ms"] = _milliseconds(READ_BY)
            config["max.compaction.lag.ms"] = _milliseconds(GONE_BY)
        if self.max_bytes is not None:
            config["max.message.bytes"] = str(self.max_bytes)
        return config


RAW = timedelta(hours=72)  # how long a post's text may lie around (docs: privacy)
EVIDENCE = timedelta(days=30)
SEGMENT = timedelta(hours=1)
"""Kafka lets go, and compacts, only segments that are closed: what nobody wrote to for a week would stay for a week."""
READ_BY = timedelta(hours=6)
"""Who is later than that to read finds the newest value of a key alone."""
GONE_BY = timedelta(hours=18)
"""What was deleted, or has a newer revision, is gone after that, and an hour or two for the segment and the cleaner."""
SWEEP = timedelta(hours=2)
"""How often `streams/sweep.py` looks whether all that holds."""
LARGEST_BYTES = 2 << 20  # a value of 1 MiB, base64 in its dead letter, fits

POSTS = Topic(name="posts.v1", record=Post, retention=RAW, is_compacted=True)
PULSE = Topic(name="pulse.v1", record=Pulse, retention=EVIDENCE)
SIGNALS = Topic(name="signals.v1", record=Signal, retention=GONE_BY)  # keyed by area: no deletion can find its post
CLAIMS = Topic(name="claims.v1", record=Claimed, retention=RAW, is_compacted=True)  # keyed by post, as posts are
CONTEXT = Topic(name="context.v1", record=Bulletin, retention=EVIDENCE)
ALERTS = Topic(name="alerts.v1", record=Alert, retention=EVIDENCE, is_compacted=True)
DECISIONS = Topic(name="decisions.v1", record=Verdict, retention=EVIDENCE, is_compacted=True)
SOURCES = Topic(name="sources.v1", record=SourceStatus, is_compacted=True)
DIGESTS = Topic(name="digests.v1", record=DigestMade, retention=EVIDENCE)  # that they were made, not what they say
NOTIFICATIONS = Topic(name="notifications.v1", record=Notification, retention=EVIDENCE, is_compacted=True)
RETRACTIONS = Topic(name="retractions.v1", record=Retraction, retention=RAW)  # pseudonyms, and no words
DEAD_LETTERS = Topic(
    name="dead_letters.v1", record=DeadLetter, retention=GONE_BY, max_bytes=LARGEST_BYTES
)  # no deletion can find what a value that nobody could read says: so it goes before one would be due


NUDGE = b"sweep"
"""The key of the values without content that the sweep writes, to have segments closed; no record of ours has it."""
STATE_TABLE = "ledgers"
"""The Faust table with the detectors' memory."""


def changelog(app_id: str) -> Topic:
    """Return the topic that the detectors' memory is written to, under the name that Faust gives it."""
    return Topic(name=f"{app_id}-{STATE_TABLE}-changelog", record=msgspec.Struct, is_compacted=True)


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


TOPICS = (
    POSTS,
    PULSE,
    SIGNALS,
    CLAIMS,
    CONTEXT,
    ALERTS,
    DECISIONS,
    SOURCES,
    DIGESTS,
    NOTIFICATIONS,
    RETRACTIONS,
    DEAD_LETTERS,
)

OnDecisions: Any = Verdict | Silence | ProfileChange | ModelChange
"""What stands on `decisions.v1`."""
OnSignals: Any = Signal | Tick | Statement | Retraction | ProfileChange
"""What stands on `signals.v1`: evidence, time passing, what people and authorities say, what is taken back, and the
profile by which it is decided from there on."""
