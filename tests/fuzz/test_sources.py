"""Whatever a source sends: posts, bulletins or refusals, short ones, and no name of an author in any of them.

Each kind of source that the settings know has its wires here: entries of the conformance suite, which bring frames and
take them apart, or an adaptor of this file.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, get_args

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
    feed_memory,
    mastodon,
    notices,
    polling,
    recorded,
    robots,
    x,
)
from connectors.sources.webhook import STATUS
from records import Bulletin, DeadLetter, MalformedRecord, ManualClock, Post, decode, encode
from streams.recorded_topic import RecordedTopic, offsets_in
from streams.settings import StreamSettings
from streams.topics import POSTS
from tests.connectors.conftest import CORPUS, NOW, Broker, Witness, loaded
from tests.fuzz.depth import fuzzing
from tests.fuzz.found import found, name_of
from tests.fuzz.mutating import beside, hostile
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


def topic(folder: Path) -> Wire:
    """Return the wire of a topic that is read again."""
    source = RecordedTopic(
        StreamSettings(kafka_url="kafka://127.0.0.1:9", data_dir=folder), "posts.v1", clock=ManualClock(NOW)
    )
    return Wire(tuple(values_of(POSTS)), (), lambda value: source._post(value, 0))


WIRES: dict[str, tuple[Callable[[Path], Wire], ...]] = {
    "bluesky": (conformance("bluesky"),),
    "cap": (conformance("cap"),),
    "facebook": (conformance("facebook"),),
    "hubeau": (conformance("hubeau"),),
    "mastodon": (conformance("mastodon"),),
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
