"""The topics, as an operator will find them on the broker; a change here is a change of the wire."""

import pytest

from streams.topics import TOPICS, Topic, changelog

HOURS_72, DAYS_30, HOURS_18 = str(72 * 3600 * 1000), str(30 * 24 * 3600 * 1000), str(18 * 3600 * 1000)
HOURLY = {"segment.ms": str(3600 * 1000)}
COMPACTED = HOURLY | {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(6 * 3600 * 1000),
    "max.compaction.lag.ms": HOURS_18,
}
DELETABLE = COMPACTED | {"cleanup.policy": "compact,delete"}


@pytest.mark.parametrize(
    ("name", "record", "config"),
    [
        ("posts.v1", "Post", DELETABLE | {"retention.ms": HOURS_72}),
        ("pulse.v1", "Pulse", HOURLY | {"cleanup.policy": "delete", "retention.ms": DAYS_30}),
        ("signals.v1", "Signal", HOURLY | {"cleanup.policy": "delete", "retention.ms": HOURS_18}),
        ("claims.v1", "Claimed", DELETABLE | {"retention.ms": HOURS_72}),
        ("context.v1", "Bulletin", HOURLY | {"cleanup.policy": "delete", "retention.ms": DAYS_30}),
        ("alerts.v1", "Alert", DELETABLE | {"retention.ms": DAYS_30}),
        ("decisions.v1", "Verdict", DELETABLE | {"retention.ms": DAYS_30}),
        ("sources.v1", "SourceStatus", COMPACTED),
        ("digests.v1", "DigestMade", HOURLY | {"cleanup.policy": "delete", "retention.ms": DAYS_30}),
        ("notifications.v1", "Notification", DELETABLE | {"retention.ms": DAYS_30}),
        ("retractions.v1", "Retraction", HOURLY | {"cleanup.policy": "delete", "retention.ms": HOURS_72}),
        (
            "dead_letters.v1",
            "DeadLetter",
            HOURLY | {"cleanup.policy": "delete", "retention.ms": HOURS_18, "max.message.bytes": str(2 << 20)},
        ),
    ],
)
def test_each_topic_has_its_record_and_its_retention(name: str, record: str, config: dict[str, str]) -> None:
    [topic] = [topic for topic in TOPICS if topic.name == name]
    assert (topic.record.__name__, topic.config) == (record, config)


def test_every_topic_is_in_the_table_above() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS) == 12


def test_what_people_wrote_does_not_lie_around_longer_than_promised() -> None:
    texts = [topic for topic in TOPICS if topic.name.startswith(("posts", "signals", "claims", "dead_letters"))]
    assert all(topic.retention is not None and topic.retention.days <= 3 for topic in texts)


def test_what_the_detectors_have_overwritten_leaves_their_changelog_as_soon_as_other_topics() -> None:
    assert changelog("vigie").config == COMPACTED


def test_without_a_retention_the_broker_s_own_holds(post: object) -> None:
    assert "retention.ms" not in Topic(name="any", record=TOPICS[0].record).config
