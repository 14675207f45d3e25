"""Apprise: people are told by real SMTP and HTTP; who was not told is owed it; addresses with secrets never show."""

import asyncio
import email
import email.policy
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.sinks.apprise import AppriseSink
from connectors.sinks.contract import TryLater, UnobservedSinks
from connectors.sinks.message import GSM, Voice, gsm
from connectors.sinks.outbox import Outbox
from connectors.sinks.targets import targets_in
from connectors.sinks.upkeep import UpkeptOutbox
from records import Alert, ManualClock, Rumour, SettingsError

CANARY = "hunter2canary"


class Web:
    """A web server on the loopback: what is posted to a path, and how the path answers."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, bytes] = {}
        self.slow: set[str] = set()
        self.body = b"{}"
        self.over = asyncio.Event()  # the slow ones need not wait any more
        self.tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    def at(self, path: str) -> list[bytes]:
        return [body for where, _, body in self.posted if where == path]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.tasks.add(task)
        first, *head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        path = first.split()[1].partition("?")[0].rstrip("/")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.posted.append((path, headers, body))
        if path in self.slow:
            await self.over.wait()
        answer = self.answers.get(path, b"200 OK")
        writer.write(b"HTTP/1.1 " + answer + f"\r\nContent-Length: {len(self.body)}\r\n".encode())
        writer.write(b"Connection: close\r\n\r\n" + self.body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web()
    server = await asyncio.start_server(web.handle, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    async with server:
        yield web
        web.over.set()
        await asyncio.gather(*web.tasks)


class Letters:
    """Keeps what is mailed."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.refuses = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuses:
            return "451 try later"
        content = envelope.content
        assert isinstance(content, bytes)
        self.kept.append((envelope.rcpt_tos, email.message_from_bytes(content, policy=email.policy.default)))
        return "250 OK"


@pytest.fixture
async def letters() -> AsyncIterator[tuple[Letters, int]]:
    letters = Letters()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(letters, hostname="mx.example"), "127.0.0.1", 0)
    async with server:
        yield letters, server.sockets[0].getsockname()[1]


Makes = Callable[..., AppriseSink]


@pytest.fixture
def make(tmp_path: Path, clock: ManualClock) -> Iterator[Makes]:
    """Return what writes addresses to a file and makes a sink of it."""
    made: list[AppriseSink] = []

    def make(*addresses: str, timeout_secs: float = 5, **voice: Any) -> AppriseSink:
        (tmp_path / "urls").write_text("# people\n\n" + "\n".join(addresses))
        sink = AppriseSink(
            tmp_path / "urls",
            kept=tmp_path / "kept.sqlite",
            clock=clock,
            voice=Voice(**voice),
            name="cell",
            timeout_secs=timeout_secs,
        )
        made.append(sink)
        return sink

    yield make
    for sink in made:
        sink.close()


async def test_a_mail_says_what_where_why_and_what_is_not_known(
    make: Makes, letters: tuple[Letters, int], alert: Alert
) -> None:
    box, port = letters
    sink = make(f"mailto://127.0.0.1:{port}?from=vigie@ville.example&to=astreinte@ville.example", page_url="https://v")
    await sink.send(alert)
    ((to, letter),) = box.kept
    assert to == ["astreinte@ville.example"]
    assert letter["subject"] == "ALERTE · incendie · Le Havre (signal à vérifier)"
    text = letter.get_body(("plain", "html")).get_content()
    for words in ("à 5 km près", "Quatre personnes parlent d'un feu", "aucune parole officielle", "n° 1", "inc-1"):
        assert words in text
    assert "https://v/incidents/inc-1" in text
    assert "https://bsky.app/profile/x/post/1" in text
    assert "fumée" not in text, "words of posts are not told unless asked for"


@pytest.mark.parametrize(("language", "head"), [("fr", "EXERCICE · ALERTE"), ("en", "EXERCISE · ALERT")])
async def test_an_exercise_says_so_first(make: Makes, web: Web, alert: Alert, language: str, head: str) -> None:
    await make(f"json://127.0.0.1:{web.port}/a", language=language, is_exercise=True).send(alert)
    assert json.loads(web.at("/a")[0])["title"].startswith(head)


async def test_quotations_are_told_where_asked_for_and_never_those_taken_back(
    make: Makes, web: Web, alert: Alert
) -> None:
    item = alert.evidence[0]
    several = [msgspec.structs.replace(item, text=f"<b>mot {number}</b>") for number in range(5)]
    several[1] = msgspec.structs.replace(several[1], is_removed=True)
    await make(f"json://127.0.0.1:{web.port}/a", with_quotes=True).send(
        msgspec.structs.replace(alert, evidence=tuple(several))
    )
    told = json.loads(web.at("/a")[0])["message"]
    assert [f"mot {number}" in told for number in range(5)] == [True, False, True, True, False]


async def test_several_incidents_are_one_message(make: Makes, web: Web, alert: Alert) -> None:
    other = msgspec.structs.replace(alert, incident_id="inc-2", hazard="flood")
    await make(f"json://127.0.0.1:{web.port}/a").send_many([alert, other])
    (body,) = web.at("/a")
    told = json.loads(body)
    assert told["title"].startswith("2 incidents · ALERTE · incendie")
    assert "inc-1" in told["message"]
    assert "ALERTE · inondation · Le Havre" in told["message"]


async def test_only_those_not_told_are_told_again(
    make: Makes, web: Web, letters: tuple[Letters, int], alert: Alert, clock: ManualClock, witness: Any
) -> None:
    box, port = letters
    addresses = (
        f"mailto://127.0.0.1:{port}?from=vigie@ville.example&to=a@ville.example",
        f"json://127.0.0.1:{web.port}/broken",
        f"ntfy://user:{CANARY}@127.0.0.1:{web.port}/ntfytopic",
    )
    web.answers["/broken"] = b"503 No"
    sink = make(*addresses)
    await sink.send(alert)
    assert sink.owed() == {"line 4 (JSON)": 1}
    sink.close()
    sink = make(*addresses)  # after a kill
    assert sink.owed() == {"line 4 (JSON)": 1}
    await sink.keep_up(witness)
    assert len(web.at("/broken")) == 1, "its turn has not come"
    clock.advance(timedelta(seconds=1.1))
    await sink.keep_up(witness)
    assert len(web.at("/broken")) == 2
    assert witness.sinks == {("cell", "put_off"): 1}
    await sink.send(msgspec.structs.replace(alert, revision=2))  # not held back for the broken one
    assert len(box.kept) == 2
    assert len(web.at("/broken")) == 2, "nor is it waited for"
    del web.answers["/broken"]
    clock.advance(timedelta(seconds=60))
    await sink.keep_up(witness)
    assert sink.owed() == {}
    assert "n° 2" in json.loads(web.at("/broken")[-1])["message"], "the newest revision stands for those missed"
    await sink.keep_up(witness)
    assert (len(box.kept), len(web.at("/broken")), len(web.at("")), len(web.posted)) == (2, 3, 2, 5)


async def test_what_is_owed_for_a_day_is_given_up_and_said(
    make: Makes, web: Web, alert: Alert, clock: ManualClock, witness: Any
) -> None:
    web.answers["/b"] = b"404 No"
    sink = make(f"json://127.0.0.1:{web.port}/a", f"json://127.0.0.1:{web.port}/b")
    await sink.send(alert)
    clock.advance(timedelta(seconds=23 * 3600))
    await sink.send(msgspec.structs.replace(alert, revision=2))
    clock.advance(timedelta(seconds=3601))
    await sink.keep_up(witness)
    assert sink.owed() == {}
    assert witness.sinks == {("cell", "failed"): 1}


async def test_an_address_taken_out_of_the_file_is_owed_nothing(
    make: Makes, web: Web, alert: Alert, witness: Any
) -> None:
    web.answers["/b"] = b"404 No"
    sink = make(f"json://127.0.0.1:{web.port}/a", f"json://127.0.0.1:{web.port}/b")
    await sink.send(alert)
    sink.close()
    sink = make(f"json://127.0.0.1:{web.port}/a")
    await sink.keep_up(witness)
    assert witness.sinks == {("cell", "failed"): 1}
    await sink.keep_up(witness)
    assert witness.sinks == {("cell", "failed"): 1}


async def test_nobody_told_is_tried_later_and_nothing_is_owed(make: Makes, web: Web, alert: Alert) -> None:
    web.answers["/a"] = b"500 No"
    sink = make(f"json://127.0.0.1:{web.port}/a", "json://127.0.0.1:9/b")
    with pytest.raises(TryLater, match=r"^cell: line 3 \(JSON\) cannot be told; line 4 \(JSON\) cannot be told$"):
        await sink.send(alert)
    assert sink.owed() == {}


async def test_a_redirect_is_no_delivery(make: Makes, web: Web, alert: Alert) -> None:
    web.answers["/a"] = b"302 There\r\nLocation: /elsewhere"
    with pytest.raises(TryLater):
        await make(f"json://127.0.0.1:{web.port}/a").send(alert)
    assert web.at("/elsewhere") == []


async def test_a_slow_one_holds_up_neither_the_loop_nor_the_others(make: Makes, web: Web, alert: Alert) -> None:
    web.slow.add("/slow")
    sink = make(f"json://127.0.0.1:{web.port}/slow", f"json://127.0.0.1:{web.port}/a", timeout_secs=0.5)
    started = asyncio.get_running_loop().time()
    sending = asyncio.create_task(sink.send(alert))
    beats = 0
    while not sending.done():
        await asyncio.sleep(0.01)
        beats += 1
    await sending
    assert asyncio.get_running_loop().time() - started < 1.4
    assert beats > 20
    assert sink.owed() == {"line 3 (JSON)": 1}
    started = asyncio.get_running_loop().time()
    await sink.send(msgspec.structs.replace(alert, revision=2))
    assert asyncio.get_running_loop().time() - started < 0.4, "once is enough"
    assert len(web.at("/a")) == 2


async def test_while_it_runs_the_outbox_pays_what_is_owed(
    make: Makes, web: Web, alert: Alert, clock: ManualClock, tmp_path: Path, until: Any
) -> None:
    web.answers["/b"] = b"500 No"
    sink = make(f"json://127.0.0.1:{web.port}/a", f"json://127.0.0.1:{web.port}/b")
    outbox = UpkeptOutbox(tmp_path / "o.sqlite", [sink], clock=clock)
    await outbox.enqueue([alert])
    running = asyncio.create_task(outbox.run())
    await until(lambda: bool(sink.owed()))
    del web.answers["/b"]
    clock.advance(timedelta(seconds=2))
    await until(lambda: not sink.owed())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    outbox.close()
    assert (len(web.at("/a")), len(web.at("/b"))) == (1, 2)


async def test_a_secret_shows_nowhere(
    make: Makes,
    web: Web,
    alert: Alert,
    tmp_path: Path,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    capfd: Any,
) -> None:
    caplog.set_level(1)
    for name in ("apprise", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(1, logger=name)
    web.answers[f"/{CANARY}"] = b"500 No"
    web.slow.add("")
    said: list[str] = []

    class Listens(UnobservedSinks):
        def put_off(self, receiver: str, error: TryLater, *, retry_secs: float) -> None:
            said.append(f"{receiver} {error!r} {error.__cause__!r} {error.__context__!r}")

    sink = make(
        f"json://u:{CANARY}@127.0.0.1:{web.port}/{CANARY}",
        f"ntfy://127.0.0.1:{web.port}/{CANARY}",
        f"mailto://u:{CANARY}@127.0.0.1:9?from=a@v.example&to=b@v.example",
        f"octopush://{CANARY}@v.example/{CANARY}/0611223344",
        timeout_secs=0.3,
    )
    outbox = Outbox(tmp_path / "o.sqlite", [sink], clock=clock, observer=Listens())
    await outbox.enqueue([alert])
    sink._targets.pop()  # the last one would go out to the network
    await outbox.drain()
    assert said
    assert "line 3 (JSON)" in said[0]
    outbox.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("*.sqlite*"))  # noqa: ASYNC240  small ones
    assert CANARY.encode() not in kept
    shown = "".join([caplog.text, *said, repr(sink.__dict__), repr(vars(sink)), *capfd.readouterr()])
    assert CANARY not in shown
    assert logging.getLogger("apprise").disabled


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "holds no address; write one a line there, as in mailto://…", id="nothing"),
        pytest.param("# only this\n", "holds no address; write one a line there, as in mailto://…", id="a comment"),
        pytest.param(
            f"json://h/\nnonsense://{CANARY}\n\nmailto://{CANARY}\n{CANARY}",
            "line 2, 4, 5: no address that apprise understands; see https://appriseit.com/services/ "
            "for how it is written",
            id="not understood",
        ),
        pytest.param(
            f"json://{CANARY}\n#\njson://{CANARY}", "line 3 is line 1 again; take one of them out", id="twice"
        ),
        pytest.param(b"\xff\xfe\x00", "is not text; write the addresses there, one a line, in UTF-8", id="no text"),
        pytest.param(None, "No such file or directory; write the addresses there, one a line", id="no file"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_its_lines(
    text: str | bytes | None, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    path = tmp_path / "urls"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as refused:
        targets_in(path, "receivers.cell.urls_file", timeout_secs=1)
    assert str(refused.value).startswith("receivers.cell.urls_file: ")
    assert told in str(refused.value)
    assert CANARY not in str(refused.value) + caplog.text


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    (tmp_path / "urls").write_text("json://h/")
    with pytest.raises(SettingsError, match=r"pip install -e '\.\[notify\]'"):
        targets_in(tmp_path / "urls", "receivers.cell.urls_file", timeout_secs=1)


@pytest.mark.parametrize(
    ("address", "is_sms"),
    [
        ("octopush://me@v.example/abcdefghijk/0611223344", True),
        ("sfr://user:secret@abcdef/33611223344", True),
        ("smseagle://token@127.0.0.1/0611223344", True),
        ("signal://127.0.0.1:8080/+33611223344/+33611223345", False),
        ("mailto://127.0.0.1?from=a@v.example&to=b@v.example", False),
        ("matrix://u:p@tchap.example/#room", False),
        ("ntfy://topic", False),
    ],
)
def test_sms_gateways_are_known(address: str, is_sms: bool, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text(address)
    (target,) = targets_in(tmp_path / "urls", "key", timeout_secs=1)
    assert target.is_sms is is_sms


async def test_an_sms_gateway_gets_one_segment(make: Makes, web: Web, alert: Alert) -> None:
    web.body = b'{"result": [{"status": "ok"}]}'
    await make(f"smseagle://{CANARY}@127.0.0.1:{web.port}/0611223344").send(alert)
    (body,) = [body for path, _, body in web.posted if "sms" in path]
    told = json.loads(body)["params"]["message"]
    assert told == "ALERTE incendie, Le Havre. Signal à vérifier. Depuis 22/11 08:00. 2 témoins, 4 messages."


SHORTS = [
    ("alert", "Le Havre", "ALERTE incendie, Le Havre. Signal à vérifier."),
    ("resolved", "Le Havre", "Terminé incendie, Le Havre."),
    ("watch", "Saint-Œuvre-l’Évêque", "Veille incendie, Saint-OEuvre-l'Évêque. Signal à vérifier."),
    ("alert", "Ž" * 300, "ALERTE incendie, ZZZ"),
]


@pytest.mark.parametrize(("level", "place", "begins"), SHORTS)
@pytest.mark.parametrize("page_url", ["", "https://vigie.ville.example", "https://" + "x" * 200])
@pytest.mark.parametrize("is_exercise", [False, True])
def test_a_short_text_fits_one_segment_and_never_loses_its_beginning(
    level: Any, place: str, begins: str, page_url: str, is_exercise: bool, alert: Alert
) -> None:
    alert = msgspec.structs.replace(alert, level=level, place=msgspec.structs.replace(alert.place, name=place))
    for room in (160, 140):
        text = Voice(page_url=page_url, is_exercise=is_exercise).short([alert], room)
        assert len(text) <= room
        assert set(text) <= GSM
        assert text.removeprefix("EXERCICE ").startswith(gsm(begins))
        assert text.startswith("EXERCICE") == is_exercise
        assert ("vérifier" in text) == (level != "resolved")
        if len(page_url) == 27 and len(place) < 40:
            assert text.endswith("https://vigie.ville.example/incidents/inc-1")


def test_many_incidents_fit_one_segment(alert: Alert) -> None:
    text = Voice().short([msgspec.structs.replace(alert, incident_id=str(number)) for number in range(40)])
    assert text.startswith("40 incidents : Signal à vérifier. ALERTE incendie, Le Havre.")
    assert len(text) <= 160


def test_what_may_be_a_rumour_says_so_in_the_subject_and_in_one_segment(alert: Alert) -> None:
    alert = msgspec.structs.replace(alert, rumour=Rumour(signs=("denied",)))
    assert Voice().message([alert]).subject == "ALERTE · incendie · Le Havre (signal à vérifier, rumeur possible)"
    assert Voice(language="en").message([alert]).subject.endswith("(signal to verify, possible rumour)")
    assert Voice().short([alert]).startswith("ALERTE incendie, Le Havre. Signal à vérifier, rumeur possible.")
    over = msgspec.structs.replace(alert, level="rejected")
    assert "rumeur" not in Voice().message([over]).subject, "a person has looked"
