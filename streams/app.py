"""The Faust app with the settings that hold for Vigie."""

from typing import Any, NamedTuple

import faust
from faust.auth import SASLCredentials, SSLCredentials

from streams.embedded import EmbeddedTransport
from streams.settings import StreamSettings
from streams.transport import KafkaTransport

# The defaults of Faust's store reserve 2 GB of cache for each partition. Of what is written two buffers stay in memory.
STORE_OPTIONS = {"block_cache_size": 16 << 20, "write_buffer_size": 2 << 20, "max_open_files": 256}


class Session(NamedTuple):
    """How long the broker waits for a sign of a worker before it gives its partitions away, and how often one comes."""

    timeout_secs: float
    heartbeat_secs: float


SESSION = Session(10.0, 2.0)
EMBEDDED_SESSION = Session(1.0, 0.3)
"""Tansu lets whoever joins wait for half of it, and for nearly twice that where one was there before; and takes nothing
from a worker that is silent as long as it is alone, as it is on one machine."""


def make_app(settings: StreamSettings) -> faust.App:
    """Return a Faust app; nothing connects before it is started."""
    session = EMBEDDED_SESSION if settings.is_embedded else SESSION
    app = faust.App(
        settings.app_id,
        broker=settings.kafka_url,
        broker_credentials=_credentials(settings),
        datadir=str(settings.data_dir / "tables"),
        store="rocksdb://",
        processing_guarantee="at_least_once",  # exactly_once breaks in Faust with two workers
        autodiscover=False,
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        topic_allow_declare=True,
        stream_wait_empty=True,
        stream_buffer_maxsize=4096,
        stream_publish_on_commit=False,
        recovery_consistency_check=True,
        table_standby_replicas=0,
        broker_session_timeout=session.timeout_secs,
        broker_heartbeat_interval=session.heartbeat_secs,
        broker_rebalance_timeout=15.0,
        broker_request_timeout=30.0,
        broker_max_poll_interval=300.0,
        broker_commit_interval=1.0,
        broker_commit_every=2000,
        broker_max_poll_records=500,
        producer_acks=-1,
        producer_linger=0.01,
        producer_max_batch_size=131072,
        producer_compression_type="lz4",
        consumer_auto_offset_reset="earliest",
    )
    transport = EmbeddedTransport if settings.is_embedded else KafkaTransport
    app.transport = transport(app.conf.broker_consumer, app)
    return app


def _credentials(settings: StreamSettings) -> Any:
    security = settings.security
    context = security.ssl_context()
    if security.sasl_mechanism:
        return SASLCredentials(
            username=security.username,
            password=security.password,
            ssl_context=context,
            mechanism=security.sasl_mechanism,
        )
    return SSLCredentials(context) if context else None
