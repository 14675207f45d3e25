"""`vigie run` through its accidents: worker killed, broker grown, broker killed, all killed; then asked to stop.

One run, in this order. Each test finds the machine as the one before it left it.
"""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.topics import POSTS

if TYPE_CHECKING:
    from tests.survival.stage import Believed, Hurried, Machine

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def believed(machine: "Machine", expected: dict[str, "Believed"]) -> dict[str, "Believed"]:
    kind: Any = type(next(iter(expected.values())))
    found: dict[str, Believed] = kind.all_of(machine.lines())
    return found


def test_a_killed_worker_and_a_replaced_broker_in_mid_stream_leave_the_same_incidents(
    machine: "Machine", story: "Hurried", expected: dict[str, "Believed"]
) -> None:
    machine.wait_until("the worker reads", lambda: machine.handled(POSTS) > 20)
    killed = machine.kill("worker")
    machine.wait_until("another worker reads", lambda: machine.processes().get("worker", killed) != killed)
    machine.wait_until("another worker reads", lambda: machine.handled(POSTS) > 0)

    grown = machine.processes()["broker"]
    machine.burden_broker()
    machine.wait_until("another broker is there", lambda: machine.processes().get("broker", grown) != grown)
    machine.wait_until("reading on", lambda: "reading on" in machine.log)
    machine.wait_until("posts are read from it", lambda: machine.handled(POSTS) > 0)
    assert machine.handled(POSTS) < len(story.recording), "both came too early to prove anything"

    machine.wait_until("the same incidents", lambda: believed(machine, expected) == expected)


def test_a_killed_broker_is_replaced_and_the_incidents_go_on_from_where_they_were(
    machine: "Machine", story: "Hurried", expected: dict[str, "Believed"]
) -> None:
    killed = machine.kill("broker")
    machine.wait_until("another broker is there", lambda: machine.processes().get("broker", killed) != killed)
    machine.wait_until("reading on", lambda: machine.log.count("reading on") == 2)

    def has_risen() -> list[str]:
        return [
            incident
            for incident, now in believed(machine, expected).items()
            if incident in expected and "alert" in now.levels and "alert" not in expected[incident].levels
        ]

    for post in story.held_back:
        now = {**post, "ts": datetime.now(UTC).isoformat()}
        machine.wait_until("the post is taken", partial(machine.send, now))
    machine.wait_until("an incident that was a watch has become an alert", has_risen)
    after = believed(machine, expected)
    for incident, before in expected.items():
        assert after[incident].levels[: len(before.levels)] == before.levels
        assert (after[incident].hazard, after[incident].onset) == (before.hazard, before.onset)


def test_with_the_supervisor_all_end_and_what_starts_it_again_has_them_go_on(
    machine: "Machine", story: "Hurried", expected: dict[str, "Believed"]
) -> None:
    before = believed(machine, expected)
    post = {**story.held_back[-1], "id": "after-the-supervisor", "author_id": "somebody else"}
    machine.wait_until("a post is taken", lambda: machine.send({**post, "ts": datetime.now(UTC).isoformat()}))
    machine.kill_supervisor()
    machine.start()
    machine.wait_until("the worker takes posts", lambda: machine.handled(POSTS) > 0)
    after = believed(machine, expected)
    assert after.keys() == before.keys()
    for incident, known in before.items():
        assert after[incident].levels[: len(known.levels)] == known.levels


def test_nobody_was_told_twice(machine: "Machine") -> None:
    told = Counter((line["incident_id"], line["revision"]) for line in machine.lines())
    assert set(told.values()) == {1}
    machine.wait_until(
        "the webhook is told as well",
        lambda: set(told) <= {(incident, revision) for _, incident, revision in machine.receiver.told},
    )
    ids = {(incident, revision): webhook_id for webhook_id, incident, revision in machine.receiver.told}
    assert len(set(ids.values())) == len(ids)
    assert len(machine.receiver.told) <= len(ids) + 4, "no more repeats than accidents, under the same ids"


def test_the_console_through_all_this_has_what_was_told(machine: "Machine") -> None:
    console = machine.kill("console")
    machine.wait_until(
        "another console has read all that stands on the topics",
        lambda: machine.processes().get("console", console) != console and machine.is_console_ready,
    )
    assert {(line["incident_id"], line["revision"]) for line in machine.lines()} <= machine.archived()


def test_asked_to_stop_it_ends_well_and_leaves_no_process_behind(machine: "Machine") -> None:
    machine.processes()
    process = machine.process
    assert process is not None
    process.terminate()
    assert process.wait(120) == 0, machine.log[-4000:]
    assert not [pid for pid in machine.seen if Path(f"/proc/{pid}").exists()]
    assert "stopped" in machine.log.splitlines()[-1]


def test_the_data_folder_is_for_its_user_alone(machine: "Machine") -> None:
    assert (machine.folder / "data").stat().st_mode & 0o777 == 0o700
