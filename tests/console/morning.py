"""The morning at Le Havre, played through the real pipeline with a guarded console beside it, as far as one wants."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy import func, select

from console.access.account_rows import insert_account
from console.access.door import middleware
from console.access.doors import Doors
from console.access.passwords import hashed
from console.access.roles import Role
from console.application import application
from console.archive.database import writing
from console.archive.saying import waiting
from console.archive.tables import revision
from console.desk import Desk
from console.tuning.running import run as bench
from models.gate import Gate
from records import ManualClock, Notification, Post, Pulse, SourceStatus
from records.source_status import State, Way
from streams.publisher import KafkaPublisher
from tests.console.chromium import serving
from tests.console.entering import PASSWORD
from vigie.console_assembly import archive_of, desk_of
from vigie.console_feeding import Feeding
from vigie.console_settings import ConsoleSettings
from vigie.edge_assembly import gate
from vigie.pipeline import Pipeline
from vigie.scenarios.recording import recorded
from vigie.settings import Data, Settings
from vigie.story import LE_HAVRE_DAY, PARIS, Story, le_havre_2012

STEP = timedelta(minutes=1)  # of event time
PEOPLE: dict[str, Role] = {"astreinte": "operator", "benevole": "volunteer", "admin": "admin"}
WAYS: dict[str, Way] = {"facebook": "page", "twitter": "network", "journal": "press", "meteofrance": "authorities"}
NOTIFIED = frozenset({"watch", "alert"})


@dataclass
class Morning:
    """A morning that is played up to some moment, and a console that shows it."""

    address: str
    desk: Desk
    clock: ManualClock
    _pipeline: Pipeline
    _passes: Gate
    _posts: list[Post]
    _read: Counter[str] = field(default_factory=Counter)
    _told: set[tuple[str, str]] = field(default_factory=set)

    async def until(self, wall: str) -> None:
        """Play up to a time of the day on the wall of Le Havre, and wait until the console shows it."""
        end = datetime.combine(LE_HAVRE_DAY, time.fromisoformat(wall), PARIS)
        while self.clock.at < end:
            begin = self.clock.at
            self.clock.at = min(begin + STEP, end)
            due = [post for post in self._posts if begin <= post.posted_at < self.clock.at]
            self._read.update(post.source for post in due)
            kept = [post for post in due if self._passes(post.text)]
            statuses = _statuses(self.clock.at, self._posts[0].posted_at, self._read)
            await self._pipeline.publisher.statuses(statuses)
            await self._pipeline.pulses(_pulses(due, kept, begin, statuses))
            await self._pipeline.posts(kept)
        await self.settled()
        await self._notify()

    async def settled(self) -> None:
        """Wait until what people decided is with the detectors, and what these make of it is in the archive."""
        while await waiting(self.desk.engine):  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)  # nobody counts what the console hands on
        raised = len(await self._pipeline.alerts())
        while await self._archived() < raised:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def _archived(self) -> int:
        async with self.desk.engine.connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(revision))).scalar_one())

    async def _notify(self) -> None:
        """Say that the duty officer was told of each watch and alert, which no receiver here does."""
        told = []
        for alert in await self._pipeline.alerts():
            if alert.level in NOTIFIED and (alert.incident_id, alert.level) not in self._told:
                self._told.add((alert.incident_id, alert.level))
                told.append(
                    Notification(
                        notification_id=f"{alert.incident_id}/{alert.level}",
                        incident_id=alert.incident_id,
                        revision=alert.revision,
                        level=alert.level,
                        receiver="astreinte",
                        route="cellule",
                        state="sent",
                        at=alert.raised_at + timedelta(seconds=4),
                        attempts=1,
                    )
                )
        await self._pipeline.publisher.notifications(told)


def _statuses(at: datetime, begin: datetime, read: Counter[str]) -> list[SourceStatus]:
    """Return how the sources are: the posts are heard, and one source that has none is not."""

    def one(source: str, state: State, why: str = "") -> SourceStatus:
        return SourceStatus(
            source=source,
            way=WAYS[source],
            state=state,
            at=at,
            since=lost_at if state == "blind" else begin,
            why=why,
            last_sign_at=lost_at if state == "blind" else at,
            last_post_at=at if read[source] else None,
            read=read[source],
        )

    lost_at = datetime.combine(LE_HAVRE_DAY, time(9, 12), PARIS)
    is_lost = at > lost_at
    return [
        one("facebook", "listening"),
        one("twitter", "listening"),
        one("meteofrance", "listening"),
        one("journal", "blind", "HTTP 503") if is_lost else one("journal", "listening"),
    ]


def _pulses(due: list[Post], kept: list[Post], minute: datetime, statuses: list[SourceStatus]) -> list[Pulse]:
    """Return what each source read in a minute: nothing is a number, too."""
    read, passed = Counter(post.source for post in due), Counter(post.source for post in kept)
    return [
        Pulse(
            source=one.source,
            minute=minute,
            language="fr",
            area="",
            outcomes={"kept": passed[one.source], "gated": read[one.source] - passed[one.source]},
        )
        for one in statuses
        if one.state == "listening"
    ]


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Morning]:
    """Start a pipeline and a console, with somebody of each role, before the first post."""
    settings, posts = await _prepared(le_havre_2012(), folder)
    clock = ManualClock(posts[0].posted_at)
    async with AsyncExitStack() as stack:
        pipeline = Pipeline(settings)
        stack.push_async_callback(pipeline.stop)
        await pipeline.start()
        engine = await archive_of(settings)
        stack.push_async_callback(engine.dispose)
        publisher = KafkaPublisher(pipeline.streams)
        stack.push_async_callback(publisher.stop)
        is_new = asyncio.Event()
        desk = desk_of(settings, pipeline.streams, engine, clock, is_new.set)
        async with writing(engine) as connection:
            known = {"password_hash": await hashed(PASSWORD), "must_change": False}
            for name, role in PEOPLE.items():
                await insert_account(connection, name, role, clock.now(), known, by="admin")
        address = await stack.enter_async_context(serving(application(desk, middleware(desk, Doors()))))
        stack.push_async_callback(desk.viewers.close)
        feeding = Feeding(desk, pipeline.streams, publisher, is_new, asks_volunteers=True)
        for task in (asyncio.create_task(feeding.run()), asyncio.create_task(bench(desk))):
            stack.push_async_callback(asyncio.wait, {task})
            stack.callback(task.cancel)
        yield Morning(address, desk, clock, pipeline, gate(settings), posts)


async def _prepared(story: Story, folder: Path) -> tuple[Settings, list[Post]]:
    """Return the settings of the town, with one source for each platform, and all posts in order of time."""
    settings, posts = await recorded(story.scenario, story.posts, folder)
    shown = {"console": ConsoleSettings(cell="Ville du Havre", is_exercise=True), "data": Data(dir=folder)}
    return settings.model_copy(update=shown), posts
