"""A record of every kind that stands on a topic, as it stands there: what the fuzzing of topics begins with."""

from typing import Any, get_args

import msgspec

from records import Matcher, encode
from records.digest import End
from streams.topics import DECISIONS, SIGNALS, TOPICS, OnDecisions, OnSignals, Topic
from tests.console.made import a_digest, a_retraction, a_silence, a_status, minutes
from tests.records.conftest import RECORDS

READ_AS: dict[str, Any] = {DECISIONS.name: OnDecisions, SIGNALS.name: OnSignals}
"""What is read from topics with records of several kinds; on others stands their one."""

ALSO: tuple[msgspec.Struct, ...] = (
    a_digest(ends=(End(incident_id="fire-0123456789abcdef", level="resolved", at=minutes(1)),)),
    a_retraction(author_id="a1b2", unless="fumée noire"),
    a_silence(matchers=(Matcher(name="place", value="Le Havre.*", is_regex=True),)),
    a_status("rss", "blind", why="HTTP 503", last_post_at=minutes(1), lag_secs=4.0, read=7, spent_usd=1.5),
)
"""Those that have no golden file."""


def read_as(topic: Topic) -> Any:
    """Return what a topic's values are read as."""
    return READ_AS.get(topic.name, topic.record)


def kinds_of(topic: Topic) -> tuple[type[msgspec.Struct], ...]:
    """Return the kinds of records that stand on a topic."""
    return get_args(read_as(topic)) or (topic.record,)


def values_of(topic: Topic) -> list[bytes]:
    """Return whole values of a topic."""
    return [encode(record) for record in (*RECORDS.values(), *ALSO) if type(record) in kinds_of(topic)]


KINDS = {kind for topic in TOPICS for kind in kinds_of(topic)}
KNOWN = {type(record) for record in (*RECORDS.values(), *ALSO)} & KINDS
