"""The topics that Vigie needs, declared before anybody reads or writes: no stream program is needed for it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from records import SettingsError, SourceUnavailable
from streams.settings import StreamSettings
from streams.topics import TOPICS, Topic, changelog

LOOKS, LOOK_SECS = 100, 0.1
"""So often, and so long after each other, it is looked at whether what somebody made meanwhile is as it should be."""


async def declare_topics(settings: StreamSettings, topics: Iterable[Topic] = (), *, is_fresh: bool = False) -> None:
    """Create the topics that are missing, with their partitions and retention: all of ours, or those given.

    On a broker that was started empty a moment ago (`is_fresh`), a topic with another number of partitions was made by
    the broker itself, for a client that asked too early: it is made anew.

    Errors  SourceUnavailable when the broker does not answer; SettingsError when a topic that stands there has
            another number of partitions: tables and streams would no longer fit together
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, **settings.security.for_aiokafka())
    wanted = tuple(topics) or all_topics(settings)
    try:
        await admin.start()
        for _ in range(LOOKS):
            if await _stand(admin, settings, wanted, is_fresh=is_fresh):
                return
            await asyncio.sleep(LOOK_SECS)
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: {error!r}") from error
    finally:
        await admin.close()
    raise SourceUnavailable(f"kafka {settings.kafka_url}: somebody makes topics all the time, or we may not see them")


async def _stand(
    admin: AIOKafkaAdminClient, settings: StreamSettings, wanted: Iterable[Topic], *, is_fresh: bool
) -> bool:
    """Create what is missing; tell whether all stands as it should: what somebody else made meanwhile may not."""
    standing = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    due = settings.partitions
    others = [topic.name for topic in all_topics(settings) if standing.get(topic.name, due) != due]
    if others and is_fresh:
        await admin.delete_topics(others)
    elif others:
        name, found = others[0], standing[others[0]]
        raise SettingsError(
            f"kafka.partitions: {due} is set, but {name} has {found}; set {found}, or start with new topics"
        )
    missing = [topic for topic in wanted if topic.name not in standing or topic.name in others]
    return not missing or await _create(admin, settings, missing)


async def _create(admin: AIOKafkaAdminClient, settings: StreamSettings, missing: list[Topic]) -> bool:
    """Create topics; tell whether none of them was there already."""
    answer = await admin.create_topics(
        [
            NewTopic(
                topic.name,
                num_partitions=settings.partitions,
                replication_factor=settings.replication_factor,
                topic_configs=topic.config,
            )
            for topic in missing
        ]
    )
    errors = {name: for_code(code) for name, code, *_ in answer.topic_errors if code}
    for name, error in errors.items():
        if error is not TopicAlreadyExistsError:
            raise SourceUnavailable(f"kafka {settings.kafka_url}: cannot create {name}: {error.__name__}")
    return not errors


def all_topics(settings: StreamSettings) -> tuple[Topic, ...]:
    """Return all topics of an installation."""
    return (*TOPICS, changelog(settings.app_id))


def table_dir(settings: StreamSettings) -> Path:
    """Return the folder with the tables' files."""
    return settings.data_dir / "tables"
