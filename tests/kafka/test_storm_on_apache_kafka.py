"""On Apache Kafka: workers join and leave, again and again, in the middle of a burst: nothing lost, nobody told twice.

Posts lie on one partition, so that they are read in one order; what comes of them is spread over four, and moves with them
from worker to worker, each of which has a data folder and an outbox of its own.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connectors.sinks.webhook import webhook_id_of
from records import Alert, Post, decode
from streams.publisher import KafkaPublisher
from streams.reader import consumer_of, ends_of
from streams.settings import StreamSettings
from streams.topics import ALERTS, DEAD_LETTERS, POSTS
from tests.survival.burst import READY_SECS, Kept, differences
from tests.survival.stage import Stage, wait_until

if TYPE_CHECKING:
    from tests.kafka.conftest import Kafka

pytestmark = [pytest.mark.apache_kafka, pytest.mark.timeout(420)]
PARTITIONS = 4
PARTS = 8
"""The burst comes in so many parts, and after each of them somebody joins or leaves."""
Revisions = dict[tuple[str, int], bytes]
