"""The receivers `apprise` and `alertmanager`: what `vigie check` says of their settings; they run in the outbox."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sinks.alertmanager import Alertmanager
from connectors.sinks.apprise import AppriseSink
from connectors.sinks.upkeep import LookedAfter, UpkeptOutbox
from records import SystemClock
from vigie import telling
from vigie.receiver_assembly import alertmanager_from, sink_from
from vigie.receiver_settings import AlertmanagerReceiver
from vigie.settings import Settings

Finds = Callable[[str, str], list[str]]

PEOPLE = '[[receivers]]\nkind = "apprise"\nname = "duty"\nurls_file = "people"\n'
MANAGER = '[[receivers]]\nkind = "alertmanager"\nurl = "{url}"\n'
CANARY = "hunter2canary"


def test_addresses_that_are_understood_are_no_problem(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "people").write_text(
        f"# duty\nmailtos://u:{CANARY}@mail.example?to=a@v.example\nntfys://ntfy.example/t\n"
    )
    assert problems(PEOPLE, "receivers") == []
    assert not (tmp_path / "vigie-data").exists(), "looking writes nothing"


def test_an_address_that_is_not_understood_is_told_by_its_line(problems: Finds, tmp_path: Path) -> None:
    (tmp_path / "people").write_text(f"# duty\nmailto://{CANARY}\nntfys://ntfy.example/t\nwhat://{CANARY}\n")
    assert problems(PEOPLE, "receivers") == [
        "receivers.duty.urls_file: people: line 2, 4: no address that apprise understands; "
        "see https://appriseit.com/services/ for how it is written"
    ]


def test_a_file_of_addresses_that_is_not_there_is_told(problems: Finds) -> None:
    assert problems(PEOPLE, "receivers") == [
        "receivers.duty.urls_file: cannot read people: No such file or directory; "
        "write the addresses there, one a line, for this user alone"
    ]


@pytest.mark.parametrize(
    ("url", "more", "expected"),
    [
        pytest.param(
            "http://127.0.0.1:1",
            "",
            "receivers.alertmanager.url: 127.0.0.1:1 does not answer: Connection refused; "
            "see the address, the network, the proxy",
            id="nobody there",
        ),
        pytest.param(
            "http://am.example",
            "",
            "receivers.alertmanager.url: http://am.example can be read on the way; use https",
            id="no TLS",
        ),
        pytest.param(
            "https://127.0.0.1:1",
            'username = "vigie"\n',
            "receivers.alertmanager.username: goes with a password_file; give both or neither",
            id="a user without a password",
        ),
        pytest.param(
            "https://127.0.0.1:1",
            'token_file = "t"\nusername = "vigie"\npassword_file = "p"\n',
            "receivers.alertmanager.token_file: there is a password_file too; give one of them",
            id="both",
        ),
        pytest.param(
            "https://127.0.0.1:1",
            'token_file = "t"\n',
            "receivers.alertmanager.token_file: cannot read t: No such file or directory; "
            "write the secret there, readable by this user",
            id="no token",
        ),
    ],
)
def test_an_alertmanager_that_cannot_be_told_is_told(url: str, more: str, expected: str, problems: Finds) -> None:
    assert problems(MANAGER.format(url=url) + more, "receivers")[0] == expected


async def test_they_are_looked_after_while_the_outbox_runs(loaded: Callable[[str], Settings], tmp_path: Path) -> None:
    (tmp_path / "people").write_text("ntfys://ntfy.example/t\n")
    (tmp_path / "t").write_text("a-token\n")
    settings = loaded(PEOPLE + MANAGER.format(url="http://127.0.0.1:1") + 'token_file = "t"\n')
    outbox = telling.outbox(settings, SystemClock())
    assert isinstance(outbox, UpkeptOutbox)
    outbox.close()
    people, manager = (sink_from(receiver, settings, SystemClock()) for receiver in settings.receivers)
    assert isinstance(people, AppriseSink)
    assert isinstance(manager, Alertmanager)
    for sink in (people, manager):
        assert isinstance(sink, LookedAfter)
        assert (tmp_path / "vigie-data" / "receivers" / f"{sink.name}.sqlite").exists()
    people.close()
    await manager.close()


@pytest.mark.parametrize(
    ("more", "header"),
    [
        ('token_file = "secret"\n', "authorization: bearer hunter2canary"),
        ('username = "u"\npassword_file = "secret"\n', "authorization: basic dtpodw50zxiyy2fuyxj5"),
    ],
)
async def test_a_key_goes_with_every_request(
    more: str, header: str, loaded: Callable[[str], Settings], tmp_path: Path
) -> None:
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        body = json.dumps([]).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    (tmp_path / "secret").write_text(f"{CANARY}\n")
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = loaded(MANAGER.format(url=f"http://127.0.0.1:{port}") + more)
        (receiver,) = settings.receivers
        assert isinstance(receiver, AlertmanagerReceiver)
        manager = alertmanager_from(receiver, settings, SystemClock())
        assert await manager.silences() == []
        await manager.close()
    assert header in heads[0]
