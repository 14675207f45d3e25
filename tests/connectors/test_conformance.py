"""What every source promises, checked on recorded bytes, whole and damaged, without a network beyond the loopback.

Each source has one module in `conformance/`: `subject` gives it something to read and says how many frames that is,
`place` the order of its cursors, `frames` the wire's own pieces, `take_apart` what the source makes of one.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Capabilities, Reading, Source
from connectors.cursors import ForgetfulCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import run
from records import Bulletin, MalformedRecord, ManualClock, Post

NAMES = sorted(path.stem for path in Path(__file__).with_name("conformance").glob("*.py"))
REASONS = {"undecodable", "invalid", "too_long"}


@dataclass(frozen=True)
class Tools:
    """What an entry may use."""

    corpus: Path
    folder: Path
    clock: ManualClock
    witness: Any
    pseudonyms: FixedPseudonyms
    server: Callable[[str], ModuleType]

    def damaged(self, content: bytes) -> bytes:
        """Change a byte of every other line, never its end."""
        chance = random.Random(7)  # noqa: S311
        lines = [bytearray(line) for line in content.split(b"\n")]
        for line in lines[::2]:
            if line:
                line[chance.randrange(len(line))] = 0xFF
        return b"\n".join(lines)


class Subject(NamedTuple):
    """A source with something to read, and how much that is."""

    source: Source
    frames: int
    entry: Any


@pytest.fixture
def tools(corpus: Path, tmp_path: Path, clock: ManualClock, witness: Any, load: Callable[[str], ModuleType]) -> Tools:
    return Tools(corpus, tmp_path, clock, witness, FixedPseudonyms(b"test"), lambda name: load(f"servers/{name}.py"))


@pytest.fixture(params=NAMES)
def entry(request: pytest.FixtureRequest, load: Callable[[str], ModuleType]) -> Any:
    return load(f"conformance/{request.param}.py")


@pytest.fixture(params=[False, True], ids=["whole", "damaged"])
async def subject(request: pytest.FixtureRequest, entry: Any, tools: Tools) -> AsyncIterator[Subject]:
    async with entry.subject(tools, is_damaged=request.param) as (source, frames):
        yield Subject(source, frames, entry)


async def readings(subject: Subject, after: str | None = None) -> list[Reading]:
    found: list[Reading] = []
    async with aclosing(subject.source.read(after)) as steps, asyncio.timeout(10):
        async for reading in steps:
            found.append(reading)
            if len(found) == subject.frames:
                break
    return found


async def test_every_frame_gives_one_reading(subject: Subject) -> None:
    assert len(await readings(subject)) == subject.frames


async def test_the_cursor_never_goes_back(subject: Subject) -> None:
    places = [subject.entry.place(reading.cursor) for reading in await readings(subject) if reading.cursor]
    assert places == sorted(places)


async def test_bad_frames_are_handed_over_not_raised(subject: Subject) -> None:
    for reading in await readings(subject):
        assert reading.post is None or isinstance(reading.post, Post | Bulletin | MalformedRecord)


async def test_reasons_are_few(subject: Subject) -> None:
    posts = [reading.post for reading in await readings(subject)]
    assert {post.reason for post in posts if isinstance(post, MalformedRecord)} <= REASONS


async def test_reading_again_gives_the_same(subject: Subject) -> None:
    first, second = await readings(subject), await readings(subject)
    assert [reading.post for reading in first if isinstance(reading.post, Post | Bulletin)] == [
        reading.post for reading in second if isinstance(reading.post, Post | Bulletin)
    ]


async def test_it_carries_what_it_says_that_it_carries(subject: Subject) -> None:
    assert isinstance(subject.source.capabilities, Capabilities)
    kind = Post if subject.source.capabilities.carries == "posts" else Bulletin
    found = [reading.post for reading in await readings(subject)]
    assert {type(one) for one in found if one is not None and not isinstance(one, MalformedRecord)} <= {kind}


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
    assert [secret for secret in subject.entry.SECRETS if secret in left] == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_corruption_of_a_frame_raises(entry: Any, tools: Tools, data: st.DataObject) -> None:
    frame = bytearray(data.draw(st.sampled_from(entry.frames(tools))))
    how = data.draw(st.sampled_from(["flip", "cut", "insert", "whole", "repeat"]))
    at = data.draw(st.integers(0, max(len(frame) - 1, 0)))
    if how == "flip" and frame:
        frame[at] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del frame[at : at + data.draw(st.integers(1, len(frame) or 1))]
    elif how == "insert":
        frame[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    elif how == "repeat":
        frame[at:at] = frame[at : at + data.draw(st.integers(1, 40))] * data.draw(st.integers(1, 50))
    entry.take_apart(tools, data.draw(st.binary(max_size=200)) if how == "whole" else bytes(frame))
