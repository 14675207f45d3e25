"""docs/kafka.md: its topics, groups and rights are those of the code, and what it says of an absent broker is so."""

import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from streams.declaring import all_topics
from streams.settings import StreamSettings
from vigie.broker import free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "kafka.md").read_text(encoding="utf-8")
SETTINGS = StreamSettings(kafka_url="kafka://127.0.0.1:9092", data_dir=Path("nowhere"))
LEADER = f"{SETTINGS.app_id}-__assignor-__leader"  # of Faust's own
PATIENCE_SECS = 120.0
ABSENT = """
[data]
dir = "data"
[kafka]
url = "kafka://127.0.0.1:{port}"
[worker]
health_port = 0
[edge]
metrics_port = 0
[console]
port = {console}
metrics_port = 0
"""


def shown(span: timedelta | None) -> str:
    if span is None:
        return "the newest"
    return f"{span.days} d" if span > timedelta(days=3) else f"{int(span.total_seconds() // 3600)} h"


def test_the_table_has_every_topic_as_it_is_made() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \| `([^`]+)` \|$", PAGE, re.MULTILINE)
    made = [(topic.name, shown(topic.retention), topic.config["cleanup.policy"]) for topic in all_topics(SETTINGS)]
    assert rows == made


def test_rights_are_given_on_every_topic_and_group_and_on_no_other() -> None:
    commands = re.findall(r"^(/opt/kafka/bin/kafka-acls\.sh .*?[^\\])$", PAGE, re.MULTILINE | re.DOTALL)
    words = [shlex.split(command.replace("\\\n", " ")) for command in commands]

    def given(option: str) -> list[str]:
        return [line[at + 1] for line in words for at, word in enumerate(line) if word == option]

    assert given("--topic") == [*(topic.name for topic in all_topics(SETTINGS)), LEADER]
    assert given("--group") == [SETTINGS.app_id, f"{SETTINGS.app_id}-sweep"]
    sweeping = (ROOT / "streams" / "taking_back.py").read_text(encoding="utf-8")
    assert 'group_id=f"{settings.app_id}-sweep"' in sweeping


@pytest.mark.broker
def test_where_the_broker_is_not_there_all_end_with_status_2_but_the_console(tmp_path: Path) -> None:
    page = f"http://127.0.0.1:{(console := free_port())}/healthz"
    (tmp_path / "vigie.toml").write_text(ABSENT.format(port=free_port(), console=console), encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    ending = {name: started(name, tmp_path, environ) for name in ("worker", "connect")}
    serving = started("console", tmp_path, environ)
    said = {name: process.communicate(timeout=PATIENCE_SECS)[1] for name, process in ending.items()}
    try:
        deadline = time.monotonic() + PATIENCE_SECS
        while not (answer := answer_of(page)):
            assert serving.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        serving.terminate()
        words = serving.communicate(timeout=PATIENCE_SECS)[1]
    assert {name: process.returncode for name, process in ending.items()} == dict.fromkeys(ending, 2), said
    assert "vigie: kafka kafka://127.0.0.1" in said["worker"]
    assert "vigie: kafka kafka://127.0.0.1" in said["connect"]
    assert '"ready":false' in answer
    assert serving.returncode == 0, words


def started(name: str, folder: Path, environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "vigie", name], cwd=folder, env=environ, stderr=subprocess.PIPE, text=True
    )


def answer_of(page: str) -> str:
    try:
        with urllib.request.urlopen(page, timeout=5) as said:  # noqa: S310  our own address
            return str(said.read().decode())
    except OSError:
        return ""
