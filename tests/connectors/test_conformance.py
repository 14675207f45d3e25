"""What every source promises, checked on recorded bytes, whole and damaged, without a network beyond the loopback."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from connectors.contract import Reading, Source
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import run
from connectors.sources.bluesky import Bluesky, position_from
from connectors.sources.recorded import Recorded
from records import MalformedRecord, ManualClock, Post

NAMES = ("bluesky", "bluesky damaged", "recorded.jsonl", "recorded.csv", "recorded.jsonl damaged")
SECRETS = (b"alicealice", b"bobbob", b"carol.example", b"eve_secret", b"jean_dupont", b"Marie Martin", b"@paul")


class Subject(NamedTuple):
    """A source with something to read, how much that is, and the order of its cursors."""

    source: Source
    frames: int
    place: Callable[[str], Any]


@pytest.fixture(params=NAMES)
async def subject(
    request: pytest.FixtureRequest,
    servers: ModuleType,
    payloads: list[dict[str, Any]],
    corpus: Path,
    tmp_path: Path,
    clock: ManualClock,
    witness: Any,
) -> AsyncIterator[Subject]:
    names = FixedPseudonyms(b"test")
    kind, _, is_damaged = str(request.param).partition(" ")
    if kind == "bluesky":
        server = servers.Jetstream(payloads)
        if is_damaged:
            server.corrupt = {payload["seq"] for payload in payloads[::3]}
        async with server.running():
            source = Bluesky(pseudonyms=names, clock=clock, observer=witness, base_url=server.url)
            yield Subject(source, 15, lambda cursor: position_from(cursor).seq)
        return
    path = corpus / kind
    frames = 10 if kind.endswith("jsonl") else 7
    if is_damaged:
        path = tmp_path / kind
        path.write_bytes(damaged((corpus / kind).read_bytes()))
    yield Subject(Recorded([path], pseudonyms=names, clock=clock), frames, lambda cursor: int(cursor.partition("@")[0]))


def damaged(content: bytes) -> bytes:
    """Change a byte of every other line, never its end."""
    chance = random.Random(7)  # noqa: S311
    lines = [bytearray(line) for line in content.split(b"\n")]
    for line in lines[::2]:
        if line:
            line[chance.randrange(len(line))] = 0xFF
    return b"\n".join(lines)


async def readings(subject: Subject, after: str | None = None, *, less: int = 0) -> list[Reading]:
    found: list[Reading] = []
    if subject.frames == less:
        return found
    async with aclosing(subject.source.read(after)) as steps, asyncio.timeout(5):
        async for reading in steps:
            found.append(reading)
            if len(found) == subject.frames - less:
                break
    return found


async def test_every_frame_gives_one_reading(subject: Subject) -> None:
    assert len(await readings(subject)) == subject.frames


async def test_the_cursor_never_goes_back(subject: Subject) -> None:
    places = [subject.place(reading.cursor) for reading in await readings(subject)]
    assert places == sorted(places)


async def test_bad_frames_are_handed_over_not_raised(subject: Subject) -> None:
    for reading in await readings(subject):
        assert reading.post is None or isinstance(reading.post, Post | MalformedRecord)


async def test_reasons_are_few(subject: Subject) -> None:
    posts = [reading.post for reading in await readings(subject)]
    reasons = {post.reason for post in posts if isinstance(post, MalformedRecord)}
    assert reasons <= {"undecodable", "invalid", "too_long"}


async def test_reading_again_gives_the_same(subject: Subject) -> None:
    first, second = await readings(subject), await readings(subject)
    assert [reading.post for reading in first if isinstance(reading.post, Post)] == [
        reading.post for reading in second if isinstance(reading.post, Post)
    ]


async def test_no_name_leaves(subject: Subject, broker: Any, witness: Any, clock: ManualClock, until: Any) -> None:
    task = asyncio.create_task(
        run(
            subject.source,
            gate=lambda _: True,
            publisher=broker,
            cursors=ForgetfulCursors(),
            observer=witness,
            clock=clock,
        )
    )
    await until(lambda: witness.outcomes.total() >= subject.frames)
    task.cancel()
    await asyncio.wait({task})
    assert witness.outcomes.total() == subject.frames
    assert broker.pulse_sums() == witness.outcomes
    left = broker.all_bytes()
    for post in broker.kept:
        left = left.replace((post.url or "-").encode(), b"")
    assert [secret for secret in SECRETS if secret in left] == []
