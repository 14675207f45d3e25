"""Sinks: the line of a file, the signed post to a program, the panel for people."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from rich.console import Console
from standardwebhooks.webhooks import Webhook

from connectors.sinks.contract import TryLater, Undeliverable, line_from
from connectors.sinks.jsonl import JsonLines
from connectors.sinks.outbox import Outbox
from connectors.sinks.terminal import IncidentTable, Terminal
from connectors.sinks.webhook import WebhookSink, webhook_id_of
from records import Alert, ManualClock, SettingsError, SystemClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_line_begins_as_promised(alert: Alert) -> None:
    line = line_from(alert)
    assert list(line)[:9] == [
        "incident_id",
        "revision",
        "level",
        "hazard",
        "place",
        "onset",
        "raised_at",
        "evidence",
        "score",
    ]
    assert line["evidence"] == ["9f8e"]
    assert line["raised_at"] == "2026-11-22T07:00:00Z"
    assert line["place"]["insee"] == "76351"
    assert "Énorme" not in json.dumps(line, ensure_ascii=False)


async def test_lines_are_written_once(tmp_path: Path, alert: Alert) -> None:
    path = tmp_path / "out" / "alerts.jsonl"
    for _ in range(2):
        sink = JsonLines(path)
        for number in (1, 2, 1):
            await sink.send(msgspec.structs.replace(alert, revision=number))
        sink.close()
    assert len(path.read_bytes().splitlines()) == 2


class Receiver:
    """A web server on the loopback that answers as told."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.hangs = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        except asyncio.IncompleteReadError:  # it has had enough before it said anything
            writer.close()
            return
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((headers, body))
        if self.hangs:
            await reader.read()  # until the other side has had enough
        else:
            answer = self.answers.pop(0) if self.answers else b"204 No Content"
            writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alerts"
    async with server:
        yield receiver


@pytest.fixture
async def sink(receiver: Receiver) -> AsyncIterator[WebhookSink]:
    sink = WebhookSink(receiver.url, secret=SECRET, clock=SystemClock())
    yield sink
    await sink.close()


async def test_posts_are_signed(receiver: Receiver, sink: WebhookSink, alert: Alert) -> None:
    await sink.send(alert)
    ((headers, body),) = receiver.requests
    found = Webhook(SECRET).verify(body, headers)
    assert found["type"] == "incident.opened"
    assert found["data"]["incident_id"] == "inc-1"
    assert headers["webhook-id"] == webhook_id_of(alert)


@pytest.mark.parametrize(
    ("revision", "level", "kind"), [(1, "signal", "opened"), (2, "alert", "updated"), (9, "resolved", "closed")]
)
async def test_the_type_tells_the_step(
    revision: int, level: Any, kind: str, receiver: Receiver, sink: WebhookSink, alert: Alert
) -> None:
    await sink.send(msgspec.structs.replace(alert, revision=revision, level=level))
    assert json.loads(receiver.requests[0][1])["type"] == f"incident.{kind}"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"500 Oops", TryLater),
        (b"503 Busy\r\nRetry-After: 9", TryLater),
        (b"429 Slow", TryLater),
        (b"408 Late", TryLater),
        (b"400 Bad", Undeliverable),
        (b"401 Who", Undeliverable),
        (b"404 Where", Undeliverable),
        (b"410 Gone", Undeliverable),
        (b"302 There\r\nLocation: http://127.0.0.1:1/", Undeliverable),
        (b"nonsense", TryLater),
    ],
)
async def test_what_an_answer_means(
    answer: bytes, error: type[Exception], receiver: Receiver, sink: WebhookSink, alert: Alert
) -> None:
    receiver.answers = [answer]
    with pytest.raises(error) as raised:
        await sink.send(alert)
    assert len(receiver.requests) == 1
    if b"Retry-After" in answer:
        assert isinstance(raised.value, TryLater)
        assert raised.value.retry_after_secs == 9


async def test_a_receiver_that_does_not_answer_is_tried_later(receiver: Receiver, alert: Alert) -> None:
    receiver.hangs = True
    sink = WebhookSink(receiver.url, secret=SECRET, clock=SystemClock(), timeout_secs=0.5)
    with pytest.raises(TryLater, match="Timeout"):
        await sink.send(alert)
    await sink.close()


async def test_nobody_there_is_tried_later(alert: Alert, clock: ManualClock) -> None:
    sink = WebhookSink("http://127.0.0.1:9/x", secret=SECRET, clock=clock)
    with pytest.raises(TryLater):
        await sink.send(alert)
    await sink.close()


async def test_killed_between_sending_and_noting_it_repeats_under_the_same_id(
    receiver: Receiver, sink: WebhookSink, alert: Alert, tmp_path: Path, clock: ManualClock
) -> None:
    class Cut(WebhookSink):
        async def send(self, alert: Alert) -> None:
            await super().send(alert)
            raise asyncio.CancelledError

    cut = Cut(receiver.url, secret=SECRET, clock=SystemClock())
    outbox = Outbox(tmp_path / "o.sqlite", [cut], clock=clock)
    await outbox.enqueue([alert])
    with pytest.raises(asyncio.CancelledError):
        await outbox.drain()
    outbox.close()
    await cut.close()
    outbox = Outbox(tmp_path / "o.sqlite", [sink], clock=clock)
    assert await outbox.drain() == 1
    assert await outbox.drain() == 0
    outbox.close()
    assert len(receiver.requests) == 2
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://crise.example/", "https://user:secret@x/", "javascript:alert(1)", "", "https://"]
)
def test_refuses_addresses_that_are_none(url: str, clock: ManualClock) -> None:
    with pytest.raises(SettingsError) as raised:
        WebhookSink(url, secret=SECRET, clock=clock)
    assert "secret@" not in str(raised.value)


def test_refuses_a_bad_secret(clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="base64"):
        WebhookSink("https://x/", secret="whsec_a", clock=clock)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ["ALERTE", "incendie", "Le Havre", "Quatre", "aucune parole officielle"]),
        ("en", ["ALERT", "fire", "Four", "no official word"]),
    ],
)
async def test_people_read_it_in_their_language(language: Any, words: list[str], alert: Alert) -> None:
    out = StringIO()
    await Terminal(Console(file=out, width=120, force_terminal=True), language=language).send(alert)
    for word in [*words, "[bold]au-dessus[/bold]"]:
        assert word in out.getvalue()
    assert "\x1b[31m" not in out.getvalue(), "a post must not write in colours of its own"


async def test_the_table_shows_the_newest_word_on_each_incident(alert: Alert) -> None:
    table = IncidentTable(language="fr")
    out = StringIO()
    console = Console(file=out, width=120)
    console.print(table)
    await table.send(msgspec.structs.replace(alert, revision=2, level="confirmed"))
    await table.send(alert)
    console.print(table)
    assert "aucun incident" in out.getvalue()
    assert "CONFIRMÉ" in out.getvalue()
    assert "ALERTE" not in out.getvalue()


def test_httpx_is_not_told_to_follow() -> None:
    assert httpx.AsyncClient().follow_redirects is False
