"""The examples of the developer's book: a source and a receiver that keep the promises which the book explains."""

import importlib.util
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import msgspec
import pytest

from connectors.contract import Reading
from connectors.pseudonym import FixedPseudonyms
from connectors.sinks.contract import TryLater, Undeliverable
from records import Alert, MalformedRecord, Post, SourceUnavailable, SystemClock, decode, encode

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "developer" / "examples"
ENTRIES = [
    {"id": "17-a", "author": "Anne Exemple", "at": "2026-11-22T07:40:00+01:00", "text": "De la fumée aux docks"},
    {"id": 18, "author": "Luc Modèle"},
    {"id": "19-b", "author": "Luc Modèle", "at": "2026-11-22T07:42:10+01:00", "text": "Marché déplacé"},
]


class Answers:
    """A server on the loopback: answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, b"[]", [""]
        self.asked.clear()
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.asked.append(self.path)
                self.send_response(answers.status)
                self.end_headers()
                self.wfile.write(answers.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def answers() -> Iterator[Answers]:
    found = Answers()
    thread = Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def example(name: str) -> ModuleType:
    """Load an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def board(answers: Answers) -> Any:
    return example("board").Board(answers.url, pseudonyms=FixedPseudonyms(b"test"), clock=SystemClock())


async def first(readings: AsyncIterator[Reading], count: int) -> list[Reading]:
    return [await anext(readings) for _ in range(count)]


async def test_the_board_gives_one_reading_an_entry_and_one_a_poll(answers: Answers, board: Any) -> None:
    answers.body = json.dumps(ENTRIES).encode()
    async with aclosing(board.read(None)) as steps:
        found = await first(steps, 4)
    assert [type(one.post) for one in found] == [Post, MalformedRecord, Post, type(None)]
    assert [one.cursor for one in found] == sorted(one.cursor for one in found)
    assert found[-1].cursor == "2026-11-22T06:42:10+00:00"


async def test_the_board_goes_on_after_its_cursor(answers: Answers, board: Any) -> None:
    async with aclosing(board.read("2026-11-22T06:42:10+00:00")) as steps:
        (alive,) = await first(steps, 1)
    assert alive == Reading("2026-11-22T06:42:10+00:00", None)
    assert answers.asked == ["/?since=2026-11-22T06%3A42%3A10%2B00%3A00"]


async def test_no_author_of_the_board_leaves(answers: Answers, board: Any) -> None:
    answers.body = json.dumps(ENTRIES).encode()
    async with aclosing(board.read(None)) as steps:
        found = [one.post for one in await first(steps, 3)]
    left = b"".join(encode(one) for one in found if isinstance(one, Post))
    left += b"".join(one.value + str(one).encode() for one in found if isinstance(one, MalformedRecord))
    assert not [name for name in (b"Anne", b"Luc", b"17-a") if name in left]


@pytest.mark.parametrize(("status", "body"), [(503, b"[]"), (200, b"<html>"), (200, b'{"entries": []}')])
async def test_a_board_that_cannot_be_asked_is_waited_for(
    status: int, body: bytes, answers: Answers, board: Any
) -> None:
    answers.status, answers.body = status, body
    with pytest.raises(SourceUnavailable):
        async with aclosing(board.read(None)) as steps:
            await first(steps, 1)


@pytest.fixture
def alert() -> Alert:
    return decode((ROOT / "tests" / "golden" / "alert.json").read_bytes(), Alert)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "receivers" / "lamp.txt"


async def test_the_lamp_is_lit_while_one_alert_at_least_is_on_over_a_restart_too(
    answers: Answers, alert: Alert, kept: Path
) -> None:
    for incident, level in [("a", "watch"), ("a", "alert"), ("b", "alert"), ("a", "resolved"), ("b", "rejected")]:
        lamp = example("lamp").Lamp(answers.url, kept=kept)
        await lamp.send(msgspec.structs.replace(alert, incident_id=incident, level=level))
    assert answers.asked == ["/off", "/on", "/on", "/on", "/off"]


@pytest.mark.parametrize(("status", "raised"), [(503, TryLater), (404, Undeliverable)])
async def test_what_a_relay_answers_says_whether_it_is_tried_again(
    status: int, raised: type[Exception], answers: Answers, alert: Alert, kept: Path
) -> None:
    answers.status = status
    with pytest.raises(raised):
        await example("lamp").Lamp(answers.url, kept=kept).send(alert)


async def test_a_relay_that_is_not_there_is_tried_again(alert: Alert, kept: Path, unused_tcp_port: int) -> None:
    with pytest.raises(TryLater):
        await example("lamp").Lamp(f"http://127.0.0.1:{unused_tcp_port}", kept=kept).send(alert)
