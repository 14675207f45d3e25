"""`vigie connect` as a process: a hundred thousand bad values, each accounted for; nothing lost when stopped."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks.webhooks import Webhook

from connectors.watch import Watch
from records import DeadLetter, ManualClock, Post, Pulse, SettingsError, SourceStatus
from streams.reader import follow
from streams.settings import StreamSettings
from streams.topics import DEAD_LETTERS, POSTS, PULSE, SOURCES, Topic
from vigie.broker import EmbeddedBroker, free_port
from vigie.edge import listening_socket, show_statuses
from vigie.edge_assembly import EdgeMetrics
from vigie.metrics import EDGE, LOOKED
from vigie.serving import serve_metrics
from vigie.settings import load
from vigie.source_settings import WebhookSource

Starts = Callable[..., "subprocess.Popen[bytes]"]
Eventually = Callable[..., None]

SECRET = "whsec_" + b64encode(b"of this test and no other one 123").decode()
MORNING = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
GOOD = "Incendie au Havre, fumée noire au-dessus du port"
RECORDED_LINES, BAD_EVERY, QUIET_EVERY = 20_000, 100, 10
MIXED, ALL_BAD, TOO_MANY, SINGLES = 50, 45, 3, 300  # batches, then requests of each kind
VALUES_SENT = MIXED * 999 + ALL_BAD * 1000 + TOO_MANY * 1001 + 11 * SINGLES


def bad_value(number: int) -> Any:
    """Return something that is no post, with its number in it."""
    name, ts = f"bad-{number}", "2024-02-06T07:40:00Z"
    kinds: list[Any] = [
        {"id": name},
        name,
        [name],
        {"id": name, "text": 3, "ts": ts},
        {"id": name, "text": "feu", "ts": "yesterday"},
        {"id": name, "text": "feu", "ts": ts, "geo": {"lat": 999, "lon": 0}},
        {"id": name, "text": "feu", "ts": "0001-01-01T00:00:00+14:00"},
        {"id": [name], "text": "feu", "ts": ts},
        {"id": name, "text": "feu", "ts": ts, "verb": "shout"},
        {"id": name, "text": "feu", "ts": ts, "media": "none"},
    ]
    return kinds[number % len(kinds)]


def good_post(id_: str, text: str = GOOD, ts: datetime = MORNING) -> dict[str, Any]:
    return {"id": id_, "author": "somebody", "text": text, "ts": ts.isoformat()}


class Client:
    """Posts to one process, over one connection, and remembers how each kind of request was answered."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.answers: Counter[tuple[str, int, str]] = Counter()  # kind, status, error
        self.values: Counter[str] = Counter()  # as the answers count them, by outcome
        self.sent = 0

    def signed(self, body: bytes, *, at: datetime | None = None, id_: str = "") -> dict[str, str]:
        at, id_ = at or datetime.now(UTC), id_ or f"msg-{self.sent}"
        return {
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(id_, at, body.decode()),
        }

    def post(self, kind: str, body: bytes, headers: dict[str, str], path: str = "/ingest/staff") -> dict[str, Any]:
        self.sent += 1
        self.connection.request("POST", path, body, headers)
        with self.connection.getresponse() as response:
            answer: dict[str, Any] = json.loads(response.read())
        self.answers[kind, response.status, answer.get("error", "")] += 1
        if "error" in answer:
            self.values[answer["error"]] += answer.get("values", 1)
        else:
            self.values.update(kept=answer["kept"], gated=answer["gated"], listed=len(answer["refused"]))
        return answer

    def say(self, kind: str, content: Any) -> dict[str, Any]:
        body = json.dumps(content).encode()
        return self.post(kind, body, self.signed(body))

    def send_batches(self) -> None:
        numbers = iter(range(10**9))
        for batch in range(MIXED):
            self.say("mixed", [*(bad_value(next(numbers)) for _ in range(999)), good_post(f"good-{batch}")])
        for kind, batches, size in (("all bad", ALL_BAD, 1000), ("too many", TOO_MANY, 1001)):
            for _ in range(batches):
                self.say(kind, [bad_value(next(numbers)) for _ in range(size)])

    def send_singles(self) -> None:
        good = json.dumps(good_post("once")).encode()
        taken = self.signed(good, id_="the same")
        self.post("good", good, taken)
        for number in range(SINGLES):
            self.say("bad", bad_value(number))
            self.say("empty", [])
            cut = good[: number % len(good)]
            self.post("cut", cut, self.signed(cut))
            self.say("half a letter", [good_post("x"), good_post("y", "\ud800")])
            self.post("not text", b"\xff" + good, self.signed(good))
            self.post("unsigned", good, {})
            self.post("half signed", good, {"webhook-signature": "v1,x"})
            self.post("tampered", good + b" ", self.signed(good))
            self.post("stale", good, self.signed(good, at=datetime.now(UTC) - timedelta(hours=1)))
            self.post("replayed", good, taken)
            self.post("unknown source", good, self.signed(good), path="/ingest/stranger")


ANSWERS = Counter(
    {
        ("mixed", 202, ""): MIXED,
        ("all bad", 422, "invalid"): ALL_BAD,
        ("too many", 413, "too_many"): TOO_MANY,
        ("good", 202, ""): 1,
        ("bad", 422, "invalid"): SINGLES,
        ("empty", 422, "empty"): SINGLES,
        ("cut", 400, "not_json"): SINGLES,
        ("half a letter", 400, "not_json"): SINGLES,
        ("not text", 400, "not_json"): SINGLES,
        ("unsigned", 401, "unsigned"): SINGLES,
        ("half signed", 401, "unsigned"): SINGLES,
        ("tampered", 401, "tampered"): SINGLES,
        ("stale", 401, "stale"): SINGLES,
        ("replayed", 409, "replayed"): SINGLES,
        ("unknown source", 404, "unknown_source"): SINGLES,
    }
)


def metrics_at(port: int) -> Counter[tuple[str, str, str]]:
    """Return what /metrics says was read: by source, outcome and reason."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return Counter(
        {
            (sample.labels["source"], sample.labels["outcome"], sample.labels["reason"]): int(sample.value)
            for family in families
            for sample in family.samples
            if sample.name == "vigie_read_total"
        }
    )


def sums_of(pulses: list[Pulse], source: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for pulse in pulses:
        if pulse.source == source:
            sums.update(pulse.outcomes)
    return sums


def listens_on(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


async def all_of(streams: StreamSettings, topic: Topic, least: int) -> list[Any]:
    """Return all that a topic holds: what is there a second after the least that must be."""
    records: list[Any] = []
    try:
        async with asyncio.timeout(60) as patience:
            async for record in follow(streams, topic):
                records.append(record)
                if len(records) >= least:
                    patience.reschedule(asyncio.get_running_loop().time() + 1)
    except TimeoutError:
        pass
    return records


class Stopped(NamedTuple):
    """What was left when the edge had been flooded, stopped in the middle of a file, and started once more."""

    client: Client
    metrics: Counter[tuple[str, str, str]]  # after the flood, of the first process
    statuses: list[int]  # of both processes, each told to stop
    read_first: int  # lines of the file, by the first process
    last_answer: dict[str, Any]
    said: list[str]  # on standard error
    posts: list[Post]
    letters: list[DeadLetter]
    pulses: list[Pulse]
    sources: list[SourceStatus]


def recording(path: Path) -> None:
    """Write a file with a post a second; each tenth is no matter of ours, each hundredth cannot be read."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, RECORDED_LINES + 1):
            text = "Bonjour" if number % QUIET_EVERY == 0 else GOOD
            one = good_post(f"line-{number}", text, MORNING + timedelta(seconds=number))
            file.write("no post\n" if number % BAD_EVERY == 0 else json.dumps(one, ensure_ascii=False) + "\n")


@pytest.fixture(scope="module")
def stopped(
    start_vigie: Starts, logs: Path, eventually: Eventually, tmp_path_factory: pytest.TempPathFactory
) -> Stopped:
    folder = tmp_path_factory.mktemp("edge")
    recording(folder / "posts.jsonl")
    (folder / "secret").write_text(SECRET)
    port, metrics_port = free_port(), free_port()
    settings_file = folder / "vigie.toml"
    with EmbeddedBroker(log_path=folder / "broker.log") as broker:

        def started(name: str, speed: int) -> "subprocess.Popen[bytes]":
            settings_file.write_text(
                f"[broker]\nport = {broker.port}\n[edge]\nmetrics_port = {metrics_port}\n"
                f'[[sources]]\nkind = "webhook"\nname = "staff"\nport = {port}\nsecret_file = "secret"\n'
                f'[[sources]]\nkind = "recorded"\nname = "drill"\npath = "posts.jsonl"\nspeed = {speed}\n'
                f'[[official_accounts]]\nplatform = "staff"\naccount = "somebody"\nname = "Mairie"\n'
            )
            process = start_vigie("connect", "--settings", settings_file, log=name)
            eventually(lambda: process.poll() is not None or listens_on(port), f"{name} listens on {port}")
            assert process.poll() is None
            return process

        def told_to_stop(process: "subprocess.Popen[bytes]") -> int:
            process.send_signal(signal.SIGTERM)
            return process.wait(60)

        def lines_read() -> int:
            return sum(values for (source, *_), values in metrics_at(metrics_port).items() if source == "drill")

        first = started("first", speed=40)
        client = Client(port)
        client.send_batches()
        client.send_singles()
        metrics = metrics_at(metrics_port)
        last_answer = client.say("last", good_post("last"))
        eventually(lambda: lines_read() > BAD_EVERY, "a few lines of the file are read")
        statuses = [told_to_stop(first)]

        streams = load(settings_file).streams()
        client.connection.close()
        pulses = asyncio.run(all_of(streams, PULSE, 1))
        read_first = sums_of(pulses, "drill").total()
        second = started("second", speed=0)
        eventually(lambda: lines_read() >= RECORDED_LINES - read_first, "the rest of the file is read", secs=90)
        statuses.append(told_to_stop(second))
        posts = asyncio.run(all_of(streams, POSTS, RECORDED_LINES * 9 // 10))
        letters = asyncio.run(all_of(streams, DEAD_LETTERS, MIXED * 999))
        pulses = asyncio.run(all_of(streams, PULSE, len(pulses) + 1))
        sources = asyncio.run(all_of(streams, SOURCES, 4))
    said = [(logs / f"{name}.err").read_text() for name in ("first", "second")]
    return Stopped(client, metrics, statuses, read_first, last_answer, said, posts, letters, pulses, sources)


pytestmark = pytest.mark.broker


def test_a_hundred_thousand_bad_values_are_each_refused_with_a_reason(stopped: Stopped) -> None:
    assert VALUES_SENT >= 100_000
    answers = stopped.client.answers
    assert Counter({key: count for key, count in answers.items() if key[0] != "last"}) == ANSWERS


def test_every_bad_value_among_good_ones_lies_in_the_dead_letters(stopped: Stopped) -> None:
    letters = [letter for letter in stopped.letters if letter.topic == "source:staff"]
    assert {letter.reason for letter in letters} == {"invalid"}
    numbers = [int(found[1]) for letter in letters if (found := re.search(rb"bad-(\d+)", letter.value))]
    assert sorted(numbers) == list(range(MIXED * 999))
    assert not any(b"somebody" in letter.value for letter in letters)


def test_the_metrics_add_up_to_what_was_sent(stopped: Stopped) -> None:
    counted, answered = stopped.metrics, stopped.client.values
    of_staff = Counter({key: count for key, count in counted.items() if key[0] == "staff"})
    strangers = Counter({key: count for key, count in counted.items() if key[0] == "webhook"})
    good = MIXED + 1
    assert of_staff["staff", "kept", ""] == good
    assert of_staff.total() + strangers.total() == VALUES_SENT + good
    assert strangers == Counter({("webhook", "refused", "unknown_source"): SINGLES})
    for reason in ("unsigned", "tampered", "stale", "replayed", "empty", "not_json", "too_many"):
        assert of_staff["staff", "refused", reason] == answered[reason]
    assert of_staff["staff", "refused", "invalid"] == answered["listed"] + answered["invalid"]


def test_after_all_that_the_process_still_takes_posts(stopped: Stopped) -> None:
    assert stopped.last_answer == {"kept": 1, "gated": 0, "refused": []}


def test_signed_posts_stand_on_the_topic_once_and_without_their_author(stopped: Stopped) -> None:
    found = [post for post in stopped.posts if post.source == "staff"]
    assert sorted(post.id for post in found) == sorted([*(f"good-{n}" for n in range(MIXED)), "once", "last"])
    assert {post.text for post in found} == {GOOD}
    assert not any("somebody" in repr(post) for post in found)


def test_a_registered_account_is_known_on_its_own_platform_alone(stopped: Stopped) -> None:
    kinds = {(post.source, post.author_kind) for post in stopped.posts}
    assert kinds == {("staff", "official"), ("drill", "unknown")}


def test_told_to_stop_it_hands_over_what_it_read_and_leaves_with_status_0(stopped: Stopped) -> None:
    assert stopped.statuses == [0, 0]
    assert 0 < stopped.read_first < RECORDED_LINES
    for log in stopped.said:
        assert "edge ends" in log.splitlines()[-1]
        assert "Traceback" not in log


def test_started_again_it_goes_on_where_it_stopped_and_reads_no_line_twice(stopped: Stopped) -> None:
    wanted = [n for n in range(1, RECORDED_LINES + 1) if n % QUIET_EVERY]
    assert sorted(int(post.id[5:]) for post in stopped.posts if post.source == "drill") == wanted
    letters = [letter for letter in stopped.letters if letter.topic == "source:drill"]
    assert len(letters) == RECORDED_LINES // BAD_EVERY
    assert len({letter.detail for letter in letters}) == len(letters)


def test_the_pulses_add_up_to_what_was_read_too(stopped: Stopped) -> None:
    assert sums_of(stopped.pulses, "drill") == {
        "kept": RECORDED_LINES - RECORDED_LINES // QUIET_EVERY,
        "gated": RECORDED_LINES // QUIET_EVERY - RECORDED_LINES // BAD_EVERY,
        "refused": RECORDED_LINES // BAD_EVERY,
    }
    staff = sums_of(stopped.pulses, "staff")
    assert staff["kept"] == MIXED + 2
    assert staff.total() + sums_of(stopped.pulses, "webhook").total() == VALUES_SENT + MIXED + 2


def test_answers_to_small_requests_do_not_wait_for_more_to_send() -> None:
    source = WebhookSource(kind="webhook", port=free_port(), secret_file=Path("x"))
    with listening_socket(source) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^edge\.metrics_port: cannot listen on port {port}: Address already"):
            serve_metrics(EDGE, "127.0.0.1", port, "edge.metrics_port")
        with pytest.raises(SettingsError, match=rf"^sources\.webhook: cannot listen on 127\.0\.0\.1:{port}: Address"):
            listening_socket(WebhookSource(kind="webhook", port=port, secret_file=Path("x")))


def test_a_source_whose_clock_runs_ahead_is_told_from_one_that_lags() -> None:
    observer = EdgeMetrics(["ahead"])
    for seconds, lag, ahead in ((-90.0, 0.0, 90.0), (5.0, 5.0, 0.0)):
        observer.lagged("ahead", seconds)
        assert EDGE.get_sample_value("vigie_source_lag_seconds", {"source": "ahead"}) == lag
        assert EDGE.get_sample_value("vigie_source_ahead_seconds", {"source": "ahead"}) == ahead


def test_when_the_edge_last_looked_at_its_sources_is_shown() -> None:
    clock = ManualClock(datetime(2026, 11, 22, 7, 0, tzinfo=UTC))
    watch = Watch(EdgeMetrics(), clock)
    for seconds in (0, 5):
        clock.advance(timedelta(seconds=seconds))
        show_statuses(watch, clock)
        (looked,) = next(iter(LOOKED.collect())).samples
        assert looked.value == clock.now().timestamp()


def test_how_each_source_stands_is_told(stopped: Stopped) -> None:
    assert {(status.source, status.way) for status in stopped.sources} == {("staff", "people"), ("drill", "network")}
    most = {name: max(one.refused for one in stopped.sources if one.source == name) for name in ("staff", "drill")}
    assert most["staff"] > MIXED
    assert most["drill"] > 0
    stopped_at_last = {status.why for status in stopped.sources if status.source == "staff" and status.state == "blind"}
    assert "the process that reads it was stopped" in stopped_at_last
