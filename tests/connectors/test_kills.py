"""Killed at any point, the source or its server: after a restart each post is there at least once, none is missing.

An entry of `conformance/` that can tell of many posts has `many(tools, count)`: it yields a `Many`. What is sent to us
has its entry in `servers/sender.py`. Where a platform cannot give back what was lost, `lossy(tools, count)` yields one
whose posts may be missing, but each of them in a gap that was told.
"""

import asyncio
import gc
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import pytest

from connectors.contract import Capabilities, Reading, Source
from connectors.cursors import SqliteCursors
from connectors.pseudonym import FixedPseudonyms
from connectors.runner import Pace, run
from records import Bulletin, DeadLetter, ManualClock, Post, Pulse, SourceUnavailable

COUNT, KILLS, LOSSY = 10_000, 50, 3_000
FEWER, FEWEST = (2_000, 12), (500, 3)
"""Posts and kills of the short form; and where it takes seconds to come back."""
SLOW = "bluesky"
STALLED_SECS, REST_SECS, END_SECS = 30.0, 0.4, 60.0
NEVER = 10**9  # posts
SPARE = 5  # kills that may not come about: several can be due in the last batch
HERE = Path(__file__).parent
TEAR, RESTART = 0.4, 0.6  # chances, summed up: the connection is torn, or the server killed, during a life of ours
AWAY = 0.05  # chance that the broker takes nothing, while the process lives on
QUICK = Pace(batch_posts=24, first_wait_secs=0.0, longest_wait_secs=0.001, linger_secs=0.001, stop_secs=1.0)


def entries(function: str) -> dict[str, str]:
    """Return the modules that have a function, by name."""
    paths = [*(HERE / "conformance").glob("*.py"), *(HERE / "servers").glob("*.py")]
    found = [path for path in sorted(paths) if f"def {function}(" in path.read_text(encoding="utf-8")]
    return {path.stem: f"{path.parent.name}/{path.name}" for path in found}


class Killed(BaseException):
    """The process is no more; nothing in it may turn this into an answer."""


Started = tuple[Source | None, AbstractAsyncContextManager[None] | None]
"""What a process consists of: a source that is read, an application that is served, or both."""


class Many(Protocol):
    """A platform with many posts, and what reads them."""

    keys: Sequence[str]
    overlap: int  # posts that are read again after the last one was noted

    def start(self, broker: "MortalBroker") -> Started:
        """Return what a new process begins with."""

    def tear_after(self, posts: int) -> None:
        """Tear the connection after so many posts, once."""

    async def restart(self) -> None:
        """Kill the server and start it again."""


class MortalBroker:
    """Takes posts until the process is killed: before it has the batch, in the middle, or after."""

    def __init__(self, kills: Sequence[int], chance: random.Random) -> None:
        self.taken: list[str] = []
        self.known: set[str] = set()
        self.kills = list(kills)
        self.chance = chance
        self.deaths = 0
        self.is_called = False  # who was killed is called, not a runner
        self.is_process_dead = False

    async def posts(self, posts: Sequence[Post]) -> None:
        if self.is_process_dead:
            raise Killed
        task = asyncio.current_task()
        is_called = task is None or not task.get_name().startswith("send ")  # by an application, not by a runner
        if is_called and self.chance.random() < AWAY:
            raise SourceUnavailable("the broker is away")  # which a runner would not survive
        is_due = bool(self.kills) and len(self.known) + len(posts) >= self.kills[0]
        reached = self.chance.choice((0, self.chance.randrange(len(posts) + 1), len(posts))) if is_due else len(posts)
        await asyncio.sleep(0)  # a broker takes its time
        keys = [post.key for post in posts[:reached]]
        self.taken += keys
        self.known.update(keys)
        if is_due:
            self.kills.pop(0)
            self.deaths += 1
            self.is_process_dead = True
            self.is_called = is_called
            raise Killed

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        raise AssertionError("posts were expected")

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        raise AssertionError(f"nothing was wrong with {letters}")

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        """Counts are no matter here."""


class Gap(NamedTuple):
    """A span that nobody will ever have seen, by what was told of it."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment <= self.until


@dataclass
class Watcher:
    """An observer that remembers when a gap was told."""

    clock: ManualClock
    gaps: list[Gap] = field(default_factory=list)

    def counted(self, *_: Any, **__: Any) -> None:
        """Look away."""

    def lagged(self, *_: Any) -> None:
        """Look away."""

    def unavailable(self, *_: Any, **__: Any) -> None:
        """Look away."""

    def gap(self, source: str, seconds: float) -> None:
        until = self.clock.now()
        self.gaps.append(Gap(until - timedelta(seconds=seconds), until))

    def unsaved(self, *_: Any) -> None:
        """Look away."""


@dataclass
class Tools:
    """What an entry may use."""

    corpus: Path
    folder: Path
    clock: ManualClock
    witness: Watcher
    broker: MortalBroker
    cursors: SqliteCursors
    chance: random.Random
    server: Callable[[str], ModuleType]
    pseudonyms: FixedPseudonyms = field(default_factory=lambda: FixedPseudonyms(b"test"))

    def close(self) -> None:
        self.cursors.close()
        gc.collect()  # while its warnings are expected

    @asynccontextmanager
    async def telling(self, story: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Let a story run beside; what goes wrong with it is raised at the end."""
        task = asyncio.create_task(story)
        try:
            yield
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if not task.cancelled():
                task.result()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that others bring about."""
        while not is_so():  # noqa: ASYNC110  what is waited for does not know of us
            await asyncio.sleep(0.0005)

    def served(self, server: Any) -> "Served":
        """Return a server that can be killed."""
        return Served(server)

    async def until_listened(self, name: str) -> None:
        """Wait until a source has noted where it begins: what was said before concerns nobody."""
        await self.until(lambda: self.cursors.load(name) is not None)


class Served:
    """A server that can be killed and started again under its address."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.up = AsyncExitStack()

    async def __aenter__(self) -> "Served":
        await self.up.enter_async_context(self.server.running())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.up.aclose()

    async def restart(self) -> None:
        await self.up.aclose()
        self.up = AsyncExitStack()
        await self.up.enter_async_context(self.server.running())


@pytest.fixture
def tools_for(
    load: Callable[[str], ModuleType], corpus: Path, tmp_path: Path, clock: ManualClock
) -> Callable[..., Tools]:
    """Return what makes the tools of an entry, by its name: the same chances each time."""

    def tools_for(name: str, count: int, kills: int = KILLS) -> Tools:
        chance = random.Random(f"kills of {name}")  # noqa: S311  where to strike, the same each time
        return Tools(
            corpus=corpus,
            folder=tmp_path,
            clock=clock,
            witness=Watcher(clock),
            broker=MortalBroker(sorted(chance.sample(range(1, count), kills + SPARE)), chance),
            cursors=SqliteCursors(tmp_path / "cursors.sqlite"),
            chance=chance,
            server=lambda name: load(f"servers/{name}.py"),
        )

    return tools_for


def in_short_and_whole(names: Iterable[str]) -> Iterator[Any]:
    """Yield names with posts and kills, few and then all."""
    for name in names:
        yield pytest.param(name, *(FEWEST if name == SLOW else FEWER), id=f"{name}, fewer")
        yield pytest.param(name, COUNT, KILLS, id=name, marks=pytest.mark.long)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # who is killed closes nothing
@pytest.mark.parametrize(("name", "count", "kills"), [*in_short_and_whole(entries("many"))])
async def test_after_many_kills_at_random_points_no_post_is_missing(
    name: str, count: int, kills: int, load: Callable[[str], ModuleType], tools_for: Callable[..., Tools]
) -> None:
    tools = tools_for(name, count, kills)
    broker = tools.broker
    entry: Any = load(entries("many")[name])
    async with entry.many(tools, count) as many:
        is_stuck = at_rest(lambda: len(broker.known), STALLED_SECS)
        while len(broker.known) < count:
            await life(many, tools, is_over=lambda: len(broker.known) >= count or is_stuck())
            assert not is_stuck(), f"missing: {sorted(set(many.keys) - broker.known)[:9]}"
        await calm_life(many, tools)  # what came last may be unnoted
        before = len(broker.taken)
        await calm_life(many, tools)
        again = broker.taken[before:]
    assert broker.known == set(many.keys)
    assert broker.deaths >= kills
    assert len(again) <= many.overlap, "the cursor stands where it should"
    assert getattr(many, "is_wary", False) or not tools.witness.gaps, "nothing was lost"
    tools.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("name", entries("lossy"))
async def test_what_nobody_gives_back_lies_in_a_gap_that_was_told(
    name: str, load: Callable[[str], ModuleType], tools_for: Callable[..., Tools]
) -> None:
    tools = tools_for(name, LOSSY)
    broker = tools.broker
    entry: Any = load(entries("lossy")[name])
    async with entry.lossy(tools, LOSSY) as many, asyncio.timeout(90):
        while not many.is_told:
            await life(many, tools, is_over=lambda: many.is_told)
        await calm_life(many, tools)
    missing = [key for key in many.keys if key not in broker.known]
    needless = [key for key in broker.known if any(gap.holds(many.written_at[key]) for gap in tools.witness.gaps)]
    assert missing, "else there was nothing to tell"
    assert all(any(gap.holds(many.written_at[key]) for gap in tools.witness.gaps) for key in missing)
    unnoted = broker.deaths * QUICK.batch_posts + len(tools.witness.gaps)  # and each gap begins with what was noted
    assert len(needless) <= unnoted, "no longer than nobody looked"
    tools.close()


class Silent:
    """A source that says nothing and does not end; the process that it is all of."""

    name, is_trusted, capabilities = "silent", False, Capabilities()

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        await asyncio.Event().wait()
        yield Reading("", None)

    def start(self, _: MortalBroker) -> Started:
        return self, None


@pytest.mark.parametrize("steps", range(6))
async def test_a_stop_told_twice_leaves_nobody_behind(steps: int, tools_for: Callable[..., Tools]) -> None:
    tools: Any = tools_for("silent", COUNT)
    many: Any = Silent()
    async with asyncio.timeout(10), process(many, tools) as tasks:
        await asyncio.wait(tasks, timeout=0.01)
        for task in tasks:
            task.cancel()
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait(tasks)
        await tools.until(lambda: not runners())
    tools.close()


def runners() -> set[asyncio.Task[Any]]:
    """Return what the runners of this loop have not ended yet."""
    return {task for task in asyncio.all_tasks() if task.get_name().startswith(("read ", "send "))}


def at_rest(count: Callable[[], int], secs: float) -> Callable[[], bool]:
    """Return what tells that a count has not changed for so long."""
    now = asyncio.get_running_loop().time
    last, since = count(), now()

    def is_at_rest() -> bool:
        nonlocal last, since
        if count() != last:
            last, since = count(), now()
        return now() - since > secs

    return is_at_rest


async def calm_life(many: Many, tools: Tools) -> None:
    """Let a process live until nothing comes any more."""
    tools.broker.kills.clear()
    many.tear_after(NEVER)
    is_over = at_rest(lambda: len(tools.broker.taken), REST_SECS)
    async with process(many, tools):
        await tools.until(is_over)


async def life(many: Many, tools: Tools, *, is_over: Callable[[], bool]) -> None:
    """Let a process live until it is killed, or that is enough; its server may suffer meanwhile."""
    chance, broker = tools.chance, tools.broker
    fate, share, restart_at = chance.random(), COUNT // KILLS, None
    if fate < TEAR:
        many.tear_after(chance.randrange(1, share))
    elif fate < RESTART:
        restart_at = len(broker.known) + chance.randrange(1, share)
    async with process(many, tools) as tasks:
        while not (broker.is_process_dead or is_over()):
            await asyncio.sleep(0.002)
            if tasks and all(task.done() for task in tasks):
                break  # a file has an end
            if restart_at is not None and len(broker.known) >= restart_at:
                restart_at = None
                async with asyncio.timeout(END_SECS):
                    await many.restart()


@asynccontextmanager
async def process(many: Many, tools: Tools) -> AsyncIterator[set[asyncio.Task[None]]]:
    """Run what reads and what is called, and let both die at once."""
    tools.broker.is_process_dead = False
    source, serving = many.start(tools.broker)
    tasks: set[asyncio.Task[None]] = set()

    async def wait(seconds: float) -> None:
        tools.clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0.001)

    if source:
        reading = run(
            source,
            gate=lambda _: True,
            publisher=tools.broker,
            cursors=tools.cursors,
            observer=tools.witness,
            clock=tools.clock,
            pace=QUICK,
            sleep=wait,
        )
        tasks.add(asyncio.create_task(reading))
    async with serving or nullcontext():
        try:
            yield tasks
        finally:
            await end(tasks, is_runner_dead=tools.broker.is_process_dead and not tools.broker.is_called)


async def end(tasks: set[asyncio.Task[None]], *, is_runner_dead: bool) -> None:
    """Let a runner whose publisher was killed come down by itself, and stop one that does not know yet."""
    if not tasks:
        return
    if is_runner_dead:
        await asyncio.wait(tasks, timeout=END_SECS, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    _, stuck = await asyncio.wait(tasks, timeout=END_SECS)
    left = runners()
    if left:  # a runner that was stopped while it came down waits for nobody
        _, stuck = await asyncio.wait(left, timeout=END_SECS)
    assert not stuck, f"does not end: {[task.get_stack() for task in stuck]}"
    for task in tasks | left:
        if not task.cancelled() and task.exception() is not None:
            assert isinstance(task.exception(), Killed), repr(task.exception())
