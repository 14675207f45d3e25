"""Alertmanager itself, as Debian packages it: alerts arrive there and go on, are updated and resolved, and silenced.

Where it is not installed the tests that need it are skipped, saying so. In CI they fail instead: there it is required.
"""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.sinks.alertmanager import LABELS, Alertmanager, our_id, state_of
from connectors.sinks.contract import TryLater, Undeliverable
from connectors.sinks.outbox import Outbox
from connectors.sinks.upkeep import UpkeptOutbox
from records import Alert, ManualClock, Matcher, SettingsError, Silence, SystemClock, encode
from records.labels import labels_of
from streams.decided import Decided
from vigie.broker import free_port
from vigie.mirroring import Mirror

BINARY = "prometheus-alertmanager"
START_SECS = 20.0
CONFIG = """
route:
  receiver: cell
  group_by: [incident_id]
  group_wait: 100ms
  group_interval: 300ms
  repeat_interval: 1h
receivers:
  - name: cell
    webhook_configs:
      - url: {url}
        send_resolved: true
"""
SECRET = "hunter2canary"


class Cell:
    """Whom Alertmanager notifies: a web server on the loopback."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        self.told.append(json.loads(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    def statuses(self) -> set[tuple[str, str]]:
        """Return which levels were told of as firing, and which as resolved."""
        return {(alert["labels"]["level"], alert["status"]) for news in self.told for alert in news["alerts"]}


class Server:
    """One Alertmanager on the loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, notifies: str) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "alertmanager.yml").write_text(CONFIG.format(url=notifies))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  Alertmanager itself
                [
                    str(shutil.which(BINARY)),
                    "--cluster.listen-address=",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    f"--storage.path={self.folder / 'data'}",
                    f"--config.file={self.folder / 'alertmanager.yml'}",
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Alertmanager does not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=1).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(START_SECS)

    def silence(self, body: dict[str, Any]) -> None:
        httpx.post(f"{self.url}/api/v2/silences", json=body).raise_for_status()

    def alert(self, labels: dict[str, str]) -> None:
        httpx.post(f"{self.url}/api/v2/alerts", json=[{"labels": labels}]).raise_for_status()

    def alerts(self, state: str = "") -> list[dict[str, Any]]:
        found = httpx.get(f"{self.url}/api/v2/alerts").raise_for_status().json()
        return [alert for alert in found if not state or alert["status"]["state"] == state]


@pytest.fixture
async def cell() -> AsyncIterator[Cell]:
    cell = Cell()
    server = await asyncio.start_server(cell.handle, "127.0.0.1", 0)
    cell.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        yield cell


@pytest.fixture
def server(tmp_path: Path, cell: Cell) -> Iterator[Server]:
    if shutil.which(BINARY) is None:
        told = f"no {BINARY}, which Debian's package of this name brings"
        if os.environ.get("CI") == "true" and not os.environ.get("VIGIE_NO_ALERTMANAGER"):
            pytest.fail(f"{told}; CI requires the tests on Alertmanager, unless VIGIE_NO_ALERTMANAGER is set")
        pytest.skip(f"{told}; the tests on Alertmanager need it")
    server = Server(tmp_path / "alertmanager")
    server.start(cell.url)
    yield server
    server.kill()


Makes = Callable[..., Alertmanager]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Makes]:
    made: list[Alertmanager] = []

    def make(url: str, *, clock: Any = None, **more: Any) -> Alertmanager:
        sink = Alertmanager(url, kept=tmp_path / "kept.sqlite", clock=clock or SystemClock(), **more)
        made.append(sink)
        return sink

    yield make
    for sink in made:
        await sink.close()


@pytest.fixture
def now_alert(alert: Alert) -> Alert:
    """Return an alert of just now: Alertmanager has no clock but its own."""
    now = datetime.now(UTC) - timedelta(minutes=3)
    return msgspec.structs.replace(alert, onset=now, raised_at=now, area="76")


def silence_of(*matchers: Matcher, **changed: Any) -> Silence:
    now = datetime.now(UTC)
    silence = Silence(
        silence_id="ours-1",
        matchers=matchers,
        author="duty officer",
        reason="known works",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        made_at=now,
    )
    return msgspec.structs.replace(silence, **changed)


@pytest.mark.alertmanager
async def test_an_incident_is_one_alert_that_moves_on_in_place(
    server: Server, cell: Cell, make: Makes, now_alert: Alert, until: Any
) -> None:
    sink = make(server.url, page_url="https://vigie.example")
    await sink.send(now_alert)
    (found,) = server.alerts("active")
    assert found["labels"] == {
        "alertname": "VigieIncident",
        "incident_id": "inc-1",
        "hazard": "fire",
        "area": "76",
        "insee": "76351",
        "level": "alert",
        "severity": "Severe",
    }
    assert found["annotations"]["summary"] == "ALERTE · incendie · Le Havre (signal à vérifier)"
    assert found["annotations"]["description_en"] == "Four people speak of a fire."
    assert found["generatorURL"] == "https://vigie.example/incidents/inc-1"
    assert found["startsAt"] == now_alert.onset.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert "Énorme" not in json.dumps(found, ensure_ascii=False)
    await until(lambda: ("alert", "firing") in cell.statuses())

    await sink.send(msgspec.structs.replace(now_alert, revision=2, score=2.5, certainty="Observed"))
    (again,) = server.alerts("active")
    assert (again["fingerprint"], again["annotations"]["revision"]) == (found["fingerprint"], "2")
    assert again["annotations"]["score"] == "2.50"


@pytest.mark.alertmanager
async def test_a_label_that_changes_resolves_the_alert_of_before(
    server: Server, cell: Cell, make: Makes, now_alert: Alert, until: Any
) -> None:
    sink = make(server.url)
    await sink.send(msgspec.structs.replace(now_alert, level="watch", severity="Moderate"))
    await until(lambda: ("watch", "firing") in cell.statuses())
    await sink.send(msgspec.structs.replace(now_alert, revision=2))
    (found,) = server.alerts("active")
    assert (found["labels"]["level"], found["labels"]["severity"]) == ("alert", "Severe")
    await until(lambda: {("alert", "firing"), ("watch", "resolved")} <= cell.statuses())
    await sink.send(msgspec.structs.replace(now_alert, revision=3, level="watch", severity="Moderate"))
    (found,) = server.alerts("active")
    assert found["labels"]["level"] == "watch", "what was resolved may come back"


@pytest.mark.alertmanager
@pytest.mark.parametrize("level", ["resolved", "rejected"])
@pytest.mark.parametrize("ahead_secs", [0, 30])
async def test_a_closed_incident_is_resolved(
    server: Server, cell: Cell, make: Makes, now_alert: Alert, until: Any, level: Any, ahead_secs: int
) -> None:
    clock = ManualClock(datetime.now(UTC) + timedelta(seconds=ahead_secs))  # ours may be ahead of its own
    sink = make(server.url, clock=clock)
    await sink.send(now_alert)
    await until(lambda: ("alert", "firing") in cell.statuses())
    await sink.send(msgspec.structs.replace(now_alert, revision=2, level="monitoring"))
    assert len(server.alerts("active")) == 1, "one that calms down is still open"
    await sink.send(msgspec.structs.replace(now_alert, revision=3, level=level))
    assert server.alerts() == []
    assert sink.open() == {}
    await until(lambda: ("monitoring", "resolved") in cell.statuses())


@pytest.mark.alertmanager
async def test_what_is_open_is_said_again_after_restarts_of_both(
    server: Server, cell: Cell, make: Makes, now_alert: Alert, witness: Any
) -> None:
    clock = ManualClock(datetime.now(UTC))
    sink = make(server.url, clock=clock)
    await sink.send(now_alert)
    await sink.keep_up(witness)
    ends = server.alerts()[0]["endsAt"]
    await sink.close()
    server.kill()
    server.start(cell.url)
    assert server.alerts() == [], "it keeps no alerts over a restart"
    sink = make(server.url, clock=clock)
    await sink.keep_up(witness)
    (found,) = server.alerts("active")
    clock.advance(timedelta(seconds=59))
    await sink.keep_up(witness)
    assert server.alerts()[0]["endsAt"] == found["endsAt"] == ends, "not before a minute is over"
    clock.advance(timedelta(seconds=1))
    await sink.keep_up(witness)
    assert server.alerts()[0]["endsAt"] > ends
    await sink.send(msgspec.structs.replace(now_alert, revision=2, level="resolved"))
    assert server.alerts() == []
    assert not witness.sinks


@pytest.mark.alertmanager
async def test_a_silence_set_there_shows(server: Server, make: Makes, now_alert: Alert) -> None:
    sink = make(server.url, name="duty")
    now = datetime.now(UTC)
    body = {
        "matchers": [
            {"name": "alertname", "value": "VigieIncident", "isRegex": False, "isEqual": True},
            {"name": "hazard", "value": "fi.*", "isRegex": True, "isEqual": True},
            {"name": "severity", "value": "Extreme", "isRegex": False, "isEqual": False},
        ],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=2)).isoformat(),
        "createdBy": "karma",
        "comment": "burning stubble",
    }
    for changed in ({}, {"startsAt": (now + timedelta(hours=1)).isoformat()}, {"matchers": body["matchers"][:1]}):
        server.silence(body | changed)
    found = await sink.silences()
    assert len(found) == 3
    assert {(one.author, one.reason, one.origin, our_id(one)) for one in found} == {
        ("karma", "burning stubble", "duty", "")
    }
    labels = labels_of(now_alert)
    later = now + timedelta(seconds=30)
    assert sorted(state_of(one, later) for one in found) == ["active", "active", "pending"]
    assert [one.holds(labels, later) for one in found] == [state_of(one, later) == "active" for one in found]
    for one in found:
        await sink.end(one.silence_id)
        await sink.end(one.silence_id)
    assert {state_of(one, datetime.now(UTC)) for one in await sink.silences()} <= {"expired"}


@pytest.mark.alertmanager
async def test_a_silence_of_ours_mutes_and_can_be_changed_and_ended(
    server: Server, cell: Cell, make: Makes, now_alert: Alert, until: Any
) -> None:
    sink = make(server.url)
    ours = silence_of(Matcher(name="hazard", value="fire"), Matcher(name="level", value="watch", is_equal=False))
    silence_id = await sink.silence(ours)
    await sink.send(now_alert)
    await sink.send(msgspec.structs.replace(now_alert, incident_id="inc-2", hazard="flood"))
    await until(lambda: len(cell.told) == 1)
    await asyncio.sleep(0.6)
    assert [news["alerts"][0]["labels"]["hazard"] for news in cell.told] == ["flood"]
    server.alert({"alertname": "Kitchen", "hazard": "fire", "level": "alert"})
    (muted,) = server.alerts("suppressed")  # and not what others tell it
    assert muted["status"]["silencedBy"] == [silence_id]
    (found,) = await sink.silences()
    assert our_id(found) == "ours-1"
    assert found.matchers == ours.matchers

    longer = msgspec.structs.replace(ours, ends_at=ours.ends_at + timedelta(hours=1))
    assert await sink.silence(longer) == silence_id, "the same one, made again"
    (found,) = await sink.silences()
    assert found.ends_at - ours.ends_at > timedelta(minutes=59)
    await sink.silence(msgspec.structs.replace(ours, ends_at=ours.starts_at))
    await until(lambda: any(news["alerts"][0]["labels"]["hazard"] == "fire" for news in cell.told))
    assert await sink.silence(msgspec.structs.replace(ours, ends_at=ours.starts_at)) == ""


@pytest.mark.alertmanager
async def test_what_it_refuses_is_told_in_its_words(server: Server, make: Makes) -> None:
    sink = make(server.url)
    with pytest.raises(Undeliverable, match="answered 400: silence invalid: invalid label matcher"):
        await sink.silence(silence_of(Matcher(name="area", value="(", is_regex=True)))
    await sink.end("3fa85f64-5717-4562-b3fc-2c963f66afa6")
    with pytest.raises(Undeliverable, match="answered 422"):
        await sink.end("nonsense")


@pytest.mark.alertmanager
async def test_it_runs_within_the_outbox(
    server: Server, cell: Cell, make: Makes, now_alert: Alert, tmp_path: Path, until: Any
) -> None:
    outbox = UpkeptOutbox(tmp_path / "o.sqlite", [make(server.url)], clock=SystemClock())
    running = asyncio.create_task(outbox.run())
    await outbox.enqueue([now_alert])
    await until(lambda: ("alert", "firing") in cell.statuses())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    outbox.close()


class Answers:
    """Alertmanager where it is not itself: what it answers, and what it is asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.asked: list[tuple[str, list[Any]]] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split()[0]) if "content-length" in head.lower() else 0
        self.asked.append((head, json.loads(await reader.readexactly(length) or b"[]")))
        answer = self.answers.pop(0) if self.answers else b"200 OK\r\nContent-Length: 0"
        writer.write(b"HTTP/1.1 " + answer + b"\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def stand_in() -> AsyncIterator[Answers]:
    answers = Answers()
    server = await asyncio.start_server(answers.handle, "127.0.0.1", 0)
    answers.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/am"
    async with server:
        yield answers


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"500 No", TryLater),
        (b"401 Who", TryLater),
        (b"404 Where", TryLater),
        (b"302 There\r\nLocation: http://127.0.0.1:1/", TryLater),
        (b"nonsense", TryLater),
        (b"400 Bad\r\nContent-Length: 0", Undeliverable),
        (b"413 Long\r\nContent-Length: 0", Undeliverable),
    ],
)
async def test_what_an_answer_means(
    answer: bytes, error: type[Exception], stand_in: Answers, make: Makes, alert: Alert, witness: Any
) -> None:
    stand_in.answers = [answer, answer]
    sink = make(stand_in.url)
    with pytest.raises(error):
        await sink.send(alert)
    assert sink.open() == {}, "what it has not got is not said again"
    assert len(stand_in.asked) == 1


async def test_saying_again_is_tried_again_soon_and_told(
    stand_in: Answers, make: Makes, alert: Alert, witness: Any, clock: ManualClock
) -> None:
    sink = make(stand_in.url, clock=clock)
    await sink.send(alert)
    stand_in.answers = [b"500 No"]
    await sink.keep_up(witness)
    assert witness.sinks == {("alertmanager", "put_off"): 1}
    clock.advance(timedelta(seconds=10))
    await sink.keep_up(witness)
    await sink.keep_up(witness)
    assert len(stand_in.asked) == 3


async def test_a_lower_revision_and_the_end_of_an_unknown_incident_say_nothing(
    stand_in: Answers, make: Makes, alert: Alert
) -> None:
    sink = make(stand_in.url)
    await sink.send(msgspec.structs.replace(alert, level="resolved"))
    await sink.send(msgspec.structs.replace(alert, revision=3))
    await sink.send(msgspec.structs.replace(alert, revision=2, level="watch"))
    assert len(stand_in.asked) == 1
    assert sink.open()["inc-1"].revision == 3


async def test_an_incident_without_news_for_a_week_is_not_said_any_more(
    stand_in: Answers, make: Makes, alert: Alert, witness: Any, clock: ManualClock
) -> None:
    sink = make(stand_in.url, clock=clock)
    await sink.send(alert)
    clock.advance(timedelta(days=7, seconds=1))
    await sink.keep_up(witness)
    assert sink.open() == {}
    assert len(stand_in.asked) == 1


async def test_killed_between_saying_and_noting_the_same_is_said_again(
    stand_in: Answers, make: Makes, alert: Alert, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = make(stand_in.url, clock=clock)
    await sink.send(msgspec.structs.replace(alert, level="watch"))

    async def cut(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(sink, "_note", cut)
    outbox = Outbox(tmp_path / "o.sqlite", [sink], clock=clock)
    await outbox.enqueue([msgspec.structs.replace(alert, revision=2)])
    with pytest.raises(asyncio.CancelledError):
        await outbox.drain()
    outbox.close()
    again = make(stand_in.url, clock=clock)
    outbox = Outbox(tmp_path / "o.sqlite", [again], clock=clock)
    assert await outbox.drain() == 1
    outbox.close()
    assert stand_in.asked[1][1] == stand_in.asked[2][1], "the old one resolved, the new one firing, both times"
    assert [one["labels"]["level"] for one in stand_in.asked[2][1]] == ["watch", "alert"]


async def test_keys_are_sent_and_never_shown(stand_in: Answers, make: Makes, alert: Alert, caplog: Any) -> None:
    caplog.set_level(1)
    stand_in.answers = [b"401 Who"]
    sink = make(stand_in.url, auth=httpx.BasicAuth("vigie", SECRET))
    with pytest.raises(TryLater) as refused:
        await sink.send(alert)
    assert "authorization: basic" in stand_in.asked[0][0].lower()
    assert stand_in.asked[0][0].startswith("POST /am/api/v2/alerts ")
    assert SECRET not in str(refused.value) + caplog.text + repr(sink.__dict__)


async def test_a_silence_by_a_label_that_is_not_told_is_refused(make: Makes) -> None:
    sink = make("http://127.0.0.1:9")
    with pytest.raises(Undeliverable, match=r"by place, team is not possible there; go by incident_id, hazard, area"):
        await sink.silence(silence_of(*(Matcher(name=name, value="x") for name in ("team", "place", *LABELS))))


@pytest.mark.parametrize("body", [b"[{}]", b"{", b"null"])
async def test_silences_that_cannot_be_read_are_tried_later(stand_in: Answers, make: Makes, body: bytes) -> None:
    stand_in.answers = [b"200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body]
    with pytest.raises(TryLater, match="cannot be read"):
        await make(stand_in.url).silences()


@pytest.mark.parametrize("url", ["http://am.example", "https://user:secret@am.example", "ftp://am", ""])
def test_refuses_addresses_that_are_none(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="alertmanager: "):
        Alertmanager(url, kept=tmp_path / "kept", clock=SystemClock())


async def test_silences_are_known_on_both_sides_and_end_on_both(server: Server, make: Makes) -> None:
    sink, decided = make(server.url), Decided(SystemClock())
    mirror = Mirror([sink, object()], decided, SystemClock())
    published: list[Silence] = []

    async def publish(silences: Sequence[Silence]) -> None:
        published.extend(silences)
        for one in silences:
            decided.take(encode(one))

    now = datetime.now(UTC)
    ours = silence_of(Matcher(name="hazard", value="fire"))
    decided.take(encode(ours))
    server.silence(
        {
            "matchers": [{"name": "area", "value": "76", "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "astreinte",
            "comment": "travaux",
        }
    )
    await mirror.look(publish)
    (theirs,) = published
    assert (theirs.origin, theirs.author, theirs.reason) == (sink.name, "astreinte", "travaux")
    assert {our_id(one) for one in await sink.silences()} == {"", "ours-1"}
    await mirror.look(publish)
    assert len(published) == 1, "told once, and ours is not taken for theirs"

    decided.take(encode(msgspec.structs.replace(ours, ends_at=datetime.now(UTC))))
    await sink.end(theirs.silence_id)
    await mirror.look(publish)
    assert published[-1].silence_id == theirs.silence_id
    assert published[-1].ends_at <= datetime.now(UTC)
    assert {state_of(one, datetime.now(UTC)) for one in await sink.silences()} == {"expired"}


async def test_an_alertmanager_that_is_away_holds_up_nobody(make: Makes) -> None:
    async def publish(_: Sequence[Silence]) -> None:
        raise AssertionError("nothing was heard")

    await Mirror([make("http://127.0.0.1:1")], Decided(SystemClock()), SystemClock()).look(publish)
