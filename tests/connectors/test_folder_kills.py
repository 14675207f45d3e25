"""Killed at any point, again and again: files of alerts are whole at every moment, and hold each revision once."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from connectors.cap import alert_from
from connectors.cap_rules import problems_in
from records import Alert, encode

REVISIONS, INCIDENTS = 200, 10

WRITER = """
import asyncio, sys
from pathlib import Path
import msgspec
from connectors.sinks.cap import CapFolder, Office
from connectors.sinks.feeds import Feeds
from connectors.sinks.outbox import Outbox
from records import Alert, SystemClock, decode

folder, count, incidents = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
alert, clock = decode((folder / "alert.json").read_bytes(), Alert), SystemClock()

def revision(n):
    return msgspec.structs.replace(alert, incident_id=f"inc-{n % incidents}", revision=1 + n // incidents)

async def main():
    sinks = [
        CapFolder(folder / "cap", office=Office(sender="v@v.example"), base_url="https://v.example", clock=clock),
        Feeds(folder / "feeds", clock=clock),
    ]
    outbox = Outbox(folder / "outbox.sqlite", sinks, clock=clock)
    print("ready", flush=True)
    await outbox.enqueue(revision(n) for n in range(count))
    await outbox.drain_all()
    outbox.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("kills", [10, pytest.param(20, marks=pytest.mark.long)])
def test_files_are_whole_at_every_moment_and_hold_each_revision_once(alert: Alert, tmp_path: Path, kills: int) -> None:
    rng, seen = random.Random(8), 0  # noqa: S311  the same moments each time, as far as the machine goes
    (tmp_path / "alert.json").write_bytes(encode(alert))
    for _ in range(kills):
        process = started(tmp_path)
        time.sleep(rng.uniform(0.0, 0.12))
        process.kill()
        process.wait()
        seen = max(seen, looked_at(tmp_path))
    last = started(tmp_path)
    assert last.wait(timeout=120) == 0
    assert seen > 0, "no kill came after the first file"
    assert looked_at(tmp_path) == REVISIONS
    features = json.loads((tmp_path / "feeds" / "incidents.geojson").read_bytes())["features"]
    assert sorted((one["id"], one["properties"]["revision"]) for one in features) == [
        (f"inc-{number}", REVISIONS // INCIDENTS) for number in range(INCIDENTS)
    ]
    for number in range(INCIDENTS):
        thread = [alert_from(path.read_bytes()) for path in sorted((tmp_path / "cap").glob(f"inc-{number}.*.xml"))]
        assert [message.message for message in thread] == ["Alert", *["Update"] * (len(thread) - 1)]
        assert [len(message.references) for message in thread] == list(range(len(thread)))
        links = [message for message in thread if message.infos[0].parameter("evidence")]
        assert links == thread[-1:], "only the newest document links to posts"


def started(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(  # noqa: S603  the program is ourselves
        [sys.executable, "-c", WRITER, str(folder), str(REVISIONS), str(INCIDENTS)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process.stdout as out:
        assert out.readline() == "ready\n"
    return process


def looked_at(folder: Path) -> int:
    """Read all that somebody else could read now; return how many documents there are."""
    documents = sorted((folder / "cap").glob("*.xml"))
    for path in documents:
        assert problems_in(path.read_bytes()) == []
    for path in (*folder.glob("cap/feed.atom"), *folder.glob("feeds/incidents.atom")):
        etree.parse(path)
    for path in folder.glob("feeds/incidents.geojson"):
        msgspec.json.decode(path.read_bytes())
    return len(documents)
