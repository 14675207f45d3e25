"""What we lean on inside Faust and aiokafka, beyond what they promise: an upgrade that changes it fails here."""

import inspect
import weakref
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faust
import faust.streams
import pytest
from aiokafka.consumer.fetcher import Fetcher
from faust.agents.actor import Actor
from faust.stores import rocksdb
from faust.tables.recovery import Recovery
from faust.transport import consumer as consumers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.supervisors import CrashingSupervisor
from mode.utils.queues import FlowControlEvent
from yarl import URL

from streams.app import make_app
from streams.declaring import table_dir
from streams.memory import Memory
from streams.publisher import KafkaPublisher
from streams.restore import FAUST_KEYS
from streams.settings import StreamSettings
from streams.topics import STATE_TABLE, changelog
from streams.transport import Consumer


@pytest.fixture
def app(settings_for: Callable[..., StreamSettings]) -> faust.App:
    return make_app(settings_for())


def test_these_are_the_versions_that_were_read() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == ("0.15.3", "0.14.0"), (
        "read streams/wiring.py, taking.py, transport.py, health.py and restore.py against the new version, "
        "then move this on"
    )


def test_a_table_s_partition_is_that_of_the_current_event(app: faust.App, event: Callable[..., Any]) -> None:
    """`_detect_partition` sets this variable before it reads or writes the table."""
    table: Any = app.Table("contract", key_type=bytes, value_type=bytes, partitions=4)
    store: Any = rocksdb.Store("rocksdb://", app, table)
    keep_alive = event(partition=3)
    token = faust.streams._current_event.set(weakref.ref(keep_alive))
    try:
        assert faust.streams.current_event() is keep_alive
        store._set(b"fire/76/node", b"1")
        assert list(store._dbs) == [3]
        assert store._get(b"fire/76/node") == b"1"
    finally:
        faust.streams._current_event.reset(token)
        for database in store._dbs.values():
            database.close()


async def test_what_was_changed_leaves_the_table_s_files_when_they_are_compacted(
    app: faust.App, settings_for: Callable[..., StreamSettings]
) -> None:
    settings = settings_for()
    memory = Memory(app, settings, KafkaPublisher(settings))
    database = memory.table.data._db_for_partition(3)

    def lies_there(words: bytes) -> bool:
        files = Path(database.path()).glob("*")
        return any(words in path.read_bytes() for path in files if path.is_file())

    database[b"fire/76/entry/1"] = b"je vois de la fum\xc3\xa9e"
    database[b"fire/76/entry/1"] = b"nothing any more"
    assert lies_there(b"je vois")
    await memory.compact()
    assert not lies_there(b"je vois")
    assert database[b"fire/76/entry/1"] == b"nothing any more"
    database.close()
    await memory.compact()  # a partition that has just gone costs nothing


def test_the_table_s_files_lie_where_restore_looks_for_them(
    app: faust.App, settings_for: Callable[..., StreamSettings]
) -> None:
    table: Any = app.Table(STATE_TABLE, key_type=bytes, value_type=bytes, partitions=4)
    path = Path(rocksdb.Store("rocksdb://", app, table, options={}).partition_path(3))
    assert path.is_relative_to(table_dir(settings_for()).resolve()) or path.is_relative_to(table_dir(settings_for()))
    assert path.match(f"{STATE_TABLE}-*.db")


def test_faust_s_own_keys_in_a_table_begin_as_restore_thinks() -> None:
    assert rocksdb.Store.offset_key.startswith(FAUST_KEYS)


def test_the_changelog_has_the_name_that_restore_writes_to(
    app: faust.App, settings_for: Callable[..., StreamSettings]
) -> None:
    table: Any = app.Table(STATE_TABLE, key_type=bytes, value_type=bytes, partitions=4)
    assert table.changelog_topic.get_topic_name() == changelog(settings_for().app_id).name


def test_committed_offsets_stand_where_health_reads_them() -> None:
    assert "_committed_offset" in inspect.getsource(consumers.Consumer.__init__)
    assert "_committed_offset" in consumers.Consumer.__annotations__
    assert {"assignment", "highwater"} <= set(dir(driver.Consumer))


def test_the_recovery_s_target_comes_from_highwaters_of_the_consumer_s_thread() -> None:
    """`embedded.py` replaces exactly this method, and no other way leads to ListOffsets(latest)."""
    assert inspect.iscoroutinefunction(driver.AIOKafkaConsumerThread._highwaters)
    assert list(inspect.signature(driver.AIOKafkaConsumerThread._highwaters).parameters) == ["self", "partitions"]
    assert "self._highwaters" in inspect.getsource(driver.AIOKafkaConsumerThread.highwaters)
    assert inspect.getsource(driver).count("end_offsets(") == 1
    assert driver.server_list([URL("kafka://127.0.0.1:9")], 9092) == ["127.0.0.1:9"]


def test_a_transport_makes_its_own_consumer_and_the_consumer_its_thread() -> None:
    assert driver.Transport.Consumer is driver.Consumer
    assert "_new_consumer_thread" in inspect.getsource(consumers.ThreadDelegateConsumer)


def test_a_stream_passes_over_and_keeps_account_of_events_as_taking_does() -> None:
    """`taking.py` takes events from the queue in place of the stream's own iteration."""
    source = inspect.getsource(faust.streams.Stream._py_aiter)
    assert "not self.app.flow_control.is_active()" in source
    assert "message.generation_id != self.app.consumer_generation_id" in source
    assert "if topic in acking_topics and not message.tracked:" in source
    assert source.count("add_unacked(message)") == 1
    assert "return self.message.ack(self.app.consumer)" in inspect.getsource(faust.Event.ack)


def test_an_agent_is_stopped_by_what_its_queue_throws() -> None:
    assert "_throw(StopAsyncIteration())" in inspect.getsource(Actor.cancel)
    assert "self.cancel()" in inspect.getsource(Actor.on_stop)


def test_an_agent_may_be_told_to_stop_the_program_when_it_breaks(app: faust.App) -> None:
    async def agent(stream: Any) -> None:
        async for _ in stream:
            pass

    made: Any = app.agent(app.topic("t"), name="a", supervisor_strategy=CrashingSupervisor)(agent)
    assert made.supervisor_strategy is CrashingSupervisor


def test_streams_are_resumed_before_faust_goes_back_and_their_queues_emptied_after() -> None:
    """`transport.py` mends it by fetching from them only when the flow is resumed, which comes last each time."""
    for way in (Recovery.on_recovery_completed, Recovery._resume_streams):
        source = inspect.getsource(way)
        steps = ["consumer.resume_partitions(", "perform_seek()", "flow_control.resume()", "consumer.resume_flow()"]
        places = [source.index(step) for step in steps]
        assert places == sorted(places), way
    assert "self.clear()" in inspect.getsource(FlowControlEvent.resume)
    recovery = inspect.getsource(Recovery).split("consumer.resume_partitions")
    assert all("consumer.resume_flow" in rest for rest in recovery[1:]), "nothing may wait for ever"


def test_aiokafka_takes_no_partitions_for_all_of_them() -> None:
    """`transport.py` hands it a set of its own for that, which nobody empties."""
    assert "if partitions and tp not in partitions" in inspect.getsource(Fetcher.fetched_records)
    assert "active_partitions" in inspect.signature(driver.AIOKafkaConsumerThread.getmany).parameters
    assert "difference_update" in inspect.getsource(consumers.Consumer.pause_partitions)


async def test_a_resumed_partition_is_fetched_when_the_flow_is(app: faust.App) -> None:
    async def unused(*_: Any) -> None:
        """Be there: nothing is fetched, nothing handed out."""

    consumer = Consumer(app.transport, callback=unused, on_partitions_revoked=unused, on_partitions_assigned=unused)
    kept, paused = TP("posts.v1", 0), TP("signals.v1", 0)
    consumer._set_active_tps({kept, paused})
    consumer.pause_partitions({kept, paused})
    consumer.resume_partitions({kept, paused})
    assert not consumer._get_active_partitions()
    consumer.pause_partitions({paused})
    consumer.resume_flow()
    assert consumer._get_active_partitions() == {kept}
    consumer.resume_flow()
    assert consumer._get_active_partitions() == {kept}


def test_each_message_is_handed_over_by_wait_first() -> None:
    """`Consumer.wait_first` in streams/transport.py does at once what has nothing to wait for."""
    drain = inspect.getsource(consumers.Consumer._drain_messages)
    assert "await self.wait_first(\n" in drain
    assert "callback(message), self.suspend_flow.wait()\n" in drain
