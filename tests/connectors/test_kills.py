"""Killed at any point, the source or its server: after a restart each post is there at least once, none is missing.

An entry of `conformance/` that can tell of many posts has `many(tools, count)`: a server with so many, what reads it,
and what tears the connection.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from connectors.contract import Source
from connectors.cursors import SqliteCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import Pace, run
from records import Bulletin, DeadLetter, ManualClock, Post, Pulse

COUNT, KILLS = 10_000, 50
HERE = Path(__file__).parent
NAMES = sorted(
    path.stem for path in (HERE / "conformance").glob("*.py") if "def many(" in path.read_text(encoding="utf-8")
)
QUICK = Pace(first_wait_secs=0.0, longest_wait_secs=0.001, linger_secs=0.001, stop_secs=1.0)


class Killed(Exception):
    """The process is no more."""


class MortalBroker:
    """Takes posts until the process is killed: before it has the batch, or after."""

    def __init__(self, kills: Sequence[int], chance: random.Random) -> None:
        self.taken: list[str] = []
        self.kills = list(kills)
        self.chance = chance

    async def posts(self, posts: Sequence[Post]) -> None:
        has_them = self.chance.random() < 0.5
        due = bool(self.kills) and len(set(self.taken)) + len(posts) >= self.kills[0]
        if has_them or not due:
            self.taken += [post.key for post in posts]
        if due:
            self.kills.pop(0)
            raise Killed

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        raise AssertionError("posts were expected")

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        raise AssertionError(f"nothing was wrong with {letters}")

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Counts are no matter here."""


@pytest.mark.parametrize("name", NAMES)
async def test_after_fifty_kills_at_random_points_no_post_is_missing(
    name: str,
    load: Callable[[str], ModuleType],
    corpus: Path,
    tmp_path: Path,
    clock: ManualClock,
    witness: Any,
) -> None:
    chance = random.Random(f"kills of {name}")  # noqa: S311  where to strike, the same each time
    entry: Any = load(f"conformance/{name}.py")
    tools = entry_tools(load, corpus, tmp_path, clock, witness)
    cursors = SqliteCursors(tmp_path / "cursors.sqlite")
    broker = MortalBroker(sorted(chance.sample(range(1, COUNT), KILLS)), chance)
    async with entry.many(tools, COUNT) as many, asyncio.timeout(120):
        while len(set(broker.taken)) < COUNT:
            if chance.random() < 0.5:
                many.tear_after(chance.randrange(1, COUNT // KILLS))
            await until_killed_or_all(many.source(), broker, cursors, witness, clock)
        await until_killed_or_all(many.source(), broker, cursors, witness, clock, secs=0.5)  # the last may be unnoted
        before = len(broker.taken)
        await until_killed_or_all(many.source(), broker, cursors, witness, clock, secs=0.5)
    assert set(broker.taken) == set(many.keys)
    assert not broker.kills
    assert len(broker.taken) - before <= many.overlap, "the cursor stands where it should"
    cursors.close()


async def until_killed_or_all(
    source: Source, broker: MortalBroker, cursors: SqliteCursors, witness: Any, clock: ManualClock, *, secs: float = 0
) -> None:
    """Read until the process is killed or all is there; for so long at most, where it is said."""
    task = asyncio.create_task(
        run(
            source,
            gate=lambda _: True,
            publisher=broker,
            cursors=cursors,
            observer=witness,
            clock=clock,
            pace=QUICK,
        )
    )
    deadline = asyncio.get_running_loop().time() + secs if secs else float("inf")
    while not task.done() and (secs or len(set(broker.taken)) < COUNT):
        await asyncio.wait({task}, timeout=0.02)
        if asyncio.get_running_loop().time() > deadline:
            break
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and task.exception() is not None:
        assert isinstance(task.exception(), Killed), repr(task.exception())


def entry_tools(load: Callable[[str], ModuleType], corpus: Path, folder: Path, clock: ManualClock, witness: Any) -> Any:
    tools = ModuleType("tools")
    vars(tools).update(
        corpus=corpus,
        folder=folder,
        clock=clock,
        witness=witness,
        pseudonyms=FixedPseudonyms(b"test"),
        server=lambda name: load(f"servers/{name}.py"),
    )
    return tools
