"""Whatever a source sends: posts, bulletins or refusals, short ones, and no name of an author in any of them.

Each kind of source that the settings know has its wires here: entries of the conformance suite, which bring frames and
take them apart, or an adaptor of this file.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, get_args
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import retry_after
from connectors.cap import alert_from, bytes_from
from connectors.cap_rules import problems_in
from connectors.contract import Reading
from connectors.pseudonym import FixedPseudonyms
from connectors.sources import (
    bluesky,
    cap,
    facebook,
    facebook_graph,
    facebook_webhook,
    feed_memory,
    mastodon,
    notices,
    polling,
    recorded,
    robots,
    x,
)
from connectors.sources.webhook import STATUS
from records import Bulletin, DeadLetter, MalformedRecord, ManualClock, Post, SourceUnavailable, decode, encode
from streams.recorded_topic import RecordedTopic, offsets_in
from streams.settings import StreamSettings
from streams.topics import POSTS
from tests.connectors.conftest import CORPUS, NOW, Broker, Witness, loaded
from tests.fuzz.asking import as_query
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import beside, changed, hostile
from tests.fuzz.told import values_of
from vigie.source_settings import SourceSettings

REASONS = {"empty", "undecodable", "invalid", "too_long"}
LEAST, TIMES = 64 * 1024, 16
"""What a frame gives rise to may be so many bytes, and so many times its own length: letters hold it in base64."""

Take = Callable[[bytes], object]


@dataclass(frozen=True)
class Wire:
    """What one source reads: frames of it, what stands in them that nobody may see again, and what takes one apart."""

    frames: tuple[bytes, ...]
    secrets: tuple[bytes, ...]
    take_apart: Take


class Tools:
    """What entries of the conformance suite use."""

    corpus = CORPUS
    clock = ManualClock(NOW)
    pseudonyms = FixedPseudonyms(b"test")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.witness = Witness()

    def server(self, name: str) -> ModuleType:
        """Return a server of the conformance suite."""
        return loaded(f"servers/{name}.py")


def conformance(name: str) -> Callable[[Path], Wire]:
    """Return what makes the wire of an entry of the conformance suite."""

    def made(folder: Path) -> Wire:
        entry, tools = loaded(f"conformance/{name}.py"), Tools(folder)
        return Wire(tuple(entry.frames(tools)), entry.SECRETS, lambda frame: entry.take_apart(tools, frame))

    return made


def webhook(_: Path) -> Wire:
    """Return the wire of the webhook: a body, sent to each of its senders."""
    tests = loaded("test_webhook_source.py")
    sample = (CORPUS / "recorded.jsonl").read_bytes().splitlines()
    report = {"report": {"id": 7, "text": "fumée", "at": "22/11/2026 07:00"}, "items": [tests.POST]}
    bodies = (tests.BODY, msgspec.json.encode([tests.POST, tests.POST]), msgspec.json.encode(report), *sample)
    secrets = (b"eve_secret", *loaded("conformance/recorded.py").SECRETS)
    return Wire(bodies, secrets, lambda body: asyncio.run(_sent(tests, body)))


async def _sent(tests: ModuleType, body: bytes) -> object:
    broker, clock = Broker(), ManualClock(NOW)
    async with tests.client_of(tests.app_of(broker, Witness(), clock)) as client:
        for name in tests.SENDERS:
            headers = tests.TOKEN | tests.hub_signed(body) | tests.signed(body, clock)
            _check(await client.post(f"/ingest/{name}", content=body, headers=headers))
    return [*broker.kept, *broker.stated, *broker.letters]


def _check(answer: httpx.Response) -> None:
    told = answer.json()
    assert answer.status_code == (202 if "kept" in told else STATUS[told["error"]])
    assert answer.status_code < 500


def timeline(folder: Path) -> Wire:
    """Return the wire of Mastodon's timelines: a page of them, as it is asked for after a while without a stream."""
    entry, tools = loaded("conformance/mastodon.py"), Tools(folder)
    lines = (CORPUS / "mastodon.sse").read_bytes().splitlines()
    statuses = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: {")]
    pages = (b"[" + b",".join(statuses) + b"]", *(b"[" + status + b"]" for status in statuses), b"[]")
    source = entry.source_of(tools, "https://instance.example")

    async def asked(body: bytes) -> object:
        async with answering(body) as client:
            return await source._page_of(client, mastodon.stream_from("user"), {})

    return Wire(pages, entry.SECRETS, lambda body: made_of(asked(body)))


def instance(folder: Path) -> Wire:
    """Return the wire of what a Mastodon says of itself: where its streams are."""
    entry, tools = loaded("conformance/mastodon.py"), Tools(folder)
    source = entry.source_of(tools, "https://instance.example", "token")
    said = [{"configuration": {"urls": {"streaming": address}}} for address in ("wss://s.example", "https://s.example")]

    async def asked(body: bytes) -> object:
        async with answering(body) as client:
            host = await source._streaming_host(client)
        assert host.startswith("https://"), "the token would go in the clear"
        return host

    return Wire((*map(msgspec.json.encode, said), b"{}"), (), lambda body: made_of(asked(body)))


def answering(body: bytes) -> httpx.AsyncClient:
    """Return a client of a server that gives one answer."""
    return httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(body)))
    )


def made_of(asking: Coroutine[Any, Any, object]) -> object:
    """Return what a source makes of an answer, nothing where it says that it cannot be used."""
    with suppress(SourceUnavailable):
        return asyncio.run(asking)
    return None


def topic(folder: Path) -> Wire:
    """Return the wire of a topic that is read again."""
    source = RecordedTopic(
        StreamSettings(kafka_url="kafka://127.0.0.1:9", data_dir=folder), "posts.v1", clock=ManualClock(NOW)
    )
    return Wire(tuple(values_of(POSTS)), (), lambda value: source._post(value, 0))


SIGNED_BY = {
    "watch": ("webhook-id", "webhook-timestamp", "webhook-signature"),
    "page": ("x-hub-signature-256",),
    "form": ("authorization",),
}
"""What each kind of sender shows who it is by."""


def as_bytes(headers: dict[str, bytes]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value) for name, value in headers.items()]


async def _shown(tests: ModuleType, name: str, headers: dict[str, bytes]) -> tuple[bool, httpx.Response]:
    """Return whether anything was kept of what somebody sent who shows this, and what he was told."""
    broker = Broker()
    async with tests.client_of(tests.app_of(broker, Witness(), ManualClock(NOW))) as client:
        answer = await client.post(f"/ingest/{name}", content=tests.BODY, headers=as_bytes(headers))
    return bool(broker.kept or broker.stated or broker.letters), answer


@pytest.mark.parametrize("name", SIGNED_BY)
@fuzzing(100)
@given(number=st.integers(0, 2**64 - 1))
def test_whatever_a_sender_shows_nothing_is_kept_of_who_cannot_sign(name: str, number: int) -> None:
    chance, tests = Random(number), loaded("test_webhook_source.py")  # noqa: S311
    signatures = tests.TOKEN | tests.hub_signed(tests.BODY) | tests.signed(tests.BODY, ManualClock(NOW))
    right = {header: signatures[header].encode() for header in SIGNED_BY[name]}
    headers = dict(right)
    for header in chance.sample(SIGNED_BY[name], chance.randint(1, len(right))):
        headers[header] = changed(chance, [*right.values()]).translate(None, b"\r\n\0")
    if chance.randrange(4) == 0:
        del headers[chance.choice(SIGNED_BY[name])]
    is_kept, answer = asyncio.run(_shown(tests, name, headers))
    _check(answer)
    assert is_kept == (answer.status_code == 202)
    if is_kept:  # of Standard Webhooks, several signatures may be given, and one has to fit
        *others, last = SIGNED_BY[name]
        given = headers[last].split(b" ") if others else [headers[last]]
        assert right[last] in given, headers
        assert [headers[one] for one in others] == [right[one] for one in others], headers


async def _called(method: str, headers: dict[str, bytes], query: bytes) -> tuple[bool, httpx.Response]:
    """Return whether anything was kept of what somebody sent to Facebook's webhook, and what he was told."""
    broker, tools = Broker(), Tools(Path())
    body = (CORPUS / "facebook.jsonl").read_bytes().splitlines()[0]
    app = facebook_webhook.facebook_app(
        page_id="1000000000001",
        app_secret="app",
        verify_token="verify",
        gate=lambda _: True,
        publisher=broker,
        observer=Witness(),
        clock=tools.clock,
        pseudonyms=Tools.pseudonyms,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vigie") as client:
        address = httpx.URL("http://vigie/facebook", query=as_query(query))
        answer = await client.request(method, address, content=body, headers=as_bytes(headers))
    return bool(broker.kept or broker.letters), answer


HELLO = b"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify"


@fuzzing(100)
@given(
    header=hostile([b"sha256=" + b"0" * 64, b"sha256=" + b"0" * 63 + b"g", b"sha1=" + b"0" * 40]),
    query=hostile([HELLO]),
)
def test_whatever_is_shown_to_facebooks_webhook_nothing_is_kept_of_who_cannot_sign(header: bytes, query: bytes) -> None:
    shown = {"x-hub-signature-256": header.translate(None, b"\r\n\0")}
    is_kept, answer = asyncio.run(_called("POST", shown, query))
    assert (is_kept, answer.status_code) == (False, 401)
    _, answer = asyncio.run(_called("GET", shown, query))
    knows = ("hub.verify_token", "verify") in parse_qsl(as_query(query).decode(), keep_blank_values=True)
    assert answer.status_code == 403 or (knows and answer.status_code == 200)


WIRES: dict[str, tuple[Callable[[Path], Wire], ...]] = {
    "bluesky": (conformance("bluesky"),),
    "cap": (conformance("cap"),),
    "facebook": (conformance("facebook"),),
    "hubeau": (conformance("hubeau"),),
    "mastodon": (conformance("mastodon"), timeline, instance),
    "meteofrance": (conformance("meteofrance"),),
    "notices": (conformance("notices"),),
    "press": (conformance("press"),),
    "recorded": (conformance("recorded"), conformance("recorded_table")),
    "topic": (topic,),
    "vigicrues": (conformance("vigicrues"),),
    "webhook": (webhook,),
    "x": (conformance("x"),),
}


@pytest.fixture(scope="module", params=[(kind, number) for kind, made in WIRES.items() for number in range(len(made))])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    kind, number = request.param
    with TemporaryDirectory() as folder:
        yield WIRES[kind][number](Path(folder))


def test_every_kind_of_source_is_fuzzed() -> None:
    union = get_args(get_args(SourceSettings)[0])
    assert {get_args(model.model_fields["kind"].annotation)[0] for model in union} == set(WIRES)


def test_every_entry_of_the_conformance_suite_is_a_wire() -> None:
    folder = Path(loaded("conformance/bluesky.py").__file__ or "").parent
    used = {cell.cell_contents for made in WIRES.values() for one in made for cell in one.__closure__ or ()}
    assert {path.stem for path in folder.glob("*.py")} == used


@fuzzing(100)
@given(data=st.data())
def test_a_frame_gives_records_or_refusals(wire: Wire, data: st.DataObject) -> None:
    check_taken(wire, data.draw(hostile(wire.frames)))


def check_taken(wire: Wire, frame: bytes) -> None:
    """Look at what a source makes of a frame."""
    records = list(found_in(wire.take_apart(frame)))
    for one in records:
        if isinstance(one, Post | Bulletin):
            assert decode(encode(one), type(one)) == one
        elif isinstance(one, MalformedRecord):
            assert one.reason in REASONS
            assert len(str(one)) <= MalformedRecord.LONGEST
    assert sum(map(len, map(left_by, records))) <= LEAST + TIMES * len(frame)


@pytest.mark.parametrize(("kind", "path"), found("sources"), ids=name_of)
def test_a_frame_that_was_found_stays_mended(kind: str, path: Path, tmp_path: Path) -> None:
    for made in WIRES[kind]:
        check_taken(made(tmp_path), path.read_bytes())


SPARED = frozenset({"message_tags", "is_hidden", "is_private", "is_published", "field", "item", "verb", "visibility"})
SPARED |= {"account", "mentions", "tags", "event", "kind", "collection", "operation"}
"""What says of a post for whom it is and who is named in it: who changes these says something else."""


@fuzzing(100)
@given(data=st.data())
def test_no_name_leaves_by_what_stands_beside_it(wire: Wire, data: st.DataObject) -> None:
    frame = data.draw(beside(wire.frames, wire.secrets, SPARED))
    left = b"\n".join(map(left_by, found_in(wire.take_apart(frame))))
    assert [secret for secret in wire.secrets if secret in left] == []


PLACES: dict[str, Callable[[str], object]] = {
    "bluesky": bluesky.position_from,
    "cap": cap.standing_from,
    "facebook": facebook.position_from,
    "hubeau": polling.position_from,
    "mastodon": mastodon.ids_from,
    "meteofrance": polling.position_from,
    "notices": notices.stand_from,
    "press": lambda cursor: feed_memory.standing_from(cursor, ["https://littoral.example/rss"]),
    "recorded": lambda cursor: list(recorded_from(CORPUS / "recorded.jsonl")._left(cursor)),
    "topic": offsets_in,
    "vigicrues": polling.position_from,
    "x": x.position_from,
}
"""What reads the cursors of each kind of source; the webhook has none."""
CURSORS = [
    b"9" * 5_000 + b" " + b"9" * 5_000,
    b"9" * 5_000 + b"@/srv/a.jsonl",
    b"1234",
    b"1 2 2026-11 4",
    b"4@/srv/a.jsonl",
    b"public=12&user=9",
    b'{"0":17}',
    b'{"n":1,"at":"x","seen":{}}',
]


def test_the_cursors_of_every_kind_of_source_are_fuzzed() -> None:
    assert {*PLACES, "webhook"} == set(WIRES)


@pytest.mark.parametrize("kind", PLACES)
@fuzzing(100)
@given(cursor=hostile(CURSORS))
def test_any_cursor_is_a_place_to_go_on_from(kind: str, cursor: bytes) -> None:
    PLACES[kind](cursor.decode("utf-8", "replace"))


def recorded_from(path: Path) -> recorded.Recorded:
    return recorded.Recorded([path], pseudonyms=Tools.pseudonyms, clock=Tools.clock, name="recorded")


def found_in(taken: object) -> Iterator[Any]:
    """Give every record and refusal in what a source made of a frame, however it is wrapped."""
    if isinstance(taken, Post | Bulletin | MalformedRecord | DeadLetter):
        yield taken
    elif isinstance(taken, Reading):
        yield from found_in((taken.post, *taken.also))
    elif is_dataclass(taken):
        yield from found_in([getattr(taken, field.name) for field in fields(taken)])
    elif isinstance(taken, list | tuple):
        for one in taken:
            yield from found_in(one)


def left_by(one: Any) -> bytes:
    """Return what leaves the room: a record as it stands on a topic, a letter as it can be read, without the link."""
    if isinstance(one, MalformedRecord):
        return str(one).encode("utf-8", "surrogatepass") + one.value
    if isinstance(one, DeadLetter):
        return one.detail.encode("utf-8", "surrogatepass") + one.value
    return encode(msgspec.structs.replace(one, url=None))


READERS: dict[str, Callable[[str], object]] = {
    "Retry-After": lambda text: retry_after.seconds_in(text, NOW, longest_secs=60),
    "Retry-After of CAP": lambda text: cap.seconds_in(text, NOW),
    "moment of Mastodon": mastodon.moment_in,
    "refusal of X": lambda text: x.refusal_in(text.encode("utf-8", "replace")),
    "usage of Facebook": lambda text: facebook_graph.seconds_to_wait({"x-business-use-case-usage": text}, NOW),
    "robots": lambda text: robots.is_allowed(text, "/a/b?c"),
    "pattern of robots": lambda text: robots.is_match(text[:300], "/" + "ab" * 200),
    "reserved": lambda text: robots.reserved_in(text.encode("utf-8", "replace")),
    "host": cap.host_of,
    "link": lambda text: cap.joined("https://host.example/a", text),
    "CAP to be checked": lambda text: problems_in(text.encode("utf-8", "replace")),
}
"""What else a server may say to us, as texts."""
SAID = [
    b"120",
    b"Sun, 22 Nov 2026 07:00:00 GMT",
    b"User-agent: *\nDisallow: /a*b$\nAllow: /\n",
    b'{"title":"Unauthorized","detail":"no","errors":[{"message":"x"}]}',
    b'{"17":[{"type":"pages","call_count":100,"estimated_time_to_regain_access":5}]}',
    b"https://user@host.example:443/path;x?y=z#w",
    b'[{"location":"/","is_reserved":true}]',
    (CORPUS / "cap.txt").read_bytes().split(b"\n\n")[0],
]


@pytest.mark.parametrize("name", READERS)
@fuzzing(100)
@given(value=hostile(SAID))
def test_nothing_that_a_server_says_raises(name: str, value: bytes) -> None:
    READERS[name](value.decode("utf-8", "replace"))


@fuzzing(100)
@given(value=hostile((CORPUS / "cap.txt").read_bytes().split(b"\n\n")))
def test_a_cap_document_is_an_alert_or_malformed(value: bytes) -> None:
    with suppress(MalformedRecord):
        assert alert_from(bytes_from(alert_from(value)))
