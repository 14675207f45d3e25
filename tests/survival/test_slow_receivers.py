"""A receiver that takes half a minute for an answer, and one that never answers: nobody else waits for them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sinks.webhook import webhook_id_of
from records import Post
from tests.survival.stage import Receiver, Stage
from vigie.broker import EmbeddedBroker

pytestmark = pytest.mark.broker
SLOW_SECS = 30.0


class Slow(Stage):
    """A stage with two more webhooks."""

    def __init__(self, folder: Path, *, kafka_url: str, is_embedded: bool) -> None:
        self.slow, self.silent = Receiver(), Receiver()
        self.is_over = threading.Event()
        self.slow.before_answer = lambda told: told > 1 or self.is_over.wait(SLOW_SECS)
        self.silent.before_answer = lambda told: self.is_over.wait()
        super().__init__(folder, kafka_url=kafka_url, is_embedded=is_embedded)

    def tables(self) -> list[str]:
        return [
            *super().tables(),
            *(
                f'[[receivers]]\nkind = "webhook"\nname = "{name}"\nurl = "{receiver.url}"\nsecret_file = "secret"'
                for name, receiver in (("slow", self.slow), ("silent", self.silent))
            ),
        ]

    def close(self) -> None:
        self.is_over.set()
        super().close()
        self.slow.close()
        self.silent.close()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    with EmbeddedBroker() as broker:
        made = Slow(tmp_path, kafka_url=broker.url, is_embedded=True)
        yield made
        made.close()


def test_others_are_told_meanwhile_and_the_slow_one_of_each_revision_once(
    slow: Slow, posts: tuple[Post, ...], undisturbed: dict[tuple[str, int], bytes]
) -> None:
    slow.worker.start()
    slow.publish(posts)
    slow.wait_until_ready()
    slow.wait_until_drained()
    slow.assert_as_undisturbed(undisturbed, kills=0)
    assert len(slow.slow.told) == len(slow.silent.told) == 1, "others have not waited for them"
    wanted = sorted(webhook_id_of(alert) for alert in slow.to_be_told())
    slow.wait_until("the slow one is told all", lambda: len(slow.slow.told) >= len(wanted))
    assert sorted(told for told, _, _ in slow.slow.told) == wanted, "each once, however long it took"
    assert in_order(slow.slow)
    slow.is_over.set()
    slow.wait_until("the silent one has come to itself", lambda: len(slow.silent.told) >= len(wanted))
    assert sorted({told for told, _, _ in slow.silent.told}) == wanted
    assert slow.stop_worker() == 0


def in_order(receiver: Receiver) -> bool:
    """Tell whether no revision came before an earlier one of its incident."""
    by_incident: dict[str, list[int]] = {}
    for _, incident, revision in receiver.told:
        by_incident.setdefault(incident, []).append(revision)
    return all(revisions == sorted(revisions) for revisions in by_incident.values())
