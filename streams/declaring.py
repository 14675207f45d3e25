"""The topics that Vigie needs, declared before anybody reads or writes: no stream program is needed for it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from records import SettingsError, SourceUnavailable
from streams.settings import StreamSettings
from streams.topics import TOPICS, Topic, changelog


async def declare_topics(settings: StreamSettings, topics: Iterable[Topic] = ()) -> None:
    """Create the topics that are missing, with their partitions and retention: all of ours, or those given.

    Errors  SourceUnavailable when the broker does not answer; SettingsError when a topic that stands there has
            another number of partitions: tables and streams would no longer fit together
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, **settings.security.for_aiokafka())
    try:
        await admin.start()
        standing = {topic["topic"]: topic for topic in await admin.describe_topics()}
        missing = [topic for topic in (topics or all_topics(settings)) if topic.name not in standing]
        _refuse_other_partitions(settings, standing)
        if missing:
            await _create(admin, settings, missing)
    except (KafkaError, OSError) as error:
        raise SourceUnavailable(f"kafka {settings.kafka_url}: {error!r}") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, settings: StreamSettings, missing: list[Topic]) -> None:
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
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise SourceUnavailable(f"kafka {settings.kafka_url}: cannot create {name}: {error.__name__}")


def _refuse_other_partitions(settings: StreamSettings, standing: dict[str, Any]) -> None:
    for topic in all_topics(settings):
        found = len(standing.get(topic.name, {}).get("partitions", ()))
        if found and found != settings.partitions:
            raise SettingsError(
                f"kafka.partitions: {settings.partitions} is set, but {topic.name} has {found}; "
                f"set {found}, or start with new topics"
            )


def all_topics(settings: StreamSettings) -> tuple[Topic, ...]:
    """Return all topics of an installation."""
    return (*TOPICS, changelog(settings.app_id))


def table_dir(settings: StreamSettings) -> Path:
    """Return the folder with the tables' files."""
    return settings.data_dir / "tables"
